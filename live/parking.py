"""Parked callers: which lot and space, since when, and when they go back. As events and ParkedCalls tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ami.protocol import Message
from live.changes import Changes, Fields, Published, milliseconds
from live.numbers import number_in

if TYPE_CHECKING:
    from live.pbx import Pbx


@dataclass(slots=True)
class Parked:
    """One caller in one space. Times are seconds of UTC."""

    uniqueid: str
    lot: str
    space: str
    since: float
    until: float
    by: str
    """The device that parked it, and that it goes back to: ``PJSIP/102``."""
    rev: int


class Parking:
    """All parked callers of one PBX, by the Uniqueid of their leg."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.parked: dict[str, Parked] = {}
        self._revs = 0
        self._touched: set[str] = set()

    # --- told by events

    def park(self, message: Message, now: float) -> bool:
        """It is in the space that the event or list item names. True if that is news."""
        uniqueid, lot, space = message.get("ParkeeUniqueid"), message.get("Parkinglot"), message.get("ParkingSpace")
        held = self.parked.get(uniqueid)
        if held is not None and (held.lot, held.space) == (lot, space):
            return False
        # A transfer may put another leg in its place: then its own end is all that is told of the first one.
        for other in [one.uniqueid for one in self.parked.values() if (one.lot, one.space) == (lot, space)]:
            self.leave(other)
        self._revs += 1
        since, until = now - number_in(message, "ParkingDuration"), now + number_in(message, "ParkingTimeout")
        by = message.get("ParkerDialString")
        self.parked[uniqueid] = Parked(uniqueid, lot, space, since, until, by, self._revs)
        self.pbx.touch(uniqueid)
        self._touched.add(uniqueid)
        return True

    def leave(self, uniqueid: str) -> None:
        if self.parked.pop(uniqueid, None) is not None:
            self._touched.add(uniqueid)
            self.pbx.touch(uniqueid)

    def touch(self, uniqueid: str) -> None:
        """Its channel came, changed, or is on another call."""
        if uniqueid in self.parked:
            self._touched.add(uniqueid)

    def retell(self) -> None:
        """Say all again, as if nothing had been said."""
        self._touched.update(self.parked)

    # --- told by the list

    def replace(self, items: Iterable[Message], now: float) -> int:
        """Take a whole ParkedCalls. Returns how much of what was held it corrected."""
        corrections, listed = 0, set()
        for item in items:
            uniqueid = item.get("ParkeeUniqueid")
            if uniqueid not in self.pbx.tombstones:
                listed.add(uniqueid)
                corrections += self.park(item, now)
        for uniqueid in [uniqueid for uniqueid in self.parked if uniqueid not in listed]:
            corrections += 1
            self.leave(uniqueid)
        return corrections

    # --- read by others

    def space_of(self, uniqueid: str) -> str:
        """The space that this leg is parked in, or ""."""
        parked = self.parked.get(uniqueid)
        return parked.space if parked is not None else ""

    # --- saying

    def fold(self, published: Published, changes: Changes) -> None:
        """Say what is different; after the calls, whose keys it names."""
        touched, self._touched = self._touched, set()
        for uniqueid in touched:
            parked, key = self.parked.get(uniqueid), self.pbx.key(uniqueid)
            if parked is None or uniqueid not in self.pbx.channels:
                published.drop(changes, "parked", key)
            else:
                published.put(changes, "parked", key, self._fields(parked))

    def _fields(self, parked: Parked) -> Fields:
        channel = self.pbx.channels[parked.uniqueid]
        number, name = self.pbx.calls.identity(channel)
        return {
            "rev": parked.rev,
            "lot": parked.lot,
            "space": parked.space,
            "call": self.pbx.calls.key_of(channel),
            "number": number,
            "name": name,
            "since": milliseconds(parked.since),
            "until": milliseconds(parked.until),
            "by": parked.by,
        }


# --- the events


def _park(pbx: Pbx, message: Message, now: float) -> None:
    uniqueid = message.get("ParkeeUniqueid")
    if uniqueid and pbx.expect(uniqueid, now):
        pbx.parking.park(message, now)


def _leave(pbx: Pbx, message: Message, now: float) -> None:
    pbx.parking.leave(message.get("ParkeeUniqueid"))


HANDLERS: Final[dict[str, Callable[[Pbx, Message, float], None]]] = {
    "ParkedCall": _park,
    "ParkedCallSwap": _park,
    "UnParkedCall": _leave,
    "ParkedCallGiveUp": _leave,
    "ParkedCallTimeOut": _leave,
}
