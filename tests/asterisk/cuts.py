"""The link cut at every byte between an action's first one and its answer's last: what the panel then says is so.

    await Cuts(asterisk, every=1).run()

Five actions, one lane each: a panel of its own (switchboard) behind a relay that cuts all its connections at one
byte. When the link is back, and its lists are read, the outcome is compared with Asterisk's own lists, read by another
client.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import re
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final
from unittest.mock import patch

from ami import Address
from audit.record import Outcome as OutcomeWord
from audit.record import What, Who
from floor import dispatch, worker
from floor.worker import PbxConfig
from live.dialling import Policy
from live.manners import EXTENSIONS, TRUNKS, Manners
from switchboard import Switchboard, TargetError, Unwritten
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone
from tests.lab.relay import Scissors

PROOF_S: Final = 0.4
"""Until the first answer; what is settled when the link is back is waited for besides."""

SETTLE_S: Final = 0.1
BACK_S: Final = 0.05
"""Of a resync, and before the next try to connect: what is measured is not how long a panel takes to come back."""

EVERYTHING: Final = re.compile(EXTENSIONS)
MANNERS: Final = Manners(dial=Policy(EVERYTHING, per_minute=100_000, per_minute_all=100_000))
"""As many transfers as there are bytes."""

SILENCE: Final = "Local/506@from-internal/n"
ROOM: Final = "841"


class Notes(Unwritten):
    """Instead of an audit: how each command ended, also after it had been answered."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[str] = []

    async def end(self, who: Who, what: What, outcome_: OutcomeWord, code: str, detail: str) -> None:
        self.ended.append(outcome_)


class Deed:
    """One action: how its target comes to be, and whether Asterisk's lists show that it was done."""

    verb: str
    sends: str
    """Name of the AMI action."""
    args: dict[str, Any] = {}

    def __init__(self, asterisk: Asterisk, checker: Checker, phones: ExitStack) -> None:
        self.asterisk, self.checker, self.phones = asterisk, checker, phones

    def ready(self) -> str:
        """Bring about what it is done to; its Uniqueid, or what else names it."""
        raise NotImplementedError

    def is_shown(self, board: Switchboard, target: str) -> bool:
        """Whether the panel has it, as it is before the click."""
        try:
            return self.fits(board.find(self.verb, target).subject)
        except TargetError:
            return False

    def fits(self, subject: Any) -> bool:
        return True

    def is_done(self, target: str) -> bool:
        raise NotImplementedError


class Hangup(Deed):
    verb, sends = "calls.hangup", "Hangup"
    numbers = itertools.count()

    def ready(self) -> str:
        target = f"cut-{next(self.numbers):06}"
        self.checker.originate(SILENCE, application="Wait", data="600", channel_id=target)
        return target

    def is_done(self, target: str) -> bool:
        return not any(row["Uniqueid"].startswith(target) for row in self.checker.channels())


class Mute(Deed):
    verb, sends = "conferences.mute", "ConfbridgeMute"

    def ready(self) -> str:
        target = "cut-room"
        rows = self._rows()
        if not rows:
            self.checker.originate(SILENCE, application="ConfBridge", data=ROOM, channel_id=target)
        elif rows[0]["Muted"] == "Yes":
            self.checker.action("ConfbridgeUnmute", Conference=ROOM, Channel=rows[0]["Channel"])
        return target

    def fits(self, subject: Any) -> bool:
        return not subject.muted

    def is_done(self, target: str) -> bool:
        return self._rows()[0]["Muted"] == "Yes"

    def _rows(self) -> list[dict[str, str]]:
        return self.checker.list("ConfbridgeList", Conference=ROOM)


class Pause(Deed):
    verb, sends = "queues.pause", "QueuePause"
    args = {"reason": "lunch"}

    def ready(self) -> str:
        self.checker.action("QueuePause", Queue="sales", Interface="PJSIP/103", Paused="false")
        return "sales/PJSIP/103"

    def fits(self, subject: Any) -> bool:
        return not subject.paused

    def is_done(self, target: str) -> bool:
        rows = [row for row in self.checker.list("QueueStatus", Queue="sales") if row.get("Location") == "PJSIP/103"]
        return (rows[0]["Paused"], rows[0]["PausedReason"]) == ("1", "lunch")


class _Talk(Deed):
    """A call of two phones, made anew when it was done something to."""

    pair = ("", "")

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.customer, self.agent = (
            self.phones.enter_context(Phone(self.asterisk.sip_address(one), one, answer=0.01, hz=0))
            for one in self.pair
        )
        self._target = ""

    def ready(self) -> str:
        if not self._target or self.is_done(self._target) or not self._talks():
            self.customer.hangup()
            self.agent.hangup()
            self.checker.wait_channels(lambda rows: not self._legs(rows))
            self.customer.call(self.agent.extension).wait_up()
            self.agent.wait_incoming().wait_up()
            rows = self.checker.wait_channels(lambda rows: sum(bool(row["BridgeId"]) for row in self._legs(rows)) == 2)
            (self._target,) = (row["Uniqueid"] for row in self._legs(rows) if self._is(row, self.customer))
        return self._target

    def fits(self, subject: Any) -> bool:
        return bool(subject.bridge)

    def _talks(self) -> bool:
        return sum(bool(row["BridgeId"]) for row in self._legs(self.checker.channels())) == 2

    def _legs(self, rows: list[dict[str, str]]) -> list[dict[str, str]]:
        return [row for row in rows if self._is(row, self.customer) or self._is(row, self.agent)]

    @staticmethod
    def _is(row: dict[str, str], phone: Phone) -> bool:
        return row["Channel"].startswith(f"PJSIP/{phone.extension}-")


class Park(_Talk):
    verb, sends, pair = "calls.park", "Park", ("201", "101")
    args = {"seconds": 600}

    def is_done(self, target: str) -> bool:
        return any(row["ParkeeUniqueid"] == target for row in self.checker.list("ParkedCalls"))


class Transfer(_Talk):
    verb, sends, pair = "calls.transfer", "BlindTransfer", ("202", "102")
    args = {"number": "506"}

    def is_done(self, target: str) -> bool:
        return any((row["Uniqueid"], row["Exten"]) == (target, "506") for row in self.checker.channels())


DEEDS: Final = (Hangup, Mute, Pause, Park, Transfer)


class Cuts:
    """All five on one instance, side by side."""

    def __init__(self, asterisk: Asterisk, *, every: int = 1, chatty: bool = False) -> None:
        """`every`: only one in so many bytes."""
        self.asterisk, self.every, self._chatty = asterisk, every, chatty
        self.offsets: Counter[str] = Counter()
        """Verb → at how many bytes the link was cut."""
        self.outcomes: Counter[tuple[str, bool]] = Counter()
        """(Outcome, whether Asterisk had done it) → how often."""
        self.unproved: list[str] = []
        """Done, they said, and it was not."""
        self.denied: list[str] = []
        """Refused, they said, and it was done."""

    async def run(self) -> None:
        with (
            patch.object(dispatch, "PROOF_S", PROOF_S),
            patch.object(worker, "SETTLE_S", SETTLE_S),
        ):
            async with asyncio.TaskGroup() as lanes:
                for deed in DEEDS:
                    lanes.create_task(self._lane(deed), name=deed.__name__)

    async def _lane(self, made: Callable[..., Deed]) -> None:
        with ExitStack() as stack:
            checker = stack.enter_context(Checker(self.asterisk))
            relay = stack.enter_context(Scissors(self.asterisk))
            deed = await asyncio.to_thread(made, self.asterisk, checker, stack)
            notes = Notes()
            config = PbxConfig("lab", Address.parse(relay.url()), EVERYTHING, re.compile(TRUNKS), MANNERS)
            async with Switchboard(config, notes) as board:
                link = board._worker.link
                link._timing = dataclasses.replace(link._timing, backoff_base=BACK_S, backoff_cap=BACK_S)
                await self._one(deed, board, notes, relay, "", 0)
                whole = dict(relay.passed)
                for way in ("sent", "answered"):
                    # Ids grow as time goes on: a few more than there were.
                    for offset in range(0, whole[way] + 3, self.every):
                        await self._one(deed, board, notes, relay, way, offset)

    async def _one(self, deed: Deed, board: Switchboard, notes: Notes, relay: Scissors, way: str, offset: int) -> None:
        """One click, cut there, and the truth of it when the link is back."""
        target = await asyncio.to_thread(deed.ready)
        await board.until(lambda: deed.is_shown(board, target), 20)
        notes.ended.clear()
        cuts, since = relay.cuts, board.link["since"]
        relay.arm(deed.sends, way, offset)
        await board.do(deed.verb, target, **deed.args)
        if relay.cuts > cuts:
            await board.until(lambda: board.link["phase"] == "live" and board.link["since"] != since, 20)
            self.offsets[deed.verb] += 1
        tasks = board._worker.dispatcher._tasks
        while tasks:
            await asyncio.gather(*tasks)
        told, done = notes.ended[-1], await asyncio.to_thread(deed.is_done, target)
        self.outcomes[told, done] += 1
        if self._chatty and sum(self.offsets.values()) % 50 == 0:
            print(dict(self.offsets), dict(self.outcomes), file=sys.stderr, flush=True)
        where = f"{deed.verb}, cut after {offset} bytes {way}"
        if told == "done" and not done:
            self.unproved.append(where)
        if told == "refused" and done:
            self.denied.append(where)
