"""The short form of `benchmarks.exactness`: a tempest with the link cut, and nothing that the panel says is untrue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from live.pbx import Pbx
from tests.asterisk.differences import AFTER_REREAD, EXCLUDED, Lists, differences
from tests.asterisk.exactness import Exactness
from tests.lab.instance import Asterisk

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

SEED = 7
POINTS = 3
CUTS = 1

HAPPENS = (
    "AgentConnect QueueCallerAbandon AgentRingNoAnswer BlindTransfer AttendedTransfer Hold Unhold ParkedCall "
    "ParkedCallTimeOut ConfbridgeJoin ConfbridgeMute ConfbridgeLeave QueueMemberAdded QueueMemberPause "
    "QueueMemberPenalty Reload"
)
"""Events without which the weather was too good."""

UNPROVED = {
    "call": "rev since started approx direction parent cause reason",
    "party": "role since",
    "room": "rev since approx",
    "participant": "rev call side since approx",
    "waiting": "rev call",
    "parked": "rev call",
    "member": "rev",
    "trunk": "reachable registration",
}
"""Fields that are told and that no list of Asterisk's holds, nor anything that follows from one."""


async def test_in_a_tempest_all_that_is_told_is_so(asterisk: Asterisk) -> None:
    async with Exactness(asterisk, SEED, POINTS, CUTS) as run:
        await run.run()
        assert run.findings.differences == []
        assert run.findings.ghosts == []
        assert run.unknown == 0
        assert run.drift == 0
        assert (run.done, run.reconnects) == (POINTS, CUTS)
        assert [name for name in HAPPENS.split() if not run.tempest.happened[name]] == []
        assert run.reread == {f"{name}.{header}" for name, fields in AFTER_REREAD.items() for header in fields}
        assert not run.compared & {f"{name}.{header}" for name, fields in EXCLUDED.items() for header in fields}
        lists = await run.lists()
        assert list(untruths(run.desk.page.entities, run.desk.worker.pbx, lists)) == []


def untruths(entities: dict[str, Any], pbx: Pbx, lists: Lists) -> Iterator[str]:
    """The comparison itself, tried: each field that the page holds made wrong once; those that nobody notices."""
    assert not differences(entities, pbx, lists, reread=True).differences
    for kind, held in entities.items():
        alive = [key for key, fields in held.items() if fields.get("phase") != "ended"]
        fields = {field for key in alive for field in held[key]} - {*UNPROVED.get(kind, "").split()}
        for field in sorted(fields):
            tried = (wronged(entities, kind, key, field) for key in alive)
            if not any(differences(wrong, pbx, lists, reread=True).differences for wrong in tried):
                yield f"{kind}.{field}"


def wronged(entities: dict[str, Any], kind: str, key: str, field: str) -> dict[str, Any]:
    """The same, but for one field."""
    entity = {**entities[kind][key], field: untrue(entities[kind][key][field])}
    return {**entities, kind: {**entities[kind], key: entity}}


def untrue(value: object) -> object:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 60_000
    return [*value, "lab/nobody"] if isinstance(value, list) else f"{value}?"
