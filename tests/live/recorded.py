"""Recordings of `tests.lab.record`: the lists of the beginning, the events with their times, the lists of the end."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from pathlib import Path

from ami.protocol import Message, Protocol
from live.changes import Changes
from live.pbx import Pbx
from live.resync import STEPS, Step
from tests.live.scene import EXTENSIONS

FOLDER = Path(__file__).parent.parent / "recordings"
NAMES = ("freepbx22", "freepbx16", "freepbx22-unmasked", "freepbx16-unmasked")
TRUNKS = re.compile(r"^(PJSIP/trunk|IAX2/branch)$")


@cache
def recording(name: str) -> Recording:
    return Recording(FOLDER / f"{name}.ami.gz")


Sentence = tuple[str, str, tuple[str, ...]]
"""Phase, place (queue, room or slot), who; at the end the reason in place of the place."""

TICK_S = 0.05
"""As the worker looks (floor.worker.TICK_S)."""


class Recording:
    """One of them. Lists are by the name of their action; of ConfbridgeList, by ``ConfbridgeList-<room>``."""

    def __init__(self, path: Path) -> None:
        self._messages = list(Protocol().feed(gzip.decompress(path.read_bytes())))

    @cached_property
    def events(self) -> list[tuple[float, Message]]:
        """With the time at which Asterisk made each."""
        found = [(message.get("Timestamp"), message) for message in self._messages if not message.action_id]
        return [(float(at), message) for at, message in found if at]

    def lists(self, kind: str) -> dict[str, list[Message]]:
        """Those asked at the beginning ("first") or at the end ("truth"), as far as Asterisk did not refuse them."""
        found: dict[str, list[Message]] = {}
        for message in self._messages:
            asked, _, name = message.action_id.partition("-")
            if asked == kind and message.response != "Error":
                items = found.setdefault(name, [])
                if message.event and message.get("EventList") != "Complete":
                    items.append(message)
        return found

    def resync(self, pbx: Pbx, kind: str, now: float) -> dict[str, int]:
        """Give the model these lists as a login does; how much each corrected."""
        lists, corrections = self.lists(kind), {}

        def take(steps: Iterable[Step]) -> None:
            steps = tuple(steps)
            for step in steps:
                name = "-".join([step.action.name, *(value for _, value in step.action.headers)])
                corrections[name] = step.replace(pbx, lists.get(name, []), now)
            for step in steps:
                take(step.then(pbx))

        take(STEPS)
        return corrections

    def begun(self) -> Pbx:
        """A model that knows what the lists of the beginning tell."""
        pbx, at = Pbx("lab", EXTENSIONS, TRUNKS), self.events[0][0]
        self.resync(pbx, "first", at)
        pbx.settled = True
        pbx.changes(at)
        return pbx

    def played(self, told: Callable[[float, Changes, Pbx], None] = lambda now, changes, pbx: None) -> Pbx:
        """The day lived, with looks as the worker makes them, and a last one after all graces are over."""
        pbx = self.begun()
        play(pbx, self.events, told)
        return pbx


def play(
    pbx: Pbx,
    events: Iterable[tuple[float, Message]],
    told: Callable[[float, Changes, Pbx], None] = lambda now, changes, pbx: None,
) -> None:
    """Apply the events, look every ``TICK_S`` while there is something to say, and once more when all is settled."""
    look_at = now = 0.0

    def look_until(until: float) -> None:
        nonlocal look_at
        while look_at and look_at <= until:
            told(look_at, pbx.changes(look_at), pbx)
            look_at = look_at + TICK_S if pbx.pending and not _only_ended(pbx) else 0.0

    for at, message in events:
        now = max(now, at)  # of two threads, the later one's event may be the first that is sent
        look_until(now)
        pbx.apply(message, now)
        look_at = look_at or now + TICK_S
    look_until(now + 1)
    told(now + 1, pbx.changes(now + 1), pbx)


def _only_ended(pbx: Pbx) -> bool:
    """True if nothing is to be looked at but ended calls, which the next event's look takes away as well."""
    return not pbx.unsettled and not pbx.own.pending


def sentence(pbx: Pbx, key: str) -> Sentence:
    """How a call is told now: the caller first, the others in the order of their numbers."""
    call, parties = pbx.entities()["call"][key], pbx.entities()["party"]
    place = call["room"] or call["slot"] or (call["queue"] if call["phase"] == "waiting" else "")
    caller, *others = (str(parties[party]["number"]) for party in call["parties"])  # type: ignore[union-attr]
    return str(call["phase"]), str(place), (caller, *sorted(others))


def told_of(recording: Recording, events: Iterable[tuple[float, Message]]) -> list[list[Sentence]]:
    """What was told of each call on the way, in the order of their beginnings."""
    told: dict[str, list[Sentence]] = {}

    def note(now: float, changes: Changes, pbx: Pbx) -> None:
        for key, fields in changes.up.get("call", {}).items():
            story = told.setdefault(key, [])
            if fields.get("phase") == "ended":
                story.append(("ended", str(fields["reason"]), ()))
            elif key in pbx.entities()["call"] and story[-1:] != [now_told := sentence(pbx, key)]:
                story.append(now_told)

    play(recording.begun(), events, note)
    return list(told.values())
