"""What the panel says, and what Asterisk's own lists say: field by field, every field of every row.

Pure functions: they take what a page was told by frames (`docs/frames.md`), the worker's model for what is not told of
channels and bridges, and the lists as a client that is not ours read them. Each field of a row is compared, or
compared only after the panel has read its lists again (no event carries it), or excluded (the panel does not keep it):
`AFTER_REREAD` and `EXCLUDED` say why. A field that is nowhere is a difference: nothing is passed over in silence. And
the other way round: of what the panel publishes, `UNCOMPARED` names the fields that no list tells, and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from live.bridges import Bridge
from live.channels import LISTEN, PICKUP, WHISPER, Channel
from live.pbx import Pbx
from tests.lab.checker import Checker, Fields, Rows, unescape

Entities: TypeAlias = Mapping[str, Mapping[str, Any]]
"""key → fields, of one kind."""
Pairs: TypeAlias = Mapping[str, tuple[object, object]]
"""Header → what we say, what Asterisk says."""

MOMENT_S: Final = 2.0
"""Asterisk says times in whole seconds that have passed, up to one too few; the panel by its own clock when it was
told."""

_NO_EVENT: Final = "class dialplan alone tells of it (Newexten: 30 % of what an Asterisk says), and nobody subscribes"
_EXTEN: Final = "the number dialled there, and no event carries Exten"
_COUNTER: Final = "app_queue counts it when a call ends, and tells nobody"
_ROOM: Final = "app_confbridge raises no event"

AFTER_REREAD: Final[Mapping[str, Mapping[str, str]]] = {
    "spy": {"mode": "of a phone that listens by itself: ChanSpyStart does not tell its options"},
    "CoreShowChannels": {
        "Context": _NO_EVENT,
        "Exten": _NO_EVENT,
        "Application": _NO_EVENT,
        "ApplicationData": _NO_EVENT,
        "Linkedid": "a bridge gives all in it the oldest one's; a leg's next event carries it, and where none comes, "
        "only a list",
    },
    "BridgeList": {"BridgeNumChannels (of rooms)": "a room's recorder comes and goes without an event"},
    "QueueParams": {
        "Holdtime": _COUNTER,
        "TalkTime": _COUNTER,
        "Completed": _COUNTER,
        "Abandoned": _COUNTER,
        "ServicelevelPerf": _COUNTER,
        "ServicelevelPerf2": _COUNTER,
    },
    "QueueMember": {
        "CallsTaken": "counted when the call is over, and no event says so: QueueMemberStatus, which carries it, is "
        "about the device, and may come before (of PJSIP members, each in one queue, 1 of 54 rows on 16, none on 22) "
        "or, where the device has no state of its own, never",
        "LastCall": "as CallsTaken",
    },
    "QueueEntry": {"Priority": "no event of app_queue carries it", "CallerIDNum (of a Local's end)": _EXTEN},
    "ConfbridgeListRooms": {"Locked": _ROOM, "Marked": "who is marked, no event says"},
    "ConfbridgeList": {
        "MarkedUser": "no event carries it",
        "Waiting": "who waits for a marked one is told by no event",
        "CallerIDNum (of a Local's end)": _EXTEN,
    },
    "ParkedCalls": {"ParkeeCallerIDNum (of a Local's end)": _EXTEN},
}

_OWN: Final = "counted by the panel itself"
_PAST: Final = "no list tells what was, or since when it is"

UNCOMPARED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("call.rev", "room.rev", "participant.rev", "waiting.rev", "parked.rev", "member.rev"), _OWN),
    "spy.rev": _OWN,
    **dict.fromkeys(("call.since", "call.started", "call.parent", "party.since", "room.since", "spy.since"), _PAST),
    **dict.fromkeys(("call.approx", "room.approx", "participant.approx"), "whether the panel itself was there"),
    **dict.fromkeys(("call.cause", "call.reason"), "told when a call has ended, and what has ended is in no list"),
    **dict.fromkeys(("spy.user", "spy.user_id", "spy.role"), "who began it in the panel, Asterisk does not know"),
    "spy.switchable": "how the panel itself had it made",
    "spy.ending": "why the panel itself ends it",
    "call.recording": "MixMonitor is in no list",
    "trunk.registration": "the lab's trunk registers nowhere",
}
"""What a page is told and nothing is compared with: kind and field → why."""

_FRAMING: Final = frozenset({"Event", "ActionID", "Privilege"})
_NOT_KEPT: Final = "nothing of the panel shows it"
_WORDS: Final = "ChannelState in words"
_IN_CHANNELS: Final = "compared in CoreShowChannels' row of the same channel"

EXCLUDED: Final[Mapping[str, Mapping[str, str]]] = {
    "CoreShowChannels": {
        "ChannelStateDesc": _WORDS,
        "Language": _NOT_KEPT,
        "AccountCode": _NOT_KEPT,
        "Priority": _NOT_KEPT,
    },
    "Status": {
        **dict.fromkeys(
            ("Language", "AccountCode", "Priority", "DNID", "TimeToHangup", "Nativeformats", "Readformat"), _NOT_KEPT
        ),
        **dict.fromkeys(("Readtrans", "Writeformat", "Writetrans", "Callgroup", "Pickupgroup", "Type"), _NOT_KEPT),
        **dict.fromkeys(("EffectiveConnectedLineNum", "EffectiveConnectedLineName"), _NOT_KEPT),
        "ChannelStateDesc": _WORDS,
        **dict.fromkeys(("Context", "Exten", "Application", "Data", "Linkedid"), _IN_CHANNELS),
    },
    "BridgeList": {"BridgeVideoSourceMode": _NOT_KEPT},
    "QueueEntry": {
        "Channel": _IN_CHANNELS,
        "ConnectedLineNum": _IN_CHANNELS,
        "ConnectedLineName": _IN_CHANNELS,
    },
    "ConfbridgeListRooms": {"Muted": "who comes is muted from the start: nothing of the panel shows it"},
    "ConfbridgeList": {
        **dict.fromkeys(("WaitMarked", "EndMarked", "EndMarkedAny"), _NOT_KEPT),
        "ChannelStateDesc": _WORDS,
        **dict.fromkeys(("ChannelState", "ConnectedLineNum", "ConnectedLineName", "Language"), _IN_CHANNELS),
        **dict.fromkeys(("AccountCode", "Context", "Exten", "Priority", "Linkedid"), _IN_CHANNELS),
    },
    "ParkedCalls": {
        "ParkeeChannelStateDesc": _WORDS,
        **dict.fromkeys(("ParkeeChannel", "ParkeeChannelState", "ParkeeConnectedLineNum"), _IN_CHANNELS),
        **dict.fromkeys(("ParkeeConnectedLineName", "ParkeeLanguage", "ParkeeAccountCode"), _IN_CHANNELS),
        **dict.fromkeys(("ParkeeContext", "ParkeeExten", "ParkeePriority", "ParkeeLinkedid"), _IN_CHANNELS),
    },
}

FLAGS: Final = {"Admin": "admin", "Muted": "muted", "Talking": "talking"}
UNTOLD_FLAGS: Final = {"MarkedUser": "marked", "Waiting": "waiting"}
STATUS: Final = ["unknown", "not_inuse", "inuse", "busy", "invalid", "unavailable", "ringing", "ringinuse", "onhold"]
STATES: Final = {"0": "down", "4": "calling", "5": "ringing", "6": "up"}
_HIDDEN: Final = ("CBAnn/", "CBRec/", "Message/")
_OURS: Final = (LISTEN, WHISPER, PICKUP)
MODES: Final = {"w": "whisper", "B": "barge"}
"""ChanSpy's option → what it does; without either it listens."""


@dataclass(frozen=True)
class Lists:
    """All lists of one Asterisk, as read at one quiet moment."""

    slack: Callable[[float], float]
    """How late, in seconds, what was so at a time may have been told: a machine that has too much to do tells late."""
    at: Mapping[str, float]
    """When each was read, by its name: seconds of UTC. A busy machine takes its time between two."""
    heard: float
    """When Asterisk had last told of an event, by the monotonic clock."""
    channels: Rows
    status: Rows
    bridges: Rows
    queues: Rows
    rooms: Rows
    members: Mapping[str, Rows]
    """ConfbridgeList of each room."""
    parked: Rows
    devices: Rows
    extensions: Rows

    @property
    def rows(self) -> int:
        """How many there are in all."""
        lists = (self.channels, self.status, self.bridges, self.queues, self.rooms, self.parked, self.devices)
        return sum(map(len, (*lists, self.extensions, *self.members.values())))

    def moment(self, said: float, listed: float, *, known: bool = True) -> tuple[object, object]:
        """Two moments, the same if they are no more than `MOMENT_S` apart, or if Asterisk does not know."""
        same = abs(said - listed) <= MOMENT_S + max(map(self.slack, (said, listed, *self.at.values())))
        return (listed, listed) if same or not known else (said, listed)

    @classmethod
    def read(cls, checker: Checker, now: Callable[[], float], heard: float, slack: Callable[[float], float]) -> Lists:
        """Read them all. Whether it is quiet meanwhile, the caller sees to."""
        at: dict[str, float] = {}

        def rows(name: str, **headers: Any) -> Rows:
            asked = now()
            found = checker.list(name, **headers)
            at[name] = (asked + now()) / 2
            return found

        rooms = rows("ConfbridgeListRooms")
        return cls(
            slack,
            at,
            heard,
            rows("CoreShowChannels"),
            rows("Status"),
            rows("BridgeList"),
            rows("QueueStatus"),
            rooms,
            {room["Conference"]: rows("ConfbridgeList", Conference=room["Conference"]) for room in rooms},
            rows("ParkedCalls"),
            rows("DeviceStateList"),
            rows("ExtensionStateList"),
        )


@dataclass
class Findings:
    """What a comparison found, in words, and what it compared."""

    differences: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    """Said by the panel, and not there."""
    compared: set[str] = field(default_factory=set)
    """``CoreShowChannels.BridgeId`` and so on."""

    def rows(
        self,
        name: str,
        ours: Mapping[str, object],
        rows: Mapping[str, Fields],
        compare: Callable[[str, Fields], tuple[Pairs, Pairs]],
        *,
        reread: bool,
    ) -> None:
        """Compare a list by key: which rows there are, and of those that both have, field by field.

        `compare` gives what can be compared at any time, and what only after a re-read. With `reread` all of it is.
        """
        self.ghosts += [f"{name}: {key} is not there" for key in ours.keys() - rows.keys()]
        self.differences += [f"{name}: {key} is missing" for key in rows.keys() - ours.keys()]
        for key in sorted(ours.keys() & rows.keys()):
            always, later = compare(key, rows[key])
            classified = {header.partition(" (")[0] for header in (*always, *later, *EXCLUDED.get(name, ()))}
            unnamed = rows[key].keys() - classified - _FRAMING
            self.differences += [f"{name}: what about {header}?" for header in sorted(unnamed)]
            pairs = {**always, **later} if reread else always
            self.compared |= {f"{name}.{header}" for header in pairs}
            self.differences += [
                f"{name}: {key} {header}: {said!r} ≠ {listed!r}"
                for header, (said, listed) in pairs.items()
                if said != listed
            ]

    def equal(self, what: str, said: object, listed: object, of: str = "") -> None:
        """Compare one thing that follows from several rows."""
        self.compared.add(what)
        if said != listed:
            self.differences.append(f"{what}: {of} {said!r} ≠ {listed!r}")


def differences(
    entities: Mapping[str, Entities],
    pbx: Pbx,
    lists: Lists,
    *,
    reread: bool = False,
    moved: Set[str] = frozenset(),
) -> Findings:
    """Compare all. `entities` are what a page holds: kind → key → fields. With `reread` the panel has just read its
    lists again, and what no event carries is compared too. `moved` are legs that took another's place: Asterisk then
    says for how long that one was there."""
    found = Findings()
    channel_rows = {row["Uniqueid"]: row for row in lists.channels}
    found.rows(
        "CoreShowChannels",
        pbx.channels,
        channel_rows,
        _channel(pbx, lists, moved),
        reread=reread,
    )
    places = _Places(pbx, lists)
    status_rows = {row["Uniqueid"]: row for row in lists.status}
    # ChanSpy keeps the leg that it hears, and whom that talked with: one that hangs up meanwhile is told of as hung up
    # when the listener goes, and until then is in CoreShowChannels, but no longer in Status [16].
    kept = {
        one for one, row in channel_rows.items() if places.spies and one not in status_rows and not row["BridgeId"]
    }
    there = {one: channel for one, channel in pbx.channels.items() if one not in kept}
    found.rows("Status", there, status_rows, _status(pbx, lists, moved), reread=reread)
    bridge_rows = {row["BridgeUniqueid"]: row for row in lists.bridges}
    found.rows("BridgeList", pbx.bridges, bridge_rows, _bridge(pbx, lists.channels), reread=reread)
    _queues(found, entities, lists, places, reread=reread)
    _rooms(found, entities, lists, places, moved, reread=reread)
    parked = {pbx.key(row["ParkeeUniqueid"]): row for row in lists.parked}
    ours = entities.get("parked", {})
    found.rows("ParkedCalls", ours, parked, _parked(ours, entities, lists, places), reread=reread)
    devices = {pbx.key(row["Device"]): row for row in lists.devices}
    ours = entities.get("device", {})
    found.rows("DeviceStateList", ours, devices, _device(ours, pbx), reread=reread)
    extensions = {pbx.key(f"{row['Exten']}@{row['Context']}"): row for row in lists.extensions}
    ours = entities.get("extension", {})
    found.rows("ExtensionStateList", ours, extensions, _extension(ours), reread=reread)
    _trunks(found, entities.get("trunk", {}), pbx, lists)
    _calls(found, entities.get("call", {}), entities.get("party", {}), places, moved, reread=reread)
    _spies(found, entities, places, reread=reread)
    return found


# --- rows, list by list


def channel_pairs(channel: Channel, row: Fields) -> Pairs:
    """What every version of CoreShowChannels says of a channel, and events too."""
    return {
        "Uniqueid": (channel.uniqueid, row["Uniqueid"]),
        "Channel": (channel.name, row["Channel"]),
        "ChannelState": (channel.state, int(row["ChannelState"])),
        "CallerIDNum": (channel.number, given(row["CallerIDNum"])),
        "CallerIDName": (channel.caller_name, given(row["CallerIDName"])),
        "ConnectedLineNum": (channel.connected_number, given(row["ConnectedLineNum"])),
        "ConnectedLineName": (channel.connected_name, given(row["ConnectedLineName"])),
        "BridgeId": (channel.bridge, row.get("BridgeId", "")),
    }


def _channel(pbx: Pbx, lists: Lists, moved: Set[str]) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(uniqueid: str, row: Fields) -> tuple[Pairs, Pairs]:
        channel = pbx.channels[uniqueid]
        listed = lists.at["CoreShowChannels"] - _seconds(row["Duration"])
        age = lists.moment(channel.created, listed, known=uniqueid not in moved)
        return {**channel_pairs(channel, row), "Duration": age}, {
            "Context": (channel.context, row["Context"]),
            "Exten": (channel.exten, row["Exten"]),
            "Application": (channel.application, row["Application"]),
            "ApplicationData": (channel.application_data, unescape(row["ApplicationData"])),
            "Linkedid": (channel.linkedid, row["Linkedid"]),
        }

    return compare


def _status(pbx: Pbx, lists: Lists, moved: Set[str]) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(uniqueid: str, row: Fields) -> tuple[Pairs, Pairs]:
        channel = pbx.channels[uniqueid]
        pairs = dict(channel_pairs(channel, row))
        del pairs["BridgeId"]
        bridge = (channel.bridge, row["BridgeID"])
        listed = lists.at["Status"] - int(row["Seconds"])
        since = lists.moment(channel.created, listed, known=uniqueid not in moved)
        return {**pairs, "BridgeID": bridge, "Seconds": since}, {}

    return compare


def _bridge(pbx: Pbx, channels: Rows) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(uniqueid: str, row: Fields) -> tuple[Pairs, Pairs]:
        bridge: Bridge = pbx.bridges[uniqueid]
        kind = _kind(row)
        inside = {channel["Uniqueid"] for channel in channels if channel["BridgeId"] == uniqueid}
        room = kind == "room"
        size = (bridge.size, int(row["BridgeNumChannels"]))
        return {
            "BridgeUniqueid": (bridge.members, inside),
            "BridgeType": (bridge.kind.value, kind),
            "BridgeTechnology": (bridge.kind.value, kind),
            "BridgeCreator": (bridge.kind.value, kind),
            "BridgeName": (bridge.name, row["BridgeName"] if room else ""),
            **({} if room else {"BridgeNumChannels": size}),
        }, ({"BridgeNumChannels (of rooms)": size} if room else {})

    return compare


def _kind(row: Fields) -> str:
    if row["BridgeCreator"] == "ConfBridge":
        return "room"
    if row["BridgeType"] == "parking":
        return "parking"
    return "holding" if row["BridgeTechnology"] == "holding_bridge" else "talk"


def _queues(
    found: Findings,
    entities: Mapping[str, Entities],
    lists: Lists,
    places: _Places,
    *,
    reread: bool,
) -> None:
    pbx = places.pbx
    of: dict[str, Rows] = {"QueueParams": [], "QueueMember": [], "QueueEntry": []}
    for row in lists.queues:
        of[row["Event"]].append(row)
    queues, members, waiting = (entities.get(kind, {}) for kind in ("queue", "member", "waiting"))
    entries = {pbx.key(row["Uniqueid"]): row for row in of["QueueEntry"]}
    rows = {pbx.key(row["Queue"]): row for row in of["QueueParams"]}
    found.rows("QueueParams", queues, rows, _queue(queues, pbx, of), reread=reread)
    rows = {pbx.key(f"{row['Queue']}/{row['Location']}"): row for row in of["QueueMember"]}
    found.rows("QueueMember", members, rows, _member(members, pbx), reread=reread)
    found.rows("QueueEntry", waiting, entries, _waiting(entities, lists, places), reread=reread)


def _queue(queues: Entities, pbx: Pbx, of: Mapping[str, Rows]) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said = queues[key]
        entries = [entry for entry in of["QueueEntry"] if entry["Queue"] == row["Queue"]]
        order = [pbx.key(entry["Uniqueid"]) for entry in sorted(entries, key=lambda entry: int(entry["Position"]))]
        members = {
            pbx.key(f"{one['Queue']}/{one['Location']}") for one in of["QueueMember"] if one["Queue"] == row["Queue"]
        }
        always: Pairs = {
            "Queue": (said["name"], row["Queue"]),
            "Max": (said["max"], int(row["Max"])),
            "Strategy": (said["strategy"], row["Strategy"]),
            "Calls": (len(said["waiting"]), int(row["Calls"])),
            "Weight": (said["weight"], int(row["Weight"])),
            "ServiceLevel": (said["target_s"], int(row["ServiceLevel"])),
            "(waiting)": (said["waiting"], order),
            "(members)": (set(said["members"]), members),
            "(members, each once)": (len(said["members"]), len(members)),
        }
        return always, {
            "Holdtime": (said["hold_s"], int(row["Holdtime"])),
            "TalkTime": (said["talk_s"], int(row["TalkTime"])),
            "Completed": (said["completed"], int(row["Completed"])),
            "Abandoned": (said["abandoned"], int(row["Abandoned"])),
            "ServicelevelPerf": (said["within"], row["ServicelevelPerf"]),
            "ServicelevelPerf2": (said["within_all"], row["ServicelevelPerf2"]),
        }

    return compare


def _member(members: Entities, pbx: Pbx) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said = members[key]
        always: Pairs = {
            "Queue": (said["queue"], pbx.key(row["Queue"])),
            "Name": (said["name"], row["Name"]),
            "Location": (said["interface"], row["Location"]),
            "StateInterface": (said["state_interface"], row["StateInterface"]),
            "Membership": (said["membership"], row["Membership"]),
            "Penalty": (said["penalty"], int(row["Penalty"])),
            "Paused": (said["paused"], row["Paused"] == "1"),
            "PausedReason": (said["reason"], row["PausedReason"]),
            "Status": (said["status"], STATUS[int(row["Status"])]),
            "InCall": (said["in_call"], row["InCall"] == "1"),
            "Wrapuptime": (said["wrapup_s"], int(row["Wrapuptime"])),
            "LastPause": (said["last_pause"], int(row["LastPause"]) * 1000),
            "LoginTime": (said["login"], int(row["LoginTime"]) * 1000),
        }
        return always, {
            "CallsTaken": (said["calls_taken"], int(row["CallsTaken"])),
            "LastCall": (said["last_call"], int(row["LastCall"]) * 1000),
        }

    return compare


def _waiting(
    entities: Mapping[str, Entities], lists: Lists, places: _Places
) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    pbx, queues = places.pbx, entities.get("queue", {})

    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said = entities["waiting"][key]
        # The only list that has names as they are, without C's escapes, and a word of its own for none. It reads the
        # channel itself, where the others read a snapshot: of a Local half the two may differ [16 and 22].
        own = {header: "" if row[header] == "unknown" else _escaped(row[header]) for header in _CALLER}
        who, later = _who(entities, places, said, row["Uniqueid"], own)
        always: Pairs = {
            "Queue": (said["queue"], pbx.key(row["Queue"])),
            "Position": (_place(queues, said["queue"], key), int(row["Position"])),
            "Uniqueid": (key, pbx.key(row["Uniqueid"])),
            **who,
            "Wait": lists.moment(said["since"] / 1000, lists.at["QueueStatus"] - int(row["Wait"])),
        }
        return always, {**later, "Priority": (said["priority"], int(row["Priority"]))}

    return compare


_CALLER: Final = {"CallerIDNum": "number", "CallerIDName": "name"}


def _who(
    entities: Mapping[str, Entities], places: _Places, said: Mapping[str, Any], uniqueid: str, own: Fields
) -> tuple[Pairs, Pairs]:
    """Who is at a place of which a list tells, and on which call. `own` is how that list calls him."""
    who, later = places.who(said, places.rows[uniqueid], own)
    on = places.calls(uniqueid, entities.get("party", {}))
    call = (said["call"], said["call"] if said["call"] in on else on)
    headers = {field_name: header for header, field_name in _CALLER.items()}
    return (
        {**{headers[field_name]: pair for field_name, pair in who.items()}, "(call)": call},
        {f"{headers[field_name]} (of a Local's end)": pair for field_name, pair in later.items()},
    )


def _place(queues: Entities, queue: str, key: str) -> int:
    """The place of one who waits, 1 the next; 0 where its queue does not have it."""
    order = queues.get(queue, {}).get("waiting", [])
    return order.index(key) + 1 if key in order else 0


def _rooms(
    found: Findings,
    entities: Mapping[str, Entities],
    lists: Lists,
    places: _Places,
    moved: Set[str],
    *,
    reread: bool,
) -> None:
    pbx = places.pbx
    rooms, people = entities.get("room", {}), entities.get("participant", {})
    members = {name: [pbx.key(row["Uniqueid"]) for row in rows] for name, rows in lists.members.items()}

    sizes = {row["BridgeName"]: int(row["BridgeNumChannels"]) for row in lists.bridges if _kind(row) == "room"}

    shown = {row.get("BridgeVideoSource", "") for row in lists.bridges}

    def room(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said = rooms[key]
        # Beside the people a room's announcer is in its bridge, and a recorder if there is one: no list shows either.
        recorded = sizes.get(row["Conference"], 0) - int(row["Parties"]) > 1
        marked = sum(people.get(one, {}).get("marked", False) for one in said["participants"])
        always: Pairs = {
            "Conference": (said["name"], row["Conference"]),
            "Parties": (len(said["participants"]), int(row["Parties"])),
            "(participants)": (sorted(said["participants"]), sorted(members[row["Conference"]])),
            "(recorder)": (said["recording"], recorded),
        }
        return always, {"Locked": (said["locked"], row["Locked"] == "Yes"), "Marked": (marked, int(row["Marked"]))}

    def participant(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said = people[key]
        who, later = _who(entities, places, said, row["Uniqueid"], row)
        # It came into the room after its leg was answered; a leg that took another's place says when that one was.
        since, now = said["since"] / 1000, lists.at["ConfbridgeList"]
        answered = now - int(row["AnsweredTime"])
        earliest = said["since"] / 1000 if row["Uniqueid"] in moved else answered
        always: Pairs = {
            "Conference": (said["room"], pbx.key(row["Conference"])),
            "Channel": (said["channel"], row["Channel"]),
            "Uniqueid": (key, pbx.key(row["Uniqueid"])),
            **who,
            "AnsweredTime": lists.moment(since, min(max(since, earliest), now)),
            "(side)": (said["side"], places.side(places.rows[row["Uniqueid"]])),
            "(video)": (said["video"], row["Uniqueid"] in shown),
            **{header: (said[name], row[header] == "Yes") for header, name in FLAGS.items()},
        }
        flags = {header: (said[name], row[header] == "Yes") for header, name in UNTOLD_FLAGS.items()}
        return always, {**later, **flags}

    found.rows(
        "ConfbridgeListRooms", rooms, {pbx.key(row["Conference"]): row for row in lists.rooms}, room, reread=reread
    )
    listed = {pbx.key(row["Uniqueid"]): row for rows in lists.members.values() for row in rows}
    found.rows("ConfbridgeList", people, listed, participant, reread=reread)


def _parked(
    parked: Entities, entities: Mapping[str, Entities], lists: Lists, places: _Places
) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    pbx = places.pbx

    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said, at = parked[key], lists.at["ParkedCalls"]
        own = {header: row[f"Parkee{header}"] for header in _CALLER}
        who, later = _who(entities, places, said, row["ParkeeUniqueid"], own)
        always: Pairs = {
            "ParkeeUniqueid": (key, pbx.key(row["ParkeeUniqueid"])),
            **{f"Parkee{header}": pair for header, pair in who.items()},
            "Parkinglot": (said["lot"], row["Parkinglot"]),
            "ParkingSpace": (said["space"], row["ParkingSpace"]),
            "ParkerDialString": (said["by"], row["ParkerDialString"]),
            "ParkingTimeout": lists.moment(said["until"] / 1000, at + int(row["ParkingTimeout"])),
            "ParkingDuration": lists.moment(said["since"] / 1000, at - int(row["ParkingDuration"])),
        }
        return always, {f"Parkee{header}": pair for header, pair in later.items()}

    return compare


def _device(devices: Entities, pbx: Pbx) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        return {"Device": (key, pbx.key(row["Device"])), "State": (devices[key]["state"], row["State"])}, {}

    return compare


def _extension(extensions: Entities) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said = extensions[key]
        always: Pairs = {
            "Exten": (said["exten"], row["Exten"]),
            "Context": (said["context"], row["Context"]),
            "Hint": (said["hint"], row["Hint"]),
            "Status": (said["status"], int(row["Status"])),
            "StatusText": (said["text"], row["StatusText"]),
        }
        return always, {}

    return compare


def _trunks(found: Findings, trunks: Entities, pbx: Pbx, lists: Lists) -> None:
    states = {row["Device"]: row["State"] for row in lists.devices if pbx.trunks.search(row["Device"])}
    found.equal("trunk (all of DeviceStateList)", {said["name"] for said in trunks.values()}, states.keys())
    for said in trunks.values():
        state = states.get(said["name"], "")
        reachable = "no" if state in ("UNAVAILABLE", "INVALID") else "yes" if state not in ("", "UNKNOWN") else ""
        found.equal("trunk.state", said["state"], state)
        found.equal("trunk.reachable", said["reachable"], reachable)
        on = sum(row["Channel"].rpartition("-")[0] == said["name"] for row in lists.channels)
        found.equal("trunk.channels", said["channels"], on)


# --- who listens


def _spies(found: Findings, entities: Mapping[str, Entities], places: _Places, *, reread: bool) -> None:
    """Who listens to whom, by what ChanSpy was told to do; its legs are in no call."""
    pbx, said, parties = places.pbx, entities.get("spy", {}), entities.get("party", {})
    rows = {pbx.key(row["Uniqueid"]): row for row in places.spies}
    found.ghosts += [f"spy {key} is not there" for key in said.keys() - rows.keys()]
    for key, row in rows.items():
        found.equal("spy (told, if it has somebody to hear)", key in said, True, row["Channel"])
        found.equal("spy (no party)", key in parties, False, row["Channel"])
        if (spy := said.get(key)) is None:
            continue
        heard, options = places.hears(row)
        party = pbx.key(heard)
        found.equal("spy.party", spy["party"], party, row["Channel"])
        on = places.calls(heard, parties) or {""}
        found.equal("spy.call", spy["call"], spy["call"] if spy["call"] in on else on, row["Channel"])
        own = row["Uniqueid"].startswith(_OURS)
        if own or reread:  # of others' the option is in no event
            mode = next((mode for option, mode in MODES.items() if option in options), "listen")
            found.equal("spy.mode", spy["mode"], mode, row["Channel"])
        number, name = places.identity(row)
        found.equal("spy.number", spy["number"], places.resource(row) if own else number, row["Channel"])
        found.equal("spy.name", spy["name"], "" if own else name, row["Channel"])
        found.equal("spy.device", spy["device"], row["Channel"].rpartition("-")[0], row["Channel"])


# --- calls: what a page shows is the channels, folded


def _calls(
    found: Findings, calls: Entities, parties: Entities, places: _Places, moved: Set[str], *, reread: bool
) -> None:
    pbx = places.pbx
    found.equal("party.call", {party["call"] for party in parties.values()} - calls.keys(), set())
    ended = {key for key, call in calls.items() if call["phase"] == "ended"}
    alive = {key: party for key, party in parties.items() if party["call"] in calls.keys() - ended}
    rows = {pbx.key(uniqueid): row for uniqueid, row in places.rows.items()}
    found.ghosts += [f"party {key} has no channel" for key in alive.keys() - rows.keys()]
    of: dict[str, list[Rows]] = {key: [] for key in calls.keys() - ended}
    """The parts of each call: more than one only while somebody rings, since who rings whom is in no list."""
    for part in places.parts():
        names = {alive[key]["call"] for row in part if (key := pbx.key(row["Uniqueid"])) in alive}
        for row in part:
            key = pbx.key(row["Uniqueid"])
            if not row["Channel"].startswith("Local/"):
                found.equal("party (each leg is on a call)", key in alive, True, row["Channel"])
            if key in alive:
                _party(found, places, alive[key], row, reread=reread)
        if names or all(row["ChannelState"] == "6" for row in part):
            found.equal("call (one for all legs that are together)", len(names), 1, part[0]["Channel"])
        for name in names:
            of[name].append(part)
    for key, parts in of.items():
        call, legs = calls[key], [rows[one] for one in calls[key]["parties"] if one in rows]
        found.equal("call.parties", set(call["parties"]), {one for one in alive if alive[one]["call"] == key})
        rings = any(row["ChannelState"] != "6" for part in parts for row in part)
        if not rings:
            found.equal("call (none for legs that are not)", len(parts), 1, key)
        possible = places.phases(parts)
        found.equal("call.phase", call["phase"], call["phase"] if call["phase"] in possible else possible, key)
        for field_name, where in (("room", "conference"), ("slot", "parked"), ("queue", "waiting")):
            place = call[field_name]
            if call["phase"] == where:
                named = {name for part in parts for name in places.names(part)}
                found.equal(f"call.{field_name}", place in named, True)
            elif field_name != "queue":  # which stays on a call as the place that it came from
                found.equal(f"call.{field_name}", place, "")
        sides = [places.side(row) for row in legs]
        outbound = "outbound" if "outside" in sides else "internal"
        found.equal("call.direction", call["direction"], "inbound" if sides[:1] == ["outside"] else outbound, key)
        for one in call["parties"]:
            role = "caller" if one == call["parties"][0] else "callee"
            found.equal("party.role", parties.get(one, {}).get("role"), role, one)
        ages = [_seconds(row["Duration"]) for row in legs if row["Uniqueid"] not in moved]
        if ages and legs[0]["Uniqueid"] not in moved:
            found.equal("call.parties (the eldest first)", max(0, max(ages) - ages[0] - 1), 0, key)


def _party(found: Findings, places: _Places, said: Mapping[str, Any], row: Fields, *, reread: bool) -> None:
    found.equal("party.channel", said["channel"], row["Channel"], row["Channel"])
    always, later = places.who(said, row)
    for field_name, (ours, theirs) in {**always, **(later if reread else {})}.items():
        found.equal(f"party.{field_name}", ours, theirs, row["Channel"])
    found.equal("party.state", said["state"].replace("hold", "up"), STATES[row["ChannelState"]], row["Channel"])
    found.equal("party.side", said["side"], places.side(row), row["Channel"])


class _Places:
    """Which channels are together, where, and who sits at each: by Asterisk's lists alone, and the PBX's patterns."""

    def __init__(self, pbx: Pbx, lists: Lists) -> None:
        self.pbx = pbx
        self.rows = {row["Uniqueid"]: row for row in lists.channels}
        self.spies = [row for row in lists.channels if row["Application"] == "ChanSpy"]
        self._names = {row["Channel"]: row["Uniqueid"] for row in lists.channels}
        self._halves = {row["Channel"]: row for row in lists.channels if row["Channel"].startswith("Local/")}
        self._bridges = {row["BridgeUniqueid"]: row for row in lists.bridges}
        self._slots = {row["ParkeeUniqueid"]: row["ParkingSpace"] for row in lists.parked}
        self._queues = {row["Uniqueid"]: row["Queue"] for row in lists.queues if row["Event"] == "QueueEntry"}
        self._inside: dict[str, Rows] = {}
        for row in lists.channels:
            if self._at(row) == "talk":
                self._inside.setdefault(row["BridgeId"], []).append(row)

    def hears(self, spy: Fields) -> tuple[str, str]:
        """The Uniqueid of the leg that ChanSpy was told to hear, and its options."""
        target, _, options = spy["ApplicationData"].partition(",")
        return self._names.get(target, target), options

    def parts(self) -> Iterator[Rows]:
        """Channels that are joined by a bridge in which people talk, or are the halves of one Local channel."""
        rows = {uniqueid: row for uniqueid, row in self.rows.items() if not self._hidden(row)}
        groups: dict[str, list[str]] = {}
        for uniqueid, row in rows.items():
            if self._at(row) == "talk":
                groups.setdefault(row["BridgeId"], []).append(uniqueid)
            if row["Channel"].startswith("Local/"):
                groups.setdefault(row["Channel"].rpartition(";")[0], []).append(uniqueid)
        left = set(rows)
        while left:
            part, rim = set(), {min(left)}
            while rim:
                part |= rim
                rim = {other for group in groups.values() if part & {*group} for other in group} - part
            left -= part
            yield [rows[uniqueid] for uniqueid in sorted(part)]

    def calls(self, uniqueid: str, parties: Entities) -> set[str]:
        """What is said to be the call of those who are together with this leg, or of the leg itself."""
        part = next((part for part in self.parts() if any(row["Uniqueid"] == uniqueid for row in part)), [])
        return {parties[key]["call"] for row in part if (key := self.pbx.key(row["Uniqueid"])) in parties}

    def phases(self, parts: list[Rows]) -> set[str]:
        """What a call of these legs may be doing. Whether it is on hold is in no list (a device's ONHOLD says that it
        was put on hold, and stays when it has gone elsewhere); nor who rings whom, and whether one whom nobody rings
        yet is about to be."""
        rows = [row for part in parts for row in part]
        at = [self._at(row) for row in rows]
        placed = {phase for where, phase in (("room", "conference"), ("parking", "parked")) if where in at}
        if placed:  # both, where a Local channel has one end here and one there
            return placed
        if any(sum(self._at(row) == "talk" for row in part) > 1 for part in parts):
            return {"talking", "hold"}
        if any(row["Uniqueid"] in self._queues for row in rows):
            return {"waiting"}
        states = {row["ChannelState"] for row in rows if not row["Channel"].startswith("Local/")}
        if "5" in states:
            return {"ringing"}
        if any(row["ChannelState"] != "6" for row in rows):
            return {"dialling", "ringing"}
        return {"menu", "hold"} if "talk" in at else {"menu"}

    def names(self, part: Rows) -> set[str]:
        """The rooms, slots and queues that they are in."""
        rooms = {self._bridges[row["BridgeId"]]["BridgeName"] for row in part if self._at(row) == "room"}
        others = {place.get(row["Uniqueid"], "") for row in part for place in (self._slots, self._queues)}
        return (rooms | others) - {""}

    def who(self, said: Mapping[str, Any], row: Fields, own: Fields | None = None) -> tuple[Pairs, Pairs]:
        """Number and name, as said of the leg of this row, and as listed: at any time, and after a re-read only. For
        the number of a Local channel's end follows Exten, which no event carries."""
        number, name = self.identity(row, own)
        numbers, names = {"number": (said["number"], number)}, {"name": (said["name"], name)}
        return (names, numbers) if self._seat(row)["Channel"].startswith("Local/") else ({**numbers, **names}, {})

    def identity(self, row: Fields, own: Fields | None = None) -> tuple[str, str]:
        """Number and name of who sits at this leg: an extension of ours is its device, whatever its caller ID says,
        and the end of a Local channel has only the number that was dialled. `own` is what the list that names the leg
        says itself of the caller ID: of a leg that somebody sits at, and not behind, that counts."""
        seat = self._seat(row)
        if seat["Channel"].startswith("Local/"):
            dialled = seat["Channel"].partition("/")[2].partition("@")[0]
            return (dialled if seat["Exten"] in ("", "s", "h") else seat["Exten"]), ""
        told = own if own is not None and seat is row else seat
        resource = self.resource(seat)
        number = resource if self.pbx.extensions.fullmatch(resource) else given(told["CallerIDNum"])
        return number, given(told["CallerIDName"])

    @staticmethod
    def resource(row: Fields) -> str:
        """Who has this device."""
        return row["Channel"].rpartition("-")[0].partition("/")[2]

    def side(self, row: Fields) -> str:
        """Where the one is who sits at this leg."""
        channel = self._seat(row)["Channel"]
        if channel.startswith("Local/"):
            return "app"
        return "outside" if self.pbx.trunks.search(channel.rpartition("-")[0]) else "internal"

    def _seat(self, row: Fields) -> Fields:
        """The leg at which somebody sits: the one leg that comes through this half of a Local channel, if that is
        parked, in a room or in a queue."""
        if not (row["Uniqueid"] in self._queues or self._at(row) in ("room", "parking", "holding")):
            return row
        leg, seen = row, {row["Uniqueid"]}
        while leg["Channel"].startswith("Local/"):
            base, _, half = leg["Channel"].rpartition(";")
            other = self._halves.get(f"{base};{'2' if half == '1' else '1'}")
            seen |= {other["Uniqueid"]} if other is not None else set()
            beyond = self._inside.get(other["BridgeId"], []) if other is not None else []
            beyond = [one for one in beyond if one["Uniqueid"] not in seen]
            if len(beyond) != 1:
                return row
            leg = beyond[0]
            seen.add(leg["Uniqueid"])
        return leg

    def _at(self, row: Fields) -> str:
        return _kind(self._bridges[row["BridgeId"]]) if row["BridgeId"] in self._bridges else ""

    @staticmethod
    def _hidden(row: Fields) -> bool:
        """Whether it is nobody's: Asterisk's own machinery, or a leg that listens, or is being rung for that."""
        rung = row["Uniqueid"].startswith(_OURS) and not row["BridgeId"]
        return rung or row["Application"] == "ChanSpy" or row["Channel"].startswith(_HIDDEN)


# --- what is older, and smaller


def call_differences(calls: Entities, parties: Entities, rows: Rows) -> list[str]:
    """The legs that a page shows on calls that go on, and CoreShowChannels."""
    on_page = {party["channel"] for party in parties.values() if calls[party["call"]]["phase"] != "ended"}
    names = {row["Channel"] for row in rows}
    found = [f"the page shows a ghost {name}" for name in on_page - names]
    # Local halves, Asterisk's own machinery and who listens are folded away; every other phone must be seen.
    listen = {row["Channel"] for row in rows if row.get("Application") == "ChanSpy"}
    phones = {name for name in names if name.startswith(("PJSIP/", "SIP/"))} - listen
    found += [f"the page shows {name}, which listens, as a party" for name in listen & on_page]
    return found + [f"the page does not show {name}" for name in phones - on_page]


def room_differences(
    pbx: str,
    told: Entities,
    participants: Entities,
    rooms: Rows,
    members: Mapping[str, Rows],
) -> list[str]:
    """Field by field: what a page holds of rooms (by name) and participants (by key), and Asterisk's own lists."""
    listed = {room["Conference"]: room for room in rooms}
    found = [f"a ghost room {name}" for name in told.keys() - listed.keys()]
    found += [f"a missing room {name}" for name in listed.keys() - told.keys()]
    seen: set[str] = set()
    for name in told.keys() & listed.keys():
        if told[name]["locked"] is not (listed[name]["Locked"] == "Yes"):
            found.append(f"{name} locked: {told[name]['locked']}")
        rows = {f"{pbx}/{row['Uniqueid']}": row for row in members[name]}
        seen |= rows.keys()
        if set(told[name]["participants"]) != set(rows):
            found.append(f"{name}: {sorted(told[name]['participants'])} ≠ {sorted(rows)}")
        for key, row in rows.items():
            held = participants.get(key, {})
            found += [
                f"{key} {flag}: {held.get(flag)!r} ≠ {row[header]}"
                for header, flag in {**FLAGS, **UNTOLD_FLAGS}.items()
                if held.get(flag) is not (row[header] == "Yes")
            ]
            found += [f"{key} channel: {held.get('channel')}"] * (held.get("channel") != row["Channel"])
            found += [f"{key} room: {held.get('room')}"] * (held.get("room") != f"{pbx}/{name}")
    return found + [f"a ghost participant {key}" for key in participants.keys() - seen]


# --- small change


def given(value: str) -> str:
    """A caller's number or name as Asterisk has it; "" where it has none."""
    return "" if value == "<unknown>" else unescape(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")


def unlike(pairs: Pairs) -> Iterable[str]:
    """The pairs that differ, in words."""
    return (f"{name}: {said!r} ≠ {listed!r}" for name, (said, listed) in pairs.items() if said != listed)


def _seconds(text: str) -> int:
    hours, minutes, seconds = map(int, re.findall(r"\d+", text))
    return hours * 3600 + minutes * 60 + seconds
