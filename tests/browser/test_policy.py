"""A reason where one is required; and the one who is listened to is told, on every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.running import Panel
from tests.browser.test_listening import MakePhone, look
from tests.browser.test_listening import talking as talking
from tests.lab.instance import Asterisk
from tests.lab.phones import Call

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]


@pytest.fixture
def eu(panel22: Panel) -> Iterator[None]:
    """The others' tests on this panel are without."""
    panel22.manage("monitoring", "preset", "EU")
    yield
    panel22.manage("shell", "-c", "from accounts import policies; policies.write(None, {})")


def test_why_is_asked_and_the_agent_is_told(
    asterisk22: Asterisk,
    phones: MakePhone,
    talking: tuple[Call, Call],
    new_page: Callable[..., Page],
    panel22: Panel,
    eu: None,
) -> None:
    phones(asterisk22, "900")
    adams = panel22.user("adam", "Agent", "--phone", "lab=PJSIP/101")
    pams = panel22.user("pam", "Supervisor", "--display-name", "Pam Rivers", "--phone", "lab=PJSIP/900")
    agent = sign_in(new_page(), panel22, "adam", adams)
    agent.wait_for_selector("[data-pill].ready")
    told = agent.locator("[data-told]")
    expect(told).to_be_empty()

    page = sign_in(new_page(), panel22, "pam", pams)
    page.wait_for_selector("[data-pill].ready")
    row = page.locator("tbody tr[data-key]").first
    row.hover()
    row.get_by_role("button", name="Listen").click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("Reason")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Please fill this in")).to_be_visible()
    look(page, "reason")
    expect(told).to_be_empty()
    dialog.get_by_role("button", name="A complaint").click()
    expect(field).to_have_value("A complaint")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-dock] .session")).to_have_attribute("aria-label", "Listening")

    expect(told).to_contain_text("Pam Rivers listens to your call, since")
    look(agent, "told")
    agent.goto(panel22.url + "accounts/tokens/")
    expect(told).to_contain_text("Pam Rivers listens to your call, since")
    look(agent, "told-elsewhere")
    page.keyboard.press("Escape")
    expect(told).to_be_empty()
    tried = [entry[2:] for entry in panel22.audit() if entry[:2] == ("outcome", "calls.listen")]
    assert tried[-2:] == [("refused", "reason_required"), ("done", "")]
