"""What sixty hostile names do to the pages: real SIP calls through a real Asterisk into a real Chromium.

Each caller goes into a conference room, so that both boards show him. ``dialogs``, ``new_elements`` (that markup of
his would have made), ``csp_reports`` (by the panel's own log; that it hears of a breach at all is tried at the end),
``page_errors``; ``unreadable``: names whose text is not what ``live.names.shown`` makes of what Asterisk has.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.report import report
from tests.browser.conftest import ARGUMENTS, Faults, sign_in
from tests.browser.running import Panel
from tests.browser.strangers import Strangers, provoke, stopped
from tests.lab.hostile import NAMES
from tests.lab.install import VERSIONS
from tests.lab.instance import Asterisk


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--asterisk", choices=VERSIONS, default="22", help="which Asterisk (22)")
    arguments = parser.parse_args()
    with (
        Asterisk(arguments.asterisk) as asterisk,
        tempfile.TemporaryDirectory() as var,
        sync_playwright() as playwright,
    ):
        panel = Panel(Path(var), PHOENIX_PBX_LAB=asterisk.ami_url())
        panel.set_up()
        with panel:
            password = panel.user("bob", "Supervisor")
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS))
            page = browser.new_context(viewport={"width": 1600, "height": 1000}).new_page()
            faults = Faults(page)
            sign_in(page, panel, "bob", password)
            seen = Strangers(asterisk, panel, page).come(NAMES)
            figures: dict[str, float | int | str] = {
                "names": seen.names,
                "dialogs": sum(fault.startswith("dialog") for fault in faults.seen),
                "new_elements": seen.new_elements,
                "csp_reports": stopped(panel),
                "page_errors": len(faults.seen),
                "unreadable": len(seen.unreadable),
                "altered_by_asterisk": seen.altered,
                "first": " | ".join([*seen.unreadable, *faults.seen][:5]),
                "breach_reported": provoke(page, panel),
            }
            browser.close()
        version = asterisk.cli("core show version").split()[1]
    report(figures, version, as_json=arguments.json)
    zero = ("dialogs", "new_elements", "csp_reports", "page_errors", "unreadable")
    return 1 if any(figures[name] for name in zero) or not figures["breach_reported"] else 0


if __name__ == "__main__":
    sys.exit(main())
