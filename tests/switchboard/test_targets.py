"""What somebody types, and which entity that is: a key first, then what people call it; never a guess."""

from __future__ import annotations

import pytest

from ami.protocol import Message
from floor import registry, targets
from live.pbx import Pbx
from switchboard import Ambiguous, NotFound
from tests.live.scene import Scene, message
from tests.live.test_conferences import Conference


def key(pbx: Pbx, verb: str, text: str) -> str:
    return targets.find(pbx, registry.ACTIONS[verb], text).key


@pytest.fixture
def talk() -> Pbx:
    """201 (``a``) talks with 101 (``b``)."""
    scene = Scene()
    scene.ring()
    scene.answer()
    scene.look()
    return scene.pbx


@pytest.mark.parametrize("text", ["a", "lab/a", "201", "101", "Name 101", "NAME 101", "PJSIP/101-0000008b"])
def test_a_call(talk: Pbx, text: str) -> None:
    if text.startswith("PJSIP"):
        text = talk.channels["b"].name
    assert key(talk, "calls.hangup", text) == "lab/a"


@pytest.mark.parametrize("text", ["", "10", "1010", "other/a", "lab", "lab/", "b", "lab/b", "name"])
def test_no_prefix_no_other_pbx_no_leg_of_a_call(talk: Pbx, text: str) -> None:
    with pytest.raises(NotFound, match="there is no call"):
        targets.find(talk, registry.ACTIONS["calls.hangup"], text)


def test_a_call_that_has_ended_is_nobodys() -> None:
    scene = Scene()
    scene.ring()
    scene.answer()
    scene.look()
    for leg in ("a", "b"):
        scene.leave(leg, "br")
        scene.hangup(leg)
    scene.look()
    assert scene.pbx.entities()["call"]["lab/a"]["phase"] == "ended"
    with pytest.raises(NotFound):
        targets.find(scene.pbx, registry.ACTIONS["calls.hangup"], "101")


def two_calls() -> Scene:
    """101 talks with 201, and 202 rings there."""
    scene = Scene()
    scene.ring()
    scene.answer()
    scene.ring("c", "d", ("202", "101"))
    scene.look()
    return scene


def test_of_several_nobody_is_chosen() -> None:
    with pytest.raises(Ambiguous) as caught:
        targets.find(two_calls().pbx, registry.ACTIONS["calls.hangup"], "101")
    assert {candidate for candidate, _ in caught.value.candidates} == {"a", "c"}
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("verb", "meant"), [("calls.pickup", "lab/c"), ("calls.listen", "lab/a")])
def test_but_only_one_can_be_picked_up_or_listened_to(verb: str, meant: str) -> None:
    assert key(two_calls().pbx, verb, "101") == meant


def test_who_is_in_a_room() -> None:
    scene = Conference()
    scene.arrive("a", "101")
    scene.arrive("b", "201")
    scene.settled()
    assert key(scene.pbx, "conferences.lock", "801") == "lab/801"
    for text in ("101", "801/101", "801/Name 101", "a"):
        assert key(scene.pbx, "conferences.mute", text) == "lab/a"
    for text in ("802/101", "801", "801/"):
        with pytest.raises(NotFound):
            targets.find(scene.pbx, registry.ACTIONS["conferences.mute"], text)


def queues() -> Pbx:
    scene = Scene()
    scene.new("a", "PJSIP/201-0000008a", "up")

    def item(event: str, **headers: object) -> Message:
        return message("Event", event, **headers)

    items = [item("QueueParams", Queue="sales"), item("QueueParams", Queue="vip")]
    members = {"Name": "Maria", "Location": "Local/101@from-queue/n"}
    items += [item("QueueMember", Queue=queue, **members) for queue in ("sales", "vip")]
    items.append(item("QueueEntry", Queue="sales", Position=1, Uniqueid="a", Wait=3))
    scene.pbx.queues.replace(items, scene.now)
    scene.later(1.0)
    scene.look()
    return scene.pbx


@pytest.mark.parametrize("text", ["sales/101", "sales/Maria", "sales/Local/101@from-queue/n"])
def test_a_member_by_queue_and_number(text: str) -> None:
    names = {member: targets._names(queues(), fields) for member, fields in queues().entities()["member"].items()}
    assert [member for member, called in names.items() if text.casefold() in called] == [
        "lab/sales/Local/101@from-queue/n"
    ]
    assert all("101" in called for called in names.values()), "without the queue it is both"


def test_who_waits_by_the_place_in_the_queue_and_not_by_the_place_alone() -> None:
    (waiting,) = queues().entities()["waiting"].values()
    names = targets._names(queues(), waiting)
    assert {"201", "sales/201", "sales/1"} <= names
    assert "1" not in names


def test_a_party_is_named_within_its_call() -> None:
    """Both calls have a party 101: the one on the call that is meant."""
    pbx = two_calls().pbx
    listen = registry.ACTIONS["calls.listen"]
    found = targets.find(pbx, listen, "a")
    assert targets.keys_in(pbx, listen, found, {"party": "101"}) == {"party": "lab/b"}
    assert targets.keys_in(pbx, listen, found, {"party": "lab/d"}) == {"party": "lab/d"}
    assert targets.keys_in(pbx, listen, found, {"party": ""}) == {"party": ""}
    assert targets.keys_in(pbx, listen, found, {}) == {}
    with pytest.raises(NotFound):
        targets.keys_in(pbx, listen, found, {"party": "999"})
