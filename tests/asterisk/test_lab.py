"""The lab proves itself, on both versions: PBX, phones and storm are what the other tests take them for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from tests.lab import tempest
from tests.lab.audio import Sound
from tests.lab.checker import Checker, CheckerError, unescape
from tests.lab.configuration import MUSIC_HZ
from tests.lab.instance import Asterisk, AsteriskFailed
from tests.lab.phones import Phone, PhoneError
from tests.lab.storm import STANDING_CHANNELS, Storm, phone_plan, plan

pytestmark = pytest.mark.asterisk

AGENT_HZ, CUSTOMER_HZ = 440, 880
NOTES = (MUSIC_HZ, AGENT_HZ, CUSTOMER_HZ)

MakePhone = Callable[..., Phone]
MakeChecker = Callable[..., Checker]


def only(hz: int, sound: Sound) -> bool:
    """Whether the note is heard, and stands at least 20 dB above the others."""
    levels = sound.spectrum(*NOTES)
    others = max(level for note, level in levels.items() if note != hz)
    return levels[hz] > -20 and levels[hz] - others >= 20


def test_boots_as_the_version_asked_for(asterisk: Asterisk) -> None:
    assert asterisk.cli("core show version").startswith(f"Asterisk {asterisk.version}.")
    assert "0 active channels" in asterisk.cli("core show channels")


def test_listens_on_loopback_only(asterisk: Asterisk) -> None:
    with socket.create_connection(("127.0.0.1", asterisk.ami_port), timeout=2) as ours:
        assert ours.recv(100).startswith(b"Asterisk Call Manager/")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", asterisk.ami_port), timeout=2).close()


def test_the_accounts_may_what_they_should(asterisk: Asterisk, checkers: MakeChecker) -> None:
    assert checkers(asterisk, user="panel").channels() == []
    assert checkers(asterisk, user="reporter").channels() == []
    with pytest.raises(CheckerError, match="Permission denied"):
        checkers(asterisk, user="readonly").channels()
    for user in ("reporter", "readonly", "nocall"):
        with pytest.raises(CheckerError, match="Permission denied"):
            checkers(asterisk, user=user).action("Hangup", Channel="none")
    with pytest.raises(CheckerError, match="No such channel"):
        checkers(asterisk, user="panel").action("Hangup", Channel="none")


def test_two_sessions_name_their_actions_differently(asterisk: Asterisk, checkers: MakeChecker) -> None:
    """What one originates is answered to both: the other would take it for an item after the end of its own list."""
    one, other = checkers(asterisk), checkers(asterisk)
    one.originate("Local/506@from-internal/n", application="Wait", data="5", channel_id="named")
    told = other.wait_event("OriginateResponse", Uniqueid="named")
    assert other.channels()[0]["ActionID"] != told["ActionID"]


def test_a_call_is_heard_both_ways(asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker) -> None:
    agent, customer = phones(asterisk, "101", hz=AGENT_HZ), phones(asterisk, "201", hz=CUSTOMER_HZ)
    outgoing = customer.call("101").wait_up()
    incoming = agent.wait_incoming().wait_up()
    outgoing.wait_tone(AGENT_HZ)
    incoming.wait_tone(CUSTOMER_HZ)
    assert only(AGENT_HZ, outgoing.heard(0.5))
    assert only(CUSTOMER_HZ, incoming.heard(0.5))

    (members,) = checkers(asterisk).bridges().values()
    assert len(members) == 2

    incoming.hangup()
    outgoing.wait_ended()
    outgoing.wait_silent()
    incoming.wait_silent()
    assert outgoing.heard(0.2).is_silent()


def test_on_hold_one_hears_music(asterisk: Asterisk, phones: MakePhone) -> None:
    agent, customer = phones(asterisk, "101", hz=AGENT_HZ), phones(asterisk, "201", hz=CUSTOMER_HZ)
    outgoing = customer.call("101").wait_up()
    incoming = agent.wait_incoming().wait_up()
    incoming.wait_tone(CUSTOMER_HZ)
    incoming.hold()
    outgoing.wait_tone(MUSIC_HZ)
    incoming.wait_silent()
    assert only(MUSIC_HZ, outgoing.heard(0.5))
    incoming.unhold()
    outgoing.wait_tone(AGENT_HZ)
    assert only(AGENT_HZ, outgoing.heard(0.5))


def test_a_phone_transfers_its_caller(asterisk: Asterisk, phones: MakePhone) -> None:
    agent, customer = phones(asterisk, "101", hz=AGENT_HZ), phones(asterisk, "201", hz=0)
    outgoing = customer.call("101").wait_up()
    incoming = agent.wait_incoming().wait_up()
    outgoing.wait_tone(AGENT_HZ)
    incoming.refer("504")
    incoming.wait_ended()
    outgoing.wait_tone(CUSTOMER_HZ)
    assert only(CUSTOMER_HZ, outgoing.heard(0.5))


def test_a_phone_transfers_its_caller_to_its_second_line(asterisk: Asterisk, phones: MakePhone) -> None:
    agent, customer = phones(asterisk, "101", hz=AGENT_HZ), phones(asterisk, "201", hz=0)
    phones(asterisk, "102", hz=CUSTOMER_HZ)
    outgoing = customer.call("101").wait_up()
    incoming = agent.wait_incoming().wait_up()
    outgoing.wait_tone(AGENT_HZ)
    incoming.hold()
    second = agent.call("102").wait_up()
    second.wait_tone(CUSTOMER_HZ)
    incoming.refer_to(second)
    incoming.wait_ended()
    second.wait_ended()
    outgoing.wait_tone(CUSTOMER_HZ)
    assert only(CUSTOMER_HZ, outgoing.heard(0.5))


def test_calls_that_are_not_answered(asterisk: Asterisk, phones: MakePhone) -> None:
    customer = phones(asterisk, "201")
    phones(asterisk, "102", reject=486)
    deaf = phones(asterisk, "103", answer=None)
    assert customer.call("102").wait_ended().status == 486
    assert customer.call("507").wait_ended().status == 486

    given_up = customer.call("103").wait_ringing()
    rung = deaf.wait_incoming()
    given_up.hangup()
    assert given_up.wait_ended().status == 487
    assert rung.wait_ended().status == 487

    taken = customer.call("103").wait_ringing()
    deaf.wait_incoming().answer()
    taken.wait_up()


@pytest.mark.parametrize(
    "name",
    ["<img src=x onerror=alert(1)>", "<script>alert('1')</script>; tag=x, <sip:a@b>", "Zoë 日本 🦊", "';DROP TABLE"],
)
def test_a_caller_may_be_called_anything(
    asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker, name: str
) -> None:
    phones(asterisk, "201", name=name).call("506").wait_up()
    (channel,) = checkers(asterisk).channels()
    assert unescape(channel["CallerIDName"]) == name
    assert channel["CallerIDNum"] == "201"


def test_quotes_in_a_name_stay_escaped_as_in_sip(asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker) -> None:
    # Asterisk keeps a SIP name's backslashes: what a phone sends as "a \"b\"" is a \"b\" in its channel.
    phones(asterisk, "201", name='<img src="x">').call("506").wait_up()
    (channel,) = checkers(asterisk).channels()
    assert unescape(channel["CallerIDName"]) == r"<img src=\"x\">"


def test_the_trunk_needs_no_registration(asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker) -> None:
    outside = phones(asterisk, "trunk", host="127.0.0.9", register=False, number="+4930123456", name="ACME")
    outside.call("505").wait_up().wait_tone(AGENT_HZ)
    (channel,) = checkers(asterisk).channels()
    assert channel["Channel"].startswith("PJSIP/trunk-")
    assert (channel["CallerIDNum"], channel["CallerIDName"]) == ("+4930123456", "ACME")


def test_the_old_sip_driver_of_16(asterisk16: Asterisk, phones: MakePhone) -> None:
    caller = phones(asterisk16, "301", hz=CUSTOMER_HZ)
    agent = phones(asterisk16, "101", hz=AGENT_HZ)
    call = caller.call("101").wait_up()
    assert only(AGENT_HZ, call.wait_tone(AGENT_HZ))
    assert only(CUSTOMER_HZ, agent.wait_incoming().wait_tone(CUSTOMER_HZ))


def test_a_wrong_password_is_refused(asterisk: Asterisk, phones: MakePhone) -> None:
    with pytest.raises(PhoneError, match="may not register"):
        phones(asterisk, "101", password="wrong")


def test_two_of_the_same_version_at_once(asterisk22: Asterisk) -> None:
    with Asterisk("22") as other, Checker(other) as there, Checker(asterisk22) as here:
        there.originate("Local/506@from-internal", application="Wait", data="60")
        there.wait_channels(lambda channels: len(channels) == 2)
        assert here.channels() == []


def test_killed_it_comes_back_on_its_ports(asterisk: Asterisk, checkers: MakeChecker) -> None:
    before, url = checkers(asterisk), asterisk.ami_url()
    pid = asterisk.pid
    asterisk.kill()
    with pytest.raises(CheckerError):
        before.channels()
    with pytest.raises(AsteriskFailed, match="is not running"):
        _ = asterisk.pid
    asterisk.start()
    assert asterisk.pid != pid
    assert asterisk.ami_url() == url
    assert checkers(asterisk).channels() == []


def test_restarted_it_forgets_its_calls_and_keeps_its_phones(
    asterisk: Asterisk, phones: MakePhone, checkers: MakeChecker
) -> None:
    agent = phones(asterisk, "101", hz=AGENT_HZ)
    checkers(asterisk).originate("PJSIP/101", application="Wait", data="60")
    agent.wait_incoming().wait_up()
    pid = asterisk.pid
    asterisk.restart()
    assert asterisk.pid == pid
    again = checkers(asterisk)
    assert again.channels() == []
    again.originate("PJSIP/101", application="Wait", data="60")
    agent.wait_incoming().wait_up()


def test_frozen_it_is_there_and_says_nothing(asterisk: Asterisk, checkers: MakeChecker) -> None:
    checker = checkers(asterisk)
    asterisk.freeze()
    with pytest.raises(CheckerError, match="waited"):
        checker.action("Ping", timeout=0.3)
    assert asterisk.running
    asterisk.thaw()
    assert checker.action("Ping")["Response"] == "Success"


def test_a_storm_is_the_same_for_the_same_seed() -> None:
    assert plan(7, 50) == plan(7, 50)
    assert plan(7, 50) != plan(8, 50)
    assert phone_plan(7, 4, 10) == phone_plan(7, 4, 10)


def test_a_tempest_is_the_same_for_the_same_seed_and_leaves_no_deed_out() -> None:
    assert tempest.plan(7, 5) == tempest.plan(7, 5)
    assert tempest.plan(7, 5) != tempest.plan(8, 5)
    for seed in range(20):
        dealt = {deed.kind for burst in tempest.plan(seed, 3) for deed in burst}
        assert dealt == tempest.CARDS.keys()


async def test_storms_leave_a_still_list(asterisk22: Asterisk, asterisk16: Asterisk, phones: MakePhone) -> None:
    # Both at once: each takes its 17 s whatever the version.
    await asyncio.gather(*(_storm(instance, phones) for instance in (asterisk22, asterisk16)))


async def _storm(instance: Asterisk, phones: MakePhone) -> None:
    some = [await asyncio.to_thread(phones, instance, extension) for extension in ("101", "102", "201", "202")]
    async with Storm(instance, seed=7, calls=100, phones=some) as storm:
        await storm.run()
        standing = await storm.quiet()
        await asyncio.sleep(1)
        still = await storm.quiet()
        assert storm.refused == 0
        assert storm.meddled > 5
        assert len(standing) == STANDING_CHANNELS
        assert {row["Uniqueid"] for row in standing} == {row["Uniqueid"] for row in still}
