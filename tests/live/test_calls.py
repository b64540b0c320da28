"""A supervisor sees calls, not channels: folding, phases, ids that stay, revisions that mean something."""

import pytest

from tests.live.scene import Scene, message

ROOM = {"BridgeType": "base", "BridgeTechnology": "softmix", "BridgeCreator": "ConfBridge", "BridgeName": "801"}
PARKING = {"BridgeType": "parking", "BridgeTechnology": "holding_bridge", "BridgeCreator": "Parking"}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_call_from_first_ring_to_the_end(scene: Scene) -> None:
    scene.ring()
    scene.look()
    call = scene.only()
    assert call["phase"] == "ringing"
    assert call["parties"] == ["lab/a", "lab/b"]
    assert scene.parties["lab/a"]["role"] == "caller"
    assert scene.parties["lab/b"]["number"] == "101"
    assert call["since"] == call["started"] == 1_000_000

    scene.later(5)
    scene.answer()
    changes = scene.look()
    assert changes.up["call"]["lab/a"] == {"phase": "talking", "since": 1_005_000}

    scene.later(60)
    for leg in ("a", "b"):
        scene.leave(leg, "br")
        scene.hangup(leg)
    scene.look()
    call = scene.only()
    assert (call["phase"], call["cause"], call["reason"]) == ("ended", 16, "Normal Clearing")
    assert call["parties"] == ["lab/a", "lab/b"], "an ended call still says who was on it"

    scene.later(4.9)
    assert not scene.look()
    scene.later(0.2)
    changes = scene.look()
    assert changes.gone == {"party": ["lab/a", "lab/b"], "call": ["lab/a"]}
    assert not scene.pbx.pending


def test_hold_and_unhold(scene: Scene) -> None:
    scene.ring()
    scene.answer()
    scene.look()
    rev = scene.only()["rev"]
    scene.event("Hold", **scene.snapshot("b"))
    scene.look()
    assert scene.only()["phase"] == "hold"
    assert scene.parties["lab/b"]["state"] == "hold"
    scene.event("Unhold", **scene.snapshot("b"))
    scene.look()
    assert scene.only()["phase"] == "talking"
    assert scene.only()["rev"] == rev, "a hold is no other call"


def test_a_look_between_two_steps_shows_nothing_half_done(scene: Scene) -> None:
    """The picture may be taken after any event: what lasts milliseconds must not be seen."""
    scene.new("a", "PJSIP/201-1", "ring")
    scene.new("b", "PJSIP/101-1")
    changes = scene.look()
    assert list(changes.up["call"]) == ["lab/a"], "a callee without a dial is not a call yet"
    scene.dial("a", "b")
    scene.state("b", "ringing")
    scene.answer()
    scene.look()
    for leg in ("a", "b"):
        scene.leave(leg, "br")
        assert not scene.look(), "between two bridges"
        scene.hangup(leg)
        assert leg == "b" or not scene.look(), "the other leg is about to hang up too"
    assert scene.look().up["call"]["lab/a"]["phase"] == "ended"


def test_a_local_channel_is_folded_into_its_call(scene: Scene) -> None:
    scene.new("a", "PJSIP/201-1", "ring")
    scene.new("l1", "Local/104@agents-01;1")
    scene.new("l2", "Local/104@agents-01;2", "ring")
    scene.dial("a", "l1")
    scene.new("b", "PJSIP/104-1")
    scene.dial("l2", "b")
    scene.state("b", "ringing")
    scene.look()
    assert scene.only()["parties"] == ["lab/a", "lab/b"]
    scene.state("b", "up")
    scene.dial_end("l2", "b")
    scene.enter("b", "br2")
    scene.enter("l2", "br2")
    scene.state("l1", "up")
    scene.dial_end("a", "l1")
    scene.state("a", "up")
    scene.enter("l1", "br1")
    scene.enter("a", "br1")
    scene.look()
    assert scene.only()["phase"] == "talking"
    # The Local channel optimizes itself away: the call goes on as the same call.
    rev = scene.only()["rev"]
    scene.leave("l1", "br1")
    scene.enter("b", "br1")
    scene.leave("l2", "br2")
    scene.hangup("l1")
    scene.hangup("l2")
    scene.settled()
    call = scene.only()
    assert (call["phase"], call["parties"], call["rev"]) == ("talking", ["lab/a", "lab/b"], rev)


def test_a_local_end_that_runs_something_is_a_party(scene: Scene) -> None:
    scene.new("l1", "Local/504@x-01;1", "up")
    scene.new("l2", "Local/504@x-01;2", "up")
    scene.new("a", "PJSIP/101-1", "up")
    scene.enter("a", "br")
    scene.enter("l1", "br")
    scene.settled()
    call = scene.only()
    assert call["phase"] == "talking"
    assert [scene.parties[str(key)]["side"] for key in call["parties"]] == ["app", "internal"]  # type: ignore[attr-defined]
    assert scene.parties["lab/l2"]["number"] == "504"


def test_two_in_a_room_are_two_calls(scene: Scene) -> None:
    for uniqueid, number in (("a", 201), ("b", 101)):
        scene.new(uniqueid, f"PJSIP/{number}-1", "up")
        scene.enter(uniqueid, "room", **ROOM)
    scene.settled()
    assert {(call["phase"], call["room"]) for call in scene.calls.values()} == {("conference", "801")}
    assert len(scene.calls) == 2


def test_two_parked_callers_are_two_calls(scene: Scene) -> None:
    for uniqueid, slot in (("a", 701), ("b", 702)):
        scene.new(uniqueid, f"PJSIP/20{uniqueid}-1", "up")
        scene.enter(uniqueid, "lot", **PARKING)
        scene.event("ParkedCall", ParkeeUniqueid=uniqueid, ParkingSpace=slot)
    scene.settled()
    assert {(call["phase"], call["slot"]) for call in scene.calls.values()} == {("parked", "701"), ("parked", "702")}


def test_a_waiting_caller_keeps_the_queue_when_answered(scene: Scene) -> None:
    scene.new("a", "PJSIP/201-1", "up")
    scene.event("QueueCallerJoin", **scene.snapshot("a"), Queue="sales", Position=1)
    scene.look()
    assert (scene.only()["phase"], scene.only()["queue"]) == ("waiting", "sales")
    scene.new("b", "PJSIP/101-1")
    scene.dial("a", "b")
    scene.state("b", "ringing")
    scene.look()
    assert scene.only()["phase"] == "waiting"
    scene.event("QueueCallerLeave", **scene.snapshot("a"), Queue="sales")
    scene.answer()
    scene.look()
    assert (scene.only()["phase"], scene.only()["queue"]) == ("talking", "sales")


def test_it_is_the_queues_call_as_long_as_one_is_on_it_who_came_from_there(scene: Scene) -> None:
    """The caller is answered, a colleague comes to it, and the two talk on when he has hung up."""
    test_a_waiting_caller_keeps_the_queue_when_answered(scene)
    scene.new("c", "PJSIP/102-1", "up")
    scene.enter("c", "br")
    scene.look()
    assert scene.only()["queue"] == "sales"
    scene.leave("a", "br")
    scene.hangup("a")
    scene.settled()
    assert (scene.only()["parties"], scene.only()["queue"]) == (["lab/b", "lab/c"], "")


def test_an_agent_alone_is_no_call_of_the_queue(scene: Scene) -> None:
    """The caller has hung up, and the agent is parked."""
    test_a_waiting_caller_keeps_the_queue_when_answered(scene)
    scene.leave("a", "br")
    scene.hangup("a")
    scene.leave("b", "br")
    scene.enter("b", "lot", **PARKING)
    scene.event("ParkedCall", ParkeeUniqueid="b", ParkingSpace=701)
    scene.settled()
    assert (scene.only()["phase"], scene.only()["queue"]) == ("parked", "")


def test_a_ring_group_loses_those_that_did_not_answer(scene: Scene) -> None:
    scene.ring()
    scene.new("c", "PJSIP/102-1")
    scene.dial("a", "c")
    scene.state("c", "ringing")
    scene.look()
    assert scene.only()["parties"] == ["lab/a", "lab/b", "lab/c"]
    scene.dial_end("a", "c", "CANCEL")
    scene.hangup("c", 26, "Answered elsewhere")
    scene.answer()
    scene.settled()
    assert scene.only()["parties"] == ["lab/a", "lab/b"]


def test_merging_keeps_the_elder_call(scene: Scene) -> None:
    """An attended transfer: two calls become one; the elder's id stays, the other is gone, not ended."""
    scene.ring("a", "b")
    scene.answer("a", "b", "br1")
    scene.ring("c", "d", ("101", "102"))
    scene.answer("c", "d", "br2")
    scene.look()
    assert set(scene.calls) == {"lab/a", "lab/c"}
    rev = scene.calls["lab/a"]["rev"]
    scene.leave("b", "br1")
    scene.leave("d", "br2")
    scene.enter("d", "br1")
    scene.hangup("b")
    scene.hangup("c")
    changes = scene.settled()
    assert changes.gone["call"] == ["lab/c"]
    call = scene.only()
    assert (call["phase"], call["parties"]) == ("talking", ["lab/a", "lab/d"])
    assert int(str(call["rev"])) > int(str(rev)), "other people are on it: a click on the old picture must be refused"
    assert scene.parties["lab/d"]["call"] == "lab/a"


def test_a_part_that_splits_off_gets_an_id_and_a_parent(scene: Scene) -> None:
    scene.ring()
    scene.answer()
    scene.look()
    scene.leave("b", "br")
    scene.leave("a", "br")
    scene.settled()
    assert set(scene.calls) == {"lab/a", "lab/b"}
    assert scene.calls["lab/b"]["parent"] == "lab/a"
    assert scene.calls["lab/a"]["parent"] == ""
    assert {call["phase"] for call in scene.calls.values()} == {"menu"}


def test_a_busy_callee_ends_the_call_with_its_cause(scene: Scene) -> None:
    scene.ring()
    scene.look()
    scene.dial_end("a", "b", "BUSY")
    scene.hangup("b", 17, "User busy")
    scene.hangup("a", 17, "User busy")
    scene.look()
    assert (scene.only()["phase"], scene.only()["reason"]) == ("ended", "User busy")


def test_a_call_ends_as_it_ended_and_not_as_a_leg_was_rung_in_vain(scene: Scene) -> None:
    scene.ring()
    scene.new("c", "PJSIP/102-1", "ringing")
    scene.dial("a", "c")
    scene.new("d", "PJSIP/103-1", "ringing")
    scene.dial("a", "d")
    scene.look()
    scene.hangup("d", 17, "User busy")
    scene.settled()
    scene.hangup("c", 26, "Answered elsewhere")
    scene.answer()
    scene.settled()
    scene.hangup("a", 16, "Normal Clearing")
    scene.hangup("b", 31, "Normal, unspecified")
    scene.look()
    assert (scene.only()["cause"], scene.only()["reason"]) == (16, "Normal Clearing")


def test_answered_elsewhere_is_no_end_of_a_call(scene: Scene) -> None:
    scene.ring()
    scene.new("c", "PJSIP/102-1", "ringing")
    scene.dial("a", "c")
    scene.look()
    scene.hangup("c", 26, "Answered elsewhere")
    scene.answer()
    scene.settled()
    scene.hangup("a", 0, "")
    scene.hangup("b", 0, "")
    scene.look()
    assert (scene.only()["phase"], scene.only()["reason"]) == ("ended", "")


def test_a_cause_that_nothing_follows_stays(scene: Scene) -> None:
    """On 22 a phone's own goodbye has cause 0."""
    scene.ring()
    scene.look()
    scene.dial_end("a", "b", "BUSY")
    scene.hangup("b", 17, "User busy")
    scene.settled()
    assert scene.only()["phase"] == "dialling"
    scene.hangup("a", 0, "")
    scene.look()
    assert scene.only()["reason"] == "User busy"


def test_who_consults_somebody_talks_and_who_waits_is_on_hold(scene: Scene) -> None:
    """An attended transfer, as 16 and 22 tell it: a Hold and no Unhold, the one who waits stays in its bridge."""
    scene.ring()
    scene.answer()
    scene.event("Hold", **scene.snapshot("b"))
    scene.event("MusicOnHoldStart", **scene.snapshot("a"))
    scene.look()
    assert scene.only()["phase"] == "hold"
    scene.leave("b", "br")
    scene.new("c", "PJSIP/102-1", "up")
    scene.enter("b", "consult")
    scene.enter("c", "consult")
    scene.settled()
    assert {key: call["phase"] for key, call in scene.calls.items()} == {"lab/a": "hold", "lab/b": "talking"}
    assert scene.parties["lab/b"]["state"] == "up"
    scene.event("MusicOnHoldStop", **scene.snapshot("a"))
    scene.settled()
    assert scene.calls["lab/a"]["phase"] == "menu"


def test_the_first_in_a_bridge_waits_for_the_second(scene: Scene) -> None:
    scene.new("a", "PJSIP/trunk-1", "up")
    scene.new("l1", "Local/101@from-queue-00000001;1", "up")
    scene.new("l2", "Local/101@from-queue-00000001;2", "up")
    scene.enter("a", "outer")
    scene.enter("l1", "outer")
    scene.enter("l2", "inner")
    scene.look()
    assert scene.calls == {}, "nobody knows yet what sits at the Local's end"
    scene.new("b", "PJSIP/102-1", "up")
    scene.enter("b", "inner")
    scene.look()
    assert (scene.only()["phase"], scene.only()["parties"]) == ("talking", ["lab/a", "lab/b"])


def test_direction_and_sides(scene: Scene) -> None:
    scene.new("a", "PJSIP/trunk-1", "ring")
    scene.new("b", "PJSIP/101-1")
    scene.dial("a", "b")
    scene.look()
    assert scene.only()["direction"] == "inbound"
    assert (scene.parties["lab/a"]["side"], scene.parties["lab/b"]["side"]) == ("outside", "internal")


def test_an_extension_is_its_device_whatever_its_caller_id_claims(scene: Scene) -> None:
    scene.new("a", "PJSIP/101-1", "up")
    scene.event("NewCallerid", **scene.snapshot("a", CallerIDNum="+7 900 000-00-00", CallerIDName="The Boss"))
    scene.look()
    assert (scene.parties["lab/a"]["number"], scene.parties["lab/a"]["name"]) == ("101", "The Boss")


def test_a_name_comes_as_the_caller_sent_it(scene: Scene) -> None:
    scene.new("a", "PJSIP/trunk-1", "ring")
    scene.event("NewCallerid", **scene.snapshot("a", CallerIDName=r"Zoë \"Z\" <img src=x onerror=alert(1)>"))
    scene.look()
    assert scene.parties["lab/a"]["name"] == 'Zoë "Z" <img src=x onerror=alert(1)>'


def test_announcer_and_recorder_of_a_room_are_nobody(scene: Scene) -> None:
    scene.new("x", "CBAnn/801-0001;2", "up")
    scene.enter("x", "room", **ROOM)
    scene.settled()
    assert scene.calls == {}


def test_what_a_list_knows_is_only_an_upper_bound(scene: Scene) -> None:
    item = message(
        "Event",
        "CoreShowChannel",
        **{**_listed("a", "PJSIP/101-1"), "Duration": "00:10:00", "Application": "Echo", "BridgeId": ""},
    )
    scene.pbx.replace_channels([item], scene.now)
    scene.look()
    call = scene.only()
    assert (call["approx"], call["started"], call["phase"]) == (True, 400_000, "menu")
    scene.names["a"], scene.states["a"] = "PJSIP/101-1", "up"
    scene.enter("a", "room", **ROOM)
    scene.look()
    assert scene.only()["approx"] is False, "this phase's beginning was seen"


def _listed(uniqueid: str, name: str) -> dict[str, object]:
    return {"Channel": name, "ChannelState": 6, "CallerIDNum": "101", "Uniqueid": uniqueid, "Linkedid": uniqueid}


def test_an_attended_transfer_to_a_phone_that_rings_still(scene: Scene) -> None:
    """The leg that rang it goes, the one that is transferred rings it on: no DialBegin tells of that."""
    scene.ring("a", "b")
    scene.answer("a", "b")
    scene.ring("b2", "c", ("101", "102"))
    scene.settled()
    scene.attended("b", "b2", transferee="a")
    scene.hangup("b2")
    scene.leave("a", "br")
    scene.hangup("b")
    scene.settled()
    alive = [call for call in scene.calls.values() if call["phase"] != "ended"]
    assert [(call["phase"], call["parties"]) for call in alive] == [("ringing", ["lab/a", "lab/c"])]


def test_an_attended_transfer_in_the_very_moment_of_the_answer(scene: Scene) -> None:
    """The transferer's second leg is on its way into the bridge: it comes there, hangs up, and no event tells that the
    one who is transferred is there in its place [measured on 16 and 22]."""
    scene.ring("a", "b")
    scene.answer("a", "b")
    scene.settled()
    scene.ring("a2", "c", numbers=("201", "901"))
    scene.state("c", "up")
    scene.dial_end("a2", "c")
    scene.state("a2", "up")
    scene.attended("a", "a2", transferee="b")
    scene.leave("a", "br")
    scene.enter("c", "br2")
    scene.leave("b", "br")
    scene.hangup("a")
    scene.event("BridgeDestroy", BridgeUniqueid="br")
    scene.enter("a2", "br2")
    scene.hangup("a2")
    scene.settled()
    (call,) = [call for call in scene.calls.values() if call["phase"] != "ended"]
    assert (call["phase"], call["parties"]) == ("talking", ["lab/b", "lab/c"])
