"""A listening lasts as long as its owner may: the legs that the panel had Asterisk make for one are hung up when whom
they hear leaves her scope or becomes protected, or when she loses the right or her account.

ChanSpy follows the leg that it hears wherever that goes, and says nothing [measured on 16 and 22]. That she signs out
ends nothing: it is her desk phone that listens, and she may still do so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import ami
from accounts.permissions import DenyCode, TargetSnapshot, UserSnapshot, decide
from ami.client import Link
from audit.record import AuditUnavailable, What, Who
from floor import registry
from floor.dispatch import Book
from live import sides
from live.pbx import Pbx
from live.spies import Ending, Spy

log = logging.getLogger(__name__)

RENEW_S: Final = 0.7
"""How often the owners of listenings are read again: what is taken from one counts within a second."""

UNTOLD_S: Final = 1.0
"""How long the leg that is heard may be on no call that is told, as in the middle of a transfer."""

AGAIN_S: Final = 2.0
"""When a leg that should be gone is hung up once more."""

ALL_THREE: Final = frozenset({"calls.listen", "calls.whisper", "calls.barge"})

_ENDINGS: Final[dict[DenyCode, Ending]] = {
    "inactive": "no_right",
    "no_right": "no_right",
    "hidden": "scope_lost",
    "scope": "scope_lost",
    "protected": "protected",
}


@dataclass(slots=True)
class _Held:
    """One listening of ours. Times are seconds of ``time.monotonic``."""

    owner: int
    """A user's id; 0 if the panel has forgotten it: then it is whoever has this phone."""
    phone: str
    owners: list[UserSnapshot] | None = None
    """As read last; None before that."""
    untold: float = 0.0
    """Since when it hears a leg that is on no call."""
    sent: float = 0.0
    """When it was hung up last."""
    target: TargetSnapshot | None = None
    words: str = ""


@dataclass(slots=True)
class Lease:
    """Watches over the listenings of one PBX: ``judge`` is asked by the model with every look, ``act`` follows it."""

    pbx: Pbx
    link: Link
    book: Book
    ended: Callable[[str], None] = lambda leg: None
    """Told of each leg that is hung up here, before it is."""
    _held: dict[str, _Held] = field(default_factory=dict)
    _unread: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.pbx.spies.judge = self.judge

    @property
    def holds(self) -> bool:
        """Whether there is a listening of somebody whom we know."""
        return any(held.owner or held.owners for held in self._held.values())

    # --- in the look of the model: no await

    def judge(self, spy: Spy) -> Ending:
        """Why this listening of ours must end, or "". Until its owner has been read it goes on: that is milliseconds,
        and she had the right when it was dispatched."""
        held = self._held.get(spy.spyer) or self._hold(spy)
        if held.owners is None:
            return ""
        target = self._heard(spy, held)
        if target is None or not (held.owner or held.owners):
            return ""  # nobody's that we know of: another panel's, or a script's
        rights = ALL_THREE if spy.switchable else {f"calls.{spy.mode}"}  # its keys turn it to any of them
        denials = [self._denial(owner, rights, target) for owner in held.owners]
        return "" if "" in denials else (denials or ["no_right"])[0]

    @staticmethod
    def _denial(user: UserSnapshot, rights: set[str] | frozenset[str], target: TargetSnapshot) -> Ending:
        for right in sorted(rights):
            decision = decide(user, right, target)
            if not decision.allowed:
                return _ENDINGS[decision.code]
        return ""

    def _hold(self, spy: Spy) -> _Held:
        own = self.pbx.own.get(spy.spyer)
        held = _Held(own.user_id if own is not None else 0, self.pbx.channels[spy.spyer].device)
        self._held[spy.spyer] = held
        self._unread.set()
        return held

    def _heard(self, spy: Spy, held: _Held) -> TargetSnapshot | None:
        """All who are heard: those on the call of that leg, and in its room; None while that can't be said."""
        spyee = self.pbx.channels[spy.spyee]
        call = self.pbx.calls.get(spyee.call)
        found = registry.KINDS["call"].find(self.pbx, call.id) if call is not None and call.phase else None
        now = time.monotonic()
        if call is None or found is None:
            held.untold = held.untold or now
            late = now - held.untold >= UNTOLD_S
            held.target = TargetSnapshot("call", self.pbx.key(spyee.uniqueid), self.pbx.name) if late else None
            return held.target
        held.untold, held.words = 0.0, found.words
        side = sides.heard(self.pbx, spyee)
        target = found.target("call", self.pbx.name)
        held.target = replace(target, numbers=side.numbers, vouched=side.vouched)
        return held.target

    # --- after the look

    def act(self) -> None:
        """Hang up what must end. Not written first, as other actions are: taking away waits for nobody."""
        for gone in self._held.keys() - self.pbx.spies.spies.keys():
            del self._held[gone]
        now = time.monotonic()
        for spyer, held in self._held.items():
            spy = self.pbx.spies.spies[spyer]
            if not spy.ending or (held.sent and now - held.sent < AGAIN_S):
                continue
            self.ended(spyer)
            try:
                answer = self.link.post(ami.actions.hangup(spyer))
            except ami.AmiError as error:  # the link is down: what stands after the next login is looked at again
                log.warning("%s: a listening that must end (%s) could not be hung up: %s", spyer, spy.ending, error)
                continue
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
            if not held.sent:
                self._start_writing(spy, held)
            held.sent = now

    def _start_writing(self, spy: Spy, held: _Held) -> None:
        task = asyncio.create_task(self._write(spy, held))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, spy: Spy, held: _Held) -> None:
        own = self.pbx.own.get(spy.spyer)
        listener = own.user if own is not None else " / ".join(owner.name for owner in held.owners or ())
        what = What(
            command=secrets.token_hex(16),
            verb="calls.stop",
            pbx=self.pbx.name,
            target_kind="spy",
            target_key=self.pbx.key(spy.spyer),
            target_words=f"{held.phone.partition('/')[2]} {listener} ({spy.mode}) → {held.words}",
            args={"user_id": held.owner, "call": held.target.key if held.target is not None else ""},
        )
        who = Who(None, "Phoenix Panel", "panel")
        try:
            await self.book.begin(who, what, "")
            await self.book.end(who, what, "done", spy.ending, "")
        except AuditUnavailable as error:
            log.error("that %s was ended (%s) could not be written: %s", what.target_words, spy.ending, error)

    # --- reading the owners

    async def renew(self, look: Callable[[], None]) -> None:
        """Read them again, as long as there is a listening of ours; ``look`` is called after each time. Without a
        database all stay as they were read last, as sockets do: then nobody can have lost anything either."""
        while True:
            wait = RENEW_S if self._held else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):  # wait_for would miss a cancellation that comes with the event
                    await self._unread.wait()
            self._unread.clear()
            if self._held:
                await self.read()
                look()

    async def read(self) -> None:
        """Once."""
        ids = {held.owner for held in self._held.values() if held.owner}
        phones = {held.phone for held in self._held.values() if not held.owner}
        try:
            users = await self.book.users(ids, phones, self.pbx.name)
        except AuditUnavailable as error:
            log.warning("%s: who listens could not be looked at: %s", self.pbx.name, error)
            return
        for held in self._held.values():
            if held.owner in ids or (not held.owner and held.phone in phones):
                held.owners = [
                    user
                    for user in users
                    if (user.id == held.owner if held.owner else user.phone(self.pbx.name) == held.phone)
                ]

    async def finish(self) -> None:
        """Let what is being written be written."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
