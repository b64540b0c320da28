"""`benchmarks.cuts`, and its short form: wherever the link was cut, done is what was done."""

from __future__ import annotations

import pytest

from tests.asterisk.cuts import DEEDS, Cuts
from tests.lab.instance import Asterisk

pytestmark = pytest.mark.asterisk

SOME = 41
"""One in so many bytes: not a divisor of anything, so that the cuts of the five lie at different places."""


async def cut(asterisk: Asterisk, every: int) -> None:
    cuts = Cuts(asterisk, every=every)
    await cuts.run()
    assert cuts.unproved == []
    assert cuts.denied == []
    assert cuts.offsets.keys() == {deed.verb for deed in DEEDS}
    # Both happened: else it shows nothing.
    assert cuts.outcomes["done", True]
    assert cuts.outcomes["unknown", False]


async def test_cut_at_some_bytes(asterisk: Asterisk) -> None:
    await cut(asterisk, SOME)


@pytest.mark.prove
@pytest.mark.timeout(1_800)
async def test_cut_at_every_byte(asterisk: Asterisk) -> None:
    await cut(asterisk, 1)
