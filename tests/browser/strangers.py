"""Callers with hostile names, and what every page that shows names makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import Page

from live.names import shown
from tests.browser.running import Panel
from tests.lab.checker import Checker, unescape
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

PAGES: Final = ("calls/", "conferences/")
ROOM: Final = "801"
PHONES: Final = tuple(str(number) for number in range(201, 207))

STOPPED: Final = "a browser stopped something that the policy forbids"

# How many elements a page has that only markup of a stranger could have made, and how many of all kinds one row has,
# apart from our icons: a seat has one in place of initials, and one while its phone speaks.
LOOK = """() => ({
  bad: document.querySelectorAll(
    "img, iframe, object, embed, form form, base, meta[http-equiv], math, template, details, body input[autofocus],"
    + " [onerror], [onload], [onclick], [onfocus], [ontoggle], [onmouseover], script:not([src]), style,"
    + " link[href*=evil], a[href^=javascript], a[href*=evil]").length,
  rows: [...document.querySelectorAll("tbody tr[data-key], .seat")].map(row =>
    row.querySelectorAll("*:not(.avatar *):not(.seat-state *)").length),
  names: [...document.querySelectorAll("bdi")].map(name => name.textContent),
})"""


@dataclass(slots=True)
class Seen:
    """What all pages together made of all names."""

    names: int = 0
    new_elements: int = 0
    unreadable: list[str] = field(default_factory=list)
    """Names that a page does not show as they are to be shown, with the page."""
    altered: int = 0
    """Names that Asterisk itself had changed, or had not taken at all."""


def batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), len(PHONES)):
        yield names[first : first + len(PHONES)]


class Strangers:
    """Phones that go into a room of one Asterisk, each time under other names; pages of a panel that looks at it."""

    def __init__(self, asterisk: Asterisk, panel: Panel, page: Page) -> None:
        self._asterisk, self._panel, self._page = asterisk, panel, page

    def come(self, names: Sequence[str]) -> Seen:
        """All of them, a few at a time."""
        seen = Seen()
        with ExitStack() as stack:
            checker = stack.enter_context(Checker(self._asterisk))
            phones = [stack.enter_context(Phone(self._asterisk.sip_address(one), one)) for one in PHONES]
            plain = self._look_at(phones, checker, ["Maria Weber"] * len(phones), Seen(), {})
            for some in batches(names):
                self._look_at(phones, checker, some, seen, plain)
        return seen

    def _look_at(
        self,
        phones: list[Phone],
        checker: Checker,
        names: Sequence[str],
        seen: Seen,
        plain: dict[str, tuple[int, int]],
    ) -> dict[str, tuple[int, int]]:
        """Bad elements, and elements of the largest row, by page."""
        for phone, name in zip(phones, names, strict=False):
            phone.call(ROOM, name=name).wait_up()
        rows = checker.wait_channels(
            lambda rows: sum(row.get("Application") == "ConfBridge" for row in rows) == len(names)
        )
        told = {row["CallerIDNum"]: unescape(row["CallerIDName"]) for row in rows}
        found: dict[str, tuple[int, int]] = {}
        for path in PAGES:
            self._page.goto(self._panel.url + path)
            self._page.wait_for_selector("[data-pill].ready")
            count = "document.querySelectorAll('tbody tr[data-key]:not(.ended), .seat').length"
            self._page.wait_for_function(f"{count} >= {len(names)}")
            look = self._page.evaluate(LOOK)
            bad, most = found[path] = look["bad"], max(look["rows"])
            if not plain:
                continue
            seen.new_elements += bad - plain[path][0] + max(0, most - plain[path][1])
            for name in told.values():
                if shown(name) not in look["names"]:
                    seen.unreadable.append(f"{path} {name!a}")
        seen.names += len(names)
        sent = [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for name in names]
        seen.altered += sum(name not in told.values() for name in sent)
        for phone in phones:
            phone.hangup()
        checker.wait_channels(lambda rows: not rows)
        return found


def stopped(panel: Panel) -> int:
    """What browsers have reported to this panel so far."""
    return panel.log.count(STOPPED)


def provoke(page: Page, panel: Panel) -> bool:
    """Whether a real breach is reported: else a count of none would say nothing."""
    before = stopped(panel)
    with page.expect_request(lambda request: request.url.endswith("/csp/")) as sent:
        page.evaluate("document.body.setAttribute('style', 'color: red')")
    sent.value.response()
    return stopped(panel) > before
