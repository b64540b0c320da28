"""A listening that is told by a tone: real Asterisks, real phones, and what each of them hears."""

from __future__ import annotations

import asyncio
import functools

import pytest
from asgiref.sync import sync_to_async

from accounts import policies
from accounts.models import User
from accounts.monitoring_policy import MODES, Policy
from audit.models import Listening
from floor import registry
from listening import tone
from listening.beep import HZ
from listening.tone import Toner
from live import channels
from tests.asterisk.desk import Desk
from tests.asterisk.test_listening import (
    AGENT,
    CUSTOMER,
    NOTES,
    MakeChecker,
    MakePhone,
    conversation,
    listening,
    the_call,
)
from tests.lab.audio import Sound
from tests.lab.instance import Asterisk
from tests.lab.phones import Call

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

LISTENED = 0.15
"""Seconds that are looked at, so that a beep fills one such stretch."""

APART = 20.0
LOUD = -25.0


@pytest.fixture
def sue(bob: User) -> User:
    """Bob, who has a phone; and whoever is monitored is told by a tone."""
    bob.phones.create(pbx="lab", dial_string="PJSIP/900")
    policies.write(None, {mode: Policy("tone") for mode in MODES})
    return bob


def is_tone(uniqueid: str) -> bool:
    return uniqueid.startswith(channels.TONE)


async def until_beep(*calls: Call) -> list[Sound]:
    """Each phone's first stretch with the beep in it."""

    def listen(call: Call) -> Sound:
        while (sound := call.heard(LISTENED)).power(HZ) < LOUD:
            pass
        return sound

    async with asyncio.timeout(10):
        return await asyncio.gather(*(asyncio.to_thread(listen, call) for call in calls))


def unwanted(sound: Sound, *wanted: int) -> float:
    return max(sound.spectrum(*(hz for hz in (*NOTES, 700, 2100) if hz not in wanted)).values())


async def test_both_hear_it_and_it_ends_with_the_listening(
    asterisk: Asterisk, phones: MakePhone, sue: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tone, "EVERY_S", 1.0)
    await sync_to_async(policies.write)(None, {mode: Policy("tone", reason=True) for mode in MODES})
    customer, supervisor = phones(asterisk, "201", hz=CUSTOMER), phones(asterisk, "900", hz=0)
    agent = phones(asterisk, "101", hz=AGENT)
    async with Desk(asterisk, user_id=sue.pk, monitored=True) as desk:
        await desk.live()
        outgoing, incoming = await conversation(agent, customer)
        answer = await desk.click("calls.listen", await the_call(desk), sue.pk, args={"reason": "Training"})
        assert (answer["outcome"], answer["code"]) == ("done", "")
        await desk.page.until(lambda: desk.page.spies)
        (key,) = desk.page.spies
        ear = await asyncio.to_thread(supervisor.wait_incoming)
        assert key.partition("/")[2].startswith(channels.LISTEN + channels.TONED)
        assert set(desk.page.spies) == {key}, "the leg that beeps listens to nobody"
        assert len([call for call in desk.page.calls().values() if call["phase"] != "ended"]) == 1
        for _ in range(2):  # at the start, and again
            for sound, voice in zip(await until_beep(incoming, outgoing), (CUSTOMER, AGENT), strict=True):
                level, other = sound.power(HZ), unwanted(sound, voice)
                print(f"{asterisk.version}: beep {level:.0f} dBFS, loudest unwanted {other:.0f}")
                assert level - other >= APART
        assert await desk.equals(await desk.checked(asterisk)) == []
        answer = await desk.click("calls.stop", key, sue.pk, kind="spy")
        assert answer["outcome"] == "done"
        await asyncio.to_thread(ear.wait_ended)
        await asyncio.to_thread(outgoing.hangup)
        await desk.page.until(lambda: not desk.page.calls("talking"))
        assert await desk.equals(await desk.checked(asterisk)) == []
    listened = await Listening.objects.aget()
    assert (listened.told, listened.reason, listened.why) == ("tone", "Training", "stopped")


async def test_without_its_module_nobody_listens(
    asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker, sue: User
) -> None:
    supervisor = phones(asterisk, "900")
    await conversation(phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER))
    await asyncio.to_thread(asterisk.cli, "module unload chan_rtp.so")
    try:
        async with Desk(asterisk, user_id=sue.pk) as desk:
            await desk.live()
            answer = await desk.click("calls.listen", await the_call(desk), sue.pk)
            assert (answer["outcome"], answer["code"]) == ("refused", "no_tone")
            assert "chan_rtp" in answer["detail"]
            assert len(await desk.checked(asterisk)) == 2
            assert not supervisor.calls
    finally:
        await asyncio.to_thread(asterisk.cli, "module load chan_rtp.so")


async def test_where_no_sound_comes_back_nobody_listens(
    asterisk22: Asterisk, phones: MakePhone, sue: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that the PBX sends to is not this machine's."""
    monkeypatch.setattr(tone, "READY_S", 0.5)
    supervisor = phones(asterisk22, "900")
    await conversation(phones(asterisk22, "101", hz=AGENT), phones(asterisk22, "201", hz=CUSTOMER))
    monkeypatch.setattr(registry, "TONES", [functools.partial(Toner, host="192.0.2.1")])
    async with Desk(asterisk22, user_id=sue.pk) as desk:
        await desk.live()
        answer = await desk.click("calls.listen", await the_call(desk), sue.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "no_tone")
        assert answer["detail"].startswith("no sound comes from 127.0.0.1 to 192.0.2.1:")
        await desk.page.until(lambda: not any(map(is_tone, desk.worker.pbx.channels)))
        assert not supervisor.calls


async def test_a_lost_tone_is_given_again_or_the_listening_ends(
    asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker, sue: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tone, "READY_S", 0.5)
    checker, supervisor = checkers(asterisk), phones(asterisk, "900", hz=0)
    agent, customer = phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(agent, customer)
        _, ear = await listening(desk, sue, supervisor)
        await until_beep(incoming)
        (first,) = filter(is_tone, desk.worker.pbx.channels)
        await asyncio.to_thread(checker.action, "Hangup", Channel=first)
        await until_beep(incoming, outgoing)
        (second,) = filter(is_tone, desk.worker.pbx.channels)
        assert second != first
        monkeypatch.setattr(desk.worker._tones, "_host", "192.0.2.1")
        await asyncio.to_thread(checker.action, "Hangup", Channel=second)
        await asyncio.to_thread(ear.wait_ended)
        await desk.page.until(lambda: len(desk.worker.pbx.channels) == 2)


async def test_on_hold_too_and_with_the_panel_it_ends(asterisk: Asterisk, phones: MakePhone, sue: User) -> None:
    """When the panel stops nobody beeps any more, so nobody listens."""
    supervisor = phones(asterisk, "900", hz=0)
    async with Desk(asterisk, user_id=sue.pk) as desk:
        await desk.live()
        outgoing, incoming = await conversation(
            phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
        )
        await asyncio.to_thread(incoming.hold)
        await the_call(desk, "hold")
        answer = await desk.click("calls.listen", await the_call(desk, "hold"), sue.pk)
        assert (answer["outcome"], answer["code"]) == ("done", "")
        ear = await asyncio.to_thread(supervisor.wait_incoming)
        await until_beep(outgoing)
    await asyncio.to_thread(ear.wait_ended)
