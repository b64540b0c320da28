"""A recorded run of a real Asterisk 22 (calls, queues, transfers, parking, rooms), replayed: the model ends where
Asterisk's own list, asked on the same connection at the end, says that it is."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ami.protocol import Message, Protocol
from live.pbx import Pbx
from live.resync import STEPS
from tests.live.scene import EXTENSIONS, TRUNKS

RECORDING = Path(__file__).parent.parent / "recordings" / "ast22-small.ami.gz"
LISTS = {"CoreShowChannel", "BridgeListItem", "ConfbridgeList", "ConfbridgeListRooms"}


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return list(Protocol().feed(gzip.decompress(RECORDING.read_bytes())))


def replayed(messages: list[Message], step: float, every: int = 1, repeat: int = 1) -> Pbx:
    """Apply the run, ``step`` seconds from event to event, with a look after every so many."""
    pbx, now = Pbx("lab", EXTENSIONS, TRUNKS), 1_000.0
    pbx.settled = True
    for index, message in enumerate(messages):
        if message.event in LISTS:
            continue
        now += step
        for _ in range(repeat):
            pbx.apply(message, now)
        if index % every == 0:
            pbx.changes(now)
    pbx.changes(now + 1)
    return pbx


def test_the_model_equals_asterisks_own_list(messages: list[Message]) -> None:
    listed = {m.get("Uniqueid"): m for m in messages if m.event == "CoreShowChannel"}
    assert len(listed) > 3, "the recording ends with calls that live"
    pbx = replayed(messages, 0.01)
    assert set(pbx.channels) == set(listed)
    for uniqueid, item in listed.items():
        channel = pbx.channels[uniqueid]
        assert (channel.name, channel.state) == (item.get("Channel"), int(item.get("ChannelState")))
        assert channel.bridge == item.get("BridgeId")
    assert pbx.unknown == 0


def test_a_list_after_the_events_corrects_nothing(messages: list[Message]) -> None:
    pbx = replayed(messages, 0.01)
    events = {"Channel": "CoreShowChannel", "Bridge": "BridgeListItem"}
    bridges, channels = ([m for m in messages if m.event == name] for name in reversed(events.values()))
    for step, items in zip(STEPS[:2], (bridges, channels), strict=True):
        assert step.replace(pbx, items, 2_000.0) == 0


def test_the_rooms_equal_asterisks_own_lists(messages: list[Message]) -> None:
    """Some came and went, one was muted, it was recorded: at the end the events alone say what the lists say."""
    pbx = replayed(messages, 0.01)
    (room,) = (m.get("Conference") for m in messages if m.event == "ConfbridgeListRooms")
    listed = {m.get("Uniqueid"): m for m in messages if m.event == "ConfbridgeList"}
    assert len(listed) > 1
    assert set(pbx.conferences.rooms[room].members) == set(listed)
    for uniqueid, item in listed.items():
        participant = pbx.conferences.participants[uniqueid]
        flags = ("Admin", participant.admin), ("Muted", participant.muted), ("Talking", participant.talking)
        assert {name: item.get(name) == "Yes" for name, _ in flags} == dict(flags)
    assert pbx.conferences.replace_members(room, listed.values(), 2_000.0) == 0


def test_what_happens_in_a_room_is_seen(messages: list[Message]) -> None:
    pbx, seen = Pbx("lab", EXTENSIONS, TRUNKS), set()
    for index, message in enumerate(messages):
        if message.event not in LISTS:
            pbx.apply(message, index / 100)
            people = pbx.conferences.participants.values()
            seen |= {flag for flag in ("admin", "muted", "talking") if any(getattr(one, flag) for one in people)}
            seen |= {"recording" for room in pbx.conferences.rooms.values() if room.recording}
    assert seen == {"admin", "muted", "talking", "recording"}


@pytest.mark.parametrize(("step", "every"), [(0.0001, 1), (0.03, 1), (0.01, 50), (0.01, 10_000)])
def test_how_often_one_looks_does_not_matter(messages: list[Message], step: float, every: int) -> None:
    """Coalescing must lose nothing: the calls at the end are the same however they were looked at."""

    def shape(pbx: Pbx) -> set[tuple[frozenset[str], str]]:
        calls = pbx.entities()["call"].values()
        return {(frozenset(c["parties"]), str(c["phase"])) for c in calls if c["phase"] != "ended"}  # type: ignore[arg-type]

    assert shape(replayed(messages, step, every)) == shape(replayed(messages, 0.01))


def test_every_event_twice_is_as_once(messages: list[Message]) -> None:
    once, twice = replayed(messages, 0.01), replayed(messages, 0.01, repeat=2)
    assert twice.entities() == once.entities()


@pytest.mark.parametrize("step", [0.0001, 0.002, 0.01, 0.02, 0.05, 0.15])
def test_no_party_is_left_without_its_call(messages: list[Message], step: float) -> None:
    """Whatever the steps of a call lie apart, and however often one looks in between."""
    pbx, now = Pbx("lab", EXTENSIONS, TRUNKS), 1_000.0
    for message in messages:
        if message.event in LISTS:
            continue
        now += step
        pbx.apply(message, now)
        if pbx.changes(now):
            calls, parties = pbx.entities().get("call", {}), pbx.entities().get("party", {})
            assert {party["call"] for party in parties.values()} <= set(calls)
            shown = [key for call in calls.values() for key in call["parties"]]  # type: ignore[union-attr]
            assert sorted(shown) == sorted(parties), "each party stands in exactly one call"
