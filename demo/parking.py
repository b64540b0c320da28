"""The parking lot of the imitation: who waits in it, and how one comes in and out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from demo.channels import NORMAL, Bridge, Channel
from demo.events import Header

if TYPE_CHECKING:
    from demo.pbx import Pbx, Timer

LOT: Final = "default"
EXTEN: Final = "700"
FIRST: Final = 701
LAST: Final = 720
TIMEOUT_S: Final = 45

TOLD_S: Final = 2.6
"""How long who parks is told the space, digit by digit (measured on 22)."""

SORRY_S: Final = 3.0
"""How long who dials an empty space hears so."""


@dataclass(eq=False, slots=True)
class Parked:
    """One who waits to be fetched. ``by``: the device that is rung when nobody does; times are seconds of UTC."""

    channel: Channel
    space: int
    by: str
    since: float
    until: float
    timer: Timer | None = None

    def headers(self, now: float) -> tuple[Header, ...]:
        """The end of every event about it."""
        return (
            ("ParkerDialString", self.by),
            ("Parkinglot", LOT),
            ("ParkingSpace", str(self.space)),
            ("ParkingTimeout", str(max(0, round(self.until - now)))),
            ("ParkingDuration", str(round(now - self.since))),
        )

    @property
    def device(self) -> str:
        return f"park:{self.space}@parkedcalls"


class Parking:
    """One lot. ``parked``: space → who is there."""

    exten = EXTEN

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self.parked: dict[int, Parked] = {}
        self._last = LAST
        self._bridge: Bridge | None = None
        pbx.devices.hint(EXTEN, f"park:{FIRST}@parkedcalls")
        for space in range(FIRST, LAST + 1):
            pbx.devices.hint(str(space), f"park:{space}@parkedcalls", "parkedcalls")

    def knows(self, exten: str) -> bool:
        """Whether this extension leads here."""
        return exten == EXTEN or (exten.isdecimal() and FIRST <= int(exten) <= LAST)

    def enter(self, channel: Channel, exten: str) -> None:
        """The dialplan leads here: to be parked, or to fetch."""
        if exten == EXTEN:
            channel.application, channel.data = "Park", ""
            self.park(channel, channel.device)
            return
        channel.application, channel.data = "ParkedCall", f"{LOT},{exten}"
        found = self.parked.get(int(exten))
        if found is None:
            self._pbx.later(SORRY_S, lambda: self._sorry(channel))
        else:
            self._fetch(found, channel)

    def park(self, channel: Channel, by: str, timeout: float = TIMEOUT_S, told: Channel | None = None) -> bool:
        """Out of its call and into the lot. ``told`` hears the space and goes; otherwise its mate goes at once.

        False when the lot is full.
        """
        if channel.parked is not None:
            self.give_up(channel)
        pbx, space = self._pbx, self._free()
        if space is None:
            return False
        if self._bridge is None:
            self._bridge = pbx.new_bridge("parking", "holding_bridge", "Parking", LOT)
        mate = channel.talks_with
        if mate is not None and mate.served is not None:
            channel.outlived = mate.served
        if channel.served is not None:
            pbx.queueing.completed(channel.served, "agent")
        pbx.bridge_leave(channel)
        now = pbx.clock()
        parked = self.parked[space] = channel.parked = Parked(channel, space, by, now, now + timeout)
        self._emit("ParkedCall", parked)
        pbx.devices.tell(parked.device, "INUSE")
        pbx.bridge_enter(self._bridge, channel)
        pbx.music(channel, True)
        parked.timer = pbx.later(timeout, lambda: self._timed_out(parked))
        if mate is not None and mate is told:
            pbx.later(TOLD_S, lambda: self._told(mate))
        elif mate is not None:
            self._told(mate)
        pbx.people.parked(channel, str(space))
        return True

    def _free(self) -> int | None:
        """``findslot=next``: the one after the last, round and round."""
        spaces = LAST - FIRST + 1
        after = ((self._last - FIRST + 1 + step) % spaces + FIRST for step in range(spaces))
        found = next((space for space in after if space not in self.parked), None)
        self._last = found or self._last
        return found

    def _told(self, mate: Channel) -> None:
        if mate.alive and mate.bridge is not None and mate.talks_with is None:
            if mate.served is not None:
                self._pbx.queueing.counted(mate.served)
            self._pbx.leave_talk(mate)
            self._pbx.settle()

    def _leave(self, parked: Parked) -> None:
        """Out of the lot."""
        pbx, channel = self._pbx, parked.channel
        if parked.timer is not None:
            parked.timer.cancel()
        del self.parked[parked.space]
        pbx.music(channel, False)
        pbx.devices.tell(parked.device, "NOT_INUSE")
        pbx.bridge_leave(channel)
        channel.parked = None

    def _fetch(self, parked: Parked, taker: Channel) -> None:
        pbx, channel = self._pbx, parked.channel
        bridge = pbx.new_bridge()
        self._leave(parked)
        taker.linkedid = channel.linkedid
        pbx.bridge_enter(bridge, channel)
        pbx.bridge_enter(bridge, taker)
        self._emit("UnParkedCall", parked, *taker.snapshot("Retriever"))
        channel.connected_number, channel.connected_name = taker.number, taker.caller_name
        taker.connected_number, taker.connected_name = channel.number, channel.caller_name
        for one in (channel, taker):
            pbx.emit("NewConnectedLine", *one.snapshot())
        pbx.people.talks(channel, taker)

    def _timed_out(self, parked: Parked) -> None:
        pbx, channel = self._pbx, parked.channel
        if channel.parked is not parked:
            return
        self._leave(parked)
        # The dialplan that Asterisk makes for calling back.
        channel.context, channel.exten, channel.priority = "park-dial", parked.by.replace("/", "_"), 1
        self._emit("ParkedCallTimeOut", parked)
        pbx.call_back(channel, parked.by)
        pbx.settle()

    def give_up(self, channel: Channel) -> None:
        """He hangs up, or is parked elsewhere."""
        parked = channel.parked
        assert parked is not None
        self._emit("ParkedCallGiveUp", parked)
        self._leave(parked)

    def _sorry(self, channel: Channel) -> None:
        if channel.alive:
            self._pbx.finish(channel, NORMAL)
            self._pbx.settle()

    def calls(self) -> list[tuple[Header, ...]]:
        """The headers of each ParkedCall of the list."""
        return [self._headers(parked) for parked in self.parked.values()]

    def _headers(self, parked: Parked, *retriever: Header) -> tuple[Header, ...]:
        return (*parked.channel.snapshot("Parkee"), *retriever, *parked.headers(self._pbx.clock()))

    def _emit(self, name: str, parked: Parked, *retriever: Header) -> None:
        self._pbx.emit(name, *self._headers(parked, *retriever))
