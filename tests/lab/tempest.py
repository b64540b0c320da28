"""A tempest: storm after storm on one PBX, with calms between, the same for the same seed.

    tempest = Tempest(asterisk, seed=7, phones=phones)
    await tempest.burst()       # some 8 to 12 s
    await tempest.quiet()       # all lists stand still; what stands, stands: calls, callers, rooms, parked ones
    await tempest.burst()       # … and goes on from there

Beside the calls of `storm` there is all that supervisors, phones and administrators do to a PBX: see `deeds`.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self

from tests.lab.checker import Checker, CheckerError
from tests.lab.deeds import Deeds
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone, PhoneError
from tests.lab.sip_socket import NoAnswer

SPAN = 8.0
"""Deeds begin within so many seconds of a burst."""

DEEDS = 34
"""So many in a burst."""

CHANNELS = 44
"""A burst begins with not many more."""

CARDS: Mapping[str, int] = {
    "local_call": 3,
    "local_call_stands": 4,
    "no_answer": 1,
    "phone_call": 3,
    "phone_call_stands": 6,
    "busy": 1,
    "cancelled": 1,
    "rings_on": 2,
    "hold": 4,
    "unhold": 2,
    "phone_hangs_up": 4,
    "hang_up": 2,
    "pick_up": 1,
    "redirect": 2,
    "redirect_both": 1,
    "blind_transfer": 2,
    "attended_transfer": 3,
    "refer": 2,
    "refer_to": 2,
    "queue_local": 3,
    "queue_local_stands": 2,
    "queue_phone": 4,
    "waits": 3,
    "abandons": 2,
    "times_out": 1,
    "rings_in_vain": 1,
    "member_added": 3,
    "member_removed": 1,
    "paused": 2,
    "unpaused": 1,
    "penalty": 1,
    "parked": 2,
    "parked_briefly": 1,
    "parks_itself": 1,
    "retrieved": 2,
    "comes": 5,
    "phone_comes": 1,
    "muted": 3,
    "unmuted": 1,
    "kicked": 2,
    "locked": 1,
    "unlocked": 1,
    "recorded": 1,
    "record_stopped": 1,
    "listens": 4,
    "device_set": 2,
}
"""How often each deed is in the pack that bursts are dealt from: none is left out for long, however the cards lie."""


class Deed(NamedTuple):
    """One deed: when it begins within its burst (seconds), what it is, and what its chances grow from."""

    at: float
    kind: str
    seed: int


def plan(seed: int, bursts: int, deeds: int = DEEDS) -> list[list[Deed]]:
    """The deeds of so many bursts, each in order of time; the same for the same arguments."""
    chance = random.Random(seed)
    pack: list[str] = []
    planned = []
    for _ in range(bursts):
        while len(pack) < deeds:
            fresh = [kind for kind, number in CARDS.items() for _ in range(number)]
            chance.shuffle(fresh)
            pack += fresh
        moments = sorted(chance.uniform(0, SPAN) for _ in range(deeds))
        planned.append([Deed(at, pack.pop(0), chance.getrandbits(32)) for at in moments])
    return planned


class Tempest:
    """A tempest over one instance, with phones that are set as `deeds.PHONES` says."""

    def __init__(self, asterisk: Asterisk, seed: int, phones: Mapping[str, Phone], bursts: int) -> None:
        """Plan it; nothing happens before `burst`. Its channels' Uniqueids begin with `tempest-<seed>-`."""
        self._chance = random.Random(seed)
        self._plan = plan(seed, bursts)
        self._checker = Checker(asterisk, events="system,call,agent")
        self._name = f"tempest-{seed}"
        self._deeds = Deeds(self._checker, phones, self._name)
        self.done: Counter[str] = Counter()
        """How often each deed was done: Asterisk took it, and so did the phone."""
        self.refused: Counter[str] = Counter()
        """… and was not, since there was nobody to do it to, or he had gone."""
        self.happened: Counter[str] = Counter()
        """How often Asterisk told of each event: what the deeds came to."""
        self.moved: set[str] = set()
        """Uniqueids of legs that took the place of another one: by an attended transfer to an application, or by a
        pickup. Asterisk then says of them how old that one was."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deeds.close()
        await asyncio.to_thread(self._close)

    @property
    def heard(self) -> float:
        """When Asterisk last told of an event; it stays the same as long as nothing happens."""
        return self._checker.last_event

    def ping(self) -> None:
        """After it all that happened before is heard."""
        self._checker.action("Ping")

    async def burst(self, *, reloads: int = 0) -> None:
        """Do all deeds of the next burst, and return when each has had its time. So many reloads are its beginning:
        the panel reads its lists after one."""
        await self._deeds.thin(self._chance, CHANNELS)
        deeds = self._plan.pop(0)
        first = [Deed(at / 2, "reloaded", self._chance.getrandbits(32)) for at in range(reloads)]
        async with asyncio.TaskGroup() as group:
            for deed in [*first, *deeds]:
                group.create_task(self._one(deed), name=deed.kind)
        self._tally()

    async def quiet(self, seconds: float = 1.5, timeout: float = 30.0) -> None:
        """Wait until nothing has happened for so long. Raises CheckerError."""
        await asyncio.to_thread(self._checker.wait_quiet, seconds, timeout)
        self._tally()

    async def _one(self, deed: Deed) -> None:
        await asyncio.sleep(deed.at)
        try:
            await self._deeds.do(deed.kind, random.Random(deed.seed))
        except (CheckerError, PhoneError, NoAnswer):
            self.refused[deed.kind] += 1
        else:
            self.done[deed.kind] += 1

    def _tally(self) -> None:
        while self._checker.events:
            event = self._checker.events.popleft()
            self.happened[event["Event"]] += 1
            if event["Event"] == "AttendedTransfer":
                # Mostly where one is put into an application; on 16 a joined call showed it too [seed 82].
                self.moved.update(event.get(f"{who}Uniqueid", "") for who in ("Transferee", "TransferTarget"))
            elif event["Event"] == "Pickup" or (
                event["Event"] == "Newchannel" and event["Channel"].startswith("Local/_attended@transfer-")
            ):
                self.moved.add(event["Uniqueid"])

    def _close(self) -> None:
        try:
            self._checker.hangup_all()
        finally:
            self._checker.close()
