"""What the panel shows is what is: after a storm of 200 calls, and after a link cut in the middle of one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import ami
from floor import worker as workers
from tests.asterisk.desk import Desk
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone
from tests.lab.storm import Storm

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

PHONES = ("101", "102", "103", "201", "202", "203")


@pytest.fixture(autouse=True)
def events_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No list is read but at a login: what the model knows it knows from events."""
    monkeypatch.setattr(workers, "RECONCILE_S", 1e6)
    monkeypatch.setattr(workers, "UNTOLD_S", 1e6)


async def test_after_a_storm_the_model_equals_the_list(asterisk: Asterisk, phones: Callable[..., Phone]) -> None:
    called = [phones(asterisk, extension, answer=0.3) for extension in PHONES]
    async with Desk(asterisk) as desk, Storm(asterisk, seed=22, calls=200, phones=called) as storm:
        await desk.live()
        await storm.run()
        rows = await storm.quiet()
        assert len(rows) > 20, "the storm leaves calls standing"
        assert await desk.equals(rows) == []
        assert desk.room_differences(*await desk.rooms(asterisk)) == []
        assert desk.worker.pbx.unknown == 0
        assert desk.page.snapshots == 1, "all of it came as frames"
        assert desk.worker.seq > 100


async def test_after_a_cut_in_the_middle_too(asterisk: Asterisk, phones: Callable[..., Phone]) -> None:
    called = [phones(asterisk, extension, answer=0.3) for extension in PHONES]
    async with Desk(asterisk) as desk, Storm(asterisk, seed=7, calls=200, phones=called) as storm:
        await desk.live()
        running = asyncio.create_task(storm.run())
        await desk.page.until(lambda: desk.worker.seq > 60)
        session = desk.worker.link.event_session
        assert session is not None
        session.drop(ami.ConnectionLost("cut by the test"))
        await desk.page.until(lambda: desk.page.link["code"] == "lost")
        await desk.page.until(lambda: desk.page.link["phase"] == "live" and desk.page.snapshots == 2)
        await running
        rows = await storm.quiet()
        assert len(rows) > 20
        assert await desk.equals(rows) == []
        assert desk.room_differences(*await desk.rooms(asterisk)) == []
        assert desk.worker.pbx.unknown == 0


async def test_calls_from_before_the_panel_came(asterisk: Asterisk, phones: Callable[..., Phone]) -> None:
    agent, customer = phones(asterisk, "101"), phones(asterisk, "201")
    await asyncio.to_thread(lambda: customer.call("101").wait_up())
    await asyncio.to_thread(lambda: agent.wait_incoming().wait_up())
    async with Desk(asterisk) as desk:
        await desk.live()
        (call,) = desk.page.calls().values()
        assert (call["phase"], call["approx"]) == ("talking", True)
        assert await desk.equals(await desk.checked(asterisk)) == []
