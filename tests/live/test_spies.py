"""Who listens to whom, from events and from lists; the legs that listen are no calls and no parties."""

from __future__ import annotations

from typing import Any

import pytest

from ami.protocol import Message
from live.ownlegs import GRACE_S, KEPT_S, LOST_S, OwnLegs
from tests.live.scene import Scene, message

DESK = "PJSIP/102-0000000d"


@pytest.fixture
def talking() -> Scene:
    """201 (``a``) talks with 101 (``b``)."""
    scene = Scene()
    scene.ring()
    scene.answer()
    scene.settled()
    return scene


def starts(scene: Scene, spyer: str, spyee: str) -> None:
    scene.event("ChanSpyStart", SpyerUniqueid=spyer, SpyeeUniqueid=spyee)


def stops(scene: Scene, spyer: str, spyee: str) -> None:
    scene.event("ChanSpyStop", SpyerUniqueid=spyer, SpyeeUniqueid=spyee)


def spies(scene: Scene) -> dict[str, dict[str, Any]]:
    return {key: dict(fields) for key, fields in scene.pbx.entities().get("spy", {}).items()}


def ours(scene: Scene, channel_id: str = "phx-listen-1") -> None:
    """A leg that Bob asked for rings and is answered."""
    scene.pbx.own.expect(channel_id, 7, "Bob", scene.now, "Supervisor")
    scene.new(channel_id, "PJSIP/900-0000000c")
    scene.state(channel_id, "ringing")
    scene.state(channel_id, "up")
    scene.event("OriginateResponse", Response="Success", Reason=4, Uniqueid=channel_id)


def desk(scene: Scene) -> None:
    """The phone 102 dials a number that runs ChanSpy."""
    scene.new("d", DESK, "ring")
    scene.state("d", "up")


def listed(scene: Scene, spyer: str = "d", data: str = "PJSIP/101,q", application: str = "ChanSpy") -> None:
    """Take a whole list, in which one leg runs an application."""
    rows: list[Message] = []
    for uniqueid, channel in scene.pbx.channels.items():
        runs = {"Application": application, "ApplicationData": data} if uniqueid == spyer else {}
        rows.append(message("Event", "CoreShowChannel", **scene.snapshot(uniqueid), BridgeId=channel.bridge, **runs))
    scene.pbx.replace_channels(rows, scene.now)


# --- legs that we asked for


def test_our_leg_is_hidden_from_birth_and_told_as_a_spy(talking: Scene) -> None:
    ours(talking)
    changes = talking.look()
    assert not changes, "while it rings nothing is to be seen of it"
    starts(talking, "phx-listen-1", "b")
    changes = talking.look()
    assert list(changes.up) == ["spy"]
    assert spies(talking) == {
        "lab/phx-listen-1": {
            "rev": 1,
            "call": "lab/a",
            "party": "lab/b",
            "mode": "listen",
            "switchable": False,
            "number": "900",
            "name": "Bob",
            "device": "PJSIP/900",
            "user": "Bob",
            "user_id": 7,
            "role": "Supervisor",
            "since": round(talking.now * 1000),
            "ending": "",
        }
    }
    assert list(talking.calls) == ["lab/a"]
    assert set(talking.parties) == {"lab/a", "lab/b"}


def test_the_id_tells_the_mode(talking: Scene) -> None:
    ours(talking, "phx-whisper-1")
    starts(talking, "phx-whisper-1", "b")
    talking.look()
    assert spies(talking)["lab/phx-whisper-1"]["mode"] == "whisper"


def test_a_leg_that_can_be_turned_is_told_as_the_panel_turned_it_last(talking: Scene) -> None:
    """A list tells for ever how it was begun."""
    leg = "phx-listen-keys-1"
    ours(talking, leg)
    starts(talking, leg, "b")
    talking.look()
    assert spies(talking)[f"lab/{leg}"]["switchable"] is True
    talking.pbx.spies.turned(leg, "barge")
    listed(talking, leg, "b,qudES")
    assert talking.look().up == {"spy": {f"lab/{leg}": {"mode": "barge"}}}
    talking.pbx.spies.turned("phx-listen-keys-gone", "barge")
    assert list(spies(talking)) == [f"lab/{leg}"]


def test_after_a_restart_of_the_panel_the_user_is_unknown_and_the_rest_is_not(talking: Scene) -> None:
    talking.new("phx-whisper-9", "PJSIP/900-0000000c", "up")
    listed(talking, "phx-whisper-9", "b,quwES")
    talking.look()
    (spy,) = spies(talking).values()
    assert (spy["user"], spy["user_id"], spy["name"]) == ("", 0, "")
    assert (spy["number"], spy["mode"], spy["party"]) == ("900", "whisper", "lab/b")
    assert list(talking.calls) == ["lab/a"]


@pytest.mark.parametrize("end", ["stop", "spyer", "spyee"])
def test_three_ways_to_end(talking: Scene, end: str) -> None:
    ours(talking)
    starts(talking, "phx-listen-1", "b")
    talking.look()
    if end == "stop":
        stops(talking, "phx-listen-1", "b")
    else:
        talking.hangup("phx-listen-1" if end == "spyer" else "b")
    changes = talking.look()
    assert changes.gone["spy"] == ["lab/phx-listen-1"]
    assert spies(talking) == {}


def test_late_and_double_events_raise_nothing(talking: Scene) -> None:
    ours(talking)
    talking.hangup("phx-listen-1")
    starts(talking, "phx-listen-1", "b")
    stops(talking, "phx-listen-1", "b")
    stops(talking, "phx-listen-1", "b")
    starts(talking, "nobody", "b")
    talking.look()
    assert spies(talking) == {}
    assert talking.pbx.unknown == 1, "nobody is the one that no list and no event had told of"


def test_the_start_after_the_end_of_the_spied_leg(talking: Scene) -> None:
    ours(talking)
    talking.hangup("b")
    starts(talking, "phx-listen-1", "b")
    talking.look()
    assert spies(talking) == {}
    own = talking.pbx.own.get("phx-listen-1")
    assert own is not None
    assert own.done, "it had begun all the same"


def test_the_spy_follows_its_leg_into_another_call(talking: Scene) -> None:
    ours(talking)
    starts(talking, "phx-listen-1", "b")
    talking.look()
    talking.new("c", "PJSIP/103-0000000c", "up")
    talking.leave("b", "br")
    talking.hangup("a")
    talking.enter("b", "br2")
    talking.enter("c", "br2")
    talking.settled()
    (spy,) = spies(talking).values()
    (live,) = [key for key, call in talking.calls.items() if call["phase"] == "talking"]
    assert spy["call"] == live
    assert spy["rev"] == 1, "it can be stopped as it stands: what it does has not changed"


def test_a_picked_up_call_shows_the_user_in_the_place_of_the_one_who_was_rung() -> None:
    """As measured on 16 and 22: the leg keeps its id, name and bridge; the rung one goes, "Answered elsewhere"."""
    scene = Scene()
    scene.ring()
    scene.look()
    ours(scene, "phx-pickup-1")
    assert not scene.look(), "until it has the call, it is no party"
    scene.event("Pickup", **scene.snapshot("phx-pickup-1"), TargetUniqueid="b")
    scene.hangup("b", 26, "Answered elsewhere")
    scene.event("DialEnd", **scene.snapshot("a"), DestUniqueid="phx-pickup-1", DialStatus="ANSWER")
    scene.state("a", "up")
    scene.enter("phx-pickup-1", "br")
    scene.enter("a", "br")
    scene.settled()
    call = scene.only()
    assert (call["phase"], call["parties"]) == ("talking", ["lab/a", "lab/phx-pickup-1"])
    party = scene.parties["lab/phx-pickup-1"]
    assert (party["number"], party["name"], party["state"]) == ("900", "Bob", "up")
    scene.leave("phx-pickup-1", "br")
    scene.settled()
    assert "lab/phx-pickup-1" in scene.parties, "once it is a party it stays one, between two bridges too"


# --- desk phones


def test_a_desk_phones_leg_is_folded_away_from_the_start_on(talking: Scene) -> None:
    desk(talking)
    talking.settled()
    assert len(talking.calls) == 2, "so far it is a phone that has dialled something"
    starts(talking, "d", "b")
    changes = talking.look()
    assert changes.gone == {"call": ["lab/d"], "party": ["lab/d"]}
    assert list(talking.calls) == ["lab/a"], "not ended: it never was a call"
    (spy,) = spies(talking).values()
    assert (spy["number"], spy["name"], spy["user"], spy["mode"]) == ("102", "Name 102", "", "listen")


def test_it_goes_on_to_the_next_call_by_itself(talking: Scene) -> None:
    desk(talking)
    starts(talking, "d", "b")
    talking.look()
    stops(talking, "d", "b")
    talking.settled()
    assert spies(talking) == {}
    assert list(talking.calls) == ["lab/a"], "it waits for the next one: still no call"
    talking.ring("e", "f", ("202", "101"))
    talking.answer("e", "f", "br2")
    starts(talking, "d", "f")
    talking.settled()
    (spy,) = spies(talking).values()
    assert (spy["party"], spy["call"]) == ("lab/f", "lab/e")


def test_a_hop_without_a_stop_is_another_rev(talking: Scene) -> None:
    desk(talking)
    starts(talking, "d", "b")
    talking.look()
    starts(talking, "d", "a")
    stops(talking, "d", "b")
    talking.look()
    (spy,) = spies(talking).values()
    assert (spy["party"], spy["rev"]) == ("lab/a", 2)


def test_after_listening_it_may_talk(talking: Scene) -> None:
    desk(talking)
    starts(talking, "d", "b")
    talking.look()
    talking.ring("e", "f", ("202", "103"))
    talking.look()
    talking.enter("d", "br3")
    talking.enter("e", "br3")
    talking.settled()
    assert spies(talking) == {}
    assert "lab/d" in talking.parties


@pytest.mark.parametrize(
    ("data", "party", "mode"),
    [
        ("PJSIP/101,q", "lab/b", "listen"),
        ("PJSIP/101,qw", "lab/b", "whisper"),
        ("PJSIP/101-0000b,qBE", "lab/b", "barge"),
        ("b,quES", "lab/b", "listen"),
        ("PJSIP/101-0000b,u", "lab/b", "listen"),
        ("PJSIP/101,uq", "", ""),
        ("PJSIP/1,", "lab/b", "listen"),
        ("PJSIP/", "", ""),
        ("PJSIP/999,q", "", ""),
        ("", "", ""),
    ],
)
def test_what_a_list_tells(talking: Scene, data: str, party: str, mode: str) -> None:
    desk(talking)
    listed(talking, "d", data)
    talking.look()
    told = [(spy["party"], spy["mode"]) for spy in spies(talking).values()]
    assert told == ([(party, mode)] if party else [])
    assert list(talking.calls) == ["lab/a"], "a leg that listens to nobody is no call either"


def test_the_list_tells_the_mode_that_events_do_not(talking: Scene) -> None:
    desk(talking)
    starts(talking, "d", "b")
    talking.look()
    listed(talking, "d", "PJSIP/,qB")
    changes = talking.look()
    assert changes.up == {"spy": {"lab/d": {"mode": "barge"}}}, "of several that fit, the one that events named"


def test_an_extension_spied_on_keeps_what_events_told(talking: Scene) -> None:
    desk(talking)
    starts(talking, "d", "b")
    listed(talking, "d", "101@from-internal,qw", "ExtenSpy")
    talking.look()
    (spy,) = spies(talking).values()
    assert (spy["party"], spy["mode"]) == ("lab/b", "whisper")


def test_the_list_ends_what_no_event_ended(talking: Scene) -> None:
    desk(talking)
    starts(talking, "d", "b")
    talking.look()
    listed(talking, "d", "demo-congrats", "Background")
    talking.settled()
    assert spies(talking) == {}
    assert "lab/d" in talking.parties


# --- what becomes of legs that we ask for


@pytest.fixture
def own() -> OwnLegs:
    legs = OwnLegs()
    legs.expect("x", 7, "Bob", 100.0)
    return legs


def failed(legs: OwnLegs, now: float) -> bool:
    legs.look(now)
    leg = legs.get("x")
    assert leg is not None
    return leg.failed


def test_a_refusal_waits_a_moment_for_its_cause(own: OwnLegs) -> None:
    own.born("x")
    own.responded("x", False, 0, 101.0)
    assert not failed(own, 101.0)
    assert own.pending
    own.ended("x", 17, "User busy", 101.01)
    assert failed(own, 101.01)
    assert not own.pending


def test_the_other_way_round_too(own: OwnLegs) -> None:
    own.ended("x", 17, "User busy", 101.0)
    assert not failed(own, 101.0)
    own.responded("x", False, 0, 101.01)
    assert failed(own, 101.01)


def test_a_phone_that_is_not_there_has_no_leg(own: OwnLegs) -> None:
    own.responded("x", False, 0, 101.0)
    assert not failed(own, 101.1)
    assert failed(own, 101.0 + GRACE_S + 0.01)
    own.look(101.0 + KEPT_S + 1)
    assert own.get("x") is None


def test_answered_and_over_before_it_began(own: OwnLegs) -> None:
    own.born("x")
    own.responded("x", True, 4, 101.0)
    assert not failed(own, 150.0)
    own.ended("x", 0, "", 150.0)
    assert not failed(own, 150.1), "the event that it has begun may be behind its Hangup"
    assert failed(own, 150.0 + GRACE_S + 0.01)


def test_what_has_begun_has_not_failed(own: OwnLegs) -> None:
    own.ended("x", 16, "", 150.0)
    own.done("x")
    assert not failed(own, 190.0)
    own.look(150.0 + KEPT_S + 1)
    assert own.get("x") is None


def test_a_leg_that_lives_is_remembered_one_never_heard_of_is_not(own: OwnLegs) -> None:
    own.expect("y", 7, "Bob", 100.0)
    own.done("y")
    own.look(100.0 + LOST_S + 1)
    assert own.get("x") is None
    assert own.get("y") is not None


def test_legs_of_others_are_not_kept(own: OwnLegs) -> None:
    own.responded("z", False, 0, 101.0)
    own.ended("z", 16, "", 101.0)
    own.done("z")
    assert own.get("z") is None


@pytest.mark.parametrize("from_list", [False, True])
def test_a_leg_that_gives_the_tone_is_nobody(talking: Scene, from_list: bool) -> None:
    """Neither a call nor a party, and it listens to nobody."""
    talking.new("phx-tone-1", "UnicastRTP/127.0.0.1:36474-0x7fc324002830", "up")
    if from_list:
        listed(talking, "phx-tone-1", "b,quBES")
    else:
        starts(talking, "phx-tone-1", "b")
    assert not talking.settled()
    assert spies(talking) == {}
    stops(talking, "phx-tone-1", "b")
    talking.hangup("phx-tone-1")
    assert not talking.settled()


@pytest.mark.parametrize(
    ("channel_id", "toned", "switchable"),
    [
        ("phx-listen-0a", False, False),
        ("phx-whisper-keys-0a", False, True),
        ("phx-listen-tone-0a", True, False),
        ("phx-barge-tone-keys-0a", True, True),
        ("1795.tone-keys-1", False, False),
    ],
)
def test_its_id_says_how_it_was_made(talking: Scene, channel_id: str, toned: bool, switchable: bool) -> None:
    """After a restart of the panel too, which has forgotten all else."""
    talking.new(channel_id, "PJSIP/900-0000000c", "up")
    starts(talking, channel_id, "b")
    spy = talking.pbx.spies.get(channel_id)
    assert spy is not None
    assert (spy.toned, spy.switchable) == (toned, switchable)
