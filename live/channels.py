"""A channel: one leg at Asterisk, keyed by its Uniqueid (names are reused, Uniqueids are not)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from ami.protocol import Message
from live.numbers import number

DOWN: Final = 0
RING: Final = 4
"""It dialled in and has no answer yet."""
RINGING: Final = 5
"""It is being rung."""
UP: Final = 6

_UNSET: Final = frozenset({"<unknown>", "<none>", "<null>"})
"""Asterisk's words for an absent caller ID [measured on 16 and 22]."""

_HIDDEN: Final = ("CBAnn/", "CBRec/", "Message/", "AsyncGoto/", "Announcer/", "Recorder/")
"""Legs of Asterisk's own machinery: conference announcer and recorder, messages, parked gotos."""

_PORTS: Final = frozenset({"Local", "DAHDI"})
"""Technologies whose resource is no account: a piece of dialplan, a port of a card."""

_NUMBER: Final = re.compile(r"\+?[0-9*#]{2,}")

LISTEN: Final = "phx-listen-"
WHISPER: Final = "phx-whisper-"
BARGE: Final = "phx-barge-"
PICKUP: Final = "phx-pickup-"
INVITE: Final = "phx-invite-"
"""How the Uniqueids of legs that we ask for begin: each of these rings a user's phone for something that is no call of
hers, and is not shown until it is (a pickup that found its caller)."""


SWITCHABLE: Final = "keys-"
"""What follows for a leg that obeys its phone's keys 4, 5 and 6."""

TONED: Final = "tone-"
"""What follows, before that, for a leg whose being there is told to all on the call by a tone."""

TONE: Final = "phx-tone-"
"""How the Uniqueids of the legs begin that give the tone: they listen to nobody."""

CALL: Final = "phx-call-"
"""… and of those that begin a call of hers, which is one from the start."""


def device(name: str) -> str:
    """Technology and resource in a channel's name: ``PJSIP/101-0000008c`` → ``PJSIP/101``, ``IAX2/my-peer-1234`` →
    ``IAX2/my-peer``, ``DAHDI/i1/5551234-a`` → ``DAHDI/i1/5551234``. By Asterisk's own rule, all before the last
    hyphen: what follows is hexadecimal or decimal, and of any length."""
    return name.rpartition("-")[0] or name


def given(value: str) -> str:
    """An AMI value, with Asterisk's ways to say *absent* turned into the empty string."""
    return "" if value in _UNSET else value


@dataclass(slots=True)
class Channel:
    """One live leg. Times are seconds of UTC by the reader's clock."""

    uniqueid: str
    order: int
    """Rises with each channel that the model learns of: the lower, the older."""
    created: float
    name: str = ""
    linkedid: str = ""
    state: int = DOWN
    number: str = ""
    caller_name: str = ""
    connected_number: str = ""
    connected_name: str = ""
    exten: str = ""
    context: str = ""
    """Exten, context, application: as the last list or snapshot event said; no event tells their every change."""
    application: str = ""
    application_data: str = ""
    dialled: str = ""
    """What its dial was given: ``74951234101@trunk``, ``branch/74951234101``; told at its birth only."""
    bridge: str = ""
    queue: str = ""
    """The queue that it came into last, which may have let it go to an agent since."""
    held: bool = False
    """Its phone holds the others."""
    music: bool = False
    """It hears music on hold: held, or waiting. Told by events only."""
    approx: bool = False
    """Known from a list, not from its birth: phases older than the list are upper bounds."""
    settles: float = 0.0
    """Until then a look at this leg may catch it between two events of one step."""
    dials: set[str] = field(default_factory=set)
    """Uniqueids that this leg rings now, or has rung and not yet been bridged with."""
    dialled_by: set[str] = field(default_factory=set)
    left: dict[str, float] = field(default_factory=dict)
    """Uniqueid of a former bridge mate → until when the two still count as one call."""
    call: str = ""
    recorded: bool = False
    """By MixMonitor, as its events told; of a recording that was begun before the panel came there is no word."""
    paused: bool = False
    """Its recording writes silence."""
    spying: bool = False
    """It runs ChanSpy, and is folded away: told as ``spy``, not as a party."""
    joined: bool = False
    """It has been in a bridge."""
    swapped: str = ""
    """Uniqueid of the leg that took its place in a bridge."""

    @property
    def ours(self) -> bool:
        """We had it made: it wears a caller ID of ours, for the display of the user's phone."""
        return self.uniqueid.startswith((LISTEN, WHISPER, BARGE, PICKUP, INVITE, TONE, CALL))

    @property
    def hidden(self) -> bool:
        rung = self.ours and not self.joined and not self.uniqueid.startswith(CALL)
        return self.spying or rung or self.name.startswith(_HIDDEN)

    @property
    def local_half(self) -> str:
        """The other half's name of a Local channel, or "": ``Local/1@x-0001;1`` ↔ ``…;2``."""
        if not self.name.startswith("Local/"):
            return ""
        base, _, half = self.name.rpartition(";")
        return f"{base};{'2' if half == '1' else '1'}" if half in ("1", "2") else ""

    @property
    def device(self) -> str:
        """Technology and resource, see ``device``."""
        return device(self.name)

    @property
    def account(self) -> str:
        """The resource, where it names who sits there: ``101``. A ``DAHDI/12`` is the twelfth port of a card."""
        technology, _, resource = self.device.partition("/")
        return "" if technology in _PORTS else resource

    @property
    def dialled_number(self) -> str:
        """The number that its dial string has in it, or ""."""
        return next((part for part in re.split("[/@&,:;]", self.dialled) if _NUMBER.fullmatch(part)), "")


SNAPSHOT: Final = (
    ("Channel", "name"),
    ("Linkedid", "linkedid"),
    ("CallerIDNum", "number"),
    ("CallerIDName", "caller_name"),
    ("ConnectedLineNum", "connected_number"),
    ("ConnectedLineName", "connected_name"),
    ("Exten", "exten"),
    ("Context", "context"),
)
"""The headers that every event about a channel carries (Asterisk's channel snapshot), and where they go."""


def take_snapshot(channel: Channel, message: Message, prefix: str = "") -> bool:
    """Set all that the snapshot in ``message`` tells of ``channel``; True if anything was new.

    Multi-channel events prefix the headers (``DestCallerIDNum``), but for one spelling: the destination's
    name is ``DestChannel``, its state ``DestChannelState`` [measured on 16 and 22].
    """
    changed = False
    for header, attribute in SNAPSHOT:
        value = given(message.text(prefix + header))
        if value != getattr(channel, attribute):
            setattr(channel, attribute, value)
            changed = True
    state = number(message.get(prefix + "ChannelState"), channel.state)
    if state != channel.state:
        channel.state = state
        changed = True
    return changed


_DURATION: Final = re.compile(r"(\d{1,9}):(\d\d):(\d\d)")


def list_duration(text: str) -> int:
    """Seconds in the ``Duration`` of CoreShowChannels (``HH:MM:SS``, hours may be over 24); 0 if it is not one."""
    match = _DURATION.fullmatch(text)
    if not match:
        return 0
    hours, minutes, seconds = map(int, match.groups())
    return hours * 3600 + minutes * 60 + seconds
