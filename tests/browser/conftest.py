"""Chromium, and a panel on a real Asterisk that it looks at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from tests.browser.running import Panel
from tests.lab.instance import Asterisk

ARGUMENTS = (
    "--no-sandbox",  # Chromium refuses to run as root with it; it looks at our own pages only
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium, Debian's. Without one: skipped, and under ``CI=true`` a failure."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "NOT TESTED in a browser: there is no Chromium (Debian: apt install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Faults:
    """What a page must never have: errors, policy violations, dialogs."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("dialog", self._dialog)

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, kind: str, text: str) -> None:
        # A refused connection while the panel restarts is said by the browser itself, and meant.
        if kind in ("error", "warning") and "ERR_CONNECTION_REFUSED" not in text and "WebSocket" not in text:
            self.seen.append(f"{kind}: {text}")


@pytest.fixture
def faults() -> list[Faults]:
    return []


@pytest.fixture
def new_page(chromium: Browser, faults: list[Faults]) -> Iterator[Callable[..., Page]]:
    """Make pages, each in a context (cookies) of its own; at the end none may have had a fault."""
    pages: list[Page] = []

    def make(**options: object) -> Page:
        sized: dict[str, Any] = {"viewport": {"width": 1600, "height": 1000}, **options}
        page = chromium.new_context(**sized).new_page()
        page.set_default_timeout(10_000)
        faults.append(Faults(page))
        pages.append(page)
        return page

    yield make
    for page in pages:
        page.context.close()
    assert [seen for fault in faults for seen in fault.seen] == []


@pytest.fixture(scope="session")
def panel22(asterisk22: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A panel on the real Asterisk 22, as a supervisor would have it."""
    panel = Panel(tmp_path_factory.mktemp("panel"), PHOENIX_PBX_LAB=asterisk22.ami_url())
    panel.set_up()
    with panel:
        yield panel


@pytest.fixture(scope="session")
def passwords(panel22: Panel) -> dict[str, str]:
    """The cast, as users of that panel: Bob supervises, Ann audits, Charlie may nothing."""
    return {
        "bob": panel22.user("bob", "Supervisor"),
        "ann": panel22.user("ann", "Auditor"),
        "charlie": panel22.user("charlie"),
    }


def sign_in(page: Page, panel: Panel, name: str, password: str) -> Page:
    """Sign in through the form, as everybody does."""
    page.goto(panel.url)
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state("load")
    return page


@pytest.fixture
def floor(new_page: Callable[..., Page], panel22: Panel, passwords: dict[str, str]) -> Callable[..., Page]:
    """Open the floor as one of the cast: ``floor("bob")``."""

    def open_(name: str, path: Path | None = None, **options: object) -> Page:
        page = sign_in(new_page(**options), panel22, name, passwords[name])
        page.wait_for_selector("[data-pill].ready")
        return page

    return open_
