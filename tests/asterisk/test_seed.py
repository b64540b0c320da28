"""Each function of the seed script on real Asterisks with real phones: from a script, and from the shell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from django.conf import LazySettings

import switchboard
from audit.models import Entry
from live.manners import SEED
from shell import DONE, REFUSED
from switchboard import Switchboard
from tests.asterisk.test_listening import AGENT, CUSTOMER, SUPERVISOR, heard, hears
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone
from tests.shell.running import pbx

pytestmark = pytest.mark.asterisk

MakePhone = Callable[..., Phone]


def board_of(asterisk: Asterisk) -> Switchboard:
    url, recorder = asterisk.ami_url(), asterisk.ami_url("admin")
    return switchboard.connect(url, name="lab", phone="PJSIP/900", recorder=recorder)


async def done(board: Switchboard, verb: str, target: str = "", **args: object) -> None:
    outcome = await board.do(verb, target, **args)
    assert (outcome.verb, outcome.outcome, outcome.code, outcome.detail) == (verb, "done", "", "")


def talk(customer: Phone, agent: Phone) -> tuple[Call, Call]:
    outgoing = customer.call(agent.extension).wait_up()
    return outgoing, agent.wait_incoming().wait_up()


async def phase(board: Switchboard, wanted: str) -> None:
    await board.until(lambda: any(call["phase"] == wanted for call in board.all("call")), 10)


async def test_the_calls_functions_from_a_script(asterisk: Asterisk, phones: MakePhone) -> None:
    """spy_call, whispers_call, destr_call, pickup_call, init_call."""
    customer, agent = phones(asterisk, "201", hz=CUSTOMER), phones(asterisk, "101", hz=AGENT)
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    async with board_of(asterisk) as board:
        outgoing, incoming = await asyncio.to_thread(talk, customer, agent)
        await phase(board, "talking")
        await done(board, "calls.listen", "101")
        ear = await asyncio.to_thread(supervisor.wait_incoming)
        assert ear.remote_name == "Phoenix-Spy"
        assert hears((await heard(ear))[0], AGENT, CUSTOMER)
        await done(board, "calls.stop", "900")
        await done(board, "calls.whisper", "101")
        ear = await asyncio.to_thread(supervisor.wait_incoming)
        assert ear.remote_name == "Phoenix-whispers"
        await asyncio.to_thread(incoming.wait_tone, SUPERVISOR)
        assert hears((await heard(outgoing))[0], AGENT)
        await done(board, "calls.hangup", "201")
        for call in (outgoing, incoming, ear):
            await asyncio.to_thread(call.wait_ended)
        silent = phones(asterisk, "102", answer=None)
        outgoing = await asyncio.to_thread(lambda: customer.call(silent.extension).wait_ringing())
        await phase(board, "ringing")
        await done(board, "calls.pickup", "102")
        taken = await asyncio.to_thread(supervisor.wait_incoming)
        assert taken.remote_name == "Phoenix-Pickup"
        await asyncio.to_thread(taken.wait_tone, CUSTOMER)
        await done(board, "calls.hangup", "201")
        await asyncio.to_thread(taken.wait_ended)
        await done(board, "calls.call", number="101")
        made = await asyncio.to_thread(supervisor.wait_incoming)
        assert (made.remote_name, made.remote_number) == (SEED.call, "101")
        await asyncio.to_thread(made.wait_tone, AGENT)


async def test_the_conferences_functions_from_a_script(asterisk: Asterisk, phones: MakePhone) -> None:
    """mute_conf, unmute_conf, start_record_conf, stop_record_conf, locked_conf, unlocked_conf, kick_from_conf, and the
    pair that it had not: invite."""
    for extension in ("101", "102"):
        await asyncio.to_thread(lambda phone: phone.call("801").wait_up(), phones(asterisk, extension, hz=AGENT))
    phones(asterisk, "201", hz=CUSTOMER)
    async with board_of(asterisk) as board:
        await board.until(lambda: len([*board.all("participant")]) == 2, 10)
        await done(board, "conferences.mute", "801/101")
        assert [one["muted"] for one in board.all("participant") if one["number"] == "101"] == [True]
        await done(board, "conferences.unmute", "801/101")
        await done(board, "conferences.lock", "801")
        await done(board, "conferences.unlock", "801")
        await done(board, "conferences.record", "801")
        await done(board, "conferences.stop_record", "801")
        await done(board, "conferences.kick", "801/102")
        await done(board, "conferences.invite", "801", extension="201")
        await board.until(lambda: {one["number"] for one in board.all("participant")} == {"101", "201"}, 10)


@pytest.mark.django_db(transaction=True)
def test_from_the_shell(asterisk: Asterisk, phones: MakePhone, settings: LazySettings) -> None:
    """She hears the call that was named by a number; a room is locked and left; each line is in the audit."""
    settings.PHOENIX_PBXS = {"lab": asterisk.ami_url()}
    settings.PHOENIX_MANNERS = {"lab": SEED}
    settings.PHOENIX_RECORDERS = {}
    agent, customer = phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
    supervisor = phones(asterisk, "900", hz=SUPERVISOR)
    outgoing, _ = talk(customer, agent)
    (row,) = pbx("calls").out.splitlines()[1:]
    assert row.startswith("talking")
    assert row.index("201") < row.index("→") < row.index("101")
    ran = pbx("listen", "101", "--phone", "PJSIP/900")
    assert (ran.code, ran.err) == (DONE, "")
    ear = supervisor.wait_incoming()
    ear.wait_tone(AGENT)
    assert hears(ear.heard(0.6), AGENT, CUSTOMER)
    assert pbx("stop", "900").code == DONE
    ear.wait_ended()
    assert pbx("listen", "101", "--phone", "PJSIP/105").code == REFUSED
    assert pbx("hangup", "101").code == DONE
    outgoing.wait_ended()
    agent.call("801").wait_up()
    assert pbx("lock", "801").code == DONE
    assert "locked" in pbx("conferences").out
    assert pbx("kick", "801/101").code == DONE
    entries = Entry.objects.filter(kind="outcome").order_by("id")
    assert [(entry.verb, entry.outcome, entry.code) for entry in entries] == [
        ("calls.listen", "done", ""),
        ("calls.stop", "done", ""),
        ("calls.listen", "refused", "phone_unreachable"),
        ("calls.hangup", "done", ""),
        ("conferences.lock", "done", ""),
        ("conferences.kick", "done", ""),
    ]
