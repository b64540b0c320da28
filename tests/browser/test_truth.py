"""The page says how true it is: which PBX is gone and what to do, greyed, actions off; and it heals by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.running import Panel
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

LONG = 15_000


def test_a_pbx_that_is_killed_and_comes_back(
    asterisk22: Asterisk, phones: Callable[..., Phone], floor: Callable[..., Page]
) -> None:
    agent = phones(asterisk22, "101")
    phones(asterisk22, "201").call("101").wait_up()
    page = floor("bob")
    row = page.locator("tbody tr[data-key]").first
    expect(row).to_contain_text("Talking")
    asterisk22.kill()
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("lab", timeout=LONG)
    expect(page.locator("[data-pill]")).to_contain_text("No live data")
    row.hover()
    expect(row.get_by_role("button").first).to_have_attribute("aria-disabled", "true")
    stopped = row.locator(".time").inner_text()
    page.wait_for_timeout(1_500)  # a clock that still ran would show it
    assert row.locator(".time").inner_text() == stopped
    asterisk22.start()
    expect(page.locator("[data-pill]")).to_contain_text("Live", timeout=LONG)
    expect(page.locator("tbody tr[data-key]")).to_have_count(0, timeout=LONG)
    expect(banner).to_be_empty()
    agent.hangup()


def test_a_frozen_pbx_turns_amber_and_grey(asterisk22: Asterisk, floor: Callable[..., Page]) -> None:
    page = floor("bob")
    asterisk22.freeze()
    expect(page.locator("[data-pill]")).to_contain_text("Delayed", timeout=LONG)
    expect(page.locator("[data-pill]")).to_contain_text("No live data", timeout=LONG)
    asterisk22.thaw()
    expect(page.locator("[data-pill]")).to_contain_text("Live", timeout=LONG)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ami://panel:wrong@127.0.0.1:{port}", "refused"),
        ("ami://panel:panel-secret@127.0.0.1:1", "reach"),
        ("ami://readonly:readonly-secret@127.0.0.1:{port}", "right"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    asterisk22: Asterisk, tmp_path: Path, new_page: Callable[..., Page], url: str, words: str
) -> None:
    panel = Panel(tmp_path, PHOENIX_PBX_OFFICE=url.format(port=asterisk22.ami_port))
    panel.set_up()
    password = panel.user("bob", "Supervisor")
    with panel:
        page = sign_in(new_page(), panel, "bob", password)
        banner = page.get_by_role("alert")
        expect(banner).to_contain_text("office", timeout=LONG)
        expect(banner).to_contain_text(words)
        for secret in ("panel-secret", "readonly-secret", ":wrong"):
            assert secret not in page.content()
            assert secret not in panel.log
        assert panel.stop() == 0


def test_the_panel_restarts_under_an_open_page(
    asterisk22: Asterisk, tmp_path: Path, phones: Callable[..., Phone], new_page: Callable[..., Page]
) -> None:
    """A panel that is stopped and started on its port: the page is told, greys, and is back without a reload."""
    phones(asterisk22, "101")
    phones(asterisk22, "201").call("101").wait_up()
    panel = Panel(tmp_path, PHOENIX_PBX_LAB=asterisk22.ami_url())
    panel.set_up()
    password = panel.user("bob", "Supervisor")
    panel.start()
    page = sign_in(new_page(), panel, "bob", password)
    expect(page.locator("tbody tr[data-key]").first).to_contain_text("Talking")
    page.evaluate("window.same = true")
    panel.stop()
    expect(page.get_by_role("alert")).to_contain_text("broke")
    panel.start(port=panel.port)
    expect(page.locator("[data-pill]")).to_contain_text("Live", timeout=40_000)
    expect(page.locator("tbody tr[data-key]").first).to_contain_text("Talking")
    assert page.evaluate("window.same") is True
    panel.stop()


def test_without_a_pbx_the_page_says_how_to_connect_one(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    panel = Panel(tmp_path, PHOENIX_DEMO="0")
    panel.set_up()
    password = panel.user("bob", "Supervisor")
    with panel:
        page = sign_in(new_page(), panel, "bob", password)
        expect(page.locator(".demo-note")).to_have_count(0)
        for line in ("read = system,call,agent", "write = ", "manager reload", "PHOENIX_PBX=ami://"):
            expect(page.locator("main")).to_contain_text(line)
