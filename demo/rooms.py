"""Conference rooms of the imitation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.events import Header

if TYPE_CHECKING:
    from demo.channels import Bridge, Channel


@dataclass(eq=False, slots=True)
class Participant:
    """One in a room. ``speaks``: makes sound; he counts as talking only if he is not muted."""

    room: Room
    channel: Channel
    joined: float
    admin: bool = False
    muted: bool = False
    speaks: bool = False
    talking: bool = False

    def event(self, *more: Header) -> tuple[Header, ...]:
        """The headers of an event about him; ``more`` comes before the common end."""
        return (*self.room.headers(), *self.channel.snapshot(), *more, ("Admin", yes(self.admin)))

    def item(self, now: float) -> tuple[Header, ...]:
        """The headers of his ConfbridgeList."""
        return (
            ("Conference", self.room.name),
            ("Admin", yes(self.admin)),
            ("MarkedUser", yes(self.admin)),
            ("WaitMarked", "No"),
            ("EndMarked", "No"),
            ("EndMarkedAny", "No"),
            ("Waiting", "No"),
            ("Muted", yes(self.muted)),
            ("Talking", yes(self.talking)),
            ("AnsweredTime", str(round(now - (self.channel.answered or now)))),
            *self.channel.snapshot(),
        )


@dataclass(eq=False, slots=True)
class Room:
    """One conference: there from the first who joins to the last who leaves."""

    name: str
    bridge: Bridge
    locked: bool = False
    recorded: bool = False
    lost: str = ""
    """Whose picture all were shown, and has left: Asterisk tells it with the bridge's next change."""
    participants: list[Participant] = field(default_factory=list)

    def headers(self) -> tuple[Header, ...]:
        return (("Conference", self.name), *self.bridge.headers())

    def item(self) -> tuple[Header, ...]:
        """The headers of its ConfbridgeListRooms. ``Muted`` is the whole room's, which nothing here sets."""
        marked = sum(participant.admin for participant in self.participants)
        return (
            ("Conference", self.name),
            ("Parties", str(len(self.participants))),
            ("Marked", str(marked)),
            ("Locked", yes(self.locked)),
            ("Muted", "No"),
        )

    def named(self, text: str) -> list[Participant]:
        """Whom a channel's name, an unambiguous beginning of one, "all" or "participants" means; [] for nobody."""
        if text.lower() == "all":
            return [*self.participants]
        if text.lower() == "participants":
            return [participant for participant in self.participants if not participant.admin]
        return [participant for participant in self.participants if participant.channel.name.startswith(text)][:1]


def yes(value: bool) -> str:
    return "Yes" if value else "No"
