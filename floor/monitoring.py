"""Who listens to whom on one PBX, from the live model into the audit: as it begins, turns, and ends.

The model's legs that listen are compared with those that were written, after each look; so it does not matter which
event or list told of a leg, ours or a desk phone's. What can't be written now is written later, in its order: a desk
phone asks nobody whether the audit is there.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final, Protocol

from audit.record import AuditUnavailable, Began, Ended, Heard, Mode, Restarted, Turned, Who, Why
from live import channels
from live.pbx import Pbx
from live.spies import Spy

log = logging.getLogger(__name__)

AGAIN_S: Final = 2.0
"""After so long, what could not be written is tried again."""

WAITING: Final = 10_000
"""Steps that may wait for a trail that is away; of more, the oldest are dropped, and the log says so."""

GRACE_S: Final = 0.5
"""Asterisk tells that a leg listens no more, and that the leg it listened to is gone, in either order, milliseconds
apart. So long the reason is waited for."""

REMEMBERED: Final = 1_000
"""Legs of which it is remembered who asked for them: each is heard of within a minute, or never."""

OURS: Final = (channels.LISTEN, channels.WHISPER, channels.BARGE)


class Witness(Protocol):
    """Where it is written: the audit's trail."""

    async def heard(self, step: Heard) -> None:
        """Write a step, or AuditUnavailable. Told twice, it is written once."""


@dataclass(frozen=True, slots=True)
class _Asked:
    who: Who
    command: str
    told: str
    reason: str


@dataclass(slots=True)
class _Known:
    """A listening whose beginning is told."""

    id: str
    spyee: str
    rev: int
    mode: Mode
    command: str = ""
    """What was last done to it."""
    why: Why | None = None
    """Set by who ends it, before it is over."""
    doubtful: bool = False
    """The link was lost since it was seen."""
    over: float = 0.0
    """Seconds of UTC; 0 as long as it goes on."""


class Monitor:
    """Of one PBX. ``look`` after each look at its model; all else as it happens."""

    def __init__(self, pbx: Pbx, witness: Witness) -> None:
        self._pbx, self._witness = pbx, witness
        self._known: dict[str, _Known] = {}
        self._over: list[_Known] = []
        """Ended, and not yet told why."""
        self._asked: OrderedDict[str, _Asked] = OrderedDict()
        self._steps: deque[Heard] = deque([Restarted(pbx.name)])
        self._more = asyncio.Event()

    @property
    def pending(self) -> bool:
        """True while a later look, without any event, says more."""
        return bool(self._over)

    # --- told by others

    def asked(self, leg: str, who: Who, command: str, told: str = "", reason: str = "") -> None:
        """A command has Asterisk make this leg; if that monitors, how those who are monitored are told, and why."""
        self._asked[leg] = _Asked(who, command, told, reason)
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)

    def done_to(self, leg: str, verb: str, command: str) -> None:
        """A command was sent about a leg that listens."""
        if (known := self._known.get(leg)) is not None:
            known.command = command
            if verb == "calls.stop":
                known.why = "stopped"

    def because(self, leg: str, why: Why) -> None:
        """The panel itself ends it, for this reason."""
        if (known := self._known.get(leg)) is not None:
            known.why = why

    def lost(self) -> None:
        """The link is down: what ends now, ends unseen."""
        for known in self._known.values():
            known.doubtful = True

    # --- the model moved

    def look(self, now: float) -> None:
        spies = self._pbx.spies.spies
        if not (spies or self._known or self._over):
            return
        for leg in [leg for leg, known in self._known.items() if not _same(known, spies.get(leg))]:
            known = self._known.pop(leg)
            known.over = now
            self._over.append(known)
        self._over = [known for known in self._over if not self._told(known, now)]
        for leg, spy in spies.items():
            if (seen := self._known.get(leg)) is None:
                self._begin(leg, spy)
            else:
                self._goes_on(seen, spy)

    def _begin(self, leg: str, spy: Spy) -> None:
        calls = self._pbx.calls
        spyer, spyee = self._pbx.channels[leg], self._pbx.channels[spy.spyee]
        (number, name), (heard, heard_name) = calls.identity(spyer), calls.identity(spyee)
        asked = self._asked.get(leg)
        who = asked.who if asked else Who(None, number, "panel" if leg.startswith(OURS) else "desk")
        call = calls.get(spyee.call)
        others = [other for other in calls.legs(call) if other.uniqueid != spy.spyee] if call is not None else []
        id_ = secrets.token_hex(16)
        self._known[leg] = _Known(id_, spy.spyee, spy.rev, spy.mode)
        self._tell(
            Began(
                id=id_,
                who=who,
                pbx=self._pbx.name,
                device=spyer.device,
                phone=f"{number} {name}".strip(),
                target=heard,
                target_name=heard_name,
                others=tuple(calls.identity(other) for other in others),
                call=calls.key_of(spyee),
                mode=spy.mode,
                keys=spy.switchable,
                action=asked.command if asked else "",
                since=spy.since,
                told=asked.told if asked else "",
                reason=asked.reason if asked else "",
            )
        )

    def _goes_on(self, known: _Known, spy: Spy) -> None:
        known.doubtful = False
        if known.mode != spy.mode:
            known.mode = spy.mode
            self._tell(Turned(known.id, spy.mode, known.command))

    def _told(self, known: _Known, now: float) -> bool:
        """Tell how it ended, if that is known by now."""
        why: Why
        if known.doubtful:
            why = "lost"
        elif known.why is not None:
            why = known.why
        elif known.spyee not in self._pbx.channels:
            why = "target"
        elif now - known.over >= GRACE_S:
            why = "leg"
        else:
            return False
        self._tell(Ended(known.id, why, None if known.doubtful else known.over))
        return True

    # --- writing

    def _tell(self, step: Heard) -> None:
        if len(self._steps) >= WAITING:
            log.error("the audit is away for too long: %s is not written", self._steps.popleft())
        self._steps.append(step)
        self._more.set()

    async def run(self) -> None:
        """Write what is told, until cancelled."""
        while True:
            try:
                await self._write()
            except AuditUnavailable as error:
                log.error("who listens on %s can't be written, and is tried again: %s", self._pbx.name, error)
                await asyncio.sleep(AGAIN_S)
                continue
            self._more.clear()
            if not self._steps:
                await self._more.wait()

    async def finish(self) -> None:
        """After ``run`` was cancelled: write what is told so far. Of what goes on, the next start says that nobody
        knows how it ended."""
        try:
            await self._write()
        except AuditUnavailable as error:
            log.error("who listened on %s can't be written: %s", self._pbx.name, error)

    async def _write(self) -> None:
        while self._steps:
            step = self._steps[0]
            await self._witness.heard(step)
            if self._steps and self._steps[0] is step:
                self._steps.popleft()


def _same(known: _Known, spy: Spy | None) -> bool:
    return spy is not None and (spy.spyee, spy.rev) == (known.spyee, known.rev)
