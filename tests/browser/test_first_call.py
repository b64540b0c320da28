"""The walk of the whole house: a real SIP call on the screen within a second, and hung up from there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running import Panel
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

AT_ONCE = 1_000  # milliseconds: what a person calls "at once"


def test_a_call_appears_talks_holds_and_is_hung_up(
    asterisk22: Asterisk,
    phones: Callable[..., Phone],
    checkers: Callable[..., Checker],
    panel22: Panel,
    floor: Callable[..., Page],
) -> None:
    agent, customer = phones(asterisk22, "101", hz=440, answer=None), phones(asterisk22, "201", hz=880)
    page = floor("bob")
    rows = page.locator("tbody tr[data-key]")
    expect(rows).to_have_count(0)

    call = customer.call("101", name="Maria Weber")
    incoming = agent.wait_incoming()
    row = rows.first
    expect(row).to_contain_text("Ringing", timeout=AT_ONCE)
    expect(row.locator(".from")).to_contain_text("201")
    expect(row.locator(".from")).to_contain_text("Maria Weber")
    expect(row.locator(".to")).to_contain_text("101")

    incoming.answer()
    expect(row).to_contain_text("Talking", timeout=AT_ONCE)
    call.wait_tone(440)
    expect(row.locator(".time")).to_contain_text("00:02", timeout=4_000)

    incoming.hold()
    expect(row).to_contain_text("On hold", timeout=AT_ONCE)
    incoming.unhold()
    expect(row).to_contain_text("Talking", timeout=AT_ONCE)

    before = len(panel22.audit())
    row.hover()
    row.get_by_role("button", name="Hang up").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("201")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Hang up").click()

    call.wait_ended(2)
    incoming.wait_ended(2)
    expect(row).to_contain_text("Ended", timeout=AT_ONCE)
    expect(page.locator(".said-result.done").first).to_be_visible()
    assert checkers(asterisk22).channels() == []
    call.wait_silent()
    incoming.wait_silent()
    expect(rows).to_have_count(0, timeout=8_000)
    entries = panel22.audit()[before:]
    assert entries == [("intent", "calls.hangup", "", ""), ("outcome", "calls.hangup", "done", "")]


def test_cancel_hangs_nothing_up(
    asterisk22: Asterisk, phones: Callable[..., Phone], checkers: Callable[..., Checker], floor: Callable[..., Page]
) -> None:
    phones(asterisk22, "101")
    phones(asterisk22, "201").call("101").wait_up()
    page = floor("bob")
    row = page.locator("tbody tr[data-key]").first
    row.hover()
    row.get_by_role("button", name="Hang up").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(checkers(asterisk22).channels()) == 2


def test_by_keyboard_alone(asterisk22: Asterisk, phones: Callable[..., Phone], floor: Callable[..., Page]) -> None:
    phones(asterisk22, "101")
    call = phones(asterisk22, "201").call("101").wait_up()
    page = floor("bob")
    page.locator("tbody tr[data-key]").first.focus()
    page.keyboard.press("h")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    call.wait_ended(2)
