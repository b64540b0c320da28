"""Queues, their members and who waits in them, as app_queue's events and QueueStatus tell.

Queues are known by name, members by queue and interface, callers by the Uniqueid of their leg. The order of the
callers follows from where each one joined (``QueueCallerJoin`` says it) and who left [3,680 lists compared on 16 and
22]. A queue's own counters come with the list only; no list corrects events by them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ami.protocol import Message
from live.changes import Changes, Fields, Published, milliseconds

if TYPE_CHECKING:
    from live.pbx import Pbx

STATUS: Final = (
    "unknown",
    "not_inuse",
    "inuse",
    "busy",
    "invalid",
    "unavailable",
    "ringing",
    "ringinuse",
    "onhold",
)
"""Words for the number in ``Status``: Asterisk's device states in their order (devicestate.h)."""

NOT_INUSE: Final = 1

SAME_CALL_S: Final = 2.5
"""AgentComplete may come without any channel [measured on 16 and 22]. Then its TalkTime tells which of a member's
calls it ends: whole seconds by Asterisk's clock, against ours: one off at either end, and the way."""


@dataclass(slots=True)
class Member:
    """One interface in one queue. Times are seconds of UTC, 0 for never."""

    queue: str
    interface: str
    rev: int
    state_interface: str = ""
    name: str = ""
    membership: str = ""
    penalty: int = 0
    paused: bool = False
    reason: str = ""
    status: int = 0
    wrapup: int = 0
    calls_taken: int = 0
    last_call: int = 0
    last_pause: int = 0
    login: int = 0
    in_call: bool = False
    """Asterisk's own notion: it has one moment of answering for each member, which the newest call overwrites, and
    which ends with that call or when its device becomes free, whichever is told first [app_queue.c, 22]."""
    ring_in_use: bool | None = None
    """Told by events only."""
    calls: dict[str, float] = field(default_factory=dict)
    """Callers' Uniqueids → when they were connected, the newest last; none for a call from before the panel came."""


@dataclass(slots=True)
class Caller:
    """One visit to one queue, until somebody answers or the caller leaves. ``since`` is in seconds of UTC."""

    uniqueid: str
    queue: str
    since: float
    rev: int
    priority: int = 0
    left: bool = False
    """Told that he left, rather than that his leg ended."""


@dataclass(slots=True)
class Queue:
    name: str
    strategy: str = ""
    max: int = 0
    weight: int = 0
    completed: int = 0
    abandoned: int = 0
    hold_s: int = 0
    talk_s: int = 0
    target_s: int = 0
    within: str = ""
    within_all: str = ""
    members: list[str] = field(default_factory=list)
    """Interfaces."""
    waiting: list[str] = field(default_factory=list)
    """Uniqueids, the next to be served first."""


class Queues:
    """All queues of one PBX."""

    def __init__(self, pbx: Pbx) -> None:
        self.pbx = pbx
        self.queues: dict[str, Queue] = {}
        self.members: dict[tuple[str, str], Member] = {}
        """By queue and interface."""
        self.callers: dict[str, Caller] = {}
        """By Uniqueid. Its channel may be told of a moment later: until then it has its place, and is not shown."""
        self.reads = 0
        """How often the list was taken: what no event tells is proved by a reading that is newer than the command."""
        self._revs = 0
        """One counter for all: what comes back under the same key does not begin with an old ``rev``."""
        self._queues: set[str] = set()
        self._members: set[tuple[str, str]] = set()
        self._callers: set[str] = set()
        """Touched since the last fold."""

    # --- told by events

    def member(self, message: Message, *, name: str = "MemberName", interface: str = "Interface") -> Member:
        """Set what an event or a list item tells of one member. Every such event is a whole picture of it, and the
        only word about one whom a reload or the realtime database added: so it makes a member that is not known."""
        queue, where = message.get("Queue"), message.get(interface)
        member = self.members.get((queue, where))
        if member is None:
            member = self.members[queue, where] = Member(queue, where, self._next_rev())
            self._queue(queue).members.append(where)
            self._queues.add(queue)
        member.state_interface = message.get("StateInterface")
        member.name = message.get(name)
        member.membership = message.get("Membership")
        member.penalty = _int(message, "Penalty")
        member.paused = message.get("Paused") == "1"
        member.reason = message.get("PausedReason")
        member.status = _int(message, "Status")
        member.wrapup = _int(message, "Wrapuptime")
        member.calls_taken = _int(message, "CallsTaken")
        member.last_call = _int(message, "LastCall")
        member.last_pause = _int(message, "LastPause")
        member.login = _int(message, "LoginTime")
        self._members.add((queue, where))
        return member

    def removed(self, queue: str, interface: str) -> None:
        if self.members.pop((queue, interface), None) is not None:
            self.queues[queue].members.remove(interface)
            self._queues.add(queue)
            self._members.add((queue, interface))

    def connected(self, queue: str, interface: str, caller: str, now: float) -> None:
        """This member answered this caller."""
        member = self.members.get((queue, interface))
        if member is not None and caller not in member.calls:
            member.calls[caller] = now
            member.in_call = True
            self._members.add((queue, interface))

    def completed(self, queue: str, interface: str, caller: str, talked: int, now: float) -> None:
        """This member's call with this caller is over, or ("") the one that lasted ``talked`` seconds."""
        member = self.members.get((queue, interface))
        if member is None:
            return
        newest = next(reversed(member.calls), "")
        ended = caller if caller in member.calls else _lasting(member, talked, now)
        began = member.calls.pop(ended, -1.0)
        # app_queue knows a call by the second in which it was answered: two of one second are one to it.
        same = ended == newest or int(began) == int(member.calls.get(newest, 0.0)) == int(now) - talked
        if same or not member.calls:
            member.in_call = False
        self._members.add((queue, interface))

    def join(self, uniqueid: str, name: str, position: int, now: float) -> None:
        """It waits in this queue, and thereby in no other, at this place."""
        caller = self.callers.get(uniqueid)
        if caller is not None and caller.queue == name:
            return
        self.leave(uniqueid)
        queue = self._queue(name)
        queue.waiting.insert(max(position - 1, 0), uniqueid)
        self.callers[uniqueid] = Caller(uniqueid, name, now, self._next_rev())
        self.touch(uniqueid)

    def leave(self, uniqueid: str, name: str = "") -> bool:
        """Out of the queue of this name, or of whichever it is in. A late word about another queue moves nobody."""
        caller = self.callers.get(uniqueid)
        if caller is None or name not in ("", caller.queue):
            return False
        self.touch(uniqueid)
        self.queues[caller.queue].waiting.remove(uniqueid)
        del self.callers[uniqueid]
        return True

    def replaced(self, old: str, new: str) -> None:
        """Another leg waits in this one's place."""
        caller = self.callers.get(old)
        if caller is None:
            return
        self.touch(old)
        del self.callers[old]
        queue = self.queues[caller.queue]
        queue.waiting[queue.waiting.index(old)] = new
        self.callers[new] = Caller(new, caller.queue, caller.since, self._next_rev(), caller.priority)
        self.touch(new)
        self.pbx.touch(new)

    def touch(self, uniqueid: str) -> None:
        """It came, goes, or its channel came, changed, or is on another call."""
        caller = self.callers.get(uniqueid)
        if caller is not None:
            self._callers.add(uniqueid)
            self._queues.add(caller.queue)

    def retell(self) -> None:
        """Say all again, as if nothing had been said."""
        self._queues.update(self.queues)
        self._members.update(self.members)
        self._callers.update(self.callers)

    # --- told by the list

    def replace(self, items: Iterable[Message], now: float) -> int:
        """Take a whole QueueStatus. Returns how much that events should have told it corrected."""
        self.reads += 1
        corrections = 0
        queues: set[str] = set()
        members: set[tuple[str, str]] = set()
        waiting: dict[str, list[str]] = {}
        for item in items:
            name = item.get("Queue")
            if item.event == "QueueParams":
                queues.add(name)
                corrections += self._listed_queue(name, item)
            elif item.event == "QueueMember":
                members.add((name, item.get("Location")))
                corrections += self._listed_member(item)
            elif item.event == "QueueEntry" and item.get("Uniqueid") not in self.pbx.tombstones:
                waiting.setdefault(name, []).append(item.get("Uniqueid"))
                corrections += self._listed_caller(name, item, now)
        for key in [key for key in self.members if key not in members]:
            corrections += 1
            self.removed(*key)
        for queue in [*self.queues.values()]:
            corrections += self._order(queue, waiting.get(queue.name, []))
            if queue.name not in queues:
                corrections += 1
                del self.queues[queue.name]
                self._queues.add(queue.name)
        return corrections

    def _listed_queue(self, name: str, item: Message) -> bool:
        new = name not in self.queues
        queue = self._queue(name)
        queue.strategy = item.get("Strategy")
        queue.max, queue.weight = _int(item, "Max"), _int(item, "Weight")
        queue.completed, queue.abandoned = _int(item, "Completed"), _int(item, "Abandoned")
        queue.hold_s, queue.talk_s = _int(item, "Holdtime"), _int(item, "TalkTime")
        queue.target_s = _int(item, "ServiceLevel")
        queue.within, queue.within_all = item.get("ServicelevelPerf"), item.get("ServicelevelPerf2")
        self._queues.add(name)
        return new

    def _listed_member(self, item: Message) -> bool:
        held = self.members.get((item.get("Queue"), item.get("Location")))
        before = held and _told(held)
        member = self.member(item, name="Name", interface="Location")
        member.in_call = item.get("InCall") == "1"
        if not member.in_call:
            member.calls.clear()
        return before != _told(member)

    def _listed_caller(self, name: str, item: Message, now: float) -> bool:
        uniqueid = item.get("Uniqueid")
        held = self.callers.get(uniqueid)
        new = held is None or held.queue != name
        if new:
            self.join(uniqueid, name, _int(item, "Position"), now - _int(item, "Wait"))
        self.callers[uniqueid].priority = _int(item, "Priority")
        self.touch(uniqueid)
        return new

    def _order(self, queue: Queue, listed: list[str]) -> int:
        """Let those wait in this queue who are listed, in this order."""
        still = set(listed)
        gone = [uniqueid for uniqueid in queue.waiting if uniqueid not in still]
        for uniqueid in gone:
            self._left(uniqueid)
        wrong = queue.waiting != listed
        if wrong:
            queue.waiting = listed
            self._queues.add(queue.name)
        return len(gone) + wrong

    def _left(self, uniqueid: str) -> None:
        self.leave(uniqueid)
        channel = self.pbx.channels.get(uniqueid)
        if channel is not None:
            self.pbx.calls.touch(channel)

    # --- read by others

    def of(self, uniqueid: str) -> str:
        """The name of the queue that this leg waits in, or ""."""
        caller = self.callers.get(uniqueid)
        return caller.queue if caller is not None else ""

    # --- saying

    def fold(self, published: Published, changes: Changes) -> None:
        """Say what is different; after the calls, whose keys it names."""
        queues, members, callers = self._queues, self._members, self._callers
        self._queues, self._members, self._callers = set(), set(), set()
        for where in members:
            member, key = self.members.get(where), self._member_key(*where)
            if member is None:
                published.drop(changes, "member", key)
            else:
                published.put(changes, "member", key, self._member_fields(member))
        places = self._places(queues)
        for uniqueid in callers | places.keys():
            key = self.pbx.key(uniqueid)
            if uniqueid not in places:
                published.drop(changes, "waiting", key)
            elif uniqueid in callers:
                fields = self._caller_fields(self.callers[uniqueid], places[uniqueid])
                published.put(changes, "waiting", key, fields)
            else:  # at most others came before it, or went
                published.put(changes, "waiting", key, {"position": places[uniqueid]})
        for name in queues:
            queue, key = self.queues.get(name), self.pbx.key(name)
            if queue is None:
                published.drop(changes, "queue", key)
            else:
                published.put(changes, "queue", key, self._queue_fields(queue))

    def _member_key(self, queue: str, interface: str) -> str:
        return self.pbx.key(f"{queue}/{interface}")

    def _member_fields(self, member: Member) -> Fields:
        return {
            "rev": member.rev,
            "queue": self.pbx.key(member.queue),
            "interface": member.interface,
            "state_interface": member.state_interface,
            "name": member.name,
            "membership": member.membership,
            "penalty": member.penalty,
            "paused": member.paused,
            "reason": member.reason,
            "status": STATUS[member.status] if member.status < len(STATUS) else STATUS[0],
            "in_call": member.in_call,
            "wrapup_s": member.wrapup,
            "calls_taken": member.calls_taken,
            "last_call": milliseconds(member.last_call),
            "last_pause": milliseconds(member.last_pause),
            "login": milliseconds(member.login),
        }

    def _shown(self, queue: Queue) -> list[str]:
        return [uniqueid for uniqueid in queue.waiting if uniqueid in self.pbx.channels]

    def _places(self, queues: set[str]) -> dict[str, int]:
        """The place of each caller in these queues who is shown: one pass, since a queue may be long."""
        found = (self.queues[name] for name in queues if name in self.queues)
        return {uniqueid: place for queue in found for place, uniqueid in enumerate(self._shown(queue), 1)}

    def _caller_fields(self, caller: Caller, place: int) -> Fields:
        channel = self.pbx.channels[caller.uniqueid]
        number, name = self.pbx.calls.identity(channel)
        return {
            "rev": caller.rev,
            "queue": self.pbx.key(caller.queue),
            "position": place,
            "call": self.pbx.calls.key_of(channel),
            "number": number,
            "name": name,
            "since": milliseconds(caller.since),
            "priority": caller.priority,
        }

    def _queue_fields(self, queue: Queue) -> Fields:
        return {
            "name": queue.name,
            "strategy": queue.strategy,
            "max": queue.max,
            "weight": queue.weight,
            "members": [self._member_key(queue.name, interface) for interface in queue.members],
            "waiting": [self.pbx.key(uniqueid) for uniqueid in self._shown(queue)],
            "completed": queue.completed,
            "abandoned": queue.abandoned,
            "hold_s": queue.hold_s,
            "talk_s": queue.talk_s,
            "target_s": queue.target_s,
            "within": queue.within,
            "within_all": queue.within_all,
        }

    # --- small change

    def _queue(self, name: str) -> Queue:
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = Queue(name)
        return queue

    def _next_rev(self) -> int:
        self._revs += 1
        return self._revs


def _int(message: Message, header: str) -> int:
    value = message.get(header)
    return int(value) if value.isdecimal() else 0


def _told(member: Member) -> tuple[object, ...]:
    """What a list corrects and events should have told."""
    return member.name, member.penalty, member.paused, member.reason, member.status, member.in_call


def _lasting(member: Member, talked: int, now: float) -> str:
    """The caller of that call of this member which has lasted so many seconds by now, or ""."""
    off = {caller: abs(now - since - talked) for caller, since in member.calls.items()}
    nearest = min(off, key=lambda caller: off[caller], default="")
    return nearest if off.get(nearest, SAME_CALL_S) < SAME_CALL_S else ""


# --- the events


def _member(pbx: Pbx, message: Message, now: float) -> None:
    """Each of the events about a member carries all of it. Its InCall, though, is from before the moment that the
    event is about; what is sure is that a device that became free has no call."""
    if not (message.get("Queue") and message.get("Interface")):
        return
    member = pbx.queues.member(message)
    member.ring_in_use = message.get("Ringinuse") == "1"
    if member.status == NOT_INUSE and message.event == "QueueMemberStatus":
        member.in_call = False
        member.calls.clear()


def _member_removed(pbx: Pbx, message: Message, now: float) -> None:
    pbx.queues.removed(message.get("Queue"), message.get("Interface"))


def _join(pbx: Pbx, message: Message, now: float) -> None:
    uniqueid = message.get("Uniqueid")
    if uniqueid and pbx.expect(uniqueid, now):
        pbx.queues.join(uniqueid, message.get("Queue"), _int(message, "Position"), now)
        channel = pbx.channels.get(uniqueid)
        if channel is not None:
            channel.queue = message.get("Queue")
        pbx.touch(uniqueid)


def _leave(pbx: Pbx, message: Message, now: float) -> None:
    uniqueid = message.get("Uniqueid")
    if caller := pbx.queues.callers.get(uniqueid):
        caller.left = caller.queue == message.get("Queue")
    if pbx.queues.leave(uniqueid, message.get("Queue")):
        pbx.settle(uniqueid, now)


def _connect(pbx: Pbx, message: Message, now: float) -> None:
    pbx.queues.connected(message.get("Queue"), message.get("Interface"), message.get("Uniqueid"), now)


def _complete(pbx: Pbx, message: Message, now: float) -> None:
    talked = _int(message, "TalkTime")
    pbx.queues.completed(message.get("Queue"), message.get("Interface"), message.get("Uniqueid"), talked, now)


HANDLERS: Final[dict[str, Callable[[Pbx, Message, float], None]]] = {
    "QueueMemberAdded": _member,
    "QueueMemberPause": _member,
    "QueueMemberPenalty": _member,
    "QueueMemberRinginuse": _member,
    "QueueMemberStatus": _member,
    "QueueMemberRemoved": _member_removed,
    "QueueCallerJoin": _join,
    "QueueCallerLeave": _leave,
    "AgentConnect": _connect,
    "AgentComplete": _complete,
}
"""Those about members come in order among themselves, those about callers too: they are sent under the queue's
lock."""
