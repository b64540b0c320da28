"""Conference rooms and who is in them, as ConfBridge's events and lists tell.

Rooms are known by name, participants by the Uniqueid of their leg. No event tells of a lock, of who is marked or of
who waits for a marked one [measured on 16 and 22]: those come with lists only, and no list corrects events by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ami.protocol import Message
from live.bridges import Kind
from live.changes import Changes, Fields, Published, milliseconds
from live.numbers import number_in

if TYPE_CHECKING:
    from live.pbx import Pbx


@dataclass(slots=True)
class Participant:
    """One leg in one room. Times are seconds of UTC."""

    uniqueid: str
    room: str
    since: float
    approx: bool
    """Known from a list: ``since`` is when its leg was answered; it came into the room then or later."""
    rev: int
    admin: bool = False
    muted: bool = False
    talking: bool = False
    """As talk detection last said; a room whose users have none (``talk_detection_events``) never says it."""
    marked: bool = False
    waiting: bool = False
    """For a marked participant to come; until then it hears music."""


@dataclass(slots=True)
class Room:
    """One room with somebody in it. Times are seconds of UTC."""

    name: str
    since: float
    approx: bool
    """Known from a list: it stood at ``since``, and began before."""
    rev: int
    locked: bool = False
    recording: bool = False
    recording_told: bool = False
    """By events since the login, which are sure; else ``recording`` is inferred from how many are in the bridge."""
    unread: bool = False
    """Somebody came, or a marked one left, since its list was read: who is marked and who waits may be different."""
    members: list[str] = field(default_factory=list)
    """Uniqueids, in the order in which they came."""


class Conferences:
    """All rooms of one PBX. A participant's channel is always one that lives: no event raises the dead."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.rooms: dict[str, Room] = {}
        self.participants: dict[str, Participant] = {}
        self.reads = 0
        """How often the list of rooms was taken: a lock is proved by a reading that is newer than the command."""
        self._revs = 0
        """One counter for all: a room of a name that was used before does not begin with an old ``rev``."""
        self._rooms: set[str] = set()
        self._participants: set[str] = set()
        """Touched since the last fold."""

    # --- told by events

    def start(self, name: str, now: float) -> None:
        room = self.rooms.get(name)
        if room is None:
            room = self._open(name, now, approx=False)
        elif room.approx and self.pbx.settled:
            room.since, room.approx = now, False  # a list was ahead of its event
        room.recording_told = True

    def end(self, name: str) -> None:
        room = self.rooms.pop(name, None)
        if room is not None:
            for uniqueid in room.members:
                del self.participants[uniqueid]
            self._participants.update(room.members)
            self._rooms.add(name)

    def join(self, uniqueid: str, name: str, now: float, *, approx: bool = False) -> Participant:
        """It is in this room, and thereby in no other."""
        participant = self.participants.get(uniqueid)
        if participant is not None and participant.room == name:
            return participant
        self.leave(uniqueid)
        room = self.rooms.get(name) or self._open(name, now, approx=True)
        room.members.append(uniqueid)
        room.unread = True
        room.rev = self._next_rev()
        participant = Participant(uniqueid, name, now, approx, self._next_rev())
        self.participants[uniqueid] = participant
        self._touch(participant)
        return participant

    def leave(self, uniqueid: str, name: str = "") -> None:
        """Out of the room of this name, or of whichever it is in. A late word about another room moves nobody."""
        participant = self.participants.get(uniqueid)
        if participant is None or name not in ("", participant.room):
            return
        del self.participants[uniqueid]
        room = self.rooms[participant.room]
        room.members.remove(uniqueid)
        room.unread |= participant.marked
        room.rev = self._next_rev()
        self._touch(participant)

    def replaced(self, old: str, new: str) -> None:
        """Another leg is in the room in this one's place."""
        held = self.participants.get(old)
        if held is None:
            return
        participant = self.join(new, held.room, held.since, approx=held.approx)
        _set(participant, {flag: getattr(held, flag) for _, flag in _FLAGS})
        self.leave(old)

    def change(self, uniqueid: str, name: str, **flags: bool) -> None:
        """Set flags of who is in this room; of anybody else there is nothing to say."""
        participant = self.participants.get(uniqueid)
        if participant is not None and participant.room == name:
            _set(participant, flags)
            self._participants.add(uniqueid)

    def record(self, name: str, *, recording: bool) -> None:
        room = self.rooms.get(name)
        if room is not None:
            room.recording, room.recording_told = recording, True
            self._rooms.add(name)

    def touch(self, uniqueid: str) -> None:
        """Its channel changed: who it is, or which call it is."""
        if uniqueid in self.participants:
            self._participants.add(uniqueid)

    def retell(self) -> None:
        """Say all again, as if nothing had been said."""
        self._participants.update(self.participants)
        self._rooms.update(self.rooms)

    # --- told by lists

    def replace_rooms(self, items: Iterable[Message], now: float) -> int:
        """Take a whole ConfbridgeListRooms. Returns how much that events should have told it corrected."""
        self.reads += 1
        listed = {item.text("Conference"): item.get("Locked") == "Yes" for item in items}
        gone = [name for name in self.rooms if name not in listed]
        new = [name for name in listed if name not in self.rooms]
        for name in gone:
            self.end(name)
        for name in new:
            self._open(name, now, approx=True)
        for name, locked in listed.items():
            self.rooms[name].locked = locked
            self._rooms.add(name)
        return len(gone) + len(new)

    def replace_members(self, name: str, items: Iterable[Message], now: float) -> int:
        """Take a whole ConfbridgeList of one room. A room that ended since it was asked about stays ended."""
        room = self.rooms.get(name)
        if room is None:
            return 0
        corrections, listed = 0, set()
        for item in items:
            uniqueid = item.get("Uniqueid")
            if uniqueid not in self.pbx.channels:
                continue
            listed.add(uniqueid)
            corrections += self._listed(uniqueid, name, item, now)
        for uniqueid in [uniqueid for uniqueid in room.members if uniqueid not in listed]:
            self.leave(uniqueid)
            corrections += 1
        room.unread = False
        if not room.recording_told or not self.pbx.settled:  # at a login: what events told before may be over
            room.recording, room.recording_told = self._is_recorded(room), False
            self._rooms.add(name)
        return corrections

    def _listed(self, uniqueid: str, name: str, item: Message, now: float) -> bool:
        held = self.participants.get(uniqueid)
        before = (held.room, held.admin, held.muted) if held is not None else None
        participant = self.join(uniqueid, name, now - number_in(item, "AnsweredTime"), approx=True)
        flags = {flag: item.get(header) == "Yes" for header, flag in _FLAGS}
        _set(participant, flags)
        self._participants.add(uniqueid)
        return before != (participant.room, participant.admin, participant.muted)

    def _is_recorded(self, room: Room) -> bool:
        """The recorder sits in the bridge and is in no list [measured on 16 and 22]: but the bridge counts it, and
        the announcer that every room has."""
        for uniqueid in room.members:
            bridge = self.pbx.bridges.get(self.pbx.channels[uniqueid].bridge)
            if bridge is not None and bridge.kind is Kind.ROOM and bridge.size:
                return bridge.size - len(room.members) > 1
        return False

    # --- read by others

    def is_video_source(self, participant: Participant) -> bool:
        """Whether it was chosen that all in the room are shown its picture (not the room's own way of choosing)."""
        bridge = self.pbx.bridges.get(self.pbx.channels[participant.uniqueid].bridge)
        return bridge is not None and bridge.kind is Kind.ROOM and bridge.video == participant.uniqueid

    def unread(self) -> list[str]:
        """Names of rooms of which a list may say what no event did."""
        return [room.name for room in self.rooms.values() if room.unread]

    # --- saying

    def fold(self, published: Published, changes: Changes) -> None:
        """Say what is different; after the calls, whose keys it names."""
        rooms, participants, self._rooms, self._participants = self._rooms, self._participants, set(), set()
        for uniqueid in participants:
            participant, key = self.participants.get(uniqueid), self.pbx.key(uniqueid)
            if participant is None:
                published.drop(changes, "participant", key)
            else:
                published.put(changes, "participant", key, self._participant_fields(participant))
        for name in rooms:
            room, key = self.rooms.get(name), self.pbx.key(name)
            if room is None:
                published.drop(changes, "room", key)
            else:
                published.put(changes, "room", key, self._room_fields(room))

    def _participant_fields(self, participant: Participant) -> Fields:
        channel = self.pbx.channels[participant.uniqueid]
        number, name = self.pbx.calls.identity(channel)
        return {
            "rev": participant.rev,
            "room": self.pbx.key(participant.room),
            "call": self.pbx.calls.key_of(channel),
            "number": number,
            "name": name,
            "side": self.pbx.calls.side(channel),
            "channel": channel.name,
            "admin": participant.admin,
            "marked": participant.marked,
            "muted": participant.muted,
            "talking": participant.talking,
            "waiting": participant.waiting,
            "video": self.is_video_source(participant),
            "since": milliseconds(participant.since),
            "approx": participant.approx,
        }

    def _room_fields(self, room: Room) -> Fields:
        return {
            "rev": room.rev,
            "name": room.name,
            "locked": room.locked,
            "recording": room.recording,
            "since": milliseconds(room.since),
            "approx": room.approx,
            "participants": [self.pbx.key(uniqueid) for uniqueid in room.members],
        }

    # --- small change

    def _open(self, name: str, since: float, *, approx: bool) -> Room:
        room = self.rooms[name] = Room(name, since, approx, self._next_rev())
        self._rooms.add(name)
        return room

    def _touch(self, participant: Participant) -> None:
        self._participants.add(participant.uniqueid)
        self._rooms.add(participant.room)

    def _next_rev(self) -> int:
        self._revs += 1
        return self._revs


_FLAGS: Final = (
    ("Admin", "admin"),
    ("MarkedUser", "marked"),
    ("Muted", "muted"),
    ("Talking", "talking"),
    ("Waiting", "waiting"),
)


def _set(participant: Participant, flags: dict[str, bool]) -> None:
    for flag, value in flags.items():
        setattr(participant, flag, value)


# --- the events


def _start(pbx: Pbx, message: Message, now: float) -> None:
    if name := message.text("Conference"):
        pbx.conferences.start(name, now)


def _end(pbx: Pbx, message: Message, now: float) -> None:
    pbx.conferences.end(message.text("Conference"))


def _join(pbx: Pbx, message: Message, now: float) -> None:
    name, uniqueid = message.text("Conference"), message.get("Uniqueid")
    if name and uniqueid in pbx.channels:
        admin, muted = message.get("Admin") == "Yes", message.get("Muted") == "Yes"
        pbx.conferences.join(uniqueid, name, now)
        pbx.conferences.change(uniqueid, name, admin=admin, muted=muted)


def _leave(pbx: Pbx, message: Message, now: float) -> None:
    pbx.conferences.leave(message.get("Uniqueid"), message.text("Conference"))


def _muted(muted: bool) -> Callable[[Pbx, Message, float], None]:
    def handler(pbx: Pbx, message: Message, now: float) -> None:
        pbx.conferences.change(message.get("Uniqueid"), message.text("Conference"), muted=muted)

    return handler


def _talking(pbx: Pbx, message: Message, now: float) -> None:
    talking = message.get("TalkingStatus") == "on"
    pbx.conferences.change(message.get("Uniqueid"), message.text("Conference"), talking=talking)


def _recording(recording: bool) -> Callable[[Pbx, Message, float], None]:
    def handler(pbx: Pbx, message: Message, now: float) -> None:
        pbx.conferences.record(message.text("Conference"), recording=recording)

    return handler


HANDLERS: Final[dict[str, Callable[[Pbx, Message, float], None]]] = {
    "ConfbridgeStart": _start,
    "ConfbridgeEnd": _end,
    "ConfbridgeJoin": _join,
    "ConfbridgeLeave": _leave,
    "ConfbridgeMute": _muted(True),
    "ConfbridgeUnmute": _muted(False),
    "ConfbridgeTalking": _talking,
    "ConfbridgeRecord": _recording(True),
    "ConfbridgeStopRecord": _recording(False),
}
"""They come in order among themselves, but by a way of their own: ``Leave`` before or after the Hangup, ``Join``
before or after the BridgeEnter, and now and then before the Newchannel (see ``Pbx.apply``). Each works alone."""
