"""What one stage was told, made comparable with what the other was told.

Values that differ between two runs of anything (ids, times, counters) become a sign of their kind; all others count
as they are: states, causes, names, numbers, the words of an answer.

Order. One publisher's events come in the order in which it sends them; those of two do not: in ten runs of one play
a real Asterisk 22 sent ``DialState`` before and after ``Newstate``, ``ConfbridgeLeave`` before and after
``BridgeLeave``, ``OriginateResponse`` before and after ``DialEnd``. So events are compared chain by chain, a chain
being what one publisher says of one thing: a channel's life, a dial, a bridge, a room, a queue, a device; and what the
thread that runs a caller's dialplan says of everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from tests.demo.tap import Seen

Token = tuple[tuple[str, str], ...]
Chains = dict[tuple[str, str], list[Token]]

IDS: Final = re.compile(r".*(Uniqueid|Linkedid)|BridgeI[dD]|ActionID|CallId")
NUMBERS: Final = frozenset(
    {"HoldTime", "TalkTime", "RingTime", "Wait", "Duration", "AnsweredTime", "LastCall", "LoginTime", "CallsTaken"}
    | {"Uptime", "LastReload", "Timestamp", "ListItems", "Calls", "Holdtime", "Completed", "Abandoned"}
    | {"ServicelevelPerf", "ServicelevelPerf2", "CoreCurrentCalls", "CoreProcessedCalls", "CoreStartupDate"}
    | {"CoreStartupTime", "CoreReloadDate", "CoreReloadTime", "CoreMaxCalls"}
    | {"LastPause", "ParkingTimeout", "ParkingDuration", "Seconds", "NextReg", "ViaPort", "ExpirationTime"}
)
FREE: Final = frozenset(
    {"SystemName", "AsteriskVersion", "CoreCDRenabled", "Weight", "Strategy", "ApplicationData", "RegServer"}
    | {"UserAgent", "MaxRandomInitialDelay"}
)
"""How this PBX is configured or built, not how Asterisk speaks."""

LAB_ONLY: Final = re.compile(
    r"(.*_pause_)?(PJSIP/)?(10[4-9]|110|20[3-6]|90[123])|Queue:(vip|storm|support_pause).*|60[2]|.*Local/.*"
)
"""Devices and extensions that the lab's Asterisk has and the demo's stage does not need."""

CHANNEL: Final = re.compile(r"((?:PJSIP)/\w+)-[0-9a-f]{8}")
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OWN_ID: Final = re.compile(r"[\w]+-\d{10}\.\d+")
PORT: Final = re.compile(r"127\.0\.0\.1:\d+")
CONTACT: Final = re.compile(r";@[0-9a-f]{32}")
SIGNS: Final = ((CHANNEL, r"\1"), (UUID, "id"), (OWN_ID, "id"), (PORT, "port"), (CONTACT, ";id"))

RACES: Final[dict[str, frozenset[str]]] = {
    # The caller's thread and the phone's write at the same time: which state the other's event shows is chance.
    # It shows the last snapshot in Asterisk's cache, which may be older than what the same thread has just set; what
    # was set is compared in DialState, DialEnd and NewConnectedLine.
    "DialBegin": frozenset(
        {"DestChannelState", "DestChannelStateDesc", "DestExten", "DestConnectedLineNum", "DestConnectedLineName"}
    ),
    "AgentCalled": frozenset({"DestChannelState", "DestChannelStateDesc"}),
    "DialState": frozenset({"DestChannelState", "DestChannelStateDesc"}),
    "NewConnectedLine": frozenset({"ChannelState", "ChannelStateDesc"}),
    # Sent by the member's thread, while the caller's is already on its way to where he was passed on to.
    "AgentComplete": frozenset({"Exten", "Priority"}),
    # Two legs leave by threads of their own: which one leaves a bridge of one is chance.
    "BridgeLeave": frozenset({"BridgeNumChannels"}),
    # The device's state may be told before or after the queue has noted the answer.
    "QueueMemberStatus": frozenset({"InCall"}),
    # What a channel's data are, and through which codecs it was played something last.
    "Status": frozenset({"Data", "Readformat", "Readtrans", "Writeformat", "Writetrans"}),
}
"""Event → headers whose value varies from run to run of a real Asterisk."""


def value(key: str, text: str) -> str:
    if key in FREE or key in NUMBERS:
        return "…"
    if IDS.fullmatch(key):
        return "" if text == "" else "<unknown>" if text == "<unknown>" else "id"
    for pattern, sign in SIGNS:
        text = pattern.sub(sign, text)
    return text


def token(message: Seen) -> Token:
    """Its headers in their order, comparable."""
    races = RACES.get(message.name, frozenset()) if message.is_event else frozenset()
    if message.get("Device").startswith("CBAnn/"):
        races = frozenset({"State"})  # a channel in the course of its own destruction
    return tuple((key, "…" if key in races else value(key, text)) for key, text in message.headers)


def answers(messages: Iterable[Seen]) -> list[Token]:
    """Responses and lists, in order. A list's items come as Asterisk's hash table has them: sorted here."""
    found: list[Token] = []
    items: list[Token] = []
    for message in messages:
        if _only_in_the_lab(message):
            continue
        if not message.is_event or (message.get("ActionID") and not _is_news(message)):
            if message.is_event and message.get("EventList") != "Complete":
                items.append(token(message))
                continue
            found += [*sorted(items), token(message)]
            items = []
    return found + sorted(items)


def events(messages: Iterable[Seen]) -> list[Seen]:
    return [one for one in messages if one.is_event and _is_news(one) and not _only_in_the_lab(one)]


def _only_in_the_lab(message: Seen) -> bool:
    return any(LAB_ONLY.fullmatch(message.get(key)) for key in ("Device", "Exten", "Peer", "AOR", "Endpoint"))


def _is_news(message: Seen) -> bool:
    """Not an item of a list. ``Status`` is the only one whose items have a privilege, and no event's."""
    return message.get("Privilege") not in ("", "Call")


# --- chains


def _device_of(key: str) -> Callable[[Seen], str]:
    return lambda message: CHANNEL.sub(r"\1", message.get(key))


def _dial(message: Seen) -> str:
    return CHANNEL.sub(r"\1", f"{message.get('Channel')} > {message.get('DestChannel')}")


CHAINS: Final[dict[str, tuple[tuple[str, ...], Callable[[Seen], str]]]] = {
    "life": (("Newchannel", "Newstate", "HangupRequest", "SoftHangupRequest", "Hangup"), _device_of("Channel")),
    "line": (("NewCallerid", "NewConnectedLine"), _device_of("Channel")),
    "hold": (("Hold", "Unhold"), _device_of("Channel")),
    "music": (("MusicOnHoldStart", "MusicOnHoldStop"), _device_of("Channel")),
    "dial": (("DialBegin", "DialState", "DialEnd"), _dial),
    "picture": (("BridgeVideoSourceUpdate",), _device_of("BridgeName")),
    "bridge": (("BridgeCreate", "BridgeEnter", "BridgeLeave", "BridgeDestroy"), _device_of("BridgeType")),
    "parked": (("ParkedCall", "UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp"), _device_of("ParkeeChannel")),
    "room": (
        tuple(
            f"Confbridge{what}" for what in ("Start", "Join", "Mute", "Unmute", "Record", "StopRecord", "Leave", "End")
        ),
        _device_of("Conference"),
    ),
    "talk": (("ConfbridgeTalking",), _device_of("Channel")),
    "queue": (
        (
            *("QueueCallerJoin", "QueueCallerAbandon", "QueueCallerLeave"),
            *("AgentCalled", "AgentRingNoAnswer", "AgentConnect", "AgentComplete"),
        ),
        _device_of("Queue"),
    ),
    "spy": (("ChanSpyStart", "ChanSpyStop"), _device_of("SpyerChannel")),
    "pickup": (("Pickup",), _device_of("Channel")),
    "transfer": (("BlindTransfer",), lambda _: ""),
    "originate": (("OriginateResponse",), _device_of("Uniqueid")),
    "device": (("DeviceStateChange",), _device_of("Device")),
    "hint": (("ExtensionStatus",), _device_of("Hint")),
    "member": (("QueueMemberStatus",), _device_of("Interface")),
    "membership": (
        ("QueueMemberAdded", "QueueMemberRemoved", "QueueMemberPause", "QueueMemberPenalty"),
        _device_of("Interface"),
    ),
    "recording": (("MixMonitorStart", "MixMonitorMute", "MixMonitorStop"), _device_of("Channel")),
    "peer": (("PeerStatus",), _device_of("Peer")),
    "contact": (("ContactStatus",), _device_of("AOR")),
    "registry": (("Registry",), lambda _: ""),
}
"""Name of a chain → its events, and what tells one chain of this name from another."""

KNOWN: Final = {name for names, _ in CHAINS.values() for name in names}


def chains(messages: Iterable[Seen]) -> Chains:
    """Every event, in the chain that it belongs to."""
    found: Chains = {}
    for message in events(messages):
        for chain, (names, subject) in CHAINS.items():
            if message.name in names:
                found.setdefault((chain, subject(message)), []).append(token(message))
    for (chain, _), tokens in found.items():
        if chain == "bridge":
            _sort_leaves(tokens)
        elif chain in SAMPLED:
            del tokens[:-1]
        elif chain == "talk":
            # Asterisk now and then says twice that somebody talks.
            tokens[:] = [one for at, one in enumerate(tokens) if at == 0 or one != tokens[at - 1]]
    return found


SAMPLED: Final = frozenset({"device", "hint", "member", "registry"})
"""Asterisk looks at a device some time after it was told to: of states that follow closely some are never seen (and a
registration is undone before it is made again). So in a step only where a device ends counts, and over the whole play,
that it is never said to be what it never is."""


def sampled(messages: Iterable[Seen]) -> set[Token]:
    """All that was said of devices."""
    names = {name for chain in SAMPLED for name in CHAINS[chain][0]}
    return {token(message) for message in events(messages) if message.name in names}


def _sort_leaves(tokens: list[Token]) -> None:
    """Legs that leave one after the other leave in any order."""
    at = 0
    while at < len(tokens):
        end = at
        while end < len(tokens) and tokens[end][0] == ("Event", "BridgeLeave"):
            end += 1
        tokens[at:end] = sorted(tokens[at:end])
        at = max(end, at + 1)


THREAD: Final = frozenset(
    {"QueueCallerJoin", "AgentCalled", "DialBegin", "DialEnd", "MusicOnHoldStart", "MusicOnHoldStop"}
    | {"QueueCallerAbandon", "QueueCallerLeave", "AgentConnect", "BridgeCreate"}
)
"""What the thread that runs a caller's dialplan sends, whatever it is about."""


def thread(messages: Iterable[Seen], caller: str) -> list[str]:
    """The names of what the thread of this device's call sent, in order."""
    return [
        message.name
        for message in events(messages)
        if message.name in THREAD
        and (message.name == "BridgeCreate" or CHANNEL.sub(r"\1", message.get("Channel")) == caller)
    ]
