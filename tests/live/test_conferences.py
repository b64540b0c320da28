"""Rooms as ConfBridge tells of them: events in any order, lists as the last word, and what no event tells."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ami.protocol import Message
from live.resync import LOCKS, STEPS, Step, untold
from tests.live.scene import Scene, message

ROOM = {"BridgeType": "base", "BridgeTechnology": "softmix", "BridgeCreator": "ConfBridge", "BridgeName": "801"}


class Conference(Scene):
    """A scene with rooms."""

    def confbridge(self, what: str, uniqueid: str = "", room: str = "801", **more: object) -> None:
        about = self.snapshot(uniqueid) if uniqueid else {}
        self.event(f"Confbridge{what}", Conference=room, **about, **more)

    def arrive(self, uniqueid: str, number: str = "", room: str = "801", **more: object) -> None:
        """It calls and is in the room, as Asterisk 22 tells it."""
        self.new(uniqueid, f"PJSIP/{number or uniqueid}-0000008{uniqueid}", "up")
        if room not in self.pbx.conferences.rooms:
            self.confbridge("Start", room=room)
        self.enter(uniqueid, f"br-{room}", **{**ROOM, "BridgeName": room})
        self.confbridge("Join", uniqueid, room, **{"Admin": "No", "Muted": "No", **more})

    @property
    def rooms(self) -> dict[str, dict[str, Any]]:
        return {key: dict(fields) for key, fields in self.pbx.entities().get("room", {}).items()}

    @property
    def seats(self) -> dict[str, dict[str, Any]]:
        return {key: dict(fields) for key, fields in self.pbx.entities().get("participant", {}).items()}


@pytest.fixture
def scene() -> Conference:
    return Conference()


def listed_rooms(**locked: str) -> list[Message]:
    return [
        message("Event", "ConfbridgeListRooms", Conference=name.removeprefix("r"), Locked=value)
        for name, value in locked.items()
    ]


def listed(uniqueid: str, **more: object) -> Message:
    flags = {"Admin": "No", "MarkedUser": "No", "Waiting": "No", "Muted": "No", "Talking": "No", "AnsweredTime": "60"}
    return message("Event", "ConfbridgeList", Conference="801", Uniqueid=uniqueid, **{**flags, **more})


def test_a_room_and_who_is_in_it(scene: Conference) -> None:
    scene.arrive("a", "101")
    scene.arrive("b", "201", Admin="Yes", Muted="Yes")
    scene.settled()
    assert scene.rooms == {
        "lab/801": {
            "rev": scene.rooms["lab/801"]["rev"],
            "name": "801",
            "locked": False,
            "recording": False,
            "since": 1_000_000,
            "approx": False,
            "participants": ["lab/a", "lab/b"],
        }
    }
    assert scene.seats["lab/b"] == {
        "rev": scene.seats["lab/b"]["rev"],
        "room": "lab/801",
        "call": "lab/b",
        "number": "201",
        "name": "Name 201",
        "side": "internal",
        "channel": "PJSIP/201-0000008b",
        "admin": True,
        "marked": False,
        "muted": True,
        "talking": False,
        "video": False,
        "waiting": False,
        "since": 1_000_000,
        "approx": False,
    }
    assert {call["room"] for call in scene.calls.values()} == {"801"}, "each is a call of its own, in the room"
    assert len(scene.calls) == 2


def test_whose_picture_all_are_shown(scene: Conference) -> None:
    """Every event about the room's bridge says whose; nobody's, once that one has left."""

    def shown() -> list[str]:
        scene.settled()
        return [key for key, seat in scene.seats.items() if seat["video"]]

    scene.arrive("a", "101")
    scene.arrive("b", "201")
    scene.event("BridgeVideoSourceUpdate", BridgeUniqueid="br-801", **ROOM, BridgeVideoSource="a")
    assert shown() == ["lab/a"]
    scene.event("BridgeVideoSourceUpdate", BridgeUniqueid="br-801", **ROOM, BridgeVideoSource="b")
    assert shown() == ["lab/b"]
    scene.arrive("c", "103")  # its BridgeEnter names none
    assert shown() == []
    scene.pbx.replace_bridges(
        [message("Event", "BridgeListItem", BridgeUniqueid="br-801", **ROOM, BridgeVideoSource="c")], 1_000.0
    )
    assert shown() == ["lab/c"]


def test_flags_follow_their_events_and_no_rev_rises(scene: Conference) -> None:
    scene.arrive("a")
    scene.settled()
    rev, room_rev = scene.seats["lab/a"]["rev"], scene.rooms["lab/801"]["rev"]
    for what, flag, value in (("Mute", "muted", True), ("Unmute", "muted", False)):
        scene.confbridge(what, "a")
        assert scene.look().up["participant"] == {"lab/a": {flag: value}}
    for status in ("on", "off"):
        scene.confbridge("Talking", "a", TalkingStatus=status)
        assert scene.look().up == {"participant": {"lab/a": {"talking": status == "on"}}}
    for what, value in (("Record", True), ("StopRecord", False)):
        scene.confbridge(what)
        assert scene.look().up == {"room": {"lab/801": {"recording": value}}}
    assert (scene.seats["lab/a"]["rev"], scene.rooms["lab/801"]["rev"]) == (rev, room_rev)


def test_revs_rise_with_who_and_where(scene: Conference) -> None:
    scene.arrive("a")
    scene.look()
    first, first_room = scene.seats["lab/a"]["rev"], scene.rooms["lab/801"]["rev"]
    scene.arrive("b")
    scene.look()
    assert scene.rooms["lab/801"]["rev"] > first_room
    assert scene.seats["lab/a"]["rev"] == first
    second_room = scene.rooms["lab/801"]["rev"]
    scene.confbridge("Leave", "b")
    scene.look()
    assert scene.rooms["lab/801"]["rev"] > second_room
    scene.confbridge("Join", "a", "802", Admin="No", Muted="No")
    scene.look()
    assert scene.seats["lab/a"]["rev"] > first
    assert scene.seats["lab/a"]["room"] == "lab/802"
    assert scene.rooms["lab/801"]["participants"] == []


def test_a_room_that_begins_again_has_no_old_rev(scene: Conference) -> None:
    scene.arrive("a")
    scene.look()
    old = scene.rooms["lab/801"]["rev"], scene.seats["lab/a"]["rev"]
    scene.confbridge("Leave", "a")
    scene.confbridge("End")
    scene.look()
    assert scene.rooms == scene.seats == {}
    scene.confbridge("Start")
    scene.confbridge("Join", "a", Admin="No", Muted="No")
    scene.look()
    assert scene.rooms["lab/801"]["rev"] > max(old)
    assert scene.seats["lab/a"]["rev"] > max(old)


@pytest.mark.parametrize("order", ["hangup first", "leave first", "end first", "no leave at all"])
def test_leaving_in_any_order(scene: Conference, order: str) -> None:
    """ConfbridgeLeave comes before or after the Hangup, ConfbridgeEnd before the last BridgeLeave [measured]."""
    scene.arrive("a")
    scene.settled()
    steps = {
        "hangup first": ("hangup", "leave", "end"),
        "leave first": ("leave", "bridge", "end", "hangup"),
        "end first": ("end", "leave", "hangup"),
        "no leave at all": ("hangup", "end"),
    }[order]
    for step in steps:
        if step == "hangup":
            scene.hangup("a")
        elif step == "bridge":
            scene.leave("a", "br-801")
        else:
            scene.confbridge(step.title(), "a" if step == "leave" else "")
        scene.look()
    assert scene.rooms == scene.seats == {}
    assert scene.pbx.unknown == 0


def test_joined_before_the_bridge_is_entered(scene: Conference) -> None:
    scene.new("a", "PJSIP/101-0000008a", "up")
    scene.confbridge("Join", "a", Admin="No", Muted="No")
    scene.look()
    scene.confbridge("Start")
    scene.enter("a", "br-801", **ROOM)
    scene.settled()
    assert scene.rooms["lab/801"]["participants"] == ["lab/a"]
    assert scene.seats["lab/a"]["call"] == "lab/a"


def test_joined_before_the_channel_is_told_of(scene: Conference) -> None:
    """ConfBridge's events may overtake the Newchannel (16 and 22 under load)."""
    scene.confbridge("Start")
    scene.names["a"], scene.states["a"] = "PJSIP/101-0000008a", "up"
    scene.confbridge("Join", "a", Admin="Yes", Muted="No")
    scene.confbridge("Mute", "a")
    scene.look()
    assert scene.seats == {}
    scene.new("a", "PJSIP/101-0000008a", "up")
    scene.enter("a", "br-801", **ROOM)
    scene.settled()
    assert scene.rooms["lab/801"]["participants"] == ["lab/a"]
    assert (scene.seats["lab/a"]["admin"], scene.seats["lab/a"]["muted"]) == (True, True)
    scene.later(5)
    scene.look()
    assert scene.pbx.unknown == 0


@pytest.mark.parametrize("end", ["leave", "end", "hangup", "never"])
def test_who_is_gone_before_its_channel_was_told_of_is_nowhere(scene: Conference, end: str) -> None:
    scene.confbridge("Start")
    scene.names["a"], scene.states["a"] = "PJSIP/101-0000008a", "up"
    scene.confbridge("Join", "a", Admin="No", Muted="No")
    if end in ("leave", "end"):
        scene.confbridge(end.title(), "a" if end == "leave" else "")
    elif end == "hangup":
        scene.hangup("a")
    elif end == "never":
        scene.later(5)
        scene.look()
    assert scene.pbx.unknown == (end in ("hangup", "never")), "a channel that nobody told of is a fault"
    scene.new("a", "PJSIP/101-0000008a", "up")
    scene.settled()
    assert scene.seats == {}
    assert (not scene.rooms) == (end == "end")


def test_every_event_twice_is_as_once(scene: Conference) -> None:
    scene.arrive("a")
    scene.confbridge("Mute", "a")
    scene.look()
    before = scene.rooms, scene.seats
    scene.confbridge("Start")
    scene.confbridge("Mute", "a")
    scene.later(3)
    assert not scene.settled()
    assert (scene.rooms, scene.seats) == before
    for _ in range(2):
        scene.confbridge("Leave", "a")
        scene.confbridge("End")
    scene.look()
    assert scene.rooms == {}


def test_a_late_word_of_another_room_moves_nobody(scene: Conference) -> None:
    scene.arrive("a")
    scene.confbridge("Join", "a", "802", Admin="No", Muted="No")
    scene.confbridge("Leave", "a", "801")
    scene.confbridge("Mute", "a", "801")
    scene.look()
    assert (scene.seats["lab/a"]["room"], scene.seats["lab/a"]["muted"]) == ("lab/802", False)


def test_nobody_is_raised_from_the_dead(scene: Conference) -> None:
    scene.arrive("a")
    scene.hangup("a")
    scene.confbridge("Join", "a", Admin="No", Muted="No")
    scene.confbridge("Talking", "a", TalkingStatus="on")
    scene.pbx.conferences.replace_members("801", [listed("a")], scene.now)
    scene.look()
    assert scene.seats == {}


def test_who_it_is_follows_the_channel(scene: Conference) -> None:
    scene.arrive("a", "trunk")
    scene.look()
    assert scene.seats["lab/a"]["side"] == "outside"
    scene.event("NewCallerid", **{**scene.snapshot("a"), "CallerIDNum": "+4930", "CallerIDName": "ACME"})
    assert scene.look().up["participant"] == {"lab/a": {"number": "+4930", "name": "ACME"}}


def test_told_anew_it_is_as_it_was(scene: Conference) -> None:
    scene.arrive("a")
    scene.confbridge("Mute", "a")
    scene.settled()
    before = scene.rooms, scene.seats
    scene.pbx.retell()
    scene.look()
    assert (scene.rooms, scene.seats) == before


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_the_picture_hangs_together(seed: int) -> None:
    """Events of rooms and of channels in any order, lists in the middle, looked at now and then."""
    chance, scene = random.Random(seed), Conference()
    page: dict[str, dict[str, dict[str, Any]]] = {}
    legs, rooms = [f"u{n}" for n in range(8)], ["801", "802", "803"]
    for leg in legs:
        scene.names[leg], scene.states[leg] = f"PJSIP/10{leg[1]}-0000000{leg[1]}", "up"
    for _ in range(150):
        leg, room = chance.choice(legs), chance.choice(rooms)
        what = chance.choice(
            [
                "Join",
                "Join",
                "Join",
                "Leave",
                "Mute",
                "Unmute",
                "Talking",
                "Start",
                "End",
                "Record",
                "new",
                "hangup",
                "rooms",
                "members",
            ]
        )
        if what == "new":
            scene.new(leg, scene.names[leg], "up")
        elif what == "hangup":
            scene.hangup(leg)
        elif what == "rooms":
            some = {f"r{name}": chance.choice(("Yes", "No")) for name in chance.sample(rooms, 2)}
            scene.pbx.conferences.replace_rooms(listed_rooms(**some), scene.now)
        elif what == "members":
            items = [listed(one, Waiting=chance.choice(("Yes", "No"))) for one in chance.sample(legs, 3)]
            scene.pbx.conferences.replace_members(room, items, scene.now)
        else:
            of = "" if what in ("Start", "End", "Record") else leg
            scene.confbridge(what, of, room, Admin="No", Muted="No", TalkingStatus="on")
        scene.later(chance.choice((0, 0, 0.1, 30)))
        if chance.random() < 0.5:
            changes = scene.look()
            for kind, entities in changes.up.items():
                for key, fields in entities.items():
                    page.setdefault(kind, {}).setdefault(key, {}).update(fields)
            for kind, keys in changes.gone.items():
                for key in keys:
                    del page[kind][key]
            hangs_together(scene, page)


def hangs_together(scene: Conference, page: dict[str, dict[str, dict[str, Any]]]) -> None:
    rooms, seats = page.get("room", {}), page.get("participant", {})
    assert (rooms, seats) == (scene.rooms, scene.seats), "what was told is what is"
    assert sorted(key for room in rooms.values() for key in room["participants"]) == sorted(seats), "each in one room"
    assert all(key in rooms[seat["room"]]["participants"] for key, seat in seats.items())
    assert {key.partition("/")[2] for key in seats} <= set(scene.pbx.channels), "nobody is raised from the dead"


# --- lists


def test_a_list_of_rooms_replaces_all(scene: Conference) -> None:
    scene.arrive("a")
    scene.arrive("b", room="802")
    scene.look()
    assert scene.pbx.conferences.replace_rooms(listed_rooms(r801="Yes", r803="No"), scene.now) == 2
    scene.look()
    assert set(scene.rooms) == {"lab/801", "lab/803"}
    assert scene.rooms["lab/801"]["locked"] is True
    assert set(scene.seats) == {"lab/a"}
    assert scene.rooms["lab/803"]["approx"] is True


def test_a_lock_is_no_correction(scene: Conference) -> None:
    """No event tells of it: that a list does is no fault of the events."""
    scene.arrive("a")
    assert scene.pbx.conferences.replace_rooms(listed_rooms(r801="Yes"), scene.now) == 0
    assert scene.look().up["room"]["lab/801"]["locked"] is True
    assert scene.pbx.conferences.replace_rooms(listed_rooms(r801="No"), scene.now) == 0
    assert scene.look().up == {"room": {"lab/801": {"locked": False}}}


def test_a_list_of_members_replaces_all(scene: Conference) -> None:
    scene.arrive("a")
    scene.arrive("b")
    scene.new("c", "PJSIP/103-0000008c", "up")
    items = [listed("b", Muted="Yes", MarkedUser="Yes", Talking="Yes"), listed("c", Waiting="Yes"), listed("nobody")]
    assert scene.pbx.conferences.replace_members("801", items, scene.now) == 3  # a is gone, b is muted, c is new
    assert scene.pbx.conferences.replace_members("801", items, scene.now) == 0
    scene.look()
    assert scene.rooms["lab/801"]["participants"] == ["lab/b", "lab/c"]
    assert scene.seats["lab/b"]["muted"] is scene.seats["lab/b"]["marked"] is scene.seats["lab/b"]["talking"] is True
    assert (scene.seats["lab/c"]["waiting"], scene.seats["lab/c"]["approx"]) == (True, True)
    assert scene.seats["lab/c"]["since"] == (1_000 - 60) * 1000


def test_a_list_of_a_room_that_ended_meanwhile_raises_nothing(scene: Conference) -> None:
    scene.arrive("a")
    scene.confbridge("End")
    assert scene.pbx.conferences.replace_members("801", [listed("a")], scene.now) == 0
    scene.look()
    assert scene.rooms == scene.seats == {}


def test_a_list_ahead_of_its_events(scene: Conference) -> None:
    scene.new("a", "PJSIP/101-0000008a", "up")
    scene.pbx.conferences.replace_rooms(listed_rooms(r801="No"), scene.now)
    scene.pbx.conferences.replace_members("801", [listed("a")], scene.now)
    scene.later(0.02)
    scene.confbridge("Start")
    scene.confbridge("Join", "a", Admin="No", Muted="No")
    scene.look()
    assert scene.rooms["lab/801"]["approx"] is False
    assert list(scene.seats) == ["lab/a"]


@pytest.mark.parametrize(("size", "recording"), [(2, False), (3, True)])
def test_that_it_is_recorded_is_inferred_where_no_event_told(scene: Conference, size: int, recording: bool) -> None:
    """One participant, the announcer, and perhaps the recorder, whom Asterisk counts but lists nowhere [measured]."""
    scene.new("a", "PJSIP/101-0000008a", "up")
    scene.enter("a", "br-801", **ROOM, BridgeNumChannels=size)
    scene.pbx.conferences.replace_rooms(listed_rooms(r801="No"), scene.now)
    scene.pbx.conferences.replace_members("801", [listed("a")], scene.now)
    scene.look()
    assert scene.rooms["lab/801"]["recording"] is recording
    scene.confbridge("StopRecord")
    scene.pbx.conferences.replace_members("801", [listed("a")], scene.now)
    scene.look()
    assert scene.rooms["lab/801"]["recording"] is False, "an event is surer"


def test_a_recording_that_ended_while_nobody_heard(scene: Conference) -> None:
    scene.arrive("a", "101", Muted="No")
    scene.confbridge("Record")
    scene.pbx.settled = False  # the link was cut, and is back
    scene.pbx.bridge("br-801").size = 2
    scene.pbx.conferences.replace_rooms(listed_rooms(r801="No"), scene.now)
    scene.pbx.conferences.replace_members("801", [listed("a")], scene.now)
    scene.pbx.settled = True
    scene.look()
    assert scene.rooms["lab/801"]["recording"] is False


def test_who_left_is_not_taken_for_a_recorder(scene: Conference) -> None:
    for uniqueid, number in (("a", "101"), ("b", "201")):
        scene.new(uniqueid, f"PJSIP/{number}-0000008{uniqueid}", "up")
        scene.enter(uniqueid, "br-801", **ROOM, BridgeNumChannels=3)
    scene.pbx.conferences.replace_rooms(listed_rooms(r801="No"), scene.now)
    scene.leave("b", "br-801", BridgeNumChannels=2)
    scene.pbx.conferences.replace_members("801", [listed("a")], scene.now)
    scene.look()
    assert scene.rooms["lab/801"]["recording"] is False


@pytest.mark.parametrize("way", ["into the room", "the room's own"])
def test_an_attended_transfer_into_a_room(scene: Conference, way: str) -> None:
    """Asterisk 16 and 22 tell of no BridgeEnter: who comes is in the bridge in which the transferer's leg was."""
    scene.ring("a", "b")
    scene.answer("a", "b")
    scene.arrive("b2", "101")
    if way == "into the room":
        scene.attended("b", "b2", transferee="a")
    else:
        scene.attended("b2", "b", target="a")
    scene.confbridge("Leave", "b2")
    scene.confbridge("Join", "a", Admin="No", Muted="No")
    scene.leave("b", "br")
    scene.leave("a", "br")
    scene.hangup("b2")
    scene.hangup("b")
    scene.settled()
    assert list(scene.seats) == ["lab/a"]
    assert scene.pbx.channels["a"].bridge == "br-801"
    call = scene.calls[scene.seats["lab/a"]["call"]]
    assert (call["phase"], call["room"]) == ("conference", "801")


def test_a_parked_one_is_transferred_into_a_room(scene: Conference) -> None:
    """Asterisk 16: a Local channel takes the transferer's place in the slot, its other half the one in the room."""
    scene.new("a", "PJSIP/102-00000047", "up")
    scene.enter("a", "lot", BridgeType="parking", BridgeTechnology="holding_bridge", BridgeCreator="Parking")
    scene.arrive("b", "103")
    scene.confbridge("Mute", "b")
    scene.new("l1", "Local/_attended@transfer-0000017d;1")
    scene.new("l2", "Local/_attended@transfer-0000017d;2", "up")
    about = {"BridgeType": "parking", "BridgeTechnology": "holding_bridge", "BridgeCreator": "Parking"}
    scene.enter("l1", "lot", **about, SwapUniqueid="a")
    scene.attended("a", "b")
    scene.hangup("b")
    scene.hangup("a")
    scene.settled()
    assert list(scene.seats) == ["lab/l2"]
    assert (scene.seats["lab/l2"]["room"], scene.seats["lab/l2"]["muted"]) == ("lab/801", True)
    assert scene.rooms["lab/801"]["participants"] == ["lab/l2"]
    assert scene.pbx.channels["l2"].bridge == "br-801"


def test_one_who_is_parked_transfers_whom_he_is_parked_with(scene: Conference) -> None:
    """Asterisk 22 takes the only other one in the lot for the one to transfer, and does not name it."""
    lot = {"BridgeType": "parking", "BridgeTechnology": "holding_bridge", "BridgeCreator": "Parking"}
    scene.new("a", "PJSIP/103-000001a2", "up")
    scene.new("c", "PJSIP/203-00000198", "up")
    scene.enter("a", "lot", **lot)
    scene.enter("c", "lot", **lot)
    scene.arrive("b", "103")
    scene.attended("a", "b")
    scene.leave("a", "lot")
    scene.leave("c", "lot")
    scene.hangup("a")
    scene.hangup("b")
    scene.settled()
    assert list(scene.seats) == ["lab/c"]
    assert scene.pbx.channels["c"].bridge == "br-801"


# --- what is asked, and when


ROOMS = STEPS[2]


def names(steps: tuple[Step, ...]) -> list[str]:
    return [" ".join([step.action.name, *(value for _, value in step.action.headers)]) for step in steps]


def test_after_the_rooms_each_ones_members_are_asked(scene: Conference) -> None:
    assert names(STEPS)[:3] == ["BridgeList", "CoreShowChannels", "ConfbridgeListRooms"]
    ROOMS.replace(scene.pbx, listed_rooms(r801="No", r802="No"), scene.now)
    assert names(ROOMS.then(scene.pbx)) == ["ConfbridgeList 801", "ConfbridgeList 802"]
    assert STEPS[0].then(scene.pbx) == ()


def test_what_no_event_tells_is_asked_only_while_there_is_some(scene: Conference) -> None:
    assert untold(scene.pbx) == ()
    scene.arrive("a")
    (rooms,) = untold(scene.pbx)
    assert names((rooms,)) == ["ConfbridgeListRooms"]
    assert names(rooms.then(scene.pbx)) == ["ConfbridgeList 801"], "nobody knows yet whether a is marked"
    scene.pbx.conferences.replace_members("801", [listed("a", MarkedUser="Yes")], scene.now)
    assert rooms.then(scene.pbx) == ()
    scene.arrive("b")
    scene.pbx.conferences.replace_members("801", [listed("a", MarkedUser="Yes"), listed("b")], scene.now)
    scene.confbridge("Leave", "a")
    assert names(rooms.then(scene.pbx)) == ["ConfbridgeList 801"], "without the marked one, b may wait now"
    scene.pbx.conferences.replace_members("801", [listed("b", Waiting="Yes")], scene.now)
    scene.confbridge("Mute", "b")
    assert rooms.then(scene.pbx) == (), "b goes in only when somebody comes"
    assert LOCKS.then(scene.pbx) == ()


def test_a_room_whose_name_cannot_be_asked_about_stops_nothing(scene: Conference) -> None:
    scene.pbx.conferences.start(" 801", scene.now)
    assert ROOMS.then(scene.pbx) == ()
