"""Nothing configured: the panel runs on the demo PBX, says so, and is a panel in every other way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.running import Panel

pytestmark = pytest.mark.browser

SOON = 10_000  # milliseconds


def test_a_fresh_panel_moves_and_says_that_its_calls_are_made_up(
    tmp_path: Path, new_page: Callable[..., Page]
) -> None:
    panel = Panel(tmp_path)
    panel.set_up()
    password = panel.user("bob", "Supervisor")
    with panel:
        began = time.monotonic()
        page = sign_in(new_page(), panel, "bob", password)
        rows = page.locator("tbody tr[data-key]")
        expect(rows.nth(3)).to_be_visible(timeout=SOON)
        before = page.locator("tbody").inner_text()
        page.wait_for_function("before => document.querySelector('tbody').innerText !== before", arg=before)
        assert time.monotonic() - began < 10
        expect(page.locator("tbody")).to_contain_text("Talking", timeout=SOON)

        note = page.locator(".demo-note")
        expect(note.get_by_text("Demo PBX: these calls are made up")).to_be_visible()
        expect(note.get_by_text("manager reload")).not_to_be_visible()
        note.locator("summary").click()
        expect(note.get_by_text("PHOENIX_PBX=ami://")).to_be_visible()
        note.locator("summary").click()

        page.locator("tbody tr[data-key]", has_text="Talking").first.hover()
        row = page.locator("tbody tr[data-key]", has_text="Talking").first
        key = row.get_attribute("data-key")
        assert key is not None
        assert key.startswith("demo/")
        row = page.locator(f'tbody tr[data-key="{key}"]')
        row.hover()
        row.get_by_role("button", name="Hang up").click()
        page.get_by_role("dialog").get_by_role("button", name="Hang up").click()
        expect(row).to_contain_text("Ended", timeout=2_000)
        expect(page.locator(".said-result.done").first).to_be_visible()
        expect(row).to_have_count(0, timeout=SOON)
        assert panel.audit() == [("intent", "calls.hangup", "", ""), ("outcome", "calls.hangup", "done", "")]
        assert panel.stop() == 0
        assert "Traceback" not in panel.log


def test_the_note_is_in_her_language_and_fits_a_telephone(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    panel = Panel(tmp_path)
    panel.set_up()
    password = panel.user("bob", "Supervisor")
    with panel:
        page = sign_in(new_page(locale="ru-RU", viewport={"width": 390, "height": 844}), panel, "bob", password)
        note = page.get_by_text("Демо-АТС: эти звонки вымышлены")
        expect(note).to_be_visible()
        expect(note).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
