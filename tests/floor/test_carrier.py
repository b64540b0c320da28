"""Over a real Redis: every frame once and in order, and after whatever happens to Redis the whole picture, never an
old one shown as live."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from floor import carrier as carriers
from floor.carrier import Bus, Carrier, Reader
from floor.frames import Beat, Frame, Snapshot
from floor.hub import Hub, Watcher
from floor.lenses import View
from live.changes import Entities
from tests.asterisk.desk import Page
from tests.house.redis import RedisServer, until

pytestmark = pytest.mark.redis

LIVE = {"phase": "live", "code": "", "detail": "", "since": 1}
KINDS = frozenset({"call", "party"})


class Worker:
    """A worker that says what the test wants said, and beats."""

    def __init__(self, bus: Bus, pbx: str = "lab", epoch: int = 7) -> None:
        self.carrier = Carrier(bus)
        self.pbx, self.epoch, self.seq = pbx, epoch, 0
        self.link = LIVE
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Worker:
        self._tasks = [asyncio.create_task(self.carrier.run()), asyncio.create_task(self._beats())]
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.die()
        await self.carrier.close()

    async def die(self) -> None:
        """As by kill -9: no last word."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _beats(self) -> None:
        while True:
            self.beat()
            await asyncio.sleep(0.2)

    def beat(self) -> None:
        self.carrier.beat(Beat(self.pbx, self.epoch, self.seq, 0, 5, 0.4, self.link))

    def snapshot(self, **calls: str) -> None:
        up: Entities = {"call": {f"{self.pbx}/{key}": {"phase": phase, "rev": 1} for key, phase in calls.items()}}
        self.carrier.snapshot(Snapshot(self.pbx, self.epoch, self.seq, 1000, up))
        self.beat()

    def frame(self, *gone: str, **calls: str) -> None:
        self.seq += 1
        up: Entities = {"call": {f"{self.pbx}/{key}": {"phase": phase} for key, phase in calls.items()}}
        deleted = {"call": [f"{self.pbx}/{key}" for key in gone]} if gone else {}
        self.carrier.publish(Frame(self.pbx, self.epoch, self.seq, 2000, 1990, up, deleted))


@contextlib.asynccontextmanager
async def web(bus: Bus) -> AsyncIterator[Page]:
    """A web process: a hub that reads, and a page that looks."""
    hub, page = Hub(), Page()
    reader = Reader(bus, hub)
    hub.join(Watcher(page, View(KINDS)), {})
    reading = asyncio.create_task(reader.run())
    try:
        yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def phases(page: Page) -> dict[str, str]:
    return {key.partition("/")[2]: call["phase"] for key, call in page.calls().items()}


async def shows(page: Page, seconds: float = 10.0, **calls: str) -> None:
    """Wait until the page shows just this, as live."""
    await page.until(lambda: phases(page) == calls and page.link.get("phase") == "live", seconds)


@pytest.fixture
def bus(redis_server: RedisServer) -> Bus:
    return Bus(redis_server.url)


async def test_every_frame_once_and_in_order(bus: Bus) -> None:
    async with web(bus) as one, web(bus) as other, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(one, a="ringing")
        for number in range(500):
            worker.frame(**{f"c{number % 7}": f"{number}"})
            if number % 50 == 0:
                await asyncio.sleep(0)
        worker.frame("c0", a="talking")
        for page in (one, other):
            await page.until(lambda page=page: page.seq == 501 and page.epoch == 7)
            expected = {f"c{number % 7}": f"{number}" for number in range(493, 500)}
            del expected["c0"]
            assert phases(page) == {"a": "talking", **expected}


async def test_who_comes_late_is_told_all(bus: Bus) -> None:
    async with Worker(bus) as worker:
        worker.snapshot(a="ringing")
        for number in range(20):
            worker.frame(b=f"{number}")
        async with web(bus) as first:
            await shows(first, a="ringing", b="19")
            worker.frame(b="20")
            await shows(first, a="ringing", b="20")
        async with web(bus) as page:
            began = time.monotonic()
            await shows(page, a="ringing", b="20")
            assert time.monotonic() - began < 1, "it waits for no heartbeat and no timer"
            worker.frame("a")
            await shows(page, b="20")
            assert page.snapshots == 1


async def test_a_new_epoch_voids_what_was(bus: Bus) -> None:
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        worker.frame(b="talking")
        await shows(page, a="ringing", b="talking")
        worker.link = {**LIVE, "phase": "down", "code": "lost"}
        worker.beat()
        await page.until(lambda: page.link["code"] == "lost")
        worker.epoch, worker.seq, worker.link = 8, 0, LIVE
        worker.snapshot(c="waiting")
        await shows(page, c="waiting")


async def test_a_lost_frame_is_noticed_and_the_picture_taken_anew(bus: Bus, redis_server: RedisServer) -> None:
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(page, a="ringing")
        worker.frame(a="talking")
        await shows(page, a="talking")
        worker.seq += 1  # as if this one had never come
        worker.frame(a="hold")
        # Its own Redis entries can't tell; the reader sees the hole, and heals by the next whole picture.
        await page.until(lambda: page.link["phase"] == "resyncing")
        assert phases(page) == {"a": "talking"}
        await shows(page, a="hold")
        assert page.snapshots >= 2


async def test_a_beat_that_knows_more_than_was_told(bus: Bus) -> None:
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(page, a="ringing")
        worker.seq += 1
        await page.until(lambda: page.link["phase"] == "resyncing")


async def test_too_much_at_once_becomes_a_picture(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "QUEUE", 10)
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(page, a="ringing")
        for number in range(1000):  # without an await: the writer has no turn
            worker.frame(b=f"{number}")
        await shows(page, a="ringing", b="999")
        assert worker.carrier.drops >= 990
        assert len(worker.carrier._queue) <= 10
        assert page.snapshots == 2


@pytest.mark.parametrize("seconds", [0.0, 1.5])
async def test_redis_restarts_empty(bus: Bus, redis_server: RedisServer, seconds: float) -> None:
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(page, a="ringing")
        await asyncio.to_thread(redis_server.kill)
        await page.until(lambda: page.link["code"] == "bus_lost", 1)
        worker.frame(a="talking")
        worker.frame("a", b="waiting")
        await asyncio.sleep(seconds)
        assert page.link["phase"] == "down"
        await asyncio.to_thread(redis_server.start)
        back = time.monotonic()
        await page.until(lambda: page.link["phase"] == "live", 3)
        assert phases(page) == {"b": "waiting"}, "never live with what was"
        print(f"live {time.monotonic() - back:.2f} s after Redis")
        worker.frame(b="talking")
        await shows(page, b="talking")


async def test_redis_is_emptied_under_us(bus: Bus, redis_server: RedisServer) -> None:
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(page, a="ringing")
        redis_server.client().flushall()
        worker.frame(a="talking")
        await shows(page, a="talking")
        async with web(bus) as late:
            await shows(late, a="talking")
        assert "bus_lost" not in {link["code"] for link in page.links}


async def test_redis_freezes(bus: Bus, redis_server: RedisServer) -> None:
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(page, a="ringing")
        redis_server.freeze()
        worker.frame(a="talking")
        began = time.monotonic()
        for _ in range(2000):
            worker.frame(a="hold")
        assert time.monotonic() - began < 1, "the worker is not held up"
        await page.until(lambda: page.link["code"] == "bus_lost", 6)
        redis_server.thaw()
        await page.until(lambda: page.link["phase"] == "live", 3)
        assert phases(page) == {"a": "hold"}


async def test_redis_comes_back_with_an_old_picture(bus: Bus, redis_server: RedisServer) -> None:
    """What a Redis with files on disk does: it shows the past. Nobody shows it as live."""
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        await shows(page, a="ringing")
        await asyncio.to_thread(redis_server.save)
    async with Worker(bus, epoch=9) as worker, web(bus) as page:
        worker.snapshot(b="talking")
        await shows(page, b="talking")
        await asyncio.to_thread(redis_server.kill)
        await asyncio.to_thread(redis_server.start)
        seen: list[tuple[str, dict[str, str]]] = []
        deliver = page.deliver

        def noted(text: str) -> None:
            deliver(text)
            seen.append((page.link["phase"], phases(page)))

        page.deliver = noted  # type: ignore[method-assign]
        await page.until(lambda: page.link["phase"] == "live" and seen[-1:] == [("live", {"b": "talking"})], 3)
        assert ("live", {"a": "ringing"}) not in seen


async def test_a_worker_that_dies_is_said_and_its_successor_leaves_no_ghost(bus: Bus) -> None:
    async with web(bus) as page:
        worker = await Worker(bus).__aenter__()
        worker.snapshot(a="ringing", ghost="talking")
        await shows(page, a="ringing", ghost="talking")
        await worker.die()
        died = time.monotonic()
        await page.until(lambda: page.link["code"] == "worker_lost", 6)
        assert time.monotonic() - died < 6
        assert "ghost" in phases(page), "the last known picture stays, greyed"
        async with web(bus) as late:
            await late.until(lambda: late.link.get("code") == "worker_lost", 7)
            assert "live" not in {link["phase"] for link in late.links}
            async with Worker(bus, epoch=8) as successor:
                successor.link = {**LIVE, "phase": "resyncing"}
                successor.beat()
                await page.until(lambda: page.link["phase"] == "resyncing")
                successor.link = LIVE
                successor.snapshot(a="talking")
                await shows(page, a="talking")
                await shows(late, a="talking")


async def test_a_worker_that_is_stopped_says_so_at_once(bus: Bus) -> None:
    async with web(bus) as page:
        async with Worker(bus) as worker:
            worker.snapshot(a="ringing")
            await shows(page, a="ringing")
        await page.until(lambda: page.link["code"] == "worker_lost", 1)


async def test_pbxs_are_found_as_their_workers_come(bus: Bus) -> None:
    hub, told = Hub(), []
    hub.beat = lambda beat: told.append((beat.pbx, beat.link["phase"]))  # type: ignore[method-assign]
    reading = asyncio.create_task(Reader(bus, hub).run())
    async with Worker(bus, "one") as one:
        one.snapshot()
        async with asyncio.timeout(5), Worker(bus, "two") as two:
            two.snapshot()
            await until(lambda: {("one", "live"), ("two", "live")} <= set(told))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_redis_away_from_the_start_is_logged_once(
    bus: Bus, redis_server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "RETRY_S", 0.02)
    redis_server.kill()
    async with web(bus) as page, Worker(bus) as worker:
        worker.snapshot(a="ringing")
        worker.frame(a="talking")
        await asyncio.sleep(0.3)
        assert len(caplog.records) == 2, "the reader and the carrier, one line each"
        await asyncio.to_thread(redis_server.start)
        await shows(page, a="talking")


async def test_commands_and_answers_over_redis(over_redis: Callable[[], Bus], redis_server: RedisServer) -> None:
    """The layer too comes back by itself, and a subscription that failed at first is not waited on for ever."""
    from floor import layer
    from floor.hub import worker_channel

    assert worker_channel("lab") == "phx.pbx.lab"
    redis_server.kill()
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listen() -> None:
        async for message in layer.messages(worker_channel("lab")):
            heard.put_nowait(message)

    listening = asyncio.create_task(listen())
    with pytest.raises(layer.NotSent):
        await layer.send(worker_channel("lab"), {"type": "command", "n": 0})
    for _ in range(2):
        await asyncio.to_thread(redis_server.start)
        async with asyncio.timeout(5):
            while heard.empty():
                with contextlib.suppress(layer.NotSent):
                    await layer.send(worker_channel("lab"), {"type": "command", "n": 1})
                await asyncio.sleep(0.05)
        while not heard.empty():
            assert heard.get_nowait()["n"] == 1
        await asyncio.to_thread(redis_server.kill)
    await asyncio.to_thread(redis_server.start)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_a_strangers_command_is_not_heard(over_redis: Callable[[], Bus], redis_server: RedisServer) -> None:
    """Who can write to Redis but has not the panel's secret key gives no commands."""
    import msgpack  # type: ignore[import-untyped]

    from floor import layer

    heard: list[dict[str, Any]] = []

    async def listen() -> None:
        async for message in layer.messages("phx.pbx.lab"):
            heard.append(message)  # noqa: PERF401  # it never ends

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(5):
        await until(lambda: redis_server.listeners("phx.pbx.lab"))
        redis_server.client().publish("phx.pbx.lab", msgpack.packb({"type": "command", "user_id": 1}))
        while not heard:
            await layer.send("phx.pbx.lab", {"type": "command", "user_id": 2})
            await asyncio.sleep(0.05)
    assert {message["user_id"] for message in heard} == {2}
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
