"""Queues of the imitation: who waits, who serves, and the figures that QueueStatus tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from demo.events import Header

if TYPE_CHECKING:
    from demo.channels import Channel

STATUS: Final = {
    "UNKNOWN": "0",
    "NOT_INUSE": "1",
    "INUSE": "2",
    "BUSY": "3",
    "UNAVAILABLE": "5",
    "RINGING": "6",
    "RINGINUSE": "7",
    "ONHOLD": "8",
}
"""A device's state as a queue member's ``Status`` says it."""


@dataclass(eq=False, slots=True)
class Member:
    """One agent in one queue. Times are whole seconds of UTC, 0 for never."""

    queue: Queue
    name: str
    interface: str
    login: int
    penalty: int = 0
    dynamic: bool = False
    """Added by an action (only such ones can be removed by one), not by ``queues.conf``."""
    state_interface: str = ""
    """The device whose state is the member's, where that is not the interface."""
    paused: bool = False
    reason: str = ""
    last_pause: int = 0
    calls_taken: int = 0
    last_call: int = 0
    in_call: bool = False
    last_offer: float = 0.0

    @property
    def device(self) -> str:
        return self.state_interface or self.interface

    @property
    def pause_device(self) -> str:
        """The device by which a phone's key can show that he is paused."""
        return f"Queue:{self.queue.name}_pause_{self.interface}"

    def headers(self, state: str) -> tuple[Header, ...]:
        """The tail that QueueMember and the events about it share."""
        return (
            ("Membership", "dynamic" if self.dynamic else "static"),
            ("Penalty", str(self.penalty)),
            ("CallsTaken", str(self.calls_taken)),
            ("LastCall", str(self.last_call)),
            ("LastPause", str(self.last_pause)),
            ("LoginTime", str(self.login)),
            ("InCall", "1" if self.in_call else "0"),
            ("Status", STATUS[state]),
            ("Paused", "1" if self.paused else "0"),
            ("PausedReason", self.reason),
        )

    def event(self, state: str) -> tuple[Header, ...]:
        """The headers of an event about it (QueueMemberStatus and those of its membership)."""
        return (
            ("Queue", self.queue.name),
            ("MemberName", self.name),
            ("Interface", self.interface),
            ("StateInterface", self.device),
            *self.headers(state),
            ("Ringinuse", "0"),
            ("Wrapuptime", "0"),
        )

    def item(self, state: str) -> tuple[Header, ...]:
        """The headers of its QueueMember in the list."""
        return (
            ("Queue", self.queue.name),
            ("Name", self.name),
            ("Location", self.interface),
            ("StateInterface", self.device),
            *self.headers(state),
            ("Wrapuptime", "0"),
        )


@dataclass(eq=False, slots=True)
class Waiting:
    """One caller's visit. ``leg`` is the member's that rings or talks for it; ``joined`` seconds of UTC."""

    queue: Queue
    channel: Channel
    joined: float
    original: int
    leg: Channel | None = None
    member: Member | None = None
    offered: float = 0.0
    answered: float = 0.0


@dataclass(eq=False, slots=True)
class Queue:
    """One queue."""

    name: str
    exten: str
    service_level: int = 20
    members: list[Member] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    completed: int = 0
    abandoned: int = 0
    in_time: int = 0
    abandoned_in_time: int = 0
    holdtime: int = 0
    talktime: int = 0

    def member(self, interface: str) -> Member | None:
        return next((member for member in self.members if member.interface == interface), None)

    def params(self) -> tuple[Header, ...]:
        both = self.completed + self.abandoned
        perf = 100 * self.in_time / self.completed if self.completed else 0.0
        perf2 = 100 * (self.in_time + self.abandoned_in_time) / both if both else 0.0
        return (
            ("Queue", self.name),
            ("Max", "0"),
            ("Strategy", "rrmemory"),
            ("Calls", str(len(self.waiting))),
            ("Holdtime", str(self.holdtime)),
            ("TalkTime", str(self.talktime)),
            ("Completed", str(self.completed)),
            ("Abandoned", str(self.abandoned)),
            ("ServiceLevel", str(self.service_level)),
            ("ServicelevelPerf", f"{perf:.1f}"),
            ("ServicelevelPerf2", f"{perf2:.1f}"),
            ("Weight", "0"),
        )

    def entry(self, waiting: Waiting, now: float) -> tuple[Header, ...]:
        """A QueueEntry: names raw, and another word for unknown than everywhere else (seen on 22)."""
        channel = waiting.channel
        return (
            ("Queue", self.name),
            ("Position", str(self.waiting.index(waiting) + 1)),
            ("Channel", channel.name),
            ("Uniqueid", channel.uniqueid),
            ("CallerIDNum", channel.number or "unknown"),
            ("CallerIDName", channel.caller_name or "unknown"),
            ("ConnectedLineNum", channel.connected_number or "unknown"),
            ("ConnectedLineName", channel.connected_name or "unknown"),
            ("Wait", str(round(now - waiting.joined))),
            ("Priority", "0"),
        )
