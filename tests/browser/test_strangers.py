"""Caller IDs come from strangers: whatever a real call says, the page shows it as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

NAMES = (
    "<img src=x onerror=alert(1)>",
    "<script>window.pwned = 1</script>",
    "${7*7} {{7*7}} {% debug %}",
    "Zoë \U0001f525 Ćwikła",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text(
    asterisk22: Asterisk, phones: Callable[..., Phone], floor: Callable[..., Page], name: str
) -> None:
    phones(asterisk22, "101", answer=None)
    phones(asterisk22, "201").call("101", name=name)
    page = floor("bob")
    cell = page.locator("tbody tr[data-key] .from").first
    expect(cell).to_contain_text(name)
    assert cell.locator("img, script").count() == 0
    assert page.evaluate("window.pwned") is None


def test_a_name_cannot_turn_the_text_around(
    asterisk22: Asterisk, phones: Callable[..., Phone], floor: Callable[..., Page]
) -> None:
    phones(asterisk22, "101", answer=None)
    phones(asterisk22, "201").call("101", name="evil\u202egnp.exe")
    page = floor("bob")
    cell = page.locator("tbody tr[data-key] .from").first
    expect(cell).to_contain_text("evil\ufffdgnp.exe")
