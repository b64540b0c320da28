"""One click each, in a real browser on a real Asterisk: listen, whisper, pick up, stop; and who listens is shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.running import Panel
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

AT_ONCE = 1_000
AGENT, CUSTOMER, SUPERVISOR = 440, 880, 1320
NOTES = (AGENT, CUSTOMER, SUPERVISOR)

MakePhone = Callable[..., Phone]


@pytest.fixture(scope="session")
def sue(panel22: Panel) -> str:
    """A supervisor of that panel who has a phone; her password."""
    return panel22.user("sue", "Supervisor", "--display-name", "Sue Rivers", "--phone", "lab=PJSIP/900")


@pytest.fixture
def desk(new_page: Callable[..., Page], panel22: Panel, sue: str) -> Callable[..., Page]:
    def open_(**options: object) -> Page:
        page = sign_in(new_page(**options), panel22, "sue", sue)
        page.wait_for_selector("[data-pill].ready")
        return page

    return open_


@pytest.fixture
def talking(asterisk22: Asterisk, phones: MakePhone) -> tuple[Call, Call]:
    """201 talks with 101: the call at each."""
    agent, customer = phones(asterisk22, "101", hz=AGENT), phones(asterisk22, "201", hz=CUSTOMER, name="Maria Weber")
    outgoing = customer.call("101").wait_up()
    return outgoing, agent.wait_incoming()


def look(page: Page, name: str) -> None:
    """A picture for whoever wants to see it: TEST_PICTURES names the folder."""
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_listen_and_stop(
    asterisk22: Asterisk, phones: MakePhone, talking: tuple[Call, Call], desk: Callable[..., Page], panel22: Panel
) -> None:
    outgoing, incoming = talking
    supervisor = phones(asterisk22, "900", hz=SUPERVISOR, answer=2.0)
    page = desk()
    before = len(panel22.audit())
    row = page.locator("tbody tr[data-key]").first
    row.hover()
    expect(row.get_by_role("button", name="Pick up")).to_have_attribute("aria-disabled", "true")
    look(page, "hover")
    row.get_by_role("button", name="Listen").click()
    expect(row.locator(".said-result")).to_contain_text("Ringing your phone", timeout=AT_ONCE)
    look(page, "ringing")
    ear = supervisor.wait_incoming()
    session = page.locator("[data-dock] .session")
    expect(session).to_have_attribute("aria-label", "Listening")
    expect(session).to_contain_text("101")
    expect(session).to_contain_text("with 201 Maria Weber")
    expect(session).to_contain_text("Nobody hears you")
    expect(session.locator(".dur")).to_contain_text("00:0")
    assert ear.wait_tone(CUSTOMER).notes(NOTES) == {AGENT, CUSTOMER}
    assert SUPERVISOR not in incoming.heard(0.4).notes(NOTES)
    assert SUPERVISOR not in outgoing.heard(0.4).notes(NOTES)
    expect(page.locator("tbody tr[data-key]")).to_have_count(1)
    expect(row.locator(".flag.listener")).to_have_attribute("title", "900 Sue Rivers listens to 101 Agent 101")
    look(page, "listening")

    page.reload()
    expect(session).to_have_attribute("aria-label", "Listening")
    session.get_by_role("button", name="Stop").click()
    ear.wait_ended(2)
    expect(session).to_have_count(0, timeout=AT_ONCE)
    expect(page.locator(".toast")).to_have_text(["Stop listening, 101 Agent 101: Done"])
    expect(page.locator(".flag.listener")).to_have_count(0)
    incoming.wait_tone(CUSTOMER)
    assert panel22.audit()[before:] == [
        ("intent", "calls.listen", "", ""),
        ("outcome", "calls.listen", "done", ""),
        ("intent", "calls.stop", "", ""),
        ("outcome", "calls.stop", "done", ""),
    ]


def test_whisper_by_keyboard_alone(
    asterisk22: Asterisk, phones: MakePhone, talking: tuple[Call, Call], desk: Callable[..., Page]
) -> None:
    outgoing, incoming = talking
    supervisor = phones(asterisk22, "900", hz=SUPERVISOR)
    page = desk()
    page.set_viewport_size({"width": 1100, "height": 700})
    page.emulate_media(color_scheme="dark")
    page.locator("tbody tr[data-key]").first.focus()
    page.keyboard.press("w")
    session = page.locator("[data-dock] .session.whisper")
    expect(session).to_have_attribute("aria-label", "Whispering")
    incoming.wait_tone(SUPERVISOR)
    assert SUPERVISOR not in outgoing.heard(0.4).notes(NOTES)
    look(page, "whispering")
    ear = supervisor.wait_incoming()
    # The row's own keys turn the session that there is: her phone is not rung a second time.
    page.locator("tbody tr[data-key]").first.focus()
    page.keyboard.press("l")
    session = page.locator("[data-dock] .session.listen")
    expect(session).to_have_attribute("aria-label", "Listening")
    incoming.wait_tone(CUSTOMER)
    page.keyboard.press("Escape")
    ear.wait_ended(2)
    expect(session).to_have_count(0, timeout=AT_ONCE)


def test_pick_up(asterisk22: Asterisk, phones: MakePhone, desk: Callable[..., Page]) -> None:
    agent, customer = phones(asterisk22, "101", answer=None), phones(asterisk22, "201", hz=CUSTOMER)
    supervisor = phones(asterisk22, "900", hz=SUPERVISOR)
    page = desk()
    outgoing = customer.call("101").wait_ringing()
    rung = agent.wait_incoming()
    row = page.locator("tbody tr[data-key]").first
    expect(row).to_contain_text("Ringing")
    row.hover()
    expect(row.get_by_role("button", name="Listen")).to_have_attribute("aria-disabled", "true")
    row.get_by_role("button", name="Pick up").click()
    taken = supervisor.wait_incoming()
    taken.wait_tone(CUSTOMER)
    outgoing.wait_tone(SUPERVISOR)
    rung.wait_ended()
    expect(row).to_contain_text("Talking")
    expect(row.locator(".to")).to_contain_text("900")
    expect(row.locator(".to")).to_contain_text("Sue Rivers")
    expect(page.locator("tbody tr[data-key]")).to_have_count(1)
    look(page, "picked-up")


def test_a_desk_phone_that_listens_is_on_the_row(
    asterisk22: Asterisk,
    phones: MakePhone,
    checkers: Callable[..., Checker],
    talking: tuple[Call, Call],
    desk: Callable[..., Page],
) -> None:
    """Another's, at another's phone: named on the row, and no dock for it."""
    page = desk(color_scheme="dark")
    page.get_by_title("Русский").click()
    page.wait_for_selector("[data-pill].ready")
    phones(asterisk22, "901").call("55101").wait_up()
    listener = page.locator("tbody tr[data-key] .flag.listener")
    expect(listener).to_have_attribute("title", "901 Supervisor 901 слушает 101 Agent 101")
    expect(page.locator("tbody tr[data-key]")).to_have_count(1)
    expect(page.locator("[data-dock] .session")).to_have_count(0)
    page.locator("tbody tr[data-key]").first.hover()
    look(page, "desk-phone-ru")
    page.get_by_title("English").click()  # it is remembered, and the next test speaks English
    expect(listener).to_have_attribute("title", "901 Supervisor 901 listens to 101 Agent 101")


def test_without_a_phone_and_with_one_that_is_off(
    talking: tuple[Call, Call], floor: Callable[..., Page], desk: Callable[..., Page]
) -> None:
    page = floor("bob")
    row = page.locator("tbody tr[data-key]").first
    row.hover()
    button = row.get_by_role("button", name="Listen")
    expect(button).to_have_attribute("aria-disabled", "true")
    assert "No phone of yours" in (button.get_attribute("title") or "")

    page = desk()
    row = page.locator("tbody tr[data-key]").first
    row.hover()
    row.get_by_role("button", name="Listen").click()
    expect(row.locator(".said-result.refused")).to_contain_text("Your phone cannot be reached", timeout=3_000)
    look(page, "unreachable")


def test_who_may_not_has_no_such_button(talking: tuple[Call, Call], floor: Callable[..., Page]) -> None:
    page = floor("ann")
    page.locator("tbody tr[data-key]").first.hover()
    for name in ("Listen", "Whisper", "Pick up"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_on_a_telephone_in_the_hand(
    asterisk22: Asterisk, phones: MakePhone, talking: tuple[Call, Call], desk: Callable[..., Page]
) -> None:
    phones(asterisk22, "900", hz=SUPERVISOR)
    page = desk(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    row = page.locator("tbody tr[data-key]").first
    row.tap()
    look(page, "phone-selected")
    row.get_by_role("button", name="Listen").tap()
    session = page.locator("[data-dock] .session")
    expect(session).to_have_attribute("aria-label", "Listening")
    look(page, "phone-listening")
    session.get_by_role("button", name="Stop").tap()
    expect(session).to_have_count(0)


def test_her_listening_ends_when_somebody_on_it_may_not_be_monitored(
    phones: MakePhone, asterisk22: Asterisk, talking: tuple[Call, Call], desk: Callable[..., Page], panel22: Panel
) -> None:
    supervisor = phones(asterisk22, "900", hz=SUPERVISOR)
    page = desk()
    row = page.locator("tbody tr[data-key]").first
    row.hover()
    row.get_by_role("button", name="Listen").click()
    ear = supervisor.wait_incoming()
    expect(page.locator("[data-dock] .session")).to_have_count(1)
    protected = "from accounts.models import Protected; Protected.objects."
    try:
        panel22.manage("shell", "-c", f"{protected}create(pbx='lab', extension='101')")
        ear.wait_ended()
        # The reason is a toast, unless her page is just then coming back with its new part of the floor.
        expect(page.locator("[data-dock] .session")).to_have_count(0)
        look(page, "ended")
    finally:
        panel22.manage("shell", "-c", f"{protected}all().delete()")
    assert ("outcome", "calls.stop", "done", "protected") in panel22.audit()
