"""Whatever happens, in whatever order, however often one looks: the picture hangs together, and nothing is left over.

A random PBX that keeps Asterisk's own rules (a channel is in one bridge at most, nothing happens to it after its
Hangup) but no others: transfers, renames, swaps, lists in the middle, dials between anybody. Before it was there, a
mate's entry that outlived its channel could freeze the whole picture.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from live import channels
from tests.live.scene import Scene, message

KINDS: tuple[dict[str, object], ...] = (
    {"BridgeType": "basic", "BridgeTechnology": "simple_bridge", "BridgeCreator": "<unknown>"},
    {"BridgeType": "basic", "BridgeTechnology": "simple_bridge", "BridgeCreator": "<unknown>"},
    {"BridgeType": "base", "BridgeTechnology": "softmix", "BridgeCreator": "ConfBridge", "BridgeName": "801"},
    {"BridgeType": "parking", "BridgeTechnology": "holding_bridge", "BridgeCreator": "Parking"},
)
STEPS = (
    "new",
    "local",
    "dial",
    "dial_end",
    "move",
    "leave",
    "hangup",
    "state",
    "rename",
    "queue",
    "park",
    "lists",
    "spy",
    "ask",
)
WEIGHTS = (20, 5, 10, 7, 18, 8, 12, 5, 3, 4, 3, 4, 5, 4)


class Exchange:
    """The random PBX, and the page that hears of it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.scene = Scene()
        self.where: dict[str, str] = {}
        self.bridges: dict[str, dict[str, object]] = {}
        self.page: dict[str, dict[str, dict[str, Any]]] = {}
        self.hears: dict[str, str] = {}
        self.count = 0

    def step(self) -> None:
        self.scene.later(self.chance.choice((0, 0, 0, 0.01, 0.05, 0.2, 1)))
        kind = self.chance.choices(STEPS, WEIGHTS)[0]
        if len(self.where) < 2:
            kind = "new"
        getattr(self, f"_{kind}")()
        if self.chance.random() < 0.5:
            self.look()

    def anybody(self) -> str:
        return self.chance.choice([*self.where])

    def _born(self, name: str, prefix: str = "u") -> None:
        uniqueid = f"{prefix}{self.count}{name[-1]}"
        self.where[uniqueid] = ""
        self.scene.new(uniqueid, name, self.chance.choice(("down", "ring", "ringing", "up")))

    def _new(self) -> None:
        self.count += 1
        self._born(self.chance.choice(("PJSIP/101", "PJSIP/trunk", "CBAnn/801")) + f"-{self.count:08x}")

    def _local(self) -> None:
        self.count += 1
        for half in "12":
            self._born(f"Local/104@agents-{self.count % 3:08x};{half}")

    def _ask(self) -> None:
        """The panel asks for a leg, and Asterisk tells in any order what becomes of it."""
        self.count += 1
        prefix = self.chance.choice((channels.LISTEN, channels.WHISPER, channels.PICKUP))
        name = f"PJSIP/900-{self.count:08x}"
        uniqueid = f"{prefix}{self.count}{name[-1]}"
        self.scene.pbx.own.expect(uniqueid, 1, "Bob", self.scene.now)
        refused = self.chance.random() < 0.5
        if refused:
            self.scene.event("OriginateResponse", Uniqueid=uniqueid, Response="Failure", Reason=0)
        if not refused or self.chance.random() < 0.5:
            self._born(name, prefix)

    def _spy(self) -> None:
        """Somebody begins to hear somebody, or ceases to."""
        spyer, spyee = self.chance.sample([*self.where], 2)
        if spyer in self.hears:
            told = {"SpyeeUniqueid": self.hears.pop(spyer)} if self.chance.random() < 0.5 else {}
            self.scene.event("ChanSpyStop", SpyerUniqueid=spyer, **told)
        elif not self.where[spyer]:
            self.hears[spyer] = spyee
            self.scene.event("ChanSpyStart", SpyerUniqueid=spyer, SpyeeUniqueid=spyee)

    def _dial(self) -> None:
        self.scene.dial(*self.chance.sample([*self.where], 2))

    def _dial_end(self) -> None:
        source, target = self.chance.sample([*self.where], 2)
        self.scene.dial_end(source, target, self.chance.choice(("ANSWER", "BUSY", "CANCEL")))

    def _move(self) -> None:
        uniqueid = self.anybody()
        self._out(uniqueid)
        self.hears.pop(uniqueid, None)
        bridge = self.chance.choice([*self.bridges, f"b{self.count}"])
        about = self.bridges.setdefault(bridge, self.chance.choice(KINDS))
        self.where[uniqueid] = bridge
        swapped = self.anybody() if self.chance.random() < 0.1 else ""
        if self.where.get(swapped) == bridge and swapped != uniqueid:
            self.where[swapped] = ""
            about = {**about, "SwapUniqueid": swapped}
        self.scene.enter(uniqueid, bridge, **about)

    def _out(self, uniqueid: str) -> None:
        bridge, self.where[uniqueid] = self.where[uniqueid], ""
        if bridge:
            self.scene.leave(uniqueid, bridge)
            if bridge not in self.where.values():
                self.scene.event("BridgeDestroy", BridgeUniqueid=bridge)
                self.bridges.pop(bridge, None)

    def _leave(self) -> None:
        self._out(self.anybody())

    def _hangup(self) -> None:
        uniqueid = self.anybody()
        self._out(uniqueid)
        del self.where[uniqueid]
        self.hears = {a: b for a, b in self.hears.items() if uniqueid not in (a, b)}
        self.scene.hangup(uniqueid)

    def _state(self) -> None:
        self.scene.state(self.anybody(), "up")

    def _rename(self) -> None:
        uniqueid = self.anybody()
        old = self.scene.names[uniqueid]
        new = self.chance.choice((f"AsyncGoto/{old}<ZOMBIE>", "PJSIP/102-000000ff", "Local/9@x-00000001;1"))
        self.scene.names[uniqueid] = new
        self.scene.event("Rename", Uniqueid=uniqueid, Channel=old, Newname=new)

    def _queue(self) -> None:
        name = self.chance.choice(("QueueCallerJoin", "QueueCallerLeave"))
        self.scene.event(name, **self.scene.snapshot(self.anybody()), Queue="sales")

    def _park(self) -> None:
        name = self.chance.choice(("ParkedCall", "UnParkedCall"))
        self.scene.event(name, ParkeeUniqueid=self.anybody(), ParkingSpace=701)

    def _lists(self) -> None:
        scene = self.scene
        items = [message("Event", "BridgeListItem", BridgeUniqueid=b, **about) for b, about in self.bridges.items()]
        scene.pbx.replace_bridges(items, scene.now)
        rows = [
            message(
                "Event",
                "CoreShowChannel",
                **scene.snapshot(uniqueid),
                BridgeId=bridge,
                Duration="00:00:01",
                **self.runs(uniqueid),
            )
            for uniqueid, bridge in self.where.items()
        ]
        scene.pbx.replace_channels(rows, scene.now)

    def runs(self, uniqueid: str) -> dict[str, object]:
        """The application that a list shows: who listens runs ChanSpy."""
        if uniqueid not in self.hears:
            return {"Application": self.chance.choice(("", "AppDial", "Dial"))}
        target = self.chance.choice((self.hears[uniqueid], self.scene.names[self.hears[uniqueid]][:9]))
        return {"Application": "ChanSpy", "ApplicationData": f"{target},q{self.chance.choice(('', 'w', 'B', 'uES'))}"}

    def look(self) -> None:
        """A tick: what the page merges must be what is said to a newcomer, and hang together."""
        changes = self.scene.look()
        for kind, entities in changes.up.items():
            for key, fields in entities.items():
                self.page.setdefault(kind, {}).setdefault(key, {}).update(fields)
        for kind, keys in changes.gone.items():
            for key in keys:
                self.page[kind].pop(key, None)
        calls, parties = self.scene.calls, self.scene.parties
        spies = self.scene.pbx.entities().get("spy", {})
        told = self.scene.pbx.entities()
        assert self.page == told
        for kind in ("spy", "waiting", "parked"):
            assert all(one["call"] in calls or not one["call"] for one in told.get(kind, {}).values())
        order = told.get("queue", {}).get("lab/sales", {}).get("waiting", [])
        assert sorted(told.get("waiting", {})) == sorted(order)  # type: ignore[arg-type]
        living = [call for call in calls.values() if call["phase"] != "ended"]
        on_calls = Counter(key for call in living for key in call["parties"])  # type: ignore[attr-defined]
        assert all(number == 1 for number in on_calls.values()), "nobody is on two calls"
        assert on_calls.keys() <= parties.keys()
        if not self.scene.pbx.unsettled:  # else the call that it was taken for may still be told as it was
            assert not spies.keys() & on_calls.keys(), "who listens is no party"
        assert {str(party["call"]) for party in parties.values()} <= calls.keys()
        assert all(key.startswith("lab/") for key in [*calls, *parties])

    def end(self) -> None:
        """All hang up; a minute later nothing may be left of them."""
        while self.where:
            self._hangup()
        for seconds in (0.5, 6, 70, 400):
            self.scene.later(seconds)
            self.look()
        pbx = self.scene.pbx
        (sales,) = self.page.pop("queue", {"": {"waiting": []}}).values()
        assert sales["waiting"] == []
        assert not any(self.page.values())
        assert (pbx.spies.spies, pbx.own._legs) == ({}, {})
        assert (pbx.channels, pbx.local_halves, pbx.tombstones, pbx.calls.calls) == ({}, {}, {}, {})
        assert not pbx.pending
        assert not any(bridge.members for bridge in pbx.bridges.values())


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(10, 80))
def test_the_picture_hangs_together(seed: int, steps: int) -> None:
    exchange = Exchange(random.Random(seed))
    for _ in range(steps):
        exchange.step()
    exchange.end()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_all_can_be_told_anew(seed: int) -> None:
    """After an error of ours: the same channels, folded from nothing, are the same calls to look at."""
    exchange = Exchange(random.Random(seed))
    for _ in range(40):
        exchange.step()
    exchange.scene.later(1)
    exchange.look()

    def shape() -> set[tuple[frozenset[str], object]]:
        calls = exchange.scene.calls.values()
        return {(frozenset(c["parties"]), c["phase"]) for c in calls if c["phase"] != "ended"}  # type: ignore[call-overload]

    before = shape()
    exchange.scene.pbx.retell()
    exchange.scene.look()
    assert shape() == before
