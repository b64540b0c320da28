"""Hang up; and that no click is done twice, or to another call that has the name of the one that was clicked on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from accounts.models import User
from tests.asterisk.desk import Desk
from tests.asterisk.test_calling import clicked
from tests.asterisk.test_listening import AGENT, CUSTOMER, SUPERVISOR, conversation, heard, hears, sue
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

__all__ = ["sue"]

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

MakePhone = Callable[..., Phone]
MakeChecker = Callable[..., Checker]


def named(desk: Desk, channel: str) -> str:
    """The key of the call with a party of this channel's name."""
    parties = desk.page.entities.get("party", {}).values()
    return next((str(party["call"]) for party in parties if party["channel"] == channel), "")


@pytest.mark.proves("calls.hangup")
async def test_hang_up_one_call_and_no_other(asterisk: Asterisk, phones: MakePhone, bob: User) -> None:
    async with Desk(asterisk, user_id=bob.pk) as desk:
        await desk.live()
        first, second = await conversation(phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER))
        stays, other = await conversation(phones(asterisk, "102", hz=AGENT), phones(asterisk, "202", hz=CUSTOMER))
        await desk.page.until(lambda: len(desk.page.calls("talking")) == 2)
        parties = desk.page.entities["party"].values()
        (key,) = {party["call"] for party in parties if party["number"] == "101"}
        answer = await clicked(desk, bob, "calls.hangup", key)
        assert (answer["outcome"], answer["code"]) == ("done", "")
        await asyncio.to_thread(first.wait_ended)
        await asyncio.to_thread(second.wait_ended)
        at_customers, at_others = await heard(stays, other)
        assert hears(at_customers, AGENT)
        assert hears(at_others, CUSTOMER)
        assert await desk.equals(await desk.checked(asterisk)) == []
        answer = await clicked(desk, bob, "calls.hangup", key)
        assert (answer["outcome"], answer["code"]) == ("refused", "gone")


async def test_the_same_id_five_times_rings_once(
    asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker, sue: User
) -> None:
    """One effect, and five answers that are equal."""
    checker = checkers(asterisk)
    supervisor, agent = phones(asterisk, "900", hz=SUPERVISOR), phones(asterisk, "101", hz=AGENT)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        answers = [
            await desk.click("calls.call", "lab", sue.pk, id="5" * 32, args={"number": "101"}) for _ in range(5)
        ]
        assert answers[0]["outcome"] == "done"
        assert answers == [answers[0]] * 5
        await asyncio.to_thread(agent.wait_incoming)
        assert len(supervisor.calls) == len(agent.calls) == 1
        await asyncio.to_thread(checker.wait_event, "DialEnd", DialStatus="ANSWER", DestCallerIDNum="101")
        originated = [event for event in checker.events if event["Event"] == "OriginateResponse"]
        assert len(originated) == 1


async def test_a_name_that_is_used_again_is_another_call(asterisk: Asterisk, phones: MakePhone, bob: User) -> None:
    """After a restart Asterisk begins its names anew: what was clicked on before it is gone, whatever is called so."""
    await asyncio.to_thread(asterisk.restart)
    agent, customer = phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
    async with Desk(asterisk, user_id=bob.pk) as desk:
        await desk.live()
        old, name, seat, rev, epoch = "", "", "", 0, 0
        for restarted in (False, True):
            if restarted:
                await asyncio.to_thread(asterisk.restart)
                for phone in (agent, customer):
                    await asyncio.to_thread(phone.register)
                await desk.page.until(lambda epoch=epoch: desk.page.epoch != epoch and not desk.page.calls())
            await asyncio.to_thread(lambda: customer.call("801").wait_up())
            outgoing, _ = await conversation(agent, customer)
            await desk.page.until(lambda: desk.page.calls("talking") and desk.page.calls("conference"))
            (call,) = desk.page.calls("talking").values()
            ((participant, sits),) = desk.page.entities["participant"].items()
            party = desk.page.entities["party"][call["parties"][0]]
            if not restarted:
                old, name, rev, epoch = party["call"], party["channel"], call["rev"], desk.page.epoch
                seat, seated = participant, sits["channel"]
        assert (party["channel"], sits["channel"]) == (name, seated), "the same names"
        assert named(desk, name) != old
        for verb, kind, key in (("calls.hangup", "call", old), ("conferences.kick", "participant", seat)):
            target = {"kind": kind, "key": key, "rev": rev if kind == "call" else sits["rev"]}
            for seen, code in ((epoch, "stale_epoch"), (0, "gone"), (desk.page.epoch, "gone")):
                answer = await desk.click(verb, key, bob.pk, target=target, epoch=seen)
                assert (answer["outcome"], answer["code"]) == ("refused", code)
        at_customers = (await heard(outgoing))[0]
        assert hears(at_customers, AGENT)
        assert len(await desk.checked(asterisk)) == 3
