"""The rules that keep the model exact: nothing raises the dead, lists replace, handlers can be repeated."""

import pytest

from ami.protocol import Message
from live.bridges import Kind
from tests.live.scene import Scene, message


@pytest.fixture
def scene() -> Scene:
    return Scene()


def item(uniqueid: str, name: str = "", **more: object) -> Message:
    fields: dict[str, object] = {
        "Channel": name or f"PJSIP/{uniqueid}-1",
        "ChannelState": 6,
        "CallerIDNum": uniqueid,
        "Uniqueid": uniqueid,
        "Linkedid": uniqueid,
        "Duration": "00:00:01",
        "Application": "",
        "BridgeId": "",
    }
    return message("Event", "CoreShowChannel", **{**fields, **more})


def test_only_newchannel_and_lists_create_a_channel(scene: Scene) -> None:
    scene.names["x"], scene.states["x"] = "PJSIP/1-1", "up"
    scene.state("x", "up")
    scene.hangup("x")
    scene.names["y"], scene.states["y"] = "PJSIP/2-1", "up"
    scene.enter("y", "br")
    assert scene.pbx.channels == {}
    assert scene.pbx.unknown == 2
    scene.later(5)
    scene.look()
    assert scene.pbx.unknown == 3, "no Newchannel came after that either"


def test_who_enters_a_bridge_before_its_channel_is_told_of(scene: Scene) -> None:
    """Bridges speak by a way of their own."""
    for uniqueid in "ab":
        scene.names[uniqueid], scene.states[uniqueid] = f"PJSIP/10{uniqueid}-1", "up"
        scene.enter(uniqueid, "br")
    scene.names["c"], scene.states["c"] = "PJSIP/103-1", "up"
    scene.enter("c", "br")
    scene.leave("c", "br")
    for uniqueid in "abc":
        scene.new(uniqueid, scene.names[uniqueid], "up")
    scene.settled()
    assert sorted((call["phase"], call["parties"]) for call in scene.calls.values()) == [
        ("menu", ["lab/c"]),
        ("talking", ["lab/a", "lab/b"]),
    ]
    assert scene.pbx.unknown == 0


def test_nothing_raises_the_dead(scene: Scene) -> None:
    """DialEnd, BridgeLeave and others come after the Hangup (measured); a list may still name it (Asterisk 16)."""
    scene.ring()
    scene.answer()
    scene.hangup("b")
    scene.dial_end("a", "b")
    scene.leave("b", "br")
    scene.new("b", "PJSIP/101-0000b")
    scene.pbx.replace_channels([item("a"), item("b")], scene.now)
    assert set(scene.pbx.channels) == {"a"}
    assert scene.pbx.unknown == 0


def test_tombstones_are_forgotten_after_a_minute(scene: Scene) -> None:
    scene.ring()
    scene.hangup("b")
    scene.later(61)
    scene.look()
    assert scene.pbx.tombstones == {}


def test_a_list_replaces_all(scene: Scene) -> None:
    scene.ring()
    corrections = scene.pbx.replace_channels([item("a", ChannelState=4), item("n")], scene.now)
    assert set(scene.pbx.channels) == {"a", "n"}
    assert corrections == 3  # b is gone, n is new, a has another name
    assert scene.pbx.replace_channels([item("a", ChannelState=4), item("n")], scene.now) == 0


def test_a_bridge_that_is_not_listed_lets_its_members_go(scene: Scene) -> None:
    scene.ring()
    scene.answer()
    scene.pbx.replace_bridges([], scene.now)
    assert scene.pbx.bridges == {}
    assert {channel.bridge for channel in scene.pbx.channels.values()} == {""}


def test_a_ringing_leg_that_only_a_list_knows_is_joined_by_its_linkedid(scene: Scene) -> None:
    listed = [item("a", ChannelState=4), item("b", ChannelState=5, Linkedid="a")]
    scene.pbx.replace_channels(listed, scene.now)
    scene.look()
    assert scene.only()["phase"] == "ringing"
    assert scene.only()["parties"] == ["lab/a", "lab/b"]


def test_an_enter_before_the_leave_of_the_old_bridge(scene: Scene) -> None:
    """Events of two bridges are not ordered among themselves."""
    scene.ring()
    scene.answer()
    scene.enter("a", "br2")
    scene.leave("a", "br")
    assert scene.pbx.channels["a"].bridge == "br2"
    assert scene.pbx.bridges["br"].members == {"b"}


def test_a_swap_takes_the_others_place(scene: Scene) -> None:
    scene.ring()
    scene.answer()
    scene.new("c", "PJSIP/102-1", "up")
    scene.enter("c", "br", SwapUniqueid="b", BridgeType="basic", BridgeTechnology="simple_bridge")
    assert scene.pbx.bridges["br"].members == {"a", "c"}


def test_rename_and_local_pairs(scene: Scene) -> None:
    scene.new("l1", "Local/1@x-1;1")
    scene.event("Rename", Uniqueid="l1", Channel="Local/1@x-1;1", Newname="Local/2@x-9;1")
    assert scene.pbx.local_halves == {"Local/2@x-9;1": "l1"}
    scene.hangup("l1")
    assert scene.pbx.local_halves == {}


@pytest.mark.parametrize("hostile", [{}, {"Uniqueid": ""}, {"DestUniqueid": "nobody", "Uniqueid": "nobody"}])
def test_events_that_lack_everything_harm_nothing(scene: Scene, hostile: dict[str, object]) -> None:
    from live.pbx import HANDLERS

    scene.ring()
    scene.answer()
    before = set(scene.pbx.channels)
    for name in HANDLERS:
        scene.event(name, **hostile)
    scene.look()
    assert set(scene.pbx.channels) == before


@pytest.mark.parametrize(("callers", "callees"), [("00:00:07", "00:00:07"), ("00:01:00", "00:00:59")])
def test_a_list_that_names_the_callee_first_is_no_other_call(scene: Scene, callers: str, callees: str) -> None:
    """Asterisk lists channels in no order; who logs in later must see the same call, begun by the same leg."""
    scene.pbx.bridge("br").kind = Kind.TALK
    rows = [item(leg, Linkedid="a", Duration=long, BridgeId="br") for leg, long in (("b", callees), ("a", callers))]
    scene.pbx.replace_channels(rows, scene.now)
    scene.look()
    (call,) = scene.calls.items()
    assert (call[0], call[1]["parties"]) == ("lab/a", ["lab/a", "lab/b"])
