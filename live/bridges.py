"""A bridge: where channels meet. Two-party bridges join legs into a call; rooms and parking lots hold calls apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from ami.protocol import Message
from live.numbers import number


class Kind(Enum):
    """What it means to be in a bridge."""

    TALK = "talk"
    """The legs are one call."""
    ROOM = "room"
    """A conference: each leg is a call of its own, whose place is the room."""
    PARKING = "parking"
    HOLDING = "holding"
    """Waiting beside others, hearing none of them: an endpoint, never a call."""


@dataclass(slots=True)
class Bridge:
    uniqueid: str
    kind: Kind = Kind.TALK
    name: str = ""
    """A room's number; else empty."""
    members: set[str] = field(default_factory=set)
    """Uniqueids of the channels inside."""
    video: str = ""
    """Uniqueid of the one whose picture all are shown; "" where nobody's was chosen."""
    size: int = 0
    """How many Asterisk counts inside, its own announcers and recorders too, which it lists nowhere; 0 if untold."""


_ABSENT: Final = "<unknown>"


def describe(bridge: Bridge, message: Message) -> None:
    """Set what a bridge is from any event or list item about it.

    ConfBridge makes ``base``/``softmix`` bridges with creator ConfBridge and the room as name; parking lots are
    type ``parking`` over technology ``holding_bridge`` [measured on 16 and 22].
    """
    bridge.video = message.get("BridgeVideoSource")  # every event and list about a bridge has it, if there is one
    bridge.size = number(message.get("BridgeNumChannels"), bridge.size)
    creator = message.get("BridgeCreator")
    technology = message.get("BridgeTechnology")
    name = message.text("BridgeName")
    if creator == "ConfBridge":
        bridge.kind = Kind.ROOM
        bridge.name = "" if name == _ABSENT else name
    elif message.get("BridgeType") == "parking" or creator == "Parking":
        bridge.kind = Kind.PARKING
    elif technology == "holding_bridge":
        bridge.kind = Kind.HOLDING
    elif technology:
        bridge.kind = Kind.TALK
