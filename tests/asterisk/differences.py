"""What the panel says, and what Asterisk's own lists say: field by field, every field of every row.

Pure functions: they take what a page was told by frames (`docs/frames.md`), the worker's model for what is not told of
channels and bridges, and the lists as a client that is not ours read them. Each field of a row is compared, or
compared only after the panel has read its lists again (no event carries it), or excluded (the panel does not keep it):
`AFTER_REREAD` and `EXCLUDED` say why. A field that is nowhere is a difference: nothing is passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from live.bridges import Bridge
from live.channels import Channel
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
_COUNTER: Final = "app_queue counts it when a call ends, and tells nobody"
_ROOM: Final = "app_confbridge raises no event"

AFTER_REREAD: Final[Mapping[str, Mapping[str, str]]] = {
    "CoreShowChannels": {
        "Context": _NO_EVENT,
        "Exten": _NO_EVENT,
        "Application": _NO_EVENT,
        "ApplicationData": _NO_EVENT,
        "Linkedid": "a bridge gives all in it the oldest one's without an event",
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
        "CallsTaken": "counted after the last event about the member, if its device has no state of its own",
        "LastCall": "as CallsTaken",
    },
    "QueueEntry": {"Priority": "no event of app_queue carries it"},
    "ConfbridgeListRooms": {"Locked": _ROOM, "Marked": "who is marked, no event says"},
    "ConfbridgeList": {
        "MarkedUser": "no event carries it",
        "Waiting": "who waits for a marked one is told by no event",
    },
}

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
        "AnsweredTime": "how long its leg is up, which is no less than it is in the room",
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


@dataclass(frozen=True)
class Lists:
    """All lists of one Asterisk, as read at one quiet moment."""

    slack: float
    """How late everything may be that is told, in seconds: a machine that has too much to do tells late."""
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
        same = abs(said - listed) <= MOMENT_S + self.slack
        return (listed, listed) if same or not known else (said, listed)

    @classmethod
    def read(cls, checker: Checker, now: Callable[[], float], heard: float, slack: float) -> Lists:
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
    status_rows = {row["Uniqueid"]: row for row in lists.status}
    found.rows("Status", pbx.channels, status_rows, _status(pbx, lists, moved), reread=reread)
    bridge_rows = {row["BridgeUniqueid"]: row for row in lists.bridges}
    found.rows("BridgeList", pbx.bridges, bridge_rows, _bridge(pbx, lists.channels), reread=reread)
    _queues(found, entities, pbx, lists, channel_rows, reread=reread)
    _rooms(found, entities, pbx, lists, channel_rows, reread=reread)
    parked = {pbx.key(row["ParkeeUniqueid"]): row for row in lists.parked}
    ours = entities.get("parked", {})
    found.rows("ParkedCalls", ours, parked, _parked(ours, pbx, lists, channel_rows), reread=reread)
    devices = {pbx.key(row["Device"]): row for row in lists.devices}
    ours = entities.get("device", {})
    found.rows("DeviceStateList", ours, devices, _device(ours, pbx), reread=reread)
    extensions = {pbx.key(f"{row['Exten']}@{row['Context']}"): row for row in lists.extensions}
    ours = entities.get("extension", {})
    found.rows("ExtensionStateList", ours, extensions, _extension(ours), reread=reread)
    _trunks(found, entities.get("trunk", {}), pbx, lists)
    _calls(found, entities.get("call", {}), entities.get("party", {}), pbx, lists)
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
    pbx: Pbx,
    lists: Lists,
    channels: Mapping[str, Fields],
    *,
    reread: bool,
) -> None:
    of: dict[str, Rows] = {"QueueParams": [], "QueueMember": [], "QueueEntry": []}
    for row in lists.queues:
        of[row["Event"]].append(row)
    queues, members, waiting = (entities.get(kind, {}) for kind in ("queue", "member", "waiting"))
    entries = {pbx.key(row["Uniqueid"]): row for row in of["QueueEntry"]}
    rows = {pbx.key(row["Queue"]): row for row in of["QueueParams"]}
    found.rows("QueueParams", queues, rows, _queue(queues, pbx, of), reread=reread)
    rows = {pbx.key(f"{row['Queue']}/{row['Location']}"): row for row in of["QueueMember"]}
    found.rows("QueueMember", members, rows, _member(members, pbx), reread=reread)
    found.rows("QueueEntry", waiting, entries, _waiting(waiting, pbx, lists, channels), reread=reread)


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
    waiting: Entities, pbx: Pbx, lists: Lists, channels: Mapping[str, Fields]
) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said = waiting[key]
        number, name = _identity(pbx, channels[row["Uniqueid"]])
        always: Pairs = {
            "Queue": (said["queue"], pbx.key(row["Queue"])),
            "Position": (said["position"], int(row["Position"])),
            "Uniqueid": (key, pbx.key(row["Uniqueid"])),
            "CallerIDNum": (said["number"], number),
            "CallerIDName": (said["name"], name),
            "Wait": lists.moment(said["since"] / 1000, lists.at["QueueStatus"] - int(row["Wait"])),
        }
        return always, {"Priority": (said["priority"], int(row["Priority"]))}

    return compare


def _rooms(
    found: Findings,
    entities: Mapping[str, Entities],
    pbx: Pbx,
    lists: Lists,
    channels: Mapping[str, Fields],
    *,
    reread: bool,
) -> None:
    rooms, people = entities.get("room", {}), entities.get("participant", {})
    members = {name: [pbx.key(row["Uniqueid"]) for row in rows] for name, rows in lists.members.items()}

    sizes = {row["BridgeName"]: int(row["BridgeNumChannels"]) for row in lists.bridges if _kind(row) == "room"}

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
        number, name = _identity(pbx, channels[row["Uniqueid"]])
        always: Pairs = {
            "Conference": (said["room"], pbx.key(row["Conference"])),
            "Channel": (said["channel"], row["Channel"]),
            "Uniqueid": (key, pbx.key(row["Uniqueid"])),
            "CallerIDNum": (said["number"], number),
            "CallerIDName": (said["name"], name),
            **{header: (said[name], row[header] == "Yes") for header, name in FLAGS.items()},
        }
        return always, {header: (said[name], row[header] == "Yes") for header, name in UNTOLD_FLAGS.items()}

    found.rows(
        "ConfbridgeListRooms", rooms, {pbx.key(row["Conference"]): row for row in lists.rooms}, room, reread=reread
    )
    listed = {pbx.key(row["Uniqueid"]): row for rows in lists.members.values() for row in rows}
    found.rows("ConfbridgeList", people, listed, participant, reread=reread)


def _parked(
    parked: Entities, pbx: Pbx, lists: Lists, channels: Mapping[str, Fields]
) -> Callable[[str, Fields], tuple[Pairs, Pairs]]:
    def compare(key: str, row: Fields) -> tuple[Pairs, Pairs]:
        said, at = parked[key], lists.at["ParkedCalls"]
        number, name = _identity(pbx, channels[row["ParkeeUniqueid"]])
        always: Pairs = {
            "ParkeeUniqueid": (key, pbx.key(row["ParkeeUniqueid"])),
            "ParkeeCallerIDNum": (said["number"], number),
            "ParkeeCallerIDName": (said["name"], name),
            "Parkinglot": (said["lot"], row["Parkinglot"]),
            "ParkingSpace": (said["space"], row["ParkingSpace"]),
            "ParkerDialString": (said["by"], row["ParkerDialString"]),
            "ParkingTimeout": lists.moment(said["until"] / 1000, at + int(row["ParkingTimeout"])),
            "ParkingDuration": lists.moment(said["since"] / 1000, at - int(row["ParkingDuration"])),
        }
        return always, {}

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
        found.equal("trunk.state", said["state"], states.get(said["name"], ""))
        on = sum(row["Channel"].rpartition("-")[0] == said["name"] for row in lists.channels)
        found.equal("trunk.channels", said["channels"], on)


# --- calls: what a page shows is the channels, folded


def _calls(found: Findings, calls: Entities, parties: Entities, pbx: Pbx, lists: Lists) -> None:
    found.equal("party.call", {party["call"] for party in parties.values()} - calls.keys(), set())
    ended = {key for key, call in calls.items() if call["phase"] == "ended"}
    alive = {key: party for key, party in parties.items() if party["call"] in calls.keys() - ended}
    rows = {pbx.key(row["Uniqueid"]): row for row in lists.channels}
    found.ghosts += [f"party {key} has no channel" for key in alive.keys() - rows.keys()]
    for key, call in calls.items():
        if key not in ended:
            found.equal("call.parties", set(call["parties"]), {one for one in alive if alive[one]["call"] == key})
    places = _Places(lists)
    owner: dict[str, int] = {}
    for number, part in enumerate(places.parts()):
        legs = [row for row in part if not row["Channel"].startswith("Local/")]
        if any(row["ChannelState"] != "6" or row["Application"] == "ChanSpy" for row in part):
            continue  # who rings whom, and who listens to whom, is in no list
        names = {alive[key]["call"] for row in part if (key := pbx.key(row["Uniqueid"])) in alive}
        for row in legs:
            found.equal("party (each leg is on a call)", pbx.key(row["Uniqueid"]) in alive, True, row["Channel"])
        for row in part:
            if (key := pbx.key(row["Uniqueid"])) in alive:
                _party(found, pbx, alive[key], row)
        found.equal("call (one for all legs that are together)", len(names), 1, part[0]["Channel"])
        for name in names:
            found.equal("call (none for legs that are not)", owner.setdefault(name, number), number)
            phase, possible = calls[name]["phase"], places.phases(part)
            found.equal("call.phase", phase, phase if phase in possible else possible, name)
            for field_name, where in (("room", "conference"), ("slot", "parked"), ("queue", "waiting")):
                place = calls[name][field_name]
                if phase == where:
                    found.equal(f"call.{field_name}", place in places.names(part), True)
                elif field_name != "queue":  # which stays on a call as the place that it came from
                    found.equal(f"call.{field_name}", place, "")


def _party(found: Findings, pbx: Pbx, said: Mapping[str, Any], row: Fields) -> None:
    number, name = _identity(pbx, row)
    device = row["Channel"].rpartition("-")[0]
    found.equal("party.channel", said["channel"], row["Channel"], row["Channel"])
    found.equal("party.number", said["number"], number, row["Channel"])
    found.equal("party.name", said["name"], name, row["Channel"])
    found.equal("party.state", said["state"].replace("hold", "up"), STATES[row["ChannelState"]], row["Channel"])
    side = "outside" if pbx.trunks.search(device) else "internal"
    if row["Channel"].startswith("Local/"):
        side = pbx.calls.side(pbx.channels[row["Uniqueid"]])  # as who comes through it, if that is one
    found.equal("party.side", said["side"], side, row["Channel"])


class _Places:
    """Which channels are together, and where, by Asterisk's lists alone."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._bridges = {row["BridgeUniqueid"]: row for row in lists.bridges}
        self._slots = {row["ParkeeUniqueid"]: row["ParkingSpace"] for row in lists.parked}
        self._queues = {row["Uniqueid"]: row["Queue"] for row in lists.queues if row["Event"] == "QueueEntry"}

    def parts(self) -> Iterator[Rows]:
        """Channels that are joined by a bridge in which people talk, or are the halves of one Local channel."""
        groups: dict[str, list[str]] = {}
        rows = {row["Uniqueid"]: row for row in self._lists.channels if not row["Channel"].startswith(_HIDDEN)}
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

    def phases(self, part: Rows) -> set[str]:
        """What a call of these legs may be doing. Whether it is on hold is in no list (a device's ONHOLD says that it
        was put on hold, and stays when it has gone elsewhere)."""
        at = [self._at(row) for row in part]
        if "room" in at:
            return {"conference"}
        if "parking" in at:
            return {"parked"}
        if at.count("talk") > 1:
            return {"talking", "hold"}
        if any(row["Uniqueid"] in self._queues for row in part):
            return {"waiting"}
        return {"menu", "hold"} if "talk" in at else {"menu"}

    def names(self, part: Rows) -> set[str]:
        """The rooms, slots and queues that they are in."""
        rooms = {self._bridges[row["BridgeId"]]["BridgeName"] for row in part if self._at(row) == "room"}
        others = {place.get(row["Uniqueid"], "") for row in part for place in (self._slots, self._queues)}
        return (rooms | others) - {""}

    def _at(self, row: Fields) -> str:
        return _kind(self._bridges[row["BridgeId"]]) if row["BridgeId"] in self._bridges else ""


def _identity(pbx: Pbx, row: Fields) -> tuple[str, str]:
    """Number and name of who sits at this leg: an extension of ours is its device, whatever its caller ID says."""
    resource = row["Channel"].rpartition("-")[0].partition("/")[2]
    if row["Channel"].startswith("Local/"):
        return pbx.calls.identity(pbx.channels[row["Uniqueid"]])  # follows Exten, which no event carries
    number = resource if pbx.extensions.fullmatch(resource) else given(row["CallerIDNum"])
    return number, given(row["CallerIDName"])


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


def unlike(pairs: Pairs) -> Iterable[str]:
    """The pairs that differ, in words."""
    return (f"{name}: {said!r} ≠ {listed!r}" for name, (said, listed) in pairs.items() if said != listed)


def _seconds(text: str) -> int:
    hours, minutes, seconds = map(int, re.findall(r"\d+", text))
    return hours * 3600 + minutes * 60 + seconds
