"""Between the click and its turn anything may happen: nothing is sent that she may not do to what the call is then.

A machine (hypothesis) that lets calls talk, moves legs from anywhere to anywhere, parks them, seats them in rooms and
queues, changes the user's teams and who is protected, and clicks in between: with the `rev` that was shown, with a
guessed one, and before or after the model was looked at. What was sent is judged by what the machine itself knows of
who talks with whom, not by the model.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from accounts.permissions import Rule, Scope, UserSnapshot
from accounts.rights import RIGHTS
from floor import registry
from floor.dispatch import Dispatcher
from tests.floor.stage import command
from tests.floor.world import EPOCH, Memory, Refusing
from tests.live.scene import Scene
from tests.live.test_calls import PARKING
from tests.live.test_conferences import ROOM
from tests.live.test_queues import MEMBER

INSIDE = ("201", "202", "203", "301", "302", "303")
OUTSIDE = "trunk"
MEMBERS = {"sales": ("201", "301"), "support": ("202", "302")}
RULES = {
    ("extension", "2??"): {"201", "202", "203"},
    ("extension", "301"): {"301"},
    ("extension", "3??"): {"301", "302", "303"},
}
PLACES = (("queue", "sales"), ("queue", "support"), ("conference", "801"))
MONITORS = ("calls.listen", "calls.whisper", "calls.barge", "calls.record")
VERBS = (*MONITORS, "calls.hangup", "calls.transfer", "calls.park", "conferences.kick", "queues.withdraw")
ARGS: dict[str, dict[str, Any]] = {"calls.transfer": {"number": "203"}}

CHANCE = st.integers(0, 2**32).map(Random)
BY = st.integers(-1, 1)
LOOKS = st.sampled_from((0.5, 0.5, 0.05, None))
"""Seconds after which the model is looked at; None: not before the next thing happens."""


DANA = UserSnapshot(7, "Dana", True, frozenset(RIGHTS) - {"floor.everywhere"}, phones=(("lab", "PJSIP/290"),))


class InBetween(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.scene, self.book, self.link = Scene(), Memory(DANA), Refusing()
        self.numbers: dict[str, str] = {}
        self.bridge: dict[str, str] = {}
        self.came: dict[str, str] = {}
        self.waiting: dict[str, str] = {}
        self.count = 0
        self.last = ""
        """The leg that something has happened to last."""
        self.covered: set[str] = set()
        self.places: set[tuple[str, str]] = set()
        self.protected: set[str] = set()
        for queue, numbers in MEMBERS.items():
            for number in numbers:
                about = {"Queue": queue, "MemberName": number, "Interface": f"PJSIP/{number}"}
                self.scene.event(
                    "QueueMemberAdded", **about, **MEMBER | {"StateInterface": f"PJSIP/{number}", "Ringinuse": 0}
                )
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        self.dispatcher = Dispatcher(
            self.scene.pbx,
            self.link,  # type: ignore[arg-type]
            self.book,
            self._reply,
            lambda: EPOCH,
            recorder=self.link,  # type: ignore[arg-type]
        )

    async def _look(self) -> None:
        self.dispatcher.look()

    async def _reply(self, channel: str, message: dict[str, Any]) -> None:
        pass

    def teardown(self) -> None:
        self.loop.run_until_complete(self.dispatcher.finish())
        self.loop.close()

    # --- what happens on the floor

    def leg(self, number: str) -> str:
        self.count += 1
        uniqueid = f"u{self.count}"
        self.numbers[uniqueid], self.bridge[uniqueid] = number, ""
        self.scene.new(uniqueid, f"PJSIP/{number}-{self.count:08x}", "up")
        return uniqueid

    def put(self, leg: str, bridge: str, about: dict[str, Any] | None = None) -> bool:
        """It is in this bridge (or in none) from here on. False if it was there already."""
        self.last = leg
        if self.bridge[leg] == bridge and leg not in self.waiting:
            return False
        if queue := self.waiting.pop(leg, ""):
            self.scene.event("QueueCallerLeave", **self.scene.snapshot(leg), Queue=queue)
        if self.bridge[leg]:
            self.scene.leave(leg, self.bridge[leg])
        if self.bridge[leg].startswith("room"):
            room = self.bridge[leg].removeprefix("room")
            self.scene.event("ConfbridgeLeave", Conference=room, **self.scene.snapshot(leg))
        elif self.bridge[leg] == "lot":
            self.scene.event("UnParkedCall", ParkeeUniqueid=leg)
        self.bridge[leg] = bridge
        if bridge:
            self.scene.enter(leg, bridge, **(about or {}))
        return True

    def mates(self, leg: str) -> set[str]:
        bridge = self.bridge.get(leg, "")
        if not bridge.startswith("talk"):
            return {leg}
        return {one for one, where in self.bridge.items() if where == bridge}

    def seen(self, look: float | None) -> None:
        if look is not None:
            self.scene.later(look)
            self.scene.look()
            self.loop.run_until_complete(self._look())

    @initialize()
    def begins(self) -> None:
        self.may(list(RULES)[:1], {("queue", "sales"), ("conference", "801")}, set())
        self.talk(OUTSIDE, "201", 0.5)
        self.talk("202", "203", 0.5)

    @rule(caller=st.sampled_from((*INSIDE, OUTSIDE)), callee=st.sampled_from(INSIDE), look=LOOKS)
    def talk(self, caller: str, callee: str, look: float | None) -> None:
        bridge = f"talk{self.count}"
        for number in (caller, callee):
            self.put(self.leg(number), bridge)
        self.seen(look)

    @rule(
        number=st.sampled_from((*INSIDE, OUTSIDE)),
        queue=st.sampled_from([*MEMBERS]),
        by=st.integers(-1, 1),
        look=LOOKS,
    )
    def calls_a_queue(self, number: str, queue: str, by: int, look: float | None) -> None:
        """And waits, or (``by`` not negative) is answered by this member."""
        leg = self.leg(number)
        self.scene.event("QueueCallerJoin", **self.scene.snapshot(leg), Queue=queue, Position=1)
        self.came[leg] = self.waiting[leg] = queue
        if by >= 0:
            bridge = f"talk{self.count}"
            self.put(self.leg(MEMBERS[queue][by]), bridge)
            self.put(leg, bridge)
        self.seen(look)

    @rule(chance=CHANCE, look=LOOKS)
    def moves(self, chance: Random, look: float | None) -> None:
        """A transfer, a merge: a leg goes to where another one is; or the two to a place of their own."""
        if len(self.numbers) > 1:
            leg, other = chance.sample([*self.numbers], 2)
            bridge = self.bridge[other] if self.bridge[other].startswith("talk") else f"talk{self.count}-{leg}"
            self.put(other, bridge)
            self.put(leg, bridge)
            self.seen(look)

    @rule(chance=CHANCE, room=st.sampled_from(("801", "900")), look=LOOKS)
    def sits(self, chance: Random, room: str, look: float | None) -> None:
        if self.numbers:
            leg = chance.choice([*self.numbers])
            if room not in self.scene.pbx.conferences.rooms:
                self.scene.event("ConfbridgeStart", Conference=room)
            if self.put(leg, f"room{room}", {**ROOM, "BridgeName": room}):
                told = {"Conference": room, "Admin": "No", "Muted": "No"}
                self.scene.event("ConfbridgeJoin", **told, **self.scene.snapshot(leg))
            self.seen(look)

    @rule(chance=CHANCE, by=st.sampled_from(INSIDE), look=LOOKS)
    def is_parked(self, chance: Random, by: str, look: float | None) -> None:
        if self.numbers:
            leg = chance.choice([*self.numbers])
            if self.put(leg, "lot", PARKING):
                told = {"ParkeeUniqueid": leg, "ParkingSpace": 700 + self.count, "ParkerDialString": f"PJSIP/{by}"}
                self.scene.event("ParkedCall", **told)
            self.seen(look)

    @rule(chance=CHANCE, look=LOOKS)
    def hangs_up(self, chance: Random, look: float | None) -> None:
        if self.numbers:
            leg = chance.choice([*self.numbers])
            self.put(leg, "")
            del self.numbers[leg], self.bridge[leg]
            self.scene.hangup(leg)
            self.seen(look)

    @rule(chance=CHANCE)
    def teams_change(self, chance: Random) -> None:
        self.may(
            [one for one in RULES if chance.random() < 0.5],
            {one for one in PLACES if chance.random() < 0.5},
            {number for number in INSIDE if chance.random() < 0.1},
        )

    def may(self, extensions: list[tuple[str, str]], places: set[tuple[str, str]], protected: set[str]) -> None:
        self.places, self.protected = places, protected
        self.covered = set().union(*(RULES[one] for one in extensions))
        rules = frozenset(Rule(aspect, "*", name) for aspect, name in (*extensions, *places))  # type: ignore[arg-type]
        shielded = frozenset(Rule("extension", "lab", number) for number in protected)
        self.book.user = replace(DANA, scope=Scope(rules), protected=shielded)

    # --- what she does

    @rule(chance=CHANCE, guess=st.sampled_from((None, 0, 1)))
    def clicks(self, chance: Random, guess: int | None) -> None:
        """Each thing that can be done, to something that is shown. ``guess``: what she adds to the `rev` that was
        shown; None: as a script has it, which asks the model itself."""
        for verb in VERBS:
            kind = registry.ACTIONS[verb].target
            shown = self.scene.pbx.entities().get(kind, {})
            if not shown:
                continue
            near = [key for key in shown if self.is_near(shown[key])]
            key = chance.choice(near if near and chance.random() < 0.3 else [*shown])
            told = self.scene.pbx.entities()["call"][str(shown[key]["call"])] if kind == "party" else shown[key]
            rev = int(str(told["rev"])) + (guess or 0)
            found = registry.KINDS[kind].find(self.scene.pbx, key.partition("/")[2])
            if guess is None and found is not None:
                rev = found.rev
            target, before = {"kind": kind, "key": key, "rev": rev}, len(self.link.posted)
            click = command(0, 7, verb, target, EPOCH, id=secrets.token_hex(16), args=ARGS.get(verb, {}))
            self.loop.run_until_complete(self.dispatcher.run(click))
            for action, _ in self.link.posted[before:]:
                self.judge(verb, key.partition("/")[2], dict(action.headers))

    def is_near(self, call: Any) -> bool:
        """Whether something has just happened to one of this call's parties, or to who came to them."""
        return any(key.partition("/")[2] in self.mates(self.last) for key in call.get("parties", ()))

    def hers(self, number: str, legs: set[str]) -> bool:
        """Whether she may act on whom this number is, there with these legs."""
        if number == OUTSIDE or number in self.covered:
            return True
        of = {self.came[leg] for leg in legs if leg in self.came}
        if any(("queue", queue) in self.places and number in MEMBERS[queue] for queue in of):
            return True
        seated = {self.bridge[leg] for leg in legs if self.numbers[leg] == number}
        return ("conference", "801") in self.places and "room801" in seated

    def judge(self, verb: str, key: str, sent: dict[str, str]) -> None:
        if verb in MONITORS:
            leg = sent["Data"].partition(",")[0] if "Data" in sent else sent["Channel"]
            legs = self.mates(leg)
            numbers = {self.numbers[one] for one in legs}
            assert not numbers & self.protected, (verb, numbers)
            assert all(self.hers(number, legs) for number in numbers), (verb, numbers)
        elif verb == "calls.hangup":
            legs = self.mates(sent["Channel"])
            numbers = {self.numbers[one] for one in legs} - {OUTSIDE}
            queues = {("queue", self.came[one]) for one in legs if one in self.came}
            rooms = {("conference", self.bridge[one].removeprefix("room")) for one in legs}
            parked = {self.bridge[one] for one in legs} == {"lot"}  # whose it is, its parker says
            assert numbers & self.covered or (queues | rooms) & self.places or parked, numbers
        elif verb in ("calls.transfer", "calls.park", "conferences.kick"):
            assert self.hers(self.numbers[key], self.mates(key)), (verb, self.numbers[key])
        else:
            assert self.waiting[key], "only who waits is withdrawn"
            number = self.numbers[key]
            assert ("queue", self.waiting[key]) in self.places or number in self.covered, number


def machine(examples: int, steps: int, *phases: Phase) -> None:
    run_state_machine_as_test(
        InBetween,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            phases=phases or [*Phase],
            suppress_health_check=[*HealthCheck],
        ),
    )


def test_nothing_is_sent_that_she_may_not_do_to_what_it_is_then() -> None:
    machine(80, 40)


@pytest.mark.prove
@pytest.mark.timeout(1_800)
def test_nothing_is_sent_in_a_long_time() -> None:
    machine(1_500, 60)
