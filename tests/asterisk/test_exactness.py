"""The short form of `benchmarks.exactness`: a tempest with the link cut, and nothing that the panel says is untrue."""

from __future__ import annotations

import pytest

from floor.registry import KINDS
from tests.asterisk.differences import AFTER_REREAD, EXCLUDED, UNCOMPARED
from tests.asterisk.exactness import Exactness
from tests.lab.instance import Asterisk

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

SEED = 7
POINTS = 3
CUTS = 1

HAPPENS = (
    "AgentConnect QueueCallerAbandon AgentRingNoAnswer BlindTransfer AttendedTransfer Hold Unhold ParkedCall "
    "ParkedCallTimeOut ConfbridgeJoin ConfbridgeMute ConfbridgeLeave QueueMemberAdded QueueMemberPause "
    "QueueMemberPenalty ChanSpyStart Reload"
)
"""Events without which the weather was too good."""


async def test_in_a_tempest_all_that_is_told_is_so(asterisk: Asterisk) -> None:
    async with Exactness(asterisk, SEED, POINTS, CUTS, tries=True) as run:
        await run.run()
        assert run.findings.differences == []
        assert run.findings.ghosts == []
        assert run.unknown == 0
        assert run.drift == 0
        assert (run.done, run.reconnects) == (POINTS, CUTS)
        assert [name for name in HAPPENS.split() if not run.tempest.happened[name]] == []
        later = {f"{name}.{header}" for name, fields in AFTER_REREAD.items() for header in fields}
        assert run.reread <= later
        assert {name.partition(" (of a Local")[0] for name in later - run.reread} <= run.compared
        assert not run.compared & {f"{name}.{header}" for name, fields in EXCLUDED.items() for header in fields}
        # What is done to a PBX as such is done to nothing that is told of.
        assert {field.partition(".")[0] for field in run.told} == KINDS.keys() - {"pbx"}
        assert run.told - run.proved == UNCOMPARED.keys()
