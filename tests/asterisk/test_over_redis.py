"""Worker and page with Redis between them: the same exactness after a storm, also one in which Redis dies; clicks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from accounts.models import User
from floor import worker as workers
from floor.carrier import Bus
from tests.asterisk.desk import Desk
from tests.asterisk.test_model import PHONES
from tests.house.redis import RedisServer, until
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone
from tests.lab.storm import Storm

pytestmark = [pytest.mark.asterisk, pytest.mark.redis, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def events_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "RECONCILE_S", 1e6)


async def test_after_a_storm_the_page_equals_the_list(
    asterisk22: Asterisk, phones: Callable[..., Phone], over_redis: Callable[[], Bus]
) -> None:
    called = [phones(asterisk22, extension, answer=0.3) for extension in PHONES]
    async with (
        Desk(asterisk22, bus=over_redis()) as desk,
        Storm(asterisk22, seed=22, calls=200, phones=called) as storm,
    ):
        await desk.live()
        await storm.run()
        rows = await storm.quiet()
        assert len(rows) > 20
        assert await desk.equals(rows) == []
        assert desk.page.snapshots <= 2, "the first, and one if the page was there before the worker's first picture"
        assert desk.worker.seq > 100
        assert desk.page.seq == desk.worker.seq


async def test_redis_dies_in_the_middle_of_one(
    asterisk22: Asterisk, phones: Callable[..., Phone], over_redis: Callable[[], Bus], redis_server: RedisServer
) -> None:
    called = [phones(asterisk22, extension, answer=0.3) for extension in PHONES]
    async with (
        Desk(asterisk22, bus=over_redis()) as desk,
        Storm(asterisk22, seed=7, calls=200, phones=called) as storm,
    ):
        await desk.live()
        running = asyncio.create_task(storm.run())
        await desk.page.until(lambda: desk.worker.seq > 60)
        await asyncio.to_thread(redis_server.kill)
        await desk.page.until(lambda: desk.page.link["code"] == "bus_lost", 1)
        shown = desk.page.seq
        await until(lambda: desk.worker.seq > shown + 20)  # it goes on without Redis
        assert desk.page.seq == shown
        await asyncio.to_thread(redis_server.start)
        await desk.page.until(lambda: desk.page.link["phase"] == "live", 3)
        await running
        rows = await storm.quiet()
        assert await desk.equals(rows) == []


async def test_a_click_goes_there_and_its_answer_comes_back(
    asterisk22: Asterisk,
    phones: Callable[..., Phone],
    over_redis: Callable[[], Bus],
    redis_server: RedisServer,
    bob: User,
) -> None:
    phones(asterisk22, "101")
    customer = phones(asterisk22, "201")
    async with Desk(asterisk22, user_id=bob.pk, bus=over_redis()) as desk:
        await desk.live()
        call = await asyncio.to_thread(lambda: customer.call("101").wait_up())
        await desk.page.until(lambda: desk.page.calls("talking"))
        (key,) = desk.page.calls()
        stale = await desk.click("calls.hangup", key, bob.pk, epoch=desk.page.epoch - 1)
        assert (stale["outcome"], stale["code"]) == ("refused", "stale_epoch")
        redis_server.kill()
        lost = await desk.click("calls.hangup", key, bob.pk)
        assert (lost["outcome"], lost["code"]) == ("unknown", "no_worker")
        await asyncio.to_thread(redis_server.start)
        await desk.page.until(lambda: desk.page.link["phase"] == "live", 3)
        assert len(await desk.checked(asterisk22)) == 2, "what could not be sent is not done later"
        async with asyncio.timeout(5):  # the layer's own listener may come back a second after the picture
            while (answer := await desk.click("calls.hangup", key, bob.pk))["outcome"] == "unknown":
                pass
        assert answer["outcome"] == "done"
        await asyncio.to_thread(call.wait_ended, 2)
