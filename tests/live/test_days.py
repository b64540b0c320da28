"""A working day of Asterisk 22 and 16, set up as FreePBX does it, replayed: the model ends where Asterisk's own lists
end, and on the way every call is told as a supervisor would tell it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from live.changes import Changes
from live.pbx import Pbx
from tests.live.recorded import NAMES, Recording, Sentence, play, recording, sentence, told_of

OUTSIDE = "+4915112345678"


@pytest.fixture(params=NAMES)
def day(request: pytest.FixtureRequest) -> Recording:
    return recording(request.param)


@cache
def stories(name: str) -> list[list[Sentence]]:
    return told_of(recording(name), recording(name).events)


@pytest.fixture(params=NAMES)
def story(request: pytest.FixtureRequest) -> list[list[Sentence]]:
    return stories(request.param)


def told_in(stories: list[list[Sentence]], *wanted: Sentence) -> bool:
    """Whether one call was told so, step for step from its first step on."""
    return any(tuple(story[: len(wanted)]) == wanted for story in stories)


ENDED: Sentence = ("ended", "Normal Clearing", ())

# --- the truth


def test_events_alone_say_what_the_lists_say(day: Recording) -> None:
    pbx = day.played()
    corrections = day.resync(pbx, "truth", day.events[-1][0] + 1)
    assert {name: count for name, count in corrections.items() if count} == {}
    assert pbx.unknown == 0
    assert "ConfbridgeList-801" in corrections, "it ends with a room"


def test_the_day_ends_with_something_of_every_kind(day: Recording) -> None:
    """Else the lists would prove little."""
    truth = day.lists("truth")
    kinds = {message.event for items in truth.values() for message in items}
    assert kinds >= {"CoreShowChannel", "BridgeListItem", "ConfbridgeList", "QueueEntry", "QueueMember", "ParkedCall"}
    technologies = {message.get("Channel").partition("/")[0] for message in truth["CoreShowChannels"]}
    assert technologies == {"PJSIP", "IAX2", "Local"}
    assert all(re.match(r"phx(16|22)-\d+\.\d+$", m.get("Uniqueid")) for m in truth["CoreShowChannels"])


def test_a_login_in_the_middle_of_it_all(day: Recording) -> None:
    """Who comes late sees by lists what the others know from events: the same calls, of the same people."""
    seen = day.played()
    late = Pbx("lab", seen.extensions, seen.trunks)
    now = day.events[-1][0] + 1
    day.resync(late, "truth", now)
    late.changes(now)

    def picture(pbx: Pbx) -> set[Sentence]:
        keys = [key for key, call in pbx.entities()["call"].items() if call["phase"] != "ended"]
        return {(phase, place, tuple(sorted(who))) for phase, place, who in (sentence(pbx, key) for key in keys)}

    served = next(call for call in late.entities()["call"].values() if len(call["parties"]) == 2 and call["queue"])  # type: ignore[arg-type]
    assert (served["phase"], served["queue"]) == ("talking", "600")
    # No list tells what a trunk was given to dial, nor of a ringing leg by whom it is rung when the one who dials
    # names himself only by Linkedid: those two may differ.
    assert {told for told in picture(late) if "ringing" not in told} >= {
        ("waiting", "602", ("204",)),
        ("talking", "", tuple(sorted((OUTSIDE, "101")))),
        ("parked", "72", ("201",)),
        ("conference", "801", ("103",)),
        ("conference", "801", ("402",)),
        ("menu", "", ("202",)),
    }


# --- the stories


def test_through_the_queue_on_hold_passed_on_parked_and_taken_back(story: list[list[Sentence]]) -> None:
    """The agents are 101, 102 and 103; that queue and lot reach them through Local channels, nobody sees."""
    assert told_in(
        story,
        ("waiting", "600", (OUTSIDE, "101", "102")),
        ("talking", "", (OUTSIDE, "101")),
        ("hold", "", (OUTSIDE, "101")),
        ("talking", "", (OUTSIDE, "101")),
        ("ringing", "", (OUTSIDE, "103")),
        ("talking", "", (OUTSIDE, "103")),
        ("parked", "71", (OUTSIDE,)),
        ("talking", "", (OUTSIDE, "102")),
        ENDED,
    )


def test_a_caller_gives_up(story: list[list[Sentence]]) -> None:
    assert told_in(story, ("waiting", "601", (OUTSIDE, "103")), ENDED)


def test_the_one_who_is_busy_is_passed_over(story: list[list[Sentence]]) -> None:
    found = [one for one in story if ("talking", "", (OUTSIDE, "401")) in one]
    assert len(found) == 2, "both callers of 601 came to the IAX2 phone"
    for one in found:
        assert one[-3:] == [("waiting", "601", (OUTSIDE, "401")), ("talking", "", (OUTSIDE, "401")), ENDED]


def test_a_group_rings(story: list[list[Sentence]]) -> None:
    assert told_in(
        story,
        ("ringing", "", ("anonymous", "101", "102", "401")),
        ("talking", "", ("anonymous", "102")),
        ENDED,
    )
    assert told_in(
        story,
        ("ringing", "", (OUTSIDE, "102", "103")),  # each through two Local channels
        ("talking", "", (OUTSIDE, "103")),
        ENDED,
    )


def test_an_attended_transfer(story: list[list[Sentence]]) -> None:
    assert told_in(
        story,
        ("ringing", "", ("201", "101")),
        ("talking", "", ("201", "101")),
        ("hold", "", ("201", "101")),
        ("hold", "", ("201",)),
        ("talking", "", ("201", "102")),
        ENDED,
    )
    assert told_in(story, ("ringing", "", ("101", "102")), ("talking", "", ("101", "102")))


def test_a_menu_then_a_queue(story: list[list[Sentence]]) -> None:
    assert told_in(
        story,
        ("menu", "", (OUTSIDE,)),
        ("waiting", "600", (OUTSIDE, "101", "102")),
        ("talking", "", (OUTSIDE, "102")),
        ENDED,
    )


def test_iax_phones_and_trunks(story: list[list[Sentence]]) -> None:
    assert told_in(story, ("ringing", "", ("402", "101")), ("talking", "", ("402", "101")), ENDED)
    assert told_in(story, ("ringing", "", ("", "102")), ("talking", "", ("", "102")), ENDED)  # a branch gives none
    assert told_in(story, ("ringing", "", ("101", "4915199999999")), ("talking", "", ("101", "4915199999999")), ENDED)
    assert any(("talking", "", ("102", "74951234101")) in one for one in story)


def test_taken_from_anothers_phone(story: list[list[Sentence]]) -> None:
    assert told_in(story, ("ringing", "", ("201", "102")), ("talking", "", ("201", "900")), ENDED)


@pytest.mark.parametrize("name", ["freepbx16", "freepbx16-unmasked"])
def test_an_old_sip_phone(name: str) -> None:
    """chan_sip is gone from 22."""
    story = stories(name)
    assert told_in(
        story, ("ringing", "", ("301", "101")), ("talking", "", ("301", "101")), ("hold", "", ("301", "101"))
    )
    assert told_in(story, ("ringing", "", ("201", "301")), ("talking", "", ("201", "301")), ENDED)


def test_nothing_is_told_but_calls_of_people(story: list[list[Sentence]]) -> None:
    """No call of a Local, of a listener's phone, of a leg that is on its way from one bridge to another."""
    numbers = {number for one in story for _, _, who in one for number in who}
    assert numbers <= {OUTSIDE, "anonymous", "", "4915199999999", "74951234101", "74951234102"} | {
        "101", "102", "103", "201", "202", "203", "204", "301", "401", "402", "900", "901",
    }  # fmt: skip
    assert all(who for one in story for phase, _, who in one if phase != "ended")
    briefly = [one for one in story if one[-1][0] == "ended" and len(one) == 1]
    assert briefly == []


# --- who sits where


def kinds(day: Recording) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every state of every entity that was told on the day."""
    found: list[tuple[str, dict[str, Any]]] = []

    def note(now: float, changes: Changes, pbx: Pbx) -> None:
        for kind, entities in changes.up.items():
            found.extend((kind, dict(pbx.entities()[kind][key])) for key in entities if key in pbx.entities()[kind])

    pbx = day.begun()
    play(pbx, day.events, note)
    return iter(found)


def test_who_is_parked_through_a_local_channel(day: Recording) -> None:
    """The queue's call was passed on, so what is parked is the Local: the customer is who waits there."""
    parked = {(one["space"], one["number"]) for kind, one in kinds(day) if kind == "parked"}
    assert parked == {("71", OUTSIDE), ("72", "201")}


def test_sides_and_directions(day: Recording) -> None:
    sides = {(one["channel"].partition("-")[0], one["side"]) for kind, one in kinds(day) if kind == "party"}
    outside = {device for device, side in sides if side == "outside"}
    assert outside == {"PJSIP/trunk", "IAX2/branch"}
    assert {side for _, side in sides} == {"outside", "internal"}, "no Local's end was a party"


def test_the_members_of_the_queues(day: Recording) -> None:
    pbx = day.played()
    members = {(one["queue"], one["interface"]): one for one in pbx.entities()["member"].values()}
    assert set(members) == {
        ("lab/600", "Local/101@from-queue/n"),
        ("lab/600", "Local/102@from-queue/n"),
        ("lab/601", "Local/103@from-queue/n"),
        ("lab/601", "Local/301@from-queue/n"),
        ("lab/601", "Local/401@from-queue/n"),
    }
    assert {one["state_interface"] for one in members.values()} >= {"hint:101@ext-local", "hint:401@ext-local"}
    serving, paused = members["lab/600", "Local/101@from-queue/n"], members["lab/601", "Local/103@from-queue/n"]
    assert (serving["in_call"], paused["in_call"]) == (True, False)
    assert (paused["paused"], paused["reason"]) == (True, "Meeting")


def test_who_came_and_went_as_member(day: Recording) -> None:
    seen = [one for kind, one in kinds(day) if kind == "member" and one["queue"] == "lab/602"]
    assert {one["membership"] for one in seen} == {"dynamic"}
    assert {(one["penalty"], one["paused"], one["reason"]) for one in seen} >= {
        (3, False, ""),
        (3, True, "Coffee"),
        (1, False, ""),
    }


def test_the_room(day: Recording) -> None:
    people = [one for kind, one in kinds(day) if kind == "participant"]
    assert {one["number"] for one in people} == {"101", "102", "103", "402"}
    assert {one["number"] for one in people if one["muted"]} == {"101", "102", "103"}
    assert {one["number"] for one in people if one["admin"]} == {"402"}


def test_the_trunks(day: Recording) -> None:
    trunks = day.played().entities()["trunk"]
    assert {one["name"]: one["channels"] for one in trunks.values()} == {"PJSIP/trunk": 2, "IAX2/branch": 1}
    assert {one["reachable"] for one in trunks.values()} == {"yes"}


def test_do_not_disturb_is_the_hints(day: Recording) -> None:
    texts = {one["text"] for kind, one in kinds(day) if kind == "extension" and one["exten"] == "102"}
    assert texts >= {"Idle", "Ringing", "InUse", "Busy"}


def test_who_listened(day: Recording) -> None:
    spies = [one for kind, one in kinds(day) if kind == "spy"]
    assert {(one["mode"], one["number"]) for one in spies} == {("listen", "900")}
