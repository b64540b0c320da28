"""What is taken from a user reaches her open socket, and until it does nothing is done for her: each cause once. How
soon, and many times: `benchmarks.revocation`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.running import Panel
from tests.floor.revoking import CAUSES, Revoking
from tests.lab.instance import Asterisk

pytestmark = pytest.mark.asterisk


def test_every_cause_reaches_the_socket(asterisk22: Asterisk, tmp_path: Path) -> None:
    panel = Panel(tmp_path, PHOENIX_PBX_LAB=asterisk22.ami_url())
    panel.set_up()
    with panel:
        revoking = Revoking(panel, asterisk22)
        with revoking.storm():
            taken = asyncio.run(revoking.run(CAUSES, 1))
    assert [one.cause for one in taken] == list(CAUSES)
    assert [one.cause for one in taken if one.acted] == []
    assert [one.cause for one in taken if one.revoke_ms is None or one.frames_after] == []
