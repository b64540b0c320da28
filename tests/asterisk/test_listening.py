"""Listen, whisper, pick up, stop: real Asterisks, real phones, and the notes that each of them hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from accounts.models import User
from audit.models import Entry
from live.manners import Manners
from tests.asterisk.desk import Desk
from tests.lab.audio import Sound
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

MakePhone = Callable[..., Phone]
MakeChecker = Callable[..., Checker]

AGENT, CUSTOMER, SUPERVISOR = 440, 880, 1320
NOTES = (AGENT, CUSTOMER, SUPERVISOR)

APART = 20.0
"""dB by which what should be heard stands above what should not."""

LOUD = -25.0


def hears(sound: Sound, *wanted: int) -> bool:
    """Each wanted note is loud, and at least 20 dB above every unwanted one."""
    levels = sound.spectrum(*NOTES)
    least = min(levels[hz] for hz in wanted)
    most = max((levels[hz] for hz in NOTES if hz not in wanted), default=-120.0)
    print(f"wanted {wanted}: " + ", ".join(f"{hz} Hz {level:.0f} dBFS" for hz, level in levels.items()))
    return least > LOUD and least - most >= APART


@pytest.fixture
def sue(bob: User) -> User:
    """Bob, the supervisor, with a phone of his own."""
    bob.phones.create(pbx="lab", dial_string="PJSIP/900")
    return bob


async def heard(*calls: Call, seconds: float = 0.6) -> list[Sound]:
    """What each of these phones hears in the same stretch of time."""
    return await asyncio.gather(*(asyncio.to_thread(call.heard, seconds) for call in calls))


async def conversation(agent: Phone, customer: Phone) -> tuple[Call, Call]:
    """The customer has called the agent, and both hear each other."""

    def talk() -> tuple[Call, Call]:
        outgoing = customer.call(agent.extension).wait_up()
        incoming = agent.wait_incoming().wait_up()
        outgoing.wait_tone(AGENT)
        incoming.wait_tone(CUSTOMER)
        return outgoing, incoming

    return await asyncio.to_thread(talk)


async def the_call(desk: Desk, phase: str = "talking") -> str:
    await desk.page.until(lambda: desk.page.calls(phase))
    (key,) = desk.page.calls(phase)
    return key


async def listening(desk: Desk, sue: User, phone: Phone, verb: str = "calls.listen") -> tuple[str, Call]:
    """The one call is listened to by a click; the key of the spy, and the call at the supervisor's phone."""
    answer = await desk.click(verb, await the_call(desk), sue.pk)
    assert (answer["outcome"], answer["code"]) == ("done", "")
    await desk.page.until(lambda: desk.page.spies)
    (key,) = desk.page.spies
    return key, await asyncio.to_thread(phone.wait_incoming)


def extensions(asterisk: Asterisk) -> list[str]:
    """The agents to try it with: one on PJSIP, and on 16 one on the old driver too."""
    return ["101", "301"] if asterisk.version == "16" else ["101"]


@pytest.mark.proves("calls.listen", "calls.stop")
async def test_listen(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """She hears both, nobody hears her; it is on the page; and one click ends it."""
    customer = phones(asterisk, "201", hz=CUSTOMER)
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        for extension in extensions(asterisk):
            agent = phones(asterisk, extension, hz=AGENT)
            outgoing, incoming = await conversation(agent, customer)
            key, ear = await listening(desk, sue, supervisor)
            assert (ear.remote_name, ear.remote_number) == ("Phoenix-Spy", extension)
            spy = desk.page.spies[key]
            assert (spy["number"], spy["user"], spy["user_id"], spy["mode"]) == ("900", "Bob", sue.pk, "listen")
            assert desk.page.entities["party"][spy["party"]]["number"] == extension
            assert spy["call"] == await the_call(desk)
            live = [call for call in desk.page.calls().values() if call["phase"] != "ended"]
            assert len(live) == 1, "the leg that listens is no call"
            at_hers, at_agents, at_customers = await heard(ear, incoming, outgoing)
            assert hears(at_hers, AGENT, CUSTOMER)
            assert hears(at_agents, CUSTOMER)
            assert hears(at_customers, AGENT)
            assert await desk.equals(await desk.checked(asterisk)) == []

            answer = await desk.click("calls.stop", key, sue.pk, kind="spy")
            assert answer["outcome"] == "done"
            await desk.page.until(lambda: not desk.page.spies)
            await asyncio.to_thread(ear.wait_ended)
            at_agents, at_customers = await heard(incoming, outgoing, seconds=0.4)
            assert hears(at_agents, CUSTOMER)
            assert hears(at_customers, AGENT)
            await asyncio.to_thread(outgoing.hangup)
            await desk.page.until(lambda: not desk.page.calls("talking"))
    outcomes = [(entry.verb, entry.outcome) async for entry in Entry.objects.filter(kind="outcome").order_by("id")]
    assert outcomes[:2] == [("calls.listen", "done"), ("calls.stop", "done")]


@pytest.mark.proves("calls.whisper")
async def test_whisper(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """Only the agent hears her."""
    customer = phones(asterisk, "201", hz=CUSTOMER)
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        for extension in extensions(asterisk):
            outgoing, incoming = await conversation(phones(asterisk, extension, hz=AGENT), customer)
            key, ear = await listening(desk, sue, supervisor, "calls.whisper")
            assert ear.remote_name == "Phoenix-whispers"
            assert desk.page.spies[key]["mode"] == "whisper"
            await asyncio.to_thread(incoming.wait_tone, SUPERVISOR)
            at_hers, at_agents, at_customers = await heard(ear, incoming, outgoing)
            assert hears(at_hers, AGENT, CUSTOMER)
            assert hears(at_agents, CUSTOMER, SUPERVISOR)
            assert hears(at_customers, AGENT)
            began = time.monotonic()
            await asyncio.to_thread(incoming.hangup)
            await asyncio.to_thread(ear.wait_ended)
            assert time.monotonic() - began < 1.0
            await asyncio.to_thread(outgoing.wait_ended)
            await desk.page.until(lambda: not desk.page.calls("talking"))


async def test_the_trunks_customer_is_never_the_one_who_is_whispered_to(
    asterisk: Asterisk, phones: MakePhone, sue: User
) -> None:
    """An agent calls out: the callee is the customer, and still it is the agent who hears her."""
    phones(asterisk, "trunk", host="127.0.0.9", register=False)
    agent, supervisor = phones(asterisk, "101", hz=AGENT), phones(asterisk, "900", hz=SUPERVISOR)
    outside = phones(asterisk, "trunk", host="127.0.0.9", register=False, number="+4930123456", hz=CUSTOMER)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(agent, outside)
        key, _ = await listening(desk, sue, supervisor, "calls.whisper")
        assert desk.page.entities["party"][desk.page.spies[key]["party"]]["number"] == "101"
        await asyncio.to_thread(incoming.wait_tone, SUPERVISOR)
        assert hears((await heard(outgoing))[0], AGENT)
        (party,) = [key for key, one in desk.page.entities["party"].items() if one["side"] == "outside"]
        answer = await desk.click("calls.whisper", await the_call(desk), sue.pk, args={"party": party})
        assert (answer["outcome"], answer["code"]) == ("refused", "not_now")


@pytest.mark.proves("calls.pickup")
async def test_pickup(asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker, sue: User) -> None:
    """The caller is heard at her phone, and where it rang it rings no more."""
    customer = phones(asterisk, "201", hz=CUSTOMER)
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        for extension in extensions(asterisk):
            agent = phones(asterisk, extension, hz=AGENT, answer=None)
            outgoing = await asyncio.to_thread(lambda: customer.call(extension).wait_ringing())  # noqa: B023
            incoming = await asyncio.to_thread(agent.wait_incoming)
            key = await the_call(desk, "ringing")
            answer = await desk.click("calls.pickup", key, sue.pk)
            assert (answer["outcome"], answer["code"]) == ("done", "")
            taken = await asyncio.to_thread(supervisor.wait_incoming)
            assert taken.remote_name == "Phoenix-Pickup"
            await asyncio.to_thread(incoming.wait_ended)
            await asyncio.to_thread(taken.wait_tone, CUSTOMER)
            at_hers, at_customers = await heard(taken, outgoing)
            assert hears(at_hers, CUSTOMER)
            assert hears(at_customers, SUPERVISOR)
            await desk.page.until(lambda: desk.page.calls("talking"))
            call = desk.page.calls()[key]
            assert [desk.page.entities["party"][one]["number"] for one in call["parties"]] == ["201", "900"]
            assert desk.page.entities["party"][call["parties"][1]]["name"] == "Bob"
            assert await desk.equals(await desk.checked(asterisk)) == []
            await asyncio.to_thread(outgoing.hangup)
            await desk.page.until(lambda: not desk.page.calls("talking"))


async def test_a_ringing_queue_call_is_picked_up_too(asterisk22: Asterisk, phones: MakePhone, sue: User) -> None:
    phones(asterisk22, "105", answer=None)
    customer, supervisor = phones(asterisk22, "201", hz=CUSTOMER), phones(asterisk22, "900", hz=SUPERVISOR)
    async with Desk(asterisk22, user_id=sue.pk) as desk:
        await desk.live()
        outgoing = await asyncio.to_thread(lambda: customer.call("601").wait_up())
        await desk.page.until(
            lambda: any(party["state"] == "ringing" for party in desk.page.entities.get("party", {}).values())
        )
        (key,) = desk.page.calls()
        answer = await desk.click("calls.pickup", key, sue.pk)
        assert (answer["outcome"], answer["code"]) == ("done", "")
        taken = await asyncio.to_thread(supervisor.wait_incoming)
        await asyncio.to_thread(taken.wait_tone, CUSTOMER)
        await asyncio.to_thread(outgoing.hangup)


async def test_it_ends_with_its_call_and_goes_on_to_no_other(
    asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker, sue: User
) -> None:
    """The same agent has a second call already: her phone is free within a second, and no second ChanSpyStart."""
    checker = checkers(asterisk)
    agent, supervisor = phones(asterisk, "101", hz=AGENT), phones(asterisk, "900", hz=SUPERVISOR)
    customer, second = phones(asterisk, "201", hz=CUSTOMER), phones(asterisk, "202", hz=CUSTOMER)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(agent, customer)
        key, ear = await listening(desk, sue, supervisor)
        await asyncio.to_thread(lambda: second.call("101").wait_up())
        await asyncio.to_thread(agent.wait_incoming)
        await asyncio.to_thread(outgoing.hangup)
        ended = time.monotonic()
        await asyncio.to_thread(ear.wait_ended)
        assert time.monotonic() - ended < 1.0
        await desk.page.until(lambda: not desk.page.spies, 1)
        assert await desk.equals(await desk.checked(asterisk)) == []
        starts = [event["SpyerUniqueid"] for event in checker.events if event["Event"] == "ChanSpyStart"]
        assert starts == [key.partition("/")[2]]
    await asyncio.to_thread(incoming.hangup)


async def test_a_phone_that_is_not_answered(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """No answer, refused, not registered, none: each is said, and nothing is left at Asterisk or on the page."""
    await conversation(phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER))
    async with Desk(asterisk, user_id=sue.pk) as desk:
        desk.worker.pbx.manners = Manners(ring_s=2)
        await desk.live()
        key = await the_call(desk)
        answer = await desk.click("calls.listen", key, sue.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "phone_unreachable")
        supervisor = phones(asterisk, "900", answer=None)
        answer = await desk.click("calls.whisper", key, sue.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "no_answer")
        supervisor.reject = 486
        answer = await desk.click("calls.listen", key, sue.pk)
        assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", "phone_busy", "User busy")
        supervisor.reject = 603
        answer = await desk.click("calls.listen", key, sue.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "phone_busy")
        await sue.phones.all().adelete()
        answer = await desk.click("calls.listen", key, sue.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "no_phone")
        answer = await desk.click("calls.pickup", key, sue.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "no_phone")
        rows = await desk.checked(asterisk)
        assert len(rows) == 2, "no leg is left"
        assert await desk.equals(rows) == []
        assert not desk.page.spies
        assert len(desk.page.calls()) == 1


async def test_a_phone_that_is_answered_too_late(asterisk22: Asterisk, phones: MakePhone, sue: User) -> None:
    outgoing, _ = await conversation(phones(asterisk22, "101", hz=AGENT), phones(asterisk22, "201", hz=CUSTOMER))
    supervisor = phones(asterisk22, "900", answer=None)
    async with Desk(asterisk22, user_id=sue.pk) as desk:
        await desk.live()
        clicked = asyncio.create_task(desk.click("calls.listen", await the_call(desk), sue.pk))
        rung = await asyncio.to_thread(supervisor.wait_incoming)
        await asyncio.to_thread(outgoing.hangup)
        await asyncio.to_thread(rung.answer)
        answer = await clicked
        assert (answer["outcome"], answer["code"]) == ("refused", "too_late")
        await asyncio.to_thread(rung.wait_ended)


async def test_a_desk_phone_that_listens_by_itself_is_on_the_page(
    asterisk: Asterisk, phones: MakePhone, sue: User
) -> None:
    """Folded away, named, and stopped from the page; its list tells its mode, so that a new panel knows as much."""
    await conversation(phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER))
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        key = await the_call(desk)
        ear = await asyncio.to_thread(lambda: phones(asterisk, "901", hz=SUPERVISOR).call("55101").wait_up())
        await desk.page.until(lambda: desk.page.spies)
        (spy,) = desk.page.spies.values()
        assert (spy["number"], spy["name"], spy["user"], spy["call"]) == ("901", "Supervisor 901", "", key)
        await desk.page.until(lambda: len(desk.page.calls()) == 1)
        assert await desk.equals(await desk.checked(asterisk)) == []
    async with Desk(asterisk, user_id=sue.pk) as newcomer:
        await newcomer.live()
        ((spy_key, again),) = newcomer.page.spies.items()
        assert {**again, "since": 0} == {**spy, "since": 0}
        assert len(newcomer.page.calls()) == 1
        answer = await newcomer.click("calls.stop", spy_key, sue.pk, kind="spy")
        assert answer["outcome"] == "done", "another's: she holds calls.hangup"
        await asyncio.to_thread(ear.wait_ended)
        assert not newcomer.page.spies


async def test_on_16_the_supervisor_may_have_an_old_phone(asterisk16: Asterisk, phones: MakePhone, bob: User) -> None:
    await bob.phones.acreate(pbx="lab", dial_string="SIP/302")
    outgoing, incoming = await conversation(
        phones(asterisk16, "301", hz=AGENT), phones(asterisk16, "201", hz=CUSTOMER)
    )
    supervisor = phones(asterisk16, "302", hz=SUPERVISOR)
    async with Desk(asterisk16, user_id=bob.pk) as desk:
        await desk.live()
        key, ear = await listening(desk, bob, supervisor)
        assert desk.page.spies[key]["number"] == "302"
        at_hers, at_customers, at_agents = await heard(ear, outgoing, incoming)
        assert hears(at_hers, AGENT, CUSTOMER)
        assert hears(at_customers, AGENT)
        assert hears(at_agents, CUSTOMER)
