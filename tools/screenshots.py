"""Pictures of the panel on its demo PBX into `docs/img/`: `make screenshots`, or `python -m tools.screenshots NAME`.

The demo's people come from a seed and the pictures are taken at the same second of their day, so that two runs are
alike. Needs what the browser tests need.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import ARGUMENTS, sign_in
from tests.browser.running import ROOT, Panel

FOLDER = ROOT / "docs" / "img"
SIZE = {"width": 1600, "height": 1000}
AT_S = 45.0
"""Seconds after the start: calls of every phase are there, and none is older than a minute."""


@dataclass(frozen=True)
class Picture:
    """One file: which page, how, and what must be on it before it is taken."""

    name: str
    path: str
    ready: str
    scheme: Literal["dark", "light"] = "dark"
    locale: str = "en-GB"


USERS = {"en-GB": "sophie", "ru-RU": "sofia"}

PICTURES = (
    Picture("calls", "", "tbody tr[data-key]"),
    Picture("calls-light", "", "tbody tr[data-key]", scheme="light"),
    Picture("conferences", "conferences/", ".seat[data-key]"),
    Picture("calls-ru", "", "tbody tr[data-key]", locale="ru-RU"),
)


def take(browser: Browser, panel: Panel, user: str, password: str, picture: Picture) -> None:
    context = browser.new_context(
        viewport={"width": SIZE["width"], "height": SIZE["height"]},
        color_scheme=picture.scheme,
        locale=picture.locale,
        reduced_motion="reduce",
    )
    page = sign_in(context.new_page(), panel, user, password)
    page.goto(panel.url + picture.path)
    page.wait_for_selector(picture.ready)
    page.wait_for_selector("[data-pill].ready")
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.screenshot(path=FOLDER / f"{picture.name}.png")
    context.close()


def main() -> None:
    wanted = set(sys.argv[1:])
    pictures = [picture for picture in PICTURES if not wanted or picture.name in wanted]
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None or not pictures:
        sys.exit("no Chromium (Debian: apt install chromium)" if path is None else "no picture has such a name")
    os.makedirs(FOLDER, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="phoenix-pictures-") as var, sync_playwright() as playwright:
        panel = Panel(Path(var))
        panel.set_up()
        # One for each language: a user's stays what it was at her first sign-in.
        passwords = {name: panel.user(name, "Supervisor") for name in USERS.values()}
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        with panel:
            time.sleep(AT_S)
            for picture in pictures:
                user = USERS[picture.locale]
                take(browser, panel, user, passwords[user], picture)
                print(FOLDER / f"{picture.name}.png")
        browser.close()


if __name__ == "__main__":
    main()
