"""Channels under all the names that Asterisk gives them, and the dialplans of others.

Names of IAX2, SIP, PJSIP and Local are in the recordings (`test_days.py`). DAHDI needs hardware that no lab here has:
its names are as chan_dahdi writes them (``DAHDI/33-1``, a port's: also in a trace in the issue blak3r/yaai#175;
``DAHDI/i1/5551234-a``, an ISDN span's), in events of our own.
"""

from __future__ import annotations

import re

import pytest

from live.channels import device
from tests.live.scene import Scene

PARK = {"BridgeType": "base", "BridgeTechnology": "holding_bridge", "BridgeCreator": "Parking"}
ROOM = {"BridgeType": "base", "BridgeTechnology": "softmix", "BridgeCreator": "ConfBridge", "BridgeName": "801"}


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.pbx.trunks = re.compile(r"^(PJSIP/trunk|IAX2/branch$|DAHDI/i\d+/)")
    return scene


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PJSIP/101-0000008c", "PJSIP/101"),
        ("SIP/my-provider-0000061a", "SIP/my-provider"),
        ("IAX2/401-3832", "IAX2/401"),
        ("IAX2/127.0.0.1:4569-7", "IAX2/127.0.0.1:4569"),
        ("DAHDI/33-1", "DAHDI/33"),
        ("DAHDI/i1/5551234-a", "DAHDI/i1/5551234"),
        ("Local/101@from-queue-00000000;2", "Local/101@from-queue"),
        ("AsyncGoto/PJSIP/101-0000008c", "AsyncGoto/PJSIP/101"),
        ("nothing", "nothing"),
    ],
)
def test_a_channel_is_on_its_device(name: str, expected: str) -> None:
    assert device(name) == expected


@pytest.mark.parametrize(
    ("name", "number", "side"),
    [
        ("IAX2/401-3832", "401", "internal"),
        ("SIP/301-00000002", "301", "internal"),
        ("IAX2/branch-6830", "5551234", "outside"),
        ("DAHDI/33-1", "5551234", "internal"),  # the 33rd port is not extension 33
        ("DAHDI/i1/5551234-a", "5551234", "outside"),
    ],
)
def test_who_sits_there(scene: Scene, name: str, number: str, side: str) -> None:
    scene.new("a", name, "up")
    scene.event("NewCallerid", **scene.snapshot("a", CallerIDNum="5551234", CallerIDName="ACME"))
    scene.look()
    party = scene.parties["lab/a"]
    assert (party["number"], party["name"], party["side"]) == (number, "ACME", side)


@pytest.mark.parametrize("begin", ["74951234101@trunk", "branch/74951234101", "trunk/sip:74951234101@192.0.2.1:5060"])
def test_the_number_that_a_trunk_was_given(scene: Scene, begin: str) -> None:
    """Dialled from an extension `s`, the leg's own caller ID is that `s`."""
    scene.new("a", "PJSIP/101-0000000a", "ring")
    scene.new("b", "PJSIP/trunk-0000000b")
    callee = scene.snapshot("b", "Dest") | {"DestCallerIDNum": "s", "DestCallerIDName": "Agent 103"}
    scene.event("DialBegin", **scene.snapshot("a"), **callee, DialString=begin)
    scene.look()
    assert (scene.parties["lab/b"]["number"], scene.parties["lab/b"]["name"]) == ("74951234101", "")
    assert scene.only()["direction"] == "outbound"


def test_the_number_comes_with_the_dial_however_late(scene: Scene) -> None:
    scene.ring(numbers=("101", "trunk"))
    scene.answer()
    callee = scene.snapshot("b", CallerIDNum="s")
    scene.event("NewCallerid", **callee)
    scene.settled()
    assert scene.parties["lab/b"]["number"] == ""
    told = {f"Dest{name}": value for name, value in callee.items()}
    scene.event("DialBegin", **scene.snapshot("a"), **told, DialString="74951234101@trunk")
    scene.look()
    party = scene.parties["lab/b"]
    assert party["number"] == "74951234101"


def test_an_extension_that_was_dialled_from_s_has_no_strangers_name(scene: Scene) -> None:
    """After a queue has tried others, an IAX2 leg wears the name of one of these [16 and 22]."""
    scene.new("a", "IAX2/401-3832")
    scene.event("NewCallerid", **scene.snapshot("a", CallerIDNum="s", CallerIDName="Agent 103"))
    scene.settled()
    assert (scene.parties["lab/a"]["number"], scene.parties["lab/a"]["name"]) == ("401", "")


def queued_call(scene: Scene) -> None:
    """A caller by the trunk, who talks with 101 through the Local channel of a FreePBX queue."""
    scene.new("a", "PJSIP/trunk-0000000a", "up")
    scene.new("l1", "Local/101@from-queue-00000000;1", "up")
    scene.new("l2", "Local/101@from-queue-00000000;2", "up")
    scene.new("b", "PJSIP/101-0000000b", "up")
    for uniqueid, bridge in (("a", "outer"), ("l1", "outer"), ("l2", "inner"), ("b", "inner")):
        scene.enter(uniqueid, bridge)
    scene.settled()


def test_who_is_parked_through_a_local_is_whoever_comes_through_it(scene: Scene) -> None:
    """A blind transfer to the lot parks the other end of the agent's bridge, and that is the Local's."""
    queued_call(scene)
    assert scene.only()["parties"] == ["lab/a", "lab/b"]
    scene.leave("l2", "inner")
    scene.enter("l2", "lot", **PARK)
    parkee = {f"Parkee{name}": value for name, value in scene.snapshot("l2").items()}
    scene.event("ParkedCall", **parkee, Parkinglot="default", ParkingSpace=71, ParkingTimeout=45)
    scene.hangup("b")
    scene.settled()
    call = scene.only()
    assert (call["phase"], call["slot"], call["parties"]) == ("parked", "71", ["lab/a"])
    (parked,) = scene.pbx.entities()["parked"].values()
    assert (parked["number"], parked["name"]) == ("trunk", "Name trunk")
    scene.event("NewCallerid", **scene.snapshot("a", CallerIDNum="+49151"))
    scene.look()
    (parked,) = scene.pbx.entities()["parked"].values()
    assert parked["number"] == "+49151"


def test_who_is_in_a_room_through_a_local(scene: Scene) -> None:
    queued_call(scene)
    scene.leave("l2", "inner")
    scene.hangup("b")
    scene.enter("l2", "room", **ROOM)
    scene.event("ConfbridgeJoin", **scene.snapshot("l2"), Conference="801")
    scene.settled()
    (participant,) = scene.pbx.entities()["participant"].values()
    assert (participant["number"], participant["side"]) == ("trunk", "outside")
    assert (scene.only()["phase"], scene.only()["parties"]) == ("conference", ["lab/a"])


def test_a_local_that_runs_a_room_by_itself_is_its_own_party(scene: Scene) -> None:
    """Nobody comes through it: what sits at the other end is dialplan."""
    scene.new("l1", "Local/7@x-00000000;1", "up")
    scene.new("l2", "Local/7@x-00000000;2", "up")
    scene.enter("l1", "room", **ROOM)
    scene.settled()
    assert scene.only()["parties"] == ["lab/l1", "lab/l2"]


def test_two_members_rung_through_locals_are_gone_when_a_third_answers(scene: Scene) -> None:
    """The half that was rung hangs up first; its other half, and who was rung by that, are no call of their own."""
    scene.new("a", "PJSIP/trunk-0000000a", "ring")
    for n in "12":
        scene.new(f"l{n}1", f"Local/FMPR-10{n}@x-0000000{n};1")
        scene.new(f"l{n}2", f"Local/FMPR-10{n}@x-0000000{n};2", "ring")
        scene.new(f"b{n}", f"PJSIP/10{n}-0000000b", "ringing")
        scene.dial("a", f"l{n}1")
        scene.dial(f"l{n}2", f"b{n}")
    scene.settled()
    assert scene.only()["parties"] == ["lab/a", "lab/b1", "lab/b2"]
    scene.hangup("l21", 26, "Answered elsewhere")
    scene.state("a", "up")
    scene.look()
    assert scene.only()["parties"] == ["lab/a", "lab/b1", "lab/b2"]
    scene.hangup("l22", 26, "Answered elsewhere")
    scene.hangup("b2", 26, "Answered elsewhere")
    scene.settled()
    assert scene.only()["parties"] == ["lab/a", "lab/b1"]


def test_a_call_rings_until_both_ends_of_the_local_are_joined(scene: Scene) -> None:
    scene.new("a", "PJSIP/trunk-0000000a", "ring")
    scene.new("l1", "Local/101@from-internal-00000001;1")
    scene.new("l2", "Local/101@from-internal-00000001;2", "ring")
    scene.new("b", "PJSIP/101-0000000b", "ringing")
    scene.dial("a", "l1")
    scene.dial("l2", "b")
    scene.settled()
    assert scene.only()["phase"] == "ringing"
    for uniqueid in ("b", "l2", "l1"):
        scene.state(uniqueid, "up")
    scene.enter("b", "inner")
    scene.enter("l2", "inner")
    scene.settled()
    assert scene.only()["phase"] == "ringing"
    scene.enter("l1", "outer")
    scene.enter("a", "outer")
    scene.look()
    assert scene.only()["phase"] == "talking"


def test_a_leg_that_rings_before_it_is_dialled_is_no_call_yet(scene: Scene) -> None:
    """chan_iax2 says so in this order [16 and 22]."""
    scene.new("a", "PJSIP/101-0000000a", "ring")
    scene.look()
    scene.new("b", "IAX2/401-3832")
    scene.state("b", "ringing")
    scene.look()
    assert set(scene.calls) == {"lab/a"}
    scene.dial("a", "b")
    scene.look()
    assert scene.only()["parties"] == ["lab/a", "lab/b"]


def test_a_phone_that_an_originate_rings_is_shown_at_once(scene: Scene) -> None:
    scene.new("a", "IAX2/401-3832")
    scene.state("a", "ringing")
    scene.event("DialBegin", **scene.snapshot("a", "Dest"), DialString="401")
    scene.look()
    assert scene.only()["phase"] == "ringing"
