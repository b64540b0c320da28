"""Channels and bridges of the imitation, and the headers by which events show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from demo.events import UNKNOWN, Header, escaped

if TYPE_CHECKING:
    from demo.parking import Parked
    from demo.queues import Waiting
    from demo.rooms import Participant

DOWN: Final = 0
RING: Final = 4
RINGING: Final = 5
UP: Final = 6
STATES: Final = {DOWN: "Down", RING: "Ring", RINGING: "Ringing", UP: "Up"}

NORMAL: Final = 16
BUSY: Final = 17
NO_ANSWER: Final = 19
ELSEWHERE: Final = 26
INTERWORKING: Final = 127
CAUSES: Final = {
    0: "Unknown",
    NORMAL: "Normal Clearing",
    BUSY: "User busy",
    NO_ANSWER: "User alerting, no answer",
    ELSEWHERE: "Answered elsewhere",
    INTERWORKING: "Interworking, unspecified",
}
"""Asterisk's own words for the Q.850 causes that occur here."""


@dataclass(eq=False, slots=True)
class Bridge:
    """Where channels hear each other. ``hidden`` are the members that no list shows (a conference's announcer)."""

    uniqueid: str
    kind: str = "basic"
    technology: str = "simple_bridge"
    creator: str = ""
    name: str = ""
    members: list[Channel] = field(default_factory=list)
    hidden: int = 0
    video: str | None = None
    """Uniqueid of the one whose picture all are shown; "" once he has left, None as long as nobody was chosen."""

    def headers(self) -> tuple[Header, ...]:
        return (
            ("BridgeUniqueid", self.uniqueid),
            ("BridgeType", self.kind),
            ("BridgeTechnology", self.technology),
            ("BridgeCreator", self.creator or UNKNOWN),
            ("BridgeName", self.name or UNKNOWN),
            ("BridgeNumChannels", str(len(self.members) + self.hidden)),
            ("BridgeVideoSourceMode", "none" if self.video is None else "single"),
            *([("BridgeVideoSource", self.video)] if self.video else []),
        )


@dataclass(eq=False, slots=True)
class Originate:
    """What an ``Originate`` wants of the leg that it dials, and to whom it must answer."""

    action_id: str
    wanted: str
    """The device as the action named it; an OriginateResponse of failure repeats it."""
    channel_id: str
    caller: tuple[str, str] | None
    application: str
    data: str
    context: str
    exten: str


@dataclass(eq=False, slots=True)
class Channel:
    """One leg. Empty texts are what Asterisk calls unknown. ``created`` and ``answered`` are seconds of UTC."""

    name: str
    uniqueid: str
    device: str
    number: str
    caller_name: str
    context: str
    exten: str
    linkedid: str
    created: float
    state: int = DOWN
    priority: int = 1
    connected_number: str = ""
    connected_name: str = ""
    application: str = ""
    data: str = ""
    answered: float = 0.0
    bridge: Bridge | None = None
    cause: int = 0
    tech_cause: str = ""
    alive: bool = True
    music: bool = False
    """It hears music: its mate holds it, or it waits."""
    holding: bool = False
    caller: Channel | None = None
    """Who has it dialled, and talks to it later."""
    callee: Channel | None = None
    originate: Originate | None = None
    """Set while it rings for an Originate."""
    originated: bool = False
    """It has no dialplan of its own to come back to: an Originate's application ends with it."""
    waits: Waiting | None = None
    served: Waiting | None = None
    """Set on a member's leg from the offer to the end: the queue call that it is for."""
    outlived: Waiting | None = None
    """Its queue call, whose member is gone, and which is told to be over when this hangs up."""
    sits: Participant | None = None
    parked: Parked | None = None
    dialled: str = ""
    """The number that it dialled to come in."""
    spies_on: Channel | None = None
    spy_options: str = ""
    recordings: int = 0
    """How many MixMonitors run on it."""

    @property
    def talks_with(self) -> Channel | None:
        """The other one in its two-party bridge."""
        if self.bridge is None or self.sits is not None or self.parked is not None:
            return None
        return next((other for other in self.bridge.members if other is not self), None)

    def snapshot(self, prefix: str = "") -> tuple[Header, ...]:
        """The headers by which every event shows a channel."""
        return (
            (f"{prefix}Channel", self.name),
            (f"{prefix}ChannelState", str(self.state)),
            (f"{prefix}ChannelStateDesc", STATES[self.state]),
            (f"{prefix}CallerIDNum", self.number or UNKNOWN),
            (f"{prefix}CallerIDName", escaped(self.caller_name) or UNKNOWN),
            (f"{prefix}ConnectedLineNum", self.connected_number or UNKNOWN),
            (f"{prefix}ConnectedLineName", escaped(self.connected_name) or UNKNOWN),
            (f"{prefix}Language", "en"),
            (f"{prefix}AccountCode", ""),
            (f"{prefix}Context", self.context),
            (f"{prefix}Exten", self.exten),
            (f"{prefix}Priority", str(self.priority)),
            (f"{prefix}Uniqueid", self.uniqueid),
            (f"{prefix}Linkedid", self.linkedid),
        )
