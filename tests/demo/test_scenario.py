"""The people of the demo, for an hour that passes in a second: believable, repeatable, and told whole."""

from __future__ import annotations

import re
import statistics

import pytest

from ami.protocol import Message
from demo.events import Event
from demo.parking import TIMEOUT_S
from demo.scenario import AGENTS, AWAY, BREAKS, QUEUES, ROOM, TRUNKS
from live.pbx import Pbx
from tests.demo.virtual import DAWN, Virtual

HOUR = 3600


def _live() -> Pbx:
    pbx = Pbx("demo", re.compile(r"^\d{4}$"), re.compile(r"^PJSIP/trunk-"))
    pbx.settled = True
    return pbx


def _message(event: Event) -> Message:
    return Message(event.encode().removesuffix(b"\r\n\r\n"))


def _take(pbx: Pbx, events: list[Event], now: float) -> None:
    for event in events:
        pbx.apply(_message(event), now)


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.prove), pytest.param(3, marks=pytest.mark.prove)]
)
def test_an_hour_is_believable_and_events_alone_tell_all_of_it(seed: int) -> None:
    day, live = Virtual(seed), _live()
    visible: list[int] = []
    phases: set[str] = set()
    told: set[str] = set()
    for _ in range(HOUR):
        day.pass_(1.0)
        _take(live, day.said, day.now)
        told |= {event.name for event in day.said}
        day.said.clear()
        live.changes(day.now)
        calls = [call for call in live.entities()["call"].values() if call["phase"] != "ended"]
        visible.append(len(calls))
        phases |= {str(call["phase"]) for call in calls}
    assert visible[0] >= 3, "calls within the first second"
    assert 8 <= statistics.mean(visible[10:]) <= 15
    assert max(visible) <= 30
    assert phases >= {"ringing", "waiting", "talking", "hold", "conference"}
    assert told >= {"ParkedCall", "UnParkedCall", "QueueMemberPause", "PeerStatus", "ContactStatus", "Registry"}
    assert live.unknown == 0
    assert live.channels.keys() == day.pbx.channels.keys()
    for channel in day.pbx.channels.values():
        held = live.channels[channel.uniqueid]
        assert (held.name, held.state) == (channel.name, channel.state)
        assert held.bridge == (channel.bridge.uniqueid if channel.bridge is not None else "")
    assert all(queue.completed > 20 and queue.abandoned for queue in day.pbx.queues.values())


def test_the_same_seed_makes_the_same_day() -> None:
    one, same, other = Virtual(5), Virtual(5), Virtual(6)
    for day in (one, same, other):
        day.pass_(300)
    assert one.said == same.said
    assert one.said != other.said


def test_nothing_is_left_behind() -> None:
    """After an hour of everything, when all have hung up: no channel, no bridge, no room, nobody busy."""
    day = Virtual(9)
    day.pass_(HOUR)
    for _ in range(20):
        for channel in [*day.pbx.channels.values()]:
            day.pbx.hangup(channel)
    assert not day.pbx.channels
    assert {bridge.kind for bridge in day.pbx.bridges.values()} <= {"parking"}, "a lot's bridge stays, as in Asterisk"
    assert not day.pbx.parking.parked
    assert not day.pbx.seats.rooms
    devices = [*(f"PJSIP/{exten}" for exten in AGENTS), *TRUNKS]
    assert {day.pbx.state(device) for device in devices} == {"NOT_INUSE"}
    assert not any(queue.waiting for queue in day.pbx.queues.values())


def test_agents_come_back_from_their_breaks_and_parked_callers_are_not_forgotten() -> None:
    day = Virtual(3)
    away: set[str] = set()
    for _ in range(HOUR):
        day.pass_(1.0)
        paused = {one.interface for queue in day.pbx.queues.values() for one in queue.members if one.paused}
        assert len(paused) <= AWAY
        assert all(one.since > day.now - TIMEOUT_S - 1 for one in day.pbx.parking.parked.values())
        away |= paused
    assert len(away) > AWAY
    reasons = {one.get("PausedReason") for one in map(_message, day.said) if one.get("Paused") == "1"}
    assert reasons == BREAKS.keys()


def test_a_contact_centre_of_this_size() -> None:
    pbx = Virtual(1).pbx
    assert len(AGENTS) == 12
    assert list(QUEUES) == ["Sales", "Support", "Billing"]
    assert pbx.rooms == [ROOM]
    assert len(pbx.lines.trunks) == 2
    assert pbx.booted == DAWN
    names = re.findall(r"[^\x00-\x7f]", "".join(AGENTS.values()))
    assert names, "names as people have them"
