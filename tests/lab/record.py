"""Record a working day of an Asterisk that is set up as FreePBX does it: raw AMI bytes, and the truth at both ends.

    python -m tests.lab.record [--version 16] [--unmasked] FOLDER

Writes `freepbx22.ami.gz` (what the panel's account is told under its own event mask) or `freepbx22-unmasked.ami.gz`
(every class). The lists are asked on the same connection after the login and at the end: the ActionIDs of their items
begin with `first-` and `truth-`. In between, phones, trunks and supervisors do what a day brings; at the end calls of
every kind stand. Events carry Asterisk's own `Timestamp`.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.demo.tap import MASK, Seen, Tap
from tests.lab.checker import WAIT, Checker
from tests.lab.configuration import ami_secret
from tests.lab.install import VERSIONS, CannotSetUp
from tests.lab.instance import HOST, Asterisk
from tests.lab.phones import Call, Phone

QUIET_S = 0.3
"""Nothing has come for so long: the step is over."""

LISTS = (
    "BridgeList",
    "CoreShowChannels",
    "ConfbridgeListRooms",
    "QueueStatus",
    "QueueSummary",
    "ParkedCalls",
    "Parkinglots",
    "DeviceStateList",
    "ExtensionStateList",
    "PresenceStateList",
    "IAXpeerlist",
    "SIPpeers",
    "PJSIPShowRegistrationsOutbound",
)
"""What the panel's account may ask. Asterisk refuses it PJSIPShowEndpoints and PJSIPShowContacts, which need the write
class `system` [measured on 16 and 22]."""

OUTSIDE = "+4915112345678"
MENU_KEY = "1"
AGENTS = ("101", "102", "103")


class Day:
    """The people, and what they do. Each step ends in quiet, and leaves nobody on the line."""

    def __init__(self, asterisk: Asterisk, far: Asterisk, tap: Tap, opened: contextlib.ExitStack) -> None:
        self.asterisk = asterisk
        self.far = far
        self.tap = tap
        self.phones: dict[str, Phone] = {}
        self.actions = opened.enter_context(Checker(asterisk, user="panel", events="off"))
        for extension in (*AGENTS, "201", "202", "203", "204", "900", "901"):
            self._open(opened, extension, answer=None)
        self._open(opened, "outside", host="127.0.0.9", register=False, number=OUTSIDE, name="Zoë O'Brien")
        self._open(opened, "stranger", host="127.0.0.9", register=False, number="anonymous", name="")
        self._open(opened, "abroad", host="127.0.0.9", port=asterisk.ports.trunk, register=False)
        if asterisk.version == "16":
            self._open(opened, "301", answer=None)

    def _open(self, opened: contextlib.ExitStack, who: str, **options: Any) -> None:
        self.phones[who] = opened.enter_context(Phone(self.asterisk.sip_address(who), who, **options))

    # --- what a step is made of

    def dial(self, who: str, number: str) -> Call:
        return self.phones[who].call(number)

    def answer(self, who: str) -> Call:
        """Wait for the phone to ring, pick it up, and let the two sides find each other."""
        call = self.phones[who].wait_incoming()
        self.quiet()
        call.answer()
        self.quiet()
        return call

    def quiet(self) -> None:
        self.tap.quiet(QUIET_S)

    def all_down(self) -> None:
        for phone in self.phones.values():
            phone.hangup()
        self.actions.hangup_all()
        self.quiet()

    def ask(self, action: str, **headers: object) -> None:
        self.actions.action(action, None, WAIT, **headers)
        self.quiet()

    def from_far(self, peer: str, number: str) -> None:
        """The far end of an IAX2 peer picks up its receiver and dials."""
        there = f"{peer}:pw{peer}@{HOST}:{self.asterisk.ports.iax}"
        self.far.cli(f"channel originate IAX2/{there}/{number} application Wait 600")
        self.quiet()

    def newest(self, begin: str) -> Seen:
        born = [one for one in self.tap.seen if one.name == "Newchannel" and one.get("Channel").startswith(begin)]
        return born[-1]

    # --- the day

    def queue_hold_transfer_park_retrieve(self) -> None:
        self.dial("outside", "74951234600")
        agent = self.answer("101")
        agent.hold()
        self.quiet()
        agent.unhold()
        self.quiet()
        agent.refer("103")
        colleague = self.answer("103")
        colleague.refer("70")
        self.tap.event("ParkedCall")
        self.quiet()
        self.dial("102", "71").wait_up()
        self.quiet()

    def abandoned(self) -> None:
        caller = self.dial("outside", "74951234601")
        self.phones["103"].wait_incoming()
        self.quiet()
        caller.hangup()
        self.quiet()

    def agent_does_not_answer(self) -> None:
        self.dial("outside", "74951234601")
        self.phones["103"].wait_incoming().reject(486)
        self._served_by_401()

    def served_by_iax(self) -> None:
        self.ask("QueuePause", Queue="601", Interface="Local/103@from-queue/n", Paused="true", Reason="Lunch")
        caller = self.dial("outside", "74951234601")
        self._served_by_401()
        caller.hangup()
        self.quiet()
        self.ask("QueuePause", Queue="601", Interface="Local/103@from-queue/n", Paused="false")

    def _served_by_401(self) -> None:
        since = len(self.tap.seen)
        if "301" in self.phones:
            self.phones["301"].wait_incoming().reject(486)
        self.tap.event("AgentConnect", since)  # it answers by itself
        self.quiet()

    def members_come_and_go(self) -> None:
        member = "Local/102@from-queue/n"
        about = {"Penalty": "3", "MemberName": "Agent 102", "StateInterface": "hint:102@ext-local"}
        self.ask("QueueAdd", Queue="602", Interface=member, **about)
        self.ask("QueuePause", Interface=member, Paused="true", Reason="Coffee")
        self.ask("QueuePause", Interface=member, Paused="false")
        self.ask("QueuePenalty", Queue="602", Interface=member, Penalty="1")
        self.ask("QueueMemberRingInUse", Queue="602", Interface=member, RingInUse="1")
        self.ask("QueueRemove", Queue="602", Interface=member)

    def group_rings(self) -> None:
        self.dial("stranger", "74951234650")
        self.phones["101"].wait_incoming()
        self.answer("102")

    def group_by_follow_me(self) -> None:
        self.dial("outside", "74951234651")
        self.phones["102"].wait_incoming()
        self.answer("103")

    def attended_transfer(self) -> None:
        self.dial("201", "101")
        agent = self.answer("101")
        since = len(self.tap.seen)
        agent.press("*2")
        self.tap.event("MusicOnHoldStart", since)
        self.quiet()
        agent.press("102")
        colleague = self.answer("102")
        agent.hangup()
        self.tap.event("AttendedTransfer")
        self.quiet()
        colleague.hangup()

    def mailbox(self) -> None:
        self.dial("201", "104").wait_up()

    def menu_to_queue(self) -> None:
        caller = self.dial("outside", "74951234500").wait_up()
        self.quiet()
        caller.press(MENU_KEY)
        self.answer("102")

    def iax_phone_and_branch_call(self) -> None:
        self.from_far("402", "101")
        self.answer("101")
        self.from_far("branch", "74951234102")
        self.answer("102")

    def out_by_trunks(self) -> None:
        self.dial("101", "04915199999999").wait_up()
        self.dial("102", "974951234101").wait_up()
        self.quiet()

    def busy(self) -> None:
        self.dial("201", "102")
        self.phones["102"].wait_incoming().reject(486)
        self.quiet()

    def picked_up(self) -> None:
        self.dial("201", "102")
        self.phones["102"].wait_incoming()
        self.quiet()
        self._originate("phx-pickup-", "PickupChan", self.newest("PJSIP/102-").get("Channel"))

    def listened_to(self) -> None:
        self.dial("outside", "74951234600")
        self.answer("101")
        self._originate("phx-listen-", "ChanSpy", f"{self.newest('PJSIP/101-').get('Uniqueid')},quES")

    def _originate(self, kind: str, application: str, data: str) -> None:
        begun = len(self.tap.seen)
        channel_id = kind + uuid.uuid4().hex
        about = {"Application": application, "Data": data, "CallerID": '"Phoenix" <900>', "ChannelId": channel_id}
        about |= {"Channel": "PJSIP/900", "Timeout": "15000", "Async": "true"}
        self.actions.action("Originate", None, WAIT, **about)
        self.answer("900")
        self.tap.event("OriginateResponse", begun, Uniqueid=channel_id)
        self.quiet()

    def room(self) -> None:
        for who in ("101", "102"):
            self.dial(who, "801").wait_up()
            self.quiet()
        self.from_far("402", "88801")
        for who in ("101", "102"):
            channel = self.newest(f"PJSIP/{who}-").get("Channel")
            self.ask("ConfbridgeMute", Conference="801", Channel=channel)
        self.ask("ConfbridgeUnmute", Conference="801", Channel=self.newest("PJSIP/101-").get("Channel"))
        self.ask("ConfbridgeLock", Conference="801")
        self.ask("ConfbridgeKick", Conference="801", Channel=self.newest("PJSIP/102-").get("Channel"))

    def old_sip_phone(self) -> None:
        if "301" in self.phones:
            self.dial("301", "101")
            self.answer("101").hold()
            self.quiet()
            self.phones["101"].hangup()
            self.quiet()
            self.dial("201", "301")
            self.answer("301")

    def do_not_disturb(self) -> None:
        for state in ("BUSY", "NOT_INUSE"):
            self.asterisk.cli(f"devstate change Custom:DND102 {state}")
            self.quiet()

    # --- how it ends

    def stand(self) -> None:
        """Of every kind of call one: waiting, served, parked, in a room, at a mailbox, out by IAX2, ringing."""
        self.dial("204", "602").wait_up()
        self.quiet()
        self.dial("outside", "74951234600")
        self.answer("101")
        self.dial("201", "102")
        self.answer("102").refer("70")
        self.quiet()
        self.dial("103", "801").wait_up()
        self.quiet()
        self.from_far("402", "88801")
        self.ask("ConfbridgeMute", Conference="801", Channel=self.newest("PJSIP/103-").get("Channel"))
        self.dial("202", "104").wait_up()
        self.quiet()
        self.dial("203", "974951234102").wait_up()
        self.quiet()
        self.dial("stranger", "74951234101")
        self.quiet()
        self.phones["901"].call("900")
        self.phones["900"].wait_incoming()
        self.quiet()
        self.ask("QueuePause", Queue="601", Interface="Local/103@from-queue/n", Paused="true", Reason="Meeting")


STEPS: tuple[Callable[[Day], None], ...] = (
    Day.queue_hold_transfer_park_retrieve,
    Day.abandoned,
    Day.agent_does_not_answer,
    Day.served_by_iax,
    Day.members_come_and_go,
    Day.group_rings,
    Day.group_by_follow_me,
    Day.attended_transfer,
    Day.mailbox,
    Day.menu_to_queue,
    Day.iax_phone_and_branch_call,
    Day.out_by_trunks,
    Day.busy,
    Day.picked_up,
    Day.listened_to,
    Day.room,
    Day.old_sip_phone,
    Day.do_not_disturb,
)


def record(asterisk: Asterisk, far: Asterisk, mask: str = MASK) -> bytes:
    """Live the day; every byte that the panel's account was sent, the greeting first."""
    user = "panel" if mask == MASK else "admin"
    with Tap(asterisk.ami_port, user, ami_secret(user), mask) as tap, contextlib.ExitStack() as opened:
        _ask_lists(tap, "first")
        day = Day(asterisk, far, tap, opened)
        for step in STEPS:
            print(f"  {step.__name__}", flush=True)
            step(day)
            day.all_down()
        day.stand()
        _ask_lists(tap, "truth")
        return bytes(tap.received)


def _ask_lists(tap: Tap, kind: str) -> None:
    """Ask everything; each answer is complete before the next question. What Asterisk refuses it says in the bytes."""
    for name in LISTS:
        rows = tap.list(name, id=f"{kind}-{name}")
        if name == "ConfbridgeListRooms":
            for room in [row.get("Conference") for row in rows if row.name == "ConfbridgeListRooms"]:
                tap.list("ConfbridgeList", id=f"{kind}-ConfbridgeList-{room}", Conference=room)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.record", description=__doc__)
    parser.add_argument(
        "--version", choices=VERSIONS, default="22", help="which Asterisk (22); the far end is another"
    )
    parser.add_argument("--unmasked", action="store_true", help="every class of events, to the admin's account")
    parser.add_argument("folder", type=Path)
    wanted = parser.parse_args(arguments)
    (other,) = set(VERSIONS) - {wanted.version}
    name = f"freepbx{wanted.version}{'-unmasked' if wanted.unmasked else ''}.ami.gz"
    try:
        with (
            Asterisk(other, naming="freepbx") as far,
            Asterisk(wanted.version, naming="freepbx", far=far) as asterisk,
        ):
            recorded = record(asterisk, far, "on" if wanted.unmasked else MASK)
    except CannotSetUp as reason:
        print(f"Asterisk: {reason}", file=sys.stderr)
        return 1
    # No file name and no time in the archive: the same bytes make the same file.
    (wanted.folder / name).write_bytes(gzip.compress(recorded, mtime=0))
    print(f"{name}: {len(recorded)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
