"""Queues, parked callers, devices and hints of real Asterisks, as a page is shown them while real phones call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from floor import worker as workers
from tests.asterisk.desk import Desk
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

MakePhone = Callable[..., Phone]
MakeChecker = Callable[..., Checker]
ANN = "lab/sales/PJSIP/101"
BEN = "lab/sales/PJSIP/102"


@pytest.fixture
def events_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No list is read but at a login."""
    monkeypatch.setattr(workers, "RECONCILE_S", 1e6)
    monkeypatch.setattr(workers, "UNTOLD_S", 1e6)


def member(desk: Desk, key: str = ANN) -> dict[str, Any]:
    found: dict[str, Any] = desk.page.entities["member"].get(key, {})
    return found


def waiting(desk: Desk, queue: str = "sales") -> list[str]:
    """Numbers of who waits, in order."""
    keys = desk.page.entities["queue"][f"lab/{queue}"]["waiting"]
    return [desk.page.entities["waiting"][key]["number"] for key in keys]


async def up(phone: Phone, number: str) -> Call:
    return await asyncio.to_thread(lambda: phone.call(number).wait_up())


async def test_from_the_wait_to_the_answer_to_the_end(
    events_alone: None, asterisk: Asterisk, phones: MakePhone
) -> None:
    agent = phones(asterisk, "101")
    first, second = phones(asterisk, "201"), phones(asterisk, "202")
    async with Desk(asterisk) as desk:
        await desk.live()
        await desk.page.until(lambda: member(desk)["status"] == "not_inuse")
        call = await up(first, "600")
        await desk.page.until(lambda: waiting(desk) == ["201"] and member(desk)["status"] == "ringing")
        await up(second, "600")
        await desk.page.until(lambda: waiting(desk) == ["201", "202"])
        callers = {one["number"]: one for one in desk.page.entities["waiting"].values()}
        assert desk.page.entities["call"][callers["201"]["call"]]["queue"] == "sales"
        taken = await asyncio.to_thread(lambda: agent.wait_incoming().answer().wait_up())
        await desk.page.until(lambda: waiting(desk) == ["202"] and member(desk)["in_call"])
        assert member(desk)["status"] in ("inuse", "ringinuse")
        await asyncio.to_thread(call.hangup)
        await asyncio.to_thread(taken.wait_ended)
        await desk.page.until(lambda: not member(desk)["in_call"])


async def test_what_is_done_to_members(
    events_alone: None, asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker
) -> None:
    phones(asterisk, "101")
    checker = checkers(asterisk)
    async with Desk(asterisk) as desk:
        await desk.live()
        add: dict[str, Any] = {"Queue": "sales", "Interface": "Local/109@agents/n", "MemberName": "Zoë"}
        checker.action("QueueAdd", **add, StateInterface="PJSIP/109", Penalty="3", Paused="true")
        key = "lab/sales/Local/109@agents/n"
        await desk.page.until(lambda: member(desk, key))
        want = {"name": "Zoë", "penalty": 3, "paused": True, "membership": "dynamic", "state_interface": "PJSIP/109"}
        assert want.items() <= member(desk, key).items()
        checker.action("QueuePause", Interface="PJSIP/101", Paused="true", Reason="lunch")
        await desk.page.until(lambda: (member(desk)["paused"], member(desk)["reason"]) == (True, "lunch"))
        checker.action("QueuePenalty", Interface="PJSIP/102", Penalty="7", Queue="sales")
        await desk.page.until(lambda: member(desk, BEN)["penalty"] == 7)
        checker.action("QueuePenalty", Interface="PJSIP/102", Penalty="0", Queue="sales")
        checker.action("QueueRemove", Queue="sales", Interface="Local/109@agents/n")
        await desk.page.until(lambda: not member(desk, key))


async def test_a_reload_is_followed_by_a_look_at_the_lists(asterisk: Asterisk, checkers: MakeChecker) -> None:
    """No event tells that a reload added a member: but that there was a reload."""
    path = asterisk.run / "etc" / "queues.conf"
    before = path.read_text()
    try:
        async with Desk(asterisk) as desk:
            await desk.live()
            path.write_text(before.replace("[vip](base)", "[vip](base)\nmember => PJSIP/108,0,Agent 108,PJSIP/108"))
            await asyncio.to_thread(asterisk.cli, "module reload app_queue.so")
            await desk.page.until(lambda: member(desk, "lab/vip/PJSIP/108"))
            assert desk.worker.drift == 0, "what a reload changed is no fault of the model's"
    finally:
        path.write_text(before)
        asterisk.cli("module reload app_queue.so")


async def test_parked_and_taken_back(events_alone: None, asterisk: Asterisk, phones: MakePhone) -> None:
    agent, customer = phones(asterisk, "102", answer=0.1), phones(asterisk, "201")
    async with Desk(asterisk) as desk:
        await desk.live()
        await up(customer, "102")
        (leg,) = [party for party in desk.page.entities["party"].values() if party["number"] == "201"]
        with Checker(asterisk) as checker:
            (theirs,) = [row for row in checker.channels() if row["Channel"].startswith("PJSIP/102-")]
            checker.action(
                "Park", Channel=leg["channel"], TimeoutChannel=theirs["Channel"], Timeout="30000", Parkinglot="default"
            )
            await desk.page.until(lambda: desk.page.entities.get("parked"))
            (parked,) = desk.page.entities["parked"].values()
            assert (parked["number"], parked["lot"], parked["by"]) == ("201", "default", "PJSIP/102")
            assert 28_000 <= parked["until"] - parked["since"] <= 31_000
            call = desk.page.entities["call"][parked["call"]]
            await desk.page.until(lambda: (call["phase"], call["slot"]) == ("parked", parked["space"]))
            (row,) = checker.list("ParkedCalls")
            assert (row["ParkingSpace"], row["Parkinglot"]) == (parked["space"], parked["lot"])
        await up(agent, parked["space"])
        await desk.page.until(lambda: not desk.page.entities["parked"])
        await desk.page.until(lambda: any(call["phase"] == "talking" for call in desk.page.calls().values()))


async def test_devices_and_hints_move_with_the_phones(
    events_alone: None, asterisk: Asterisk, phones: MakePhone
) -> None:
    def state(desk: Desk) -> tuple[str, str]:
        device = desk.page.entities["device"]["lab/PJSIP/101"]["state"]
        return device, desk.page.entities["extension"]["lab/101@from-internal"]["text"]

    async with Desk(asterisk) as desk:
        await desk.live()
        assert state(desk) == ("UNAVAILABLE", "Unavailable")
        agent = phones(asterisk, "101")
        phones(asterisk, "201", answer=0.1)
        await desk.page.until(lambda: state(desk) == ("NOT_INUSE", "Idle"))
        call = await up(agent, "201")
        await desk.page.until(lambda: state(desk) == ("INUSE", "InUse"))
        await asyncio.to_thread(call.hold)
        # Asterisk's state is that of whom is held, not of who holds.
        await desk.page.until(lambda: desk.page.entities["device"]["lab/PJSIP/201"]["state"] == "ONHOLD")
        await asyncio.to_thread(call.hangup)
        await desk.page.until(lambda: state(desk) == ("NOT_INUSE", "Idle"))
        trunk = desk.page.entities["trunk"]["lab/PJSIP/trunk"]
        assert (trunk["reachable"], trunk["channels"]) == ("yes", 0)
