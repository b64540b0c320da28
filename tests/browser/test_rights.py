"""Who may not, can't: the button is absent, and a forged command is refused by the worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.running import Panel
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

FORGE = """async () => {
  const [key, call] = Object.entries(phoenix.store.all("call"))[0];
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/panel/");
  await new Promise(open => socket.onopen = open);
  const answer = new Promise(got => socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if (message.type === "result") got(message);
  });
  socket.send(JSON.stringify({type: "cmd", id: "f".repeat(32), verb: "calls.hangup",
    target: {kind: "call", key: call.key ?? key, rev: call.rev}, args: {}}));
  return await answer;
}"""


def test_an_auditor_sees_the_call_and_cannot_end_it(
    asterisk22: Asterisk, phones: Callable[..., Phone], checkers: Callable[..., Checker], floor: Callable[..., Page]
) -> None:
    phones(asterisk22, "101")
    phones(asterisk22, "201").call("101").wait_up()
    page = floor("ann")
    row = page.locator("tbody tr[data-key]").first
    expect(row).to_contain_text("Talking")
    row.hover()
    expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    answer = page.evaluate(FORGE)
    assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
    assert len(checkers(asterisk22).channels()) == 2


def test_who_has_no_right_sees_no_calls(
    new_page: Callable[..., Page], panel22: Panel, passwords: dict[str, str], faults: list[object]
) -> None:
    page = sign_in(new_page(), panel22, "charlie", passwords["charlie"])
    expect(page.locator("pp-calls")).to_have_count(0)
    expect(page.locator("body")).to_contain_text("You may not open this")
    faults.clear()  # the browser itself reports the 403, which is meant


def test_signed_out_means_out(floor: Callable[..., Page], panel22: Panel) -> None:
    page = floor("bob")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("[name=password]")
    page.goto(f"{panel22.url}calls/")
    expect(page.locator("[name=password]")).to_be_visible()
