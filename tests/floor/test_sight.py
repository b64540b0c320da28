"""Whose an entity is, by what is published of it, is what the worker finds on the live model at that moment."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.permissions import TargetSnapshot
from floor.registry import KINDS
from floor.sight import Sight
from live.changes import Changes
from live.pbx import Pbx
from tests.live.recorded import NAMES, recording

FOUND = ("call", "party", "spy", "room", "participant", "queue", "member", "waiting", "parked")


def plain(target: TargetSnapshot) -> tuple[Any, ...]:
    """Without an order among numbers, which decides nothing."""
    whole = (target.numbers, target.acted, target.vouched)
    return (*map(sorted, map(set, whole)), target.queue, target.room, target.owner, target.device, target.shown_by)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_published_and_what_lives_say_the_same(name: str) -> None:
    compared = dict.fromkeys(FOUND, 0)
    sight: Sight | None = None

    def compare(now: float, changes: Changes, pbx: Pbx) -> None:
        nonlocal sight
        sight = sight or Sight(pbx.entities())
        sight.take(changes.up, changes.gone)
        if pbx.unsettled:
            return  # something is heard and not told yet
        for (kind, key), target in sight.targets.items():
            found = KINDS[kind].find(pbx, key.partition("/")[2])
            if found is not None:
                compared[kind] += 1
                assert plain(target) == plain(found.target(kind, pbx.name)), (kind, key)

    pbx = recording(name).played(compare)
    assert sight is not None
    assert all(compared.values()), compared
    assert sight.targets == Sight(pbx.entities()).targets, "kept, and made anew"


def test_those_that_no_command_is_for() -> None:
    """Phones and hints by their number, a queue's device by its queue, lines by the whole PBX alone."""
    devices = ("PJSIP/101", "Queue:sales", "Queue:sales_avail", "Custom:dnd", "PJSIP/trunk", "confbridge:800")
    sight = Sight(
        {
            "device": {f"lab/{device}": {"state": "INUSE"} for device in devices},
            "extension": {"lab/102@from-internal": {"exten": "102", "context": "from-internal"}},
            "trunk": {"lab/PJSIP/trunk": {"name": "PJSIP/trunk"}},
        }
    )
    lies = {key.removeprefix("lab/"): (target.numbers, target.queue) for (_, key), target in sight.targets.items()}
    assert lies == {
        "PJSIP/101": (("101",), ""),
        "Queue:sales": ((), "sales"),
        "Queue:sales_avail": ((), "sales"),
        "Custom:dnd": ((), ""),
        "PJSIP/trunk": ((), ""),
        "confbridge:800": ((), ""),
        "102@from-internal": (("102",), ""),
    }
