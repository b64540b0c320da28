"""The comparison itself, tried without an Asterisk: what a list tells of a call that rings, and of one who listens;
and what a run comes to."""

from __future__ import annotations

from typing import Any, cast

import pytest

from benchmarks.exactness import failed
from live.pbx import Pbx
from tests.asterisk.differences import Lists, differences
from tests.asterisk.exactness import Exactness, wronged
from tests.lab.checker import Rows
from tests.lab.instance import Asterisk
from tests.live.scene import Scene


def rows(pbx: Pbx, now: float) -> Rows:
    """CoreShowChannels and Status in one, of all channels."""
    return [
        {
            "Uniqueid": one.uniqueid,
            "Channel": one.name,
            "ChannelState": str(one.state),
            "CallerIDNum": one.number,
            "CallerIDName": one.caller_name,
            "ConnectedLineNum": one.connected_number,
            "ConnectedLineName": one.connected_name,
            "BridgeId": one.bridge,
            "Duration": f"00:00:{now - one.created:02.0f}",
            "Context": one.context,
            "Exten": one.exten,
            "Application": one.application,
            "ApplicationData": one.application_data,
            "Linkedid": one.linkedid,
        }
        for one in pbx.channels.values()
    ]


def bridge(uniqueid: str, size: int) -> dict[str, str]:
    about = {"BridgeType": "basic", "BridgeTechnology": "simple_bridge", "BridgeCreator": "<unknown>"}
    return {"BridgeUniqueid": uniqueid, "BridgeName": "<unknown>", "BridgeNumChannels": str(size), **about}


def found(scene: Scene, entities: dict[str, Any], bridges: Rows = []) -> list[str]:  # noqa: B006
    channels = rows(scene.pbx, scene.now)
    elsewhere = ("BridgeId", "Duration", "ApplicationData")
    status = [
        {
            **{name: value for name, value in row.items() if name not in elsewhere},
            "BridgeID": row["BridgeId"],
            "Seconds": row["Duration"][-2:],
        }
        for row in channels
    ]
    at = {"CoreShowChannels": scene.now, "Status": scene.now}
    lists = Lists(lambda moment: 0.0, at, 0.0, channels, status, bridges, [], [], {}, [], [], [])
    findings = differences(entities, scene.pbx, lists, reread=True)
    return [*findings.differences, *findings.ghosts]


@pytest.fixture
def scene() -> Scene:
    """201 rings 101."""
    scene = Scene()
    scene.ring()
    scene.settled()
    return scene


def test_a_call_that_rings_is_told_as_it_is_listed(scene: Scene) -> None:
    assert scene.only()["phase"] == "ringing"
    assert found(scene, scene.pbx.entities()) == []


@pytest.mark.parametrize("field", ["number", "name", "side", "state", "role", "channel", "call"])
@pytest.mark.parametrize("party", ["lab/a", "lab/b"])
def test_a_party_of_a_call_that_rings_is_compared(scene: Scene, party: str, field: str) -> None:
    assert found(scene, wronged(scene.pbx.entities(), "party", party, field))


@pytest.mark.parametrize("field", ["phase", "direction", "parties", "room", "slot"])
def test_a_call_that_rings_is_compared(scene: Scene, field: str) -> None:
    assert found(scene, wronged(scene.pbx.entities(), "call", "lab/a", field))


@pytest.mark.parametrize("phase", ["conference", "parked", "talking", "hold", "menu", "waiting", "dialling"])
def test_a_call_that_rings_does_nothing_else(scene: Scene, phase: str) -> None:
    told = scene.pbx.entities()
    wrong = {**told, "call": {"lab/a": {**told["call"]["lab/a"], "phase": phase}}}
    assert found(scene, wrong)


def test_a_leg_that_rings_and_is_told_nowhere_is_missed(scene: Scene) -> None:
    told = scene.pbx.entities()
    alone = {"lab/a": {**told["call"]["lab/a"], "parties": ["lab/a"]}}
    assert found(scene, {**told, "call": alone, "party": {"lab/a": told["party"]["lab/a"]}})


def test_who_listens_is_compared_and_so_are_those_who_are_heard(scene: Scene) -> None:
    scene.answer()
    scene.new("s", "PJSIP/105-0000000s", "up")
    scene.event("ChanSpyStart", **scene.snapshot("s", "Spyer"), **scene.snapshot("a", "Spyee"))
    scene.settled()
    scene.pbx.channels["s"].application, scene.pbx.channels["s"].application_data = "ChanSpy", "a,quES"
    told, bridges = scene.pbx.entities(), [bridge("br", 2)]
    scene.pbx.bridges["br"].size = 2
    assert found(scene, told, bridges) == []
    for field in ("party", "call", "mode", "number", "name"):
        assert found(scene, wronged(told, "spy", "lab/s", field), bridges), field
    assert found(scene, {**told, "spy": {}}, bridges)
    assert found(scene, wronged(told, "party", "lab/a", "number"), bridges)
    assert found(scene, {**told, "spy": {**told["spy"], "lab/b": told["spy"]["lab/s"]}}, bridges)


@pytest.mark.parametrize("wrong", ["differences", "ghosts", "unknown", "drift"])
def test_a_run_in_which_anything_was_wrong_has_failed(wrong: str) -> None:
    said = {"points": 9, "rows": 900, "differences": 0, "ghosts": 0, "unknown": 0, "drift": 0}
    assert not failed(said)
    assert failed({**said, wrong: 1})


def test_what_is_told_late_is_forgiven_only_where_the_machine_was_late() -> None:
    run = Exactness(cast(Asterisk, None), seed=1, points=1, cuts=0)
    run.lags = [(1_000.0, 3.0), (1_060.0, 0.5)]
    assert [run._slack(at) for at in (990.0, 998.0, 1_000.5, 1_030.0, 1_060.0)] == [0.0, 3.0, 3.0, 0.0, 0.5]
