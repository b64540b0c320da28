"""Parked callers: where, since when, until when, and what ends it."""

from __future__ import annotations

import pytest

from live.parking import HANDLERS
from tests.live.scene import Scene, message

LOT = {"BridgeType": "parking", "BridgeTechnology": "holding_bridge", "BridgeCreator": "Parking"}
STEP = 4


class Lot(Scene):
    def parking(self, event: str, uniqueid: str, **more: object) -> None:
        about = self.snapshot(uniqueid, "Parkee") if uniqueid in self.names else {"ParkeeUniqueid": uniqueid}
        place = {"Parkinglot": "default", "ParkingSpace": 701, "ParkingTimeout": 45, "ParkingDuration": 0}
        self.event(event, **about, **place | {"ParkerDialString": "PJSIP/102"} | more)

    def park(self, uniqueid: str = "a", **more: object) -> None:
        self.new(uniqueid, f"PJSIP/20{len(self.names) + 1}-0000{uniqueid}", "up")
        self.enter(uniqueid, "lot", **LOT)
        self.parking("ParkedCall", uniqueid, **more)

    @property
    def parked(self) -> dict[str, dict[str, object]]:
        return {key: dict(fields) for key, fields in self.pbx.entities().get("parked", {}).items()}


@pytest.fixture
def lot() -> Lot:
    return Lot()


def test_a_parked_caller(lot: Lot) -> None:
    lot.park()
    lot.settled()
    (parked,) = lot.parked.values()
    call = lot.only()
    assert (call["phase"], call["slot"]) == ("parked", "701")
    assert parked == {
        "rev": 1,
        "lot": "default",
        "space": "701",
        "call": "lab/a",
        "number": "201",
        "name": "Name 201",
        "since": 1_000_000,
        "until": 1_045_000,
        "by": "PJSIP/102",
    }


@pytest.mark.parametrize("event", ["UnParkedCall", "ParkedCallGiveUp", "ParkedCallTimeOut"])
def test_what_ends_it(lot: Lot, event: str) -> None:
    lot.park()
    lot.settled()
    lot.parking(event, "a")
    lot.leave("a", "lot")
    lot.settled()
    assert lot.parked == {}
    assert lot.only()["slot"] == ""


def test_the_end_of_the_leg_ends_it(lot: Lot) -> None:
    lot.park()
    lot.settled()
    lot.hangup("a")
    lot.parking("ParkedCallGiveUp", "a")
    lot.parking("ParkedCall", "a")
    lot.settled()
    assert lot.parked == {}
    assert lot.pbx.unknown == 0


def test_whoever_takes_a_space_is_alone_there(lot: Lot) -> None:
    lot.park("a")
    lot.park("b")
    lot.settled()
    assert set(lot.parked) == {"lab/b"}


def test_two_spaces(lot: Lot) -> None:
    lot.park("a")
    lot.park("b", ParkingSpace=702)
    lot.settled()
    assert {fields["space"] for fields in lot.parked.values()} == {"701", "702"}
    assert {call["slot"] for call in lot.calls.values()} == {"701", "702"}, "two calls, not one"


def test_it_may_be_told_before_its_channel_is(lot: Lot) -> None:
    lot.parking("ParkedCall", "a")
    lot.settled()
    assert lot.parked == {}
    lot.new("a", "PJSIP/201-1", "up")
    lot.settled()
    assert set(lot.parked) == {"lab/a"}
    assert lot.pbx.unknown == 0


def test_a_list_tells_what_no_event_did(lot: Lot) -> None:
    lot.park("a")
    lot.new("b", "PJSIP/202-1", "up")

    def item(uniqueid: str) -> object:
        place = {"Parkinglot": "default", "ParkingSpace": 702, "ParkingTimeout": 20, "ParkingDuration": 25}
        return message("Event", "ParkedCall", ParkeeUniqueid=uniqueid, **place, ParkerDialString="PJSIP/101")

    listed = [item("b")]
    assert lot.pbx.parking.replace(listed, lot.now) == 2  # type: ignore[arg-type]
    lot.settled()
    (parked,) = lot.parked.values()
    assert (parked["since"], parked["until"]) == (975_000, 1_020_000)
    assert lot.pbx.parking.replace(listed, lot.now) == 0  # type: ignore[arg-type]
    lot.hangup("b")
    assert lot.pbx.parking.replace(listed, lot.now) == 0, "a list raises no dead"  # type: ignore[arg-type]
    lot.settled()
    assert lot.parked == {}


def test_all_is_told_anew_after_an_error_of_ours(lot: Lot) -> None:
    lot.park()
    lot.settled()
    before = lot.parked
    lot.pbx.retell()
    lot.settled()
    assert lot.parked == before


def test_events_that_lack_everything_harm_nothing(lot: Lot) -> None:
    for name in HANDLERS:
        lot.event(name)
    lot.settled()
    assert lot.parked == {}
