"""What is done to agents and to who waits: one click each, on real Asterisks, and what their own lists say then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tests.asterisk.desk import Desk
from tests.asterisk.test_queues import ANN, member, up, waiting
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

MakePhone = Callable[..., Phone]
MakeChecker = Callable[..., Checker]


async def done(desk: Desk, user: User, verb: str, key: str, **args: Any) -> None:
    answer = await desk.click(verb, key, user.pk, args=args)
    assert (answer["outcome"], answer["code"]) == ("done", ""), answer


def listed(checker: Checker, queue: str, event: str) -> list[dict[str, str]]:
    return [row for row in checker.list("QueueStatus") if (row["Event"], row["Queue"]) == (event, queue)]


@pytest.mark.proves("queues.pause", "queues.resume")
async def test_pause_with_a_reason_and_resume(asterisk: Asterisk, checkers: MakeChecker, bob: User) -> None:
    checker = checkers(asterisk)
    async with Desk(asterisk) as desk:
        await desk.live()
        await done(desk, bob, "queues.pause", ANN, reason="lunch")
        assert (member(desk)["paused"], member(desk)["reason"]) == (True, "lunch")
        (row,) = [row for row in listed(checker, "sales", "QueueMember") if row["Location"] == "PJSIP/101"]
        assert (row["Paused"], row["PausedReason"]) == ("1", "lunch")
        await done(desk, bob, "queues.resume", ANN)
        assert member(desk)["paused"] is False


@pytest.mark.proves("queues.add", "queues.remove")
async def test_add_and_remove(asterisk: Asterisk, checkers: MakeChecker, bob: User) -> None:
    checker = checkers(asterisk)
    async with Desk(asterisk) as desk:
        await desk.live()
        await done(desk, bob, "queues.add", "lab/sales", extension="109", name="Zed", penalty=2)
        key = "lab/sales/PJSIP/109"
        await desk.page.until(lambda: member(desk, key))
        assert (member(desk, key)["name"], member(desk, key)["penalty"]) == ("Zed", 2)
        assert "PJSIP/109" in {row["Location"] for row in listed(checker, "sales", "QueueMember")}
        await done(desk, bob, "queues.pause", key, reason="meeting", everywhere=True)
        await done(desk, bob, "queues.resume", key, everywhere=True)
        await done(desk, bob, "queues.remove", key)
        assert "PJSIP/109" not in {row["Location"] for row in listed(checker, "sales", "QueueMember")}
        answer = await desk.click("queues.add", "lab/sales", bob.pk, args={"extension": "444"})
        assert (answer["outcome"], answer["code"]) == ("refused", "no_extension")
        answer = await desk.click("queues.remove", ANN, bob.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "asterisk"), "one of queues.conf"


@pytest.mark.proves("queues.penalty", "queues.ring_in_use")
async def test_penalty_and_ring_in_use(asterisk: Asterisk, bob: User) -> None:
    async with Desk(asterisk) as desk:
        await desk.live()
        for penalty in (4, 0):
            await done(desk, bob, "queues.penalty", ANN, penalty=penalty)
            assert member(desk)["penalty"] == penalty
        for ring in (True, False):
            await done(desk, bob, "queues.ring_in_use", ANN, ring=ring)


@pytest.mark.proves("queues.first", lacks={"16": "it takes the priority and lets who waits stand where he stood"})
async def test_serve_next(asterisk: Asterisk, phones: MakePhone, bob: User) -> None:
    """22 puts him first. 16 says Success and lets him stand where he stood: *unknown*, and never *done*."""
    first, second = phones(asterisk, "201"), phones(asterisk, "202")
    async with Desk(asterisk) as desk:
        await desk.live()
        await up(first, "602")
        await desk.page.until(lambda: waiting(desk, "vip") == ["201"])
        await up(second, "602")
        await desk.page.until(lambda: waiting(desk, "vip") == ["201", "202"])
        key = desk.page.entities["queue"]["lab/vip"]["waiting"][1]
        if asterisk.version == "16":
            answer = await desk.click("queues.first", key, bob.pk)
            assert (answer["outcome"], answer["code"]) == ("unknown", "not_proved")
            assert waiting(desk, "vip") == ["201", "202"]
        else:
            await done(desk, bob, "queues.first", key)
            await desk.page.until(lambda: waiting(desk, "vip") == ["202", "201"])


@pytest.mark.proves("queues.withdraw")
async def test_take_out_of_the_queue(asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker, bob: User) -> None:
    """The call goes on in the dialplan, which ends it here; it was not his hanging up that took him out."""
    customer = phones(asterisk, "201")
    checker = checkers(asterisk)
    async with Desk(asterisk) as desk:
        await desk.live()
        call = await up(customer, "602")
        await desk.page.until(lambda: waiting(desk, "vip") == ["201"])
        (key,) = desk.page.entities["queue"]["lab/vip"]["waiting"]
        await done(desk, bob, "queues.withdraw", key)
        assert listed(checker, "vip", "QueueEntry") == []
        await asyncio.to_thread(call.wait_ended)


@pytest.mark.proves("queues.send")
async def test_send_elsewhere(asterisk: Asterisk, phones: MakePhone, bob: User) -> None:
    customer, other = phones(asterisk, "201", hz=880), phones(asterisk, "102", hz=620)
    async with Desk(asterisk) as desk:
        await desk.live()
        call = await up(customer, "602")
        await desk.page.until(lambda: waiting(desk, "vip") == ["201"])
        (key,) = desk.page.entities["queue"]["lab/vip"]["waiting"]
        await done(desk, bob, "queues.send", key, number="102")
        await asyncio.to_thread(other.wait_incoming)
        await asyncio.to_thread(call.wait_tone, 620)
        assert waiting(desk, "vip") == []


@pytest.mark.proves("queues.pull")
async def test_take_to_my_phone(asterisk: Asterisk, phones: MakePhone, bob: User) -> None:
    await bob.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    customer, hers = phones(asterisk, "201", hz=880), phones(asterisk, "900", hz=1320)
    async with Desk(asterisk) as desk:
        await desk.live()
        call = await up(customer, "602")
        await desk.page.until(lambda: waiting(desk, "vip") == ["201"])
        (key,) = desk.page.entities["queue"]["lab/vip"]["waiting"]
        await done(desk, bob, "queues.pull", key)
        await asyncio.to_thread(hers.wait_incoming)
        await asyncio.to_thread(call.wait_tone, 1320)


async def test_an_outsider_does_none_of_it(asterisk22: Asterisk, charlie: User) -> None:
    async with Desk(asterisk22) as desk:
        await desk.live()
        for verb, args in (("queues.pause", {}), ("queues.remove", {}), ("queues.penalty", {"penalty": 3})):
            answer = await desk.click(verb, ANN, charlie.pk, args=args)
            assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
        assert member(desk)["paused"] is False
