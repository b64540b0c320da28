"""How a worker reads lists: all of a step at once, then those that they lead to."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, cast

import ami
from ami import Address, LinkState, Session
from ami.protocol import Message
from audit.trail import Trail
from floor import worker as workers
from floor.hub import Hub
from floor.worker import PbxConfig, PbxWorker
from live.resync import STEPS, Step
from tests.live.scene import message


class Lists:
    """A session that answers lists, from what it is given."""

    def __init__(self, **answers: list[Message]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []
        self.refuses = False

    def post_list(self, action: ami.Action, on_complete: Callable[[list[Message]], None]) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not self.asked or self._turn_over:
            self.asked.append([])
            self._turn_over = False
            loop.call_soon(self._over)
        self.asked[-1].append(" ".join([action.name, *(value for _, value in action.headers)]))
        if self.refuses:
            future.set_exception(ami.ConnectionLost("cut"))
        else:
            loop.call_soon(self._answer, future, on_complete, self.answers.get(action.name, []))
        return future

    _turn_over = False

    def _over(self) -> None:
        self._turn_over = True

    def _answer(
        self, future: asyncio.Future[Any], on_complete: Callable[[list[Message]], None], items: list[Message]
    ) -> None:
        on_complete(items)
        future.set_result(items)


def make_worker() -> PbxWorker:
    config = PbxConfig("lab", Address.parse("ami://u:s@127.0.0.1:1"), re.compile("."), re.compile("^$"))
    return PbxWorker(config, Hub(), Trail())


async def test_members_are_asked_when_the_rooms_are_known() -> None:
    worker = make_worker()
    rooms = [message("Event", "ConfbridgeListRooms", Conference=name, Locked="No") for name in ("801", "802")]
    session = Lists(ConfbridgeListRooms=rooms)
    assert await worker._read(cast(Session, session), STEPS) == 2
    assert session.asked == [[step.action.name for step in STEPS], ["ConfbridgeList 801", "ConfbridgeList 802"]]


async def test_a_re_read_that_fails_fails_nobody(monkeypatch: Any) -> None:
    worker = make_worker()
    session = Lists()
    monkeypatch.setattr(type(worker.link), "event_session", session)
    monkeypatch.setattr(type(worker.link), "state", LinkState("live"))
    await worker._read_again(STEPS)
    session.refuses = True
    await worker._read_again(STEPS)
    assert len(session.asked) == 2
    monkeypatch.setattr(type(worker.link), "state", LinkState("down"))
    await worker._read_again(STEPS)
    assert len(session.asked) == 2, "without a link nothing is asked"


async def test_a_reconcile_that_fails_is_tried_again(monkeypatch: Any) -> None:
    """Asterisk too busy to answer in time is no error of ours: no traceback, and nothing is begun anew."""
    worker, session = make_worker(), Lists()
    session.refuses = True
    monkeypatch.setattr(type(worker.link), "event_session", session)
    monkeypatch.setattr(type(worker.link), "state", LinkState("live"))
    monkeypatch.setattr(workers, "BEAT_S", 0.001)
    monkeypatch.setattr(workers, "RECONCILE_S", 0.001)
    reconciling = asyncio.create_task(worker._reconcile())
    async with asyncio.timeout(5):
        while len(session.asked) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert not reconciling.done()
    reconciling.cancel()


async def test_what_no_event_tells_is_asked_only_while_there_are_rooms(monkeypatch: Any) -> None:
    worker = make_worker()
    asked: asyncio.Queue[tuple[Step, ...]] = asyncio.Queue()

    async def read_again(steps: tuple[Step, ...]) -> None:
        await asked.put(steps)

    monkeypatch.setattr(workers, "UNTOLD_S", 0.0)
    monkeypatch.setattr(worker, "_read_again", read_again)
    reading = asyncio.create_task(worker._read_untold())
    assert await asked.get() == ()
    worker.pbx.conferences.start("801", 1_000.0)
    while not (steps := await asked.get()):
        pass  # asked before
    assert [step.action.name for step in steps] == ["ConfbridgeListRooms"]
    reading.cancel()


async def test_what_is_heard_while_no_resync_ends_well_is_forgotten_in_time(monkeypatch: Any) -> None:
    worker = make_worker()
    worker._event(message("Event", "Hangup", Uniqueid="a"))
    worker._event(message("Event", "BridgeEnter", Uniqueid="b", BridgeUniqueid="br"))
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    worker._look()
    assert (worker.pbx.tombstones, worker.pbx._early, worker.pbx.unknown) == ({}, {}, 0)
