"""Begin, send elsewhere, park, barge, switch, record: real Asterisks, real phones, and the notes that each hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from live.dialling import Policy
from live.manners import Manners
from tests.asterisk.desk import Desk
from tests.asterisk.test_listening import (
    AGENT,
    APART,
    CUSTOMER,
    SUPERVISOR,
    conversation,
    heard,
    hears,
    listening,
    sue,
    the_call,
)
from tests.lab.audio import take_wav
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone

__all__ = ["sue"]

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

MakePhone = Callable[..., Phone]
THIRD = 620


def party(desk: Desk, number: str) -> str:
    """The key of the party of this number on a call that goes on."""
    calls = desk.page.calls()
    found = [
        key
        for key, one in desk.page.entities["party"].items()
        if one["number"] == number and calls[one["call"]]["phase"] != "ended"
    ]
    assert len(found) == 1, (number, desk.page.entities["party"])
    return found[0]


def told(desk: Desk) -> list[list[str]]:
    """Who is on each call that goes on, as the page has it: a click on what it does not show yet is refused."""
    parties = desk.page.entities["party"]
    return [[parties[key]["number"] for key in call["parties"]] for call in live(desk)]


async def clicked(desk: Desk, user: User, verb: str, key: str, **args: Any) -> dict[str, Any]:
    """Click with the ``rev`` of the call that a party is on, as a page does."""
    parties = desk.page.entities.get("party", {})
    changed: dict[str, Any] = {"args": args}
    if key in parties and verb in PARTY:
        rev = desk.page.calls()[parties[key]["call"]]["rev"]
        changed["target"] = {"kind": "party", "key": key, "rev": rev}
    return await desk.click(verb, key, user.pk, **changed)


PARTY = tuple(f"calls.{what}" for what in ("transfer", "attend", "cancel_attend", "park", "mute", "keys"))


async def the_two(asterisk: Asterisk, phones: MakePhone) -> tuple[Call, Call]:
    """The customer's call and the agent's, who talk."""
    return await conversation(phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER))


async def talk(agent: Phone, customer: Phone) -> tuple[Call, Call]:
    """As ``the_two``, whatever their notes are."""
    outgoing = await asyncio.to_thread(lambda: customer.call(agent.extension).wait_up())
    return outgoing, await asyncio.to_thread(lambda: agent.wait_incoming().wait_up())


async def records(desk: Desk) -> None:
    """Wait until the second account is in."""
    recorder = desk.worker.recorder
    assert recorder is not None
    while recorder.state.phase != "live":  # noqa: ASYNC110  # it is no part of the picture: nothing tells of it
        await asyncio.sleep(0.02)


async def done(desk: Desk, user: User, verb: str, key: str, **args: Any) -> None:
    answer = await clicked(desk, user, verb, key, **args)
    assert (answer["outcome"], answer["code"]) == ("done", ""), answer


# --- begin


@pytest.mark.proves("calls.call")
async def test_her_phone_rings_and_then_the_number(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """init_call: her phone shows the destination, and when she has answered, it is called."""
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    agent = phones(asterisk, "101", hz=AGENT)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        await done(desk, sue, "calls.call", "lab", number="1 01")
        hers = await asyncio.to_thread(supervisor.wait_incoming)
        assert (hers.remote_name, hers.remote_number) == ("Phoenix-call", "101")
        theirs = await asyncio.to_thread(agent.wait_incoming)
        await asyncio.to_thread(hers.wait_tone, AGENT)
        await asyncio.to_thread(theirs.wait_tone, SUPERVISOR)
        call = desk.page.calls()[await the_call(desk)]
        assert [desk.page.entities["party"][key]["number"] for key in call["parties"]] == ["900", "101"]
        assert await desk.equals(await desk.checked(asterisk)) == []


@pytest.mark.proves("calls.call")
async def test_between_two_others(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    first, second = phones(asterisk, "101", hz=AGENT), phones(asterisk, "102", hz=THIRD)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        await done(desk, sue, "calls.call", "lab", number="102", extension="101")
        one, two = await asyncio.to_thread(first.wait_incoming), await asyncio.to_thread(second.wait_incoming)
        await asyncio.to_thread(one.wait_tone, THIRD)
        await asyncio.to_thread(two.wait_tone, AGENT)


async def test_what_may_not_be_dialled_rings_nobody(asterisk22: Asterisk, phones: MakePhone, sue: User) -> None:
    phones(asterisk22, "900", hz=SUPERVISOR)
    async with Desk(asterisk22, user_id=sue.pk) as desk:
        desk.worker.pbx.manners = Manners(dial=Policy(Manners().dial.allowed, denied=("11",), per_minute=1))
        await desk.live()
        for number, code in (
            ("0301234567", "number_denied"),
            ("112", "number_denied"),
            ("101&102", "number_bad"),
            ("PJSIP/101", "number_bad"),
        ):
            answer = await clicked(desk, sue, "calls.call", "lab", number=number)
            assert (answer["outcome"], answer["code"]) == ("refused", code)
        answer = await clicked(desk, sue, "calls.call", "lab", number="101", extension="444")
        assert answer["code"] == "no_extension"
        assert await desk.checked(asterisk22) == []
        await done(desk, sue, "calls.call", "lab", number="505")
        answer = await clicked(desk, sue, "calls.call", "lab", number="505")
        assert answer["code"] == "too_many_calls"


# --- send elsewhere


@pytest.mark.proves("calls.transfer")
async def test_transfer(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """The customer is with the other agent; the first one is out."""
    agent, other = phones(asterisk, "101", hz=AGENT), phones(asterisk, "102", hz=THIRD)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(agent, phones(asterisk, "201", hz=CUSTOMER))
        await the_call(desk)
        await done(desk, sue, "calls.transfer", party(desk, "201"), number="102")
        await asyncio.to_thread(incoming.wait_ended)
        taken = await asyncio.to_thread(other.wait_incoming)
        await asyncio.to_thread(outgoing.wait_tone, THIRD)
        await asyncio.to_thread(taken.wait_tone, CUSTOMER)
        at_customers, at_others = await heard(outgoing, taken)
        assert hears_of(at_customers, THIRD)
        assert hears_of(at_others, CUSTOMER)
        await desk.page.until(lambda: [call["phase"] for call in live(desk)] == ["talking"])
        assert await desk.equals(await desk.checked(asterisk)) == []


@pytest.mark.proves("calls.transfer")
async def test_one_who_talks_to_nobody_is_sent_too(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    customer, agent = phones(asterisk, "201", hz=CUSTOMER), phones(asterisk, "101", hz=AGENT)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing = await asyncio.to_thread(lambda: customer.call("500").wait_up())
        await desk.page.until(lambda: desk.page.calls("menu"))
        await done(desk, sue, "calls.transfer", party(desk, "201"), number="101")
        taken = await asyncio.to_thread(agent.wait_incoming)
        await asyncio.to_thread(outgoing.wait_tone, AGENT)
        await asyncio.to_thread(taken.wait_tone, CUSTOMER)


async def test_one_who_rings_is_sent_nowhere(asterisk22: Asterisk, phones: MakePhone, sue: User) -> None:
    phones(asterisk22, "101", answer=None)
    customer = phones(asterisk22, "201")
    async with Desk(asterisk22, user_id=sue.pk) as desk:
        await desk.live()
        outgoing = await asyncio.to_thread(lambda: customer.call("101").wait_ringing())
        await desk.page.until(lambda: desk.page.calls("ringing"))
        answer = await clicked(desk, sue, "calls.transfer", party(desk, "101"), number="102")
        assert (answer["outcome"], answer["code"]) == ("refused", "not_now")
        await asyncio.to_thread(outgoing.hangup)


@pytest.mark.proves("calls.park", "calls.retrieve")
async def test_park_and_take_back(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """Parked, the customer hears music; taken back, her."""
    agent, supervisor = phones(asterisk, "101", hz=AGENT), phones(asterisk, "900", hz=SUPERVISOR)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(agent, phones(asterisk, "201", hz=CUSTOMER))
        await the_call(desk)
        await done(desk, sue, "calls.park", party(desk, "201"), seconds=60)
        await asyncio.to_thread(incoming.wait_ended)
        ((key, parked),) = desk.page.entities["parked"].items()
        assert 58_000 <= parked["until"] - parked["since"] <= 61_000
        await asyncio.to_thread(outgoing.wait_tone, 330)
        await done(desk, sue, "calls.retrieve", key)
        hers = await asyncio.to_thread(supervisor.wait_incoming)
        await asyncio.to_thread(outgoing.wait_tone, SUPERVISOR)
        await asyncio.to_thread(hers.wait_tone, CUSTOMER)
        assert desk.page.entities["parked"] == {}


@pytest.mark.proves("calls.attend", "calls.cancel_attend")
async def test_ask_first_and_then_transfer(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """The customer hears music while the agent asks; back; asked again, and joined when the agent hangs up."""
    agent, other = phones(asterisk, "101", hz=AGENT), phones(asterisk, "102", hz=THIRD)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(agent, phones(asterisk, "201", hz=CUSTOMER))
        await the_call(desk)
        await done(desk, sue, "calls.attend", party(desk, "101"), number="102")
        asked = await asyncio.to_thread(other.wait_incoming)
        await asyncio.to_thread(incoming.wait_tone, THIRD)
        await asyncio.to_thread(outgoing.wait_tone, 330)
        await desk.page.until(lambda: ["101", "102"] in told(desk))
        await done(desk, sue, "calls.cancel_attend", party(desk, "101"))
        await asyncio.to_thread(asked.wait_ended)
        await asyncio.to_thread(incoming.wait_tone, CUSTOMER)
        await desk.page.until(lambda: told(desk) == [["201", "101"]])
        await done(desk, sue, "calls.attend", party(desk, "101"), number="102")
        await asyncio.to_thread(other.wait_incoming)
        await asyncio.to_thread(incoming.wait_tone, THIRD)
        await asyncio.to_thread(incoming.hangup)
        await asyncio.to_thread(outgoing.wait_tone, THIRD)
        assert hears_of((await heard(outgoing))[0], THIRD)


# --- barge and switch


@pytest.mark.proves("calls.barge")
async def test_barge(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """Both hear her."""
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(
            phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
        )
        key, ear = await listening(desk, sue, supervisor, "calls.barge")
        assert ear.remote_name == "Phoenix-Barge"
        assert desk.page.spies[key]["mode"] == "barge"
        await asyncio.to_thread(incoming.wait_tone, SUPERVISOR)
        await asyncio.to_thread(outgoing.wait_tone, SUPERVISOR)
        at_hers, at_agents, at_customers = await heard(ear, incoming, outgoing)
        assert hears(at_hers, AGENT, CUSTOMER)
        assert hears(at_agents, CUSTOMER, SUPERVISOR)
        assert hears(at_customers, AGENT, SUPERVISOR)


@pytest.mark.proves("calls.switch")
async def test_switch_without_ringing_again(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """Listen, whisper, barge, listen, on one leg: Asterisk tells nobody that it did, and so the answer is *unknown*;
    the notes tell."""
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(
            phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
        )
        key, ear = await listening(desk, sue, supervisor)
        for mode, at_agent, at_customer in (
            ("whisper", (CUSTOMER, SUPERVISOR), (AGENT,)),
            ("barge", (CUSTOMER, SUPERVISOR), (AGENT, SUPERVISOR)),
            ("listen", (CUSTOMER,), (AGENT,)),
        ):
            answer = await clicked(desk, sue, "calls.switch", key, mode=mode)
            assert (answer["outcome"], answer["code"]) == ("unknown", "not_provable")
            for _ in range(10):  # no event tells: the notes do, after a moment
                at_agents, at_customers = await heard(incoming, outgoing, seconds=0.4)
                if hears(at_agents, *at_agent) and hears(at_customers, *at_customer):
                    break
            else:
                pytest.fail(f"{mode} is not heard")
            assert desk.page.spies[key]["mode"] == mode
        ear.wait_up()


async def test_the_star_key_leads_to_no_other_call(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """``*`` makes ChanSpy look for the next channel: there is none but hers."""
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, _ = await the_two(asterisk, phones)
        key, ear = await listening(desk, sue, supervisor)
        other, _ = await talk(phones(asterisk, "102", hz=THIRD), phones(asterisk, "202", hz=THIRD))
        ear.press("***")
        (sound,) = await heard(ear, seconds=1.5)
        levels = sound.spectrum(AGENT, CUSTOMER, THIRD)
        assert levels[THIRD] < -40, levels
        if desk.page.spies:
            assert desk.page.spies[key]["party"] == party(desk, "101")
        await asyncio.to_thread(other.hangup)
        await asyncio.to_thread(outgoing.hangup)


# --- record


@pytest.mark.proves("calls.record", "calls.pause_record", "calls.resume_record", "calls.stop_record")
async def test_record_pause_and_stop(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """Shown only as events tell, and the file has what was said while it was not paused."""
    async with Desk(asterisk, user_id=sue.pk, records=True) as desk:
        await desk.live()
        await records(desk)
        outgoing, _ = await the_two(asterisk, phones)
        key = await the_call(desk)
        assert desk.page.calls()[key]["recording"] == ""
        answer = await clicked(desk, sue, "calls.pause_record", key)
        assert (answer["outcome"], answer["code"]) == ("refused", "not_now")
        for verb, shown in (
            ("calls.record", "on"),
            ("calls.pause_record", "paused"),
            ("calls.resume_record", "on"),
            ("calls.stop_record", ""),
        ):
            await done(desk, sue, verb, key)
            await desk.page.until(lambda shown=shown: desk.page.calls()[key]["recording"] == shown)
            if shown == "on":
                await heard(outgoing)  # what is said now is in the file
        (file,) = (asterisk.run / "spool" / "monitor").glob("*-lab-*.wav")
        levels = (await asyncio.to_thread(take_wav, file)).spectrum(AGENT, CUSTOMER, SUPERVISOR)
        assert min(levels[AGENT], levels[CUSTOMER]) - levels[SUPERVISOR] >= APART, levels


async def test_without_its_account_nothing_is_recorded(asterisk22: Asterisk, phones: MakePhone, sue: User) -> None:
    async with Desk(asterisk22, user_id=sue.pk) as desk:
        await desk.live()
        await conversation(phones(asterisk22, "101", hz=AGENT), phones(asterisk22, "201", hz=CUSTOMER))
        answer = await clicked(desk, sue, "calls.record", await the_call(desk))
        assert (answer["outcome"], answer["code"]) == ("refused", "no_recording")


# --- one leg


@pytest.mark.proves("calls.mute")
async def test_mute_a_party(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    async with Desk(asterisk, user_id=sue.pk, records=True) as desk:
        await desk.live()
        await records(desk)
        outgoing, incoming = await conversation(
            phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
        )
        await the_call(desk)
        for muted in (True, False):
            answer = await clicked(desk, sue, "calls.mute", party(desk, "101"), muted=muted)
            assert (answer["outcome"], answer["code"]) == ("unknown", "not_provable")
            if muted:
                await asyncio.to_thread(outgoing.wait_silent)
            else:
                await asyncio.to_thread(outgoing.wait_tone, AGENT)
        await asyncio.to_thread(incoming.wait_tone, CUSTOMER)


@pytest.mark.proves("calls.keys")
async def test_send_keys(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """The keys reach the phone of who sits at the leg, in order, and no other."""
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await talk(phones(asterisk, "101", hz=0), phones(asterisk, "201", hz=CUSTOMER))
        await the_call(desk)
        answer = await clicked(desk, sue, "calls.keys", party(desk, "201"), keys="5#9")
        assert (answer["outcome"], answer["code"]) == ("unknown", "not_provable")
        await asyncio.to_thread(outgoing.wait_keys, "5#9")
        assert incoming.audio.digits == ""
        await asyncio.to_thread(outgoing.hangup)


def live(desk: Desk) -> list[dict[str, Any]]:
    return [call for call in desk.page.calls().values() if call["phase"] != "ended"]


def hears_of(sound: Any, wanted: int) -> bool:
    levels = sound.spectrum(AGENT, CUSTOMER, THIRD)
    return bool(levels[wanted] > -25 and all(levels[wanted] - levels[hz] >= 20 for hz in levels if hz != wanted))
