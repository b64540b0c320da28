"""Caller IDs come from strangers: whatever a real call says, the pages show it as text. All sixty, and on both
Asterisks: `benchmarks.hostile`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.running import Panel
from tests.browser.strangers import Strangers, provoke, stopped
from tests.lab.hostile import NAMES
from tests.lab.instance import Asterisk

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

SOME = [
    name for name in NAMES if name.startswith(("<script", "<img", "${alert", "{{7", "evil", "A\u0301", "Zo", "x" * 9))
]


def test_a_name_is_text(asterisk22: Asterisk, panel22: Panel, floor: Callable[..., Page]) -> None:
    """No dialog and no error either: that is looked at for every page. And what the policy stops is heard of."""
    page, before = floor("bob"), stopped(panel22)
    seen = Strangers(asterisk22, panel22, page).come(SOME)
    assert (seen.names, seen.new_elements, seen.unreadable) == (len(SOME), 0, [])
    assert stopped(panel22) == before


def test_a_breach_would_be_heard_of(new_page: Callable[..., Page], panel22: Panel, faults: list[object]) -> None:
    page = new_page()
    page.goto(panel22.url)
    assert provoke(page, panel22)
    faults.clear()  # it was meant
