"""A working day recorded anew, on the Asterisks of today: events alone still say what the lists say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import record
from tests.live.recorded import Recording

pytestmark = [pytest.mark.asterisk, pytest.mark.prove]


@pytest.mark.parametrize("version", ["22", "16"])
def test_a_day_of_today(version: str, tmp_path: Path) -> None:
    assert record.main(["--version", version, str(tmp_path)]) == 0
    day = Recording(tmp_path / f"freepbx{version}.ami.gz")
    pbx = day.played()
    corrections = day.resync(pbx, "truth", day.events[-1][0] + 1)
    assert {name: count for name, count in corrections.items() if count} == {}
    assert pbx.unknown == 0
