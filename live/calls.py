"""A call: what a supervisor sees. The heap of channels, folded.

Nodes are channels; edges are two-party bridges, Local pairs, open dials. A call is a connected component. Rooms,
parking lots and holding bridges are endpoints, never edges: two callers in one conference are two calls. A call keeps
its id (the oldest Uniqueid at its birth) over merges; a part that splits off gets an id of its own and a parent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from live import channels
from live.bridges import Kind
from live.changes import Changes, Fields, Published
from live.changes import milliseconds as _ms
from live.channels import Channel
from live.names import shown

if TYPE_CHECKING:
    from live.pbx import Pbx

Phase = Literal["dialling", "ringing", "menu", "waiting", "talking", "hold", "parked", "conference", "ended"]

ANSWERED_ELSEWHERE: Final = 26
"""Asterisk's cause for a leg that was rung with others, and another one answered."""

ENDED_S: Final = 5.0
"""How long an ended call stays, with its reason."""


@dataclass(slots=True)
class Call:
    """One call as last said. Times are seconds of UTC."""

    id: str
    born: int
    """Order of the oldest channel at its birth: of two that merge the elder's id stays."""
    started: float
    parent: str = ""
    members: set[str] = field(default_factory=set)
    """Uniqueids of its live channels, internal ones included."""
    parties: list[str] = field(default_factory=list)
    """Uniqueids, the caller first."""
    phase: Phase | Literal[""] = ""
    since: float = 0.0
    approx: bool = False
    rev: int = 0
    place: tuple[str, ...] = ()
    queue: str = ""
    cause: int = 0
    reason: str = ""
    went_on: bool = False
    """It was told alive since ``cause`` was set: that is why one leg went, and no more."""
    ended: float = 0.0


class Calls:
    """All calls of one PBX, kept in step with its channels."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.calls: dict[str, Call] = {}
        self._touched: set[str] = set()
        """Uniqueids of channels to look at again."""
        self._bereft: set[str] = set()
        """Ids of calls that lost a member."""
        self._absorbed: list[str] = []
        """Ids of calls that went up in another."""
        self._loose: list[str] = []
        """Uniqueids of parties that left a call in this fold."""
        self._ended: list[str] = []

    @property
    def pending(self) -> bool:
        return self.unsettled or bool(self._ended)

    @property
    def unsettled(self) -> bool:
        return bool(self._touched or self._bereft)

    # --- told by the model

    def touch(self, channel: Channel) -> None:
        self._touched.add(channel.uniqueid)
        self.pbx.touched(channel.uniqueid)

    def hung_up(self, channel: Channel, cause: int, reason: str) -> None:
        """A member is going; the cause that a call ends with is the first of its last step that says something."""
        call = self.calls.get(channel.call)
        if call is None:
            return
        call.members.discard(channel.uniqueid)
        # A leg that was rung in vain says why it was, and not how the call ends.
        if cause not in (0, ANSWERED_ELSEWHERE) and not channel.local_half and (call.went_on or not call.cause):
            call.cause, call.reason, call.went_on = cause, reason, False
        self._bereft.add(call.id)

    def withdraw(self, channel: Channel) -> None:
        """It turned out to be no leg of a call. A call of which nothing else is left never was one: it goes without a
        word, and without an end."""
        call = self.calls.get(channel.call)
        channel.call = ""
        self.pbx.touched(channel.uniqueid)
        if call is None:
            return
        call.members.discard(channel.uniqueid)
        self._touched.update(call.members)
        if not call.members:
            self._absorbed.append(call.id)

    # --- read by others

    def get(self, call_id: str) -> Call | None:
        """The call of this id that has not ended."""
        call = self.calls.get(call_id)
        return None if call is None or call.ended else call

    def key_of(self, channel: Channel) -> str:
        """The key of the call that this leg is told to be on, or "" while there is none."""
        call = self.get(channel.call)
        return self.key(call.id) if call is not None and call.phase else ""

    def legs(self, call: Call) -> list[Channel]:
        """The live channels of its parties, the caller first."""
        return [self.pbx.channels[uniqueid] for uniqueid in call.parties if uniqueid in self.pbx.channels]

    def around(self, call: Call) -> list[Channel]:
        """The live channels of its parties, told or not: also who came to it, or it came to, since it was told."""
        found = {leg.uniqueid: leg for leg in self.legs(call)}
        for part in self._live_parts(call):
            found.update((leg.uniqueid, leg) for leg in self._legs(part))
        return [*found.values()]

    def _live_parts(self, call: Call) -> list[list[Channel]]:
        live = self.pbx.channels
        return [*self._parts({uniqueid: live[uniqueid] for uniqueid in call.members if not live[uniqueid].hidden})]

    def rev(self, call: Call) -> int:
        """Its ``rev``, with what was heard and is not folded yet: a call that another look would tell otherwise, or
        one of whose legs is between two places, is no more what was told: -1, which nobody was shown or can guess."""
        parts = self._live_parts(call)
        if len(parts) == 1 and not any(channel.left for channel in parts[0]):
            legs = self._legs(parts[0])
            if [leg.uniqueid for leg in legs] == call.parties and self._phase(legs, parts[0])[1] == call.place:
                return call.rev
        return -1

    # --- folding

    def fold(self, published: Published, changes: Changes, now: float) -> None:
        """Look again at all that was touched, and say what is different."""
        stirred, bereft = self._stirred(), self._bereft
        self._touched, self._bereft = set(), set()
        self._forget_mates(stirred, now)
        parts = list(self._parts(stirred))
        keepers = self._keepers(parts)
        unsettled = self._unsettled(parts, now)
        for index, part in enumerate(parts):
            if index in unsettled:
                self._touched.update(channel.uniqueid for channel in part)  # look again later
                continue
            call = self._name(part, keepers.get(index, []))
            self._say(call, part, published, changes, now)
            # Who counts as a mate only while the grace lasts: look again when it is over.
            self._touched.update(channel.uniqueid for channel in part if channel.left)
        for call_id in self._absorbed:
            self._drop(self.calls[call_id], published, changes)
        self._absorbed = []
        for call_id in bereft:
            self._close(call_id, published, changes, now)
        self._forget_ended(published, changes, now)
        self._drop_loose(published, changes)

    def _stirred(self) -> dict[str, Channel]:
        """All channels of all calls that a touched channel or a lost member belongs to."""
        live = self.pbx.channels
        found = {uniqueid: live[uniqueid] for uniqueid in self._touched if uniqueid in live}
        for call_id in {channel.call for channel in found.values()} | self._bereft:
            call = self.calls.get(call_id)
            for uniqueid in call.members if call else ():
                found[uniqueid] = live[uniqueid]
        for channel in [channel for channel in found.values() if channel.hidden]:
            self._hide(channel)
            del found[channel.uniqueid]
        return found

    def _hide(self, channel: Channel) -> None:
        """It turned out to be nobody (a Redirect's AsyncGoto, say): it is on no call."""
        call = self.calls.get(channel.call)
        if call is not None:
            call.members.discard(channel.uniqueid)
            self._bereft.add(call.id)
        channel.call = ""
        self.pbx.touched(channel.uniqueid)

    def _forget_mates(self, stirred: dict[str, Channel], now: float) -> None:
        """Former bridge mates count as one call only while the grace lasts."""
        for channel in stirred.values():
            for mate_id in [mate_id for mate_id, until in channel.left.items() if until <= now]:
                del channel.left[mate_id]
                mate = self.pbx.channels.get(mate_id)
                if mate is not None:
                    mate.left.pop(channel.uniqueid, None)

    def _neighbours(self, channel: Channel) -> Iterator[str]:
        bridge = self.pbx.bridges.get(channel.bridge)
        if bridge is not None and bridge.kind is Kind.TALK:
            yield from bridge.members
        halves = self.pbx.local_halves
        if channel.local_half in halves and halves.get(channel.name) == channel.uniqueid:
            yield halves[channel.local_half]
        yield from channel.dials
        yield from channel.dialled_by
        yield from channel.left

    def _parts(self, stirred: dict[str, Channel]) -> Iterator[list[Channel]]:
        """The connected components that hold a stirred channel, each eldest first."""
        seen: set[str] = set()
        for start in stirred:
            if start in seen:
                continue
            part, rim = [], [start]
            seen.add(start)
            while rim:
                channel = self.pbx.channels[rim.pop()]
                part.append(channel)
                for uniqueid in self._neighbours(channel):
                    other = self.pbx.channels.get(uniqueid)
                    if other is not None and uniqueid not in seen and not other.hidden:
                        seen.add(uniqueid)
                        rim.append(uniqueid)
            yield sorted(part, key=lambda channel: channel.order)

    @staticmethod
    def _keepers(parts: list[list[Channel]]) -> dict[int, list[str]]:
        """Index of a part → ids of the calls that it keeps: of several parts, the one with the eldest of a call's
        channels keeps it."""
        eldest: dict[str, tuple[int, int]] = {}
        for index, part in enumerate(parts):
            for channel in part:
                if channel.call:
                    claim = (channel.order, index)
                    eldest[channel.call] = min(eldest.get(channel.call, claim), claim)
        kept: dict[int, list[str]] = {}
        for call_id, (_, index) in eldest.items():
            kept.setdefault(index, []).append(call_id)
        return kept

    def _unsettled(self, parts: list[list[Channel]], now: float) -> set[int]:
        """Parts of which a step is half done (a leg between two bridges, or born a moment ago), and those that were
        one call with them: a call is told anew as a whole, so that nobody is on two."""
        waiting: set[int] = set()
        found = {index for index, part in enumerate(parts) if any(channel.settles > now for channel in part)}
        while found:
            waiting |= found
            calls = {channel.call for index in waiting for channel in parts[index] if channel.call}
            # Still told as theirs, though it is theirs no more (it listened for a moment, say).
            told = {uniqueid for call_id in calls for uniqueid in self.calls[call_id].parties}
            found = {
                index
                for index, part in enumerate(parts)
                if index not in waiting and any(channel.call in calls or channel.uniqueid in told for channel in part)
            }
        return waiting

    def _name(self, part: list[Channel], kept: list[str]) -> Call:
        """The call that this part is: the eldest of those that it keeps, or a new one."""
        had = {channel.call for channel in part if channel.call}
        if kept:
            call = min((self.calls[call_id] for call_id in kept), key=lambda call: call.born)
        else:
            # A Uniqueid may already name a call (two merged, the younger split off again): then the next eldest.
            free = (channel.uniqueid for channel in part if channel.uniqueid not in self.calls)
            parent = min(had, key=lambda call_id: self.calls[call_id].born, default="")
            call = Call(next(free, f"{part[0].uniqueid}.{len(self.calls)}"), part[0].order, part[0].created, parent)
            call.approx = any(channel.approx for channel in part)
            self.calls[call.id] = call
        for old_id in had - {call.id}:
            old = self.calls[old_id]
            old.members.difference_update(channel.uniqueid for channel in part)
            if not old.members:
                self._absorbed.append(old_id)
        call.members = {channel.uniqueid for channel in part}
        for channel in part:
            if channel.call != call.id:
                channel.call = call.id
                self.pbx.touched(channel.uniqueid)
        return call

    # --- saying

    def _say(self, call: Call, part: list[Channel], published: Published, changes: Changes, now: float) -> None:
        legs = self._legs(part)
        phase, place = self._phase(legs, part)
        if phase == "waiting":
            call.queue = place[0]
        elif phase == "menu":
            call.queue = ""
            for leg in legs:
                leg.queue = ""
        elif not call.queue or all(channel.queue != call.queue for channel in part):
            # Once answered, the queue stays on the call as the place that it came from, however short the wait was, as
            # long as somebody is on it who came from there.
            call.queue = next((leg.queue for leg in legs if leg.queue), "")
        parties = [leg.uniqueid for leg in legs]
        if (parties, place) != (call.parties, call.place):
            call.rev += 1
        if phase != call.phase:
            first = not call.phase
            call.since = call.started if first else now
            call.approx = call.approx and first
        self._loose += [uniqueid for uniqueid in call.parties if uniqueid not in parties]
        call.parties, call.place, call.phase, call.went_on = parties, place, phase, True
        for channel in part:
            if channel.local_half:
                self.pbx.touched(channel.uniqueid)  # who comes through it may be another
        for leg in legs:
            published.put(changes, "party", self.key(leg.uniqueid), self._party(call, leg, legs[0], published, now))
        published.put(changes, "call", self.key(call.id), self._fields(call, legs))

    def _legs(self, part: list[Channel]) -> list[Channel]:
        """The parties: real legs, and those Local halves at whose end something else than a leg sits. A half that
        is parked or in a room stands there for the leg that it leads to, if there is one."""
        real = [channel for channel in part if not channel.local_half]
        return [
            channel
            for channel in part
            if not channel.local_half or (self._dead_end(channel) and not (real and self._placed(channel)))
        ]

    def _dead_end(self, half: Channel) -> bool:
        return not (self._in_talk(half) or half.dials or half.dialled_by)

    def _placed(self, channel: Channel) -> bool:
        """True if it sits in a room or a parking lot."""
        bridge = self.pbx.bridges.get(channel.bridge)
        return bridge is not None and bridge.kind is not Kind.TALK

    def _phase(self, legs: list[Channel], part: list[Channel]) -> tuple[Phase, tuple[str, ...]]:
        """What the call is doing, and where."""
        for channel in part:
            bridge = self.pbx.bridges.get(channel.bridge)
            if bridge is not None and bridge.kind is Kind.ROOM:
                return "conference", (bridge.name,)
            if bridge is not None and bridge.kind is Kind.PARKING:
                return "parked", (self.pbx.parking.space_of(channel.uniqueid),)
        if self._talks(legs, part):
            return ("hold" if any(leg.held for leg in legs) else "talking"), ()
        for leg in legs:
            if queue := self.pbx.queues.of(leg.uniqueid):
                return "waiting", (queue,)
        dialled = [channel for channel in part if channel.dialled_by or channel.state == channels.RINGING]
        rung = [*dialled, *legs[1:]] if dialled else []
        if any(leg.state in (channels.RINGING, channels.UP) for leg in rung if not leg.local_half):
            return "ringing", ()  # an answered one rings on until a bridge joins it to the caller
        if dialled or any(leg.state != channels.UP for leg in legs):
            return "dialling", ()
        # Alone where two talk, with music: the other consults somebody, and comes back or hands over.
        return ("hold" if any(leg.bridge and leg.music for leg in legs) else "menu"), ()

    def _talks(self, legs: list[Channel], part: list[Channel]) -> bool:
        """True if two parties have answered and a talking bridge is between them.

        A party is there when it is in such a bridge, or when it runs something at a Local channel's end.
        """
        talking = {channel.uniqueid for channel in part if self._in_talk(channel)}
        there = [leg for leg in legs if leg.uniqueid in talking or (leg.local_half and leg.state == channels.UP)]
        return bool(talking) and len(there) > 1

    def _in_talk(self, channel: Channel) -> bool:
        bridge = self.pbx.bridges.get(channel.bridge)
        if bridge is None or bridge.kind is not Kind.TALK:
            return False
        # Who is hidden is nobody to talk with, and his coming is no reason to look again.
        return any(not self.pbx.channels[mate].hidden for mate in bridge.members if mate != channel.uniqueid)

    def _fields(self, call: Call, legs: list[Channel]) -> Fields:
        place = call.place[0] if call.place else ""
        return {
            "rev": call.rev,
            "phase": call.phase,
            "since": _ms(call.since),
            "started": _ms(call.started),
            "approx": call.approx,
            "parties": [self.key(uniqueid) for uniqueid in call.parties],
            "direction": self._direction(legs),
            "queue": call.queue,
            "room": place if call.phase == "conference" else "",
            "slot": place if call.phase == "parked" else "",
            "recording": self._recording(legs),
            "parent": self.key(call.parent) if call.parent else "",
            "cause": 0,
            "reason": "",
        }

    def _party(self, call: Call, leg: Channel, caller: Channel, published: Published, now: float) -> Fields:
        key = self.key(leg.uniqueid)
        state = _STATES.get(leg.state, "down")
        state = "hold" if leg.held and state == "up" else state
        said = published.entities.get("party", {}).get(key)
        since = said["since"] if said and said["state"] == state else _ms(now if said else leg.created)
        number, name = self.identity(leg)
        return {
            "call": self.key(call.id),
            "role": "caller" if leg is caller else "callee",
            "side": self.side(leg),
            "channel": leg.name,
            "number": number,
            "name": name,
            "state": state,
            "since": since,
        }

    def identity(self, leg: Channel) -> tuple[str, str]:
        """Number and name of who sits at this leg, as they are told."""
        number, name = self._identity(leg)
        return shown(number), shown(name)

    def _identity(self, leg: Channel) -> tuple[str, str]:
        """The same as Asterisk has them.

        An extension of ours is its device (a caller ID may be anything: Originate sets it, people forge it); anybody
        else is who he says. A Local's end has no device: it is who comes through it, or the number that was dialled.
        """
        leg = self._behind(leg) or leg
        if leg.local_half:
            return leg.exten if leg.exten not in ("", "s", "h") else leg.name.partition("/")[2].partition("@")[0], ""
        if leg.ours:
            own = self.pbx.own.get(leg.uniqueid)
            return leg.account, own.user if own is not None else ""
        # Dialled from an extension `s`, as by FreePBX, a leg that has no caller ID of its own gets this for a number,
        # and for a name that of whoever was dialled before [IAX2 on 16 and 22].
        number, name = (leg.dialled_number, "") if leg.number == "s" else (leg.number, leg.caller_name)
        return (leg.account if self.pbx.extensions.fullmatch(leg.account) else number), name

    def _behind(self, half: Channel) -> Channel | None:
        """The one leg that comes through this half of a Local channel, which is parked, in a room or in a queue."""
        if not (half.local_half and (self._placed(half) or self.pbx.queues.of(half.uniqueid))):
            return None
        seen, channel = {half.uniqueid}, half
        while name := channel.local_half:
            other = self.pbx.channels.get(self.pbx.local_halves.get(name, ""))
            if other is None:
                return None
            seen.add(other.uniqueid)
            beyond = [uniqueid for uniqueid in self._neighbours(other) if uniqueid not in seen]
            if len(beyond) != 1 or beyond[0] not in self.pbx.channels:
                return None
            channel = self.pbx.channels[beyond[0]]
            seen.add(channel.uniqueid)
        return channel

    def side(self, leg: Channel) -> str:
        """Unknown counts as internal, and is therefore denied to whom it is not granted."""
        leg = self._behind(leg) or leg
        if leg.local_half:
            return "app"
        return "outside" if self.pbx.trunks.search(leg.device) else "internal"

    @staticmethod
    def _recording(legs: list[Channel]) -> str:
        recorded = [leg for leg in legs if leg.recorded]
        return "" if not recorded else "paused" if all(leg.paused for leg in recorded) else "on"

    def _direction(self, legs: list[Channel]) -> str:
        sides = [self.side(leg) for leg in legs]
        if sides and sides[0] == "outside":
            return "inbound"
        return "outbound" if "outside" in sides else "internal"

    # --- ending

    def _close(self, call_id: str, published: Published, changes: Changes, now: float) -> None:
        """A call whose last channel hung up has ended; one that was never said goes without a word."""
        call = self.calls.get(call_id)
        if call is None or call.ended or call.members:
            return
        if not call.phase:
            self._drop(call, published, changes)
            return
        call.phase, call.since, call.ended = "ended", now, now
        call.rev += 1
        self._ended.append(call_id)
        end: Fields = {"phase": "ended", "since": _ms(now), "rev": call.rev, "approx": False}
        published.put(changes, "call", self.key(call_id), {**end, "cause": call.cause, "reason": call.reason})

    def _drop(self, call: Call, published: Published, changes: Changes) -> None:
        self._loose += call.parties
        published.drop(changes, "call", self.key(call.id))
        del self.calls[call.id]

    def _drop_loose(self, published: Published, changes: Changes) -> None:
        """Parties that left a call, and are on no other by now."""
        for uniqueid in self._loose:
            channel = self.pbx.channels.get(uniqueid)
            call = self.calls.get(channel.call) if channel is not None else None
            if call is None or uniqueid not in call.parties:
                published.drop(changes, "party", self.key(uniqueid))
        self._loose = []

    def _forget_ended(self, published: Published, changes: Changes, now: float) -> None:
        while self._ended and now - self.calls[self._ended[0]].ended >= ENDED_S:
            self._drop(self.calls[self._ended.pop(0)], published, changes)

    def key(self, uniqueid: str) -> str:
        return self.pbx.key(uniqueid)


_STATES: Final = {
    channels.DOWN: "down",
    channels.RING: "calling",
    channels.RINGING: "ringing",
    channels.UP: "up",
}
