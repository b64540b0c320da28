"""One click each on a real conference, in the browser; and what the page is when nobody is in one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.asterisk.desk import read_rooms
from tests.browser.running import Panel
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

AT_ONCE = 1_000  # milliseconds: what a person calls "at once"
ANNA, BORIS = 440, 620


@pytest.fixture
def board(floor: Callable[..., Page], panel22: Panel) -> Callable[[str], Page]:
    """Open the conferences as one of the cast."""

    def open_(name: str) -> Page:
        page = floor(name)
        page.get_by_role("link", name="Conferences").click()
        page.wait_for_selector("[data-pill].ready")
        return page

    return open_


def seat(page: Page, number: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=number)


def test_mute_remove_lock(
    asterisk22: Asterisk, phones: Callable[..., Phone], panel22: Panel, board: Callable[[str], Page]
) -> None:
    page = board("bob")
    expect(page.locator("pp-conferences")).to_contain_text("No conferences right now")
    anna = phones(asterisk22, "101", hz=ANNA).call("88801").wait_up()
    boris = phones(asterisk22, "102", hz=BORIS).call("801").wait_up()
    listener = phones(asterisk22, "201", name="<b>Maria</b>").call("801").wait_up()
    room = page.get_by_role("region", name="Room 801")
    expect(room).to_contain_text("3 participants", timeout=AT_ONCE)
    expect(seat(page, "101")).to_contain_text("Speaking", timeout=2 * AT_ONCE)
    expect(seat(page, "101")).to_contain_text("admin")
    expect(seat(page, "201")).to_contain_text("<b>Maria</b>")
    expect(page.locator('[data-count="conferences"]')).to_have_text("1")
    before = len(panel22.audit())

    seat(page, "102").get_by_role("button", name="Mute").click()
    expect(seat(page, "102")).to_contain_text("Muted", timeout=AT_ONCE)
    expect(seat(page, "102").locator(".said-result.done")).to_be_visible(timeout=AT_ONCE)
    listener.wait_tone(ANNA)
    levels = listener.heard(0.5).spectrum(ANNA, BORIS)
    assert levels[ANNA] - levels[BORIS] >= 20
    seat(page, "102").get_by_role("button", name="Unmute").click()
    expect(seat(page, "102")).to_contain_text("Speaking", timeout=2 * AT_ONCE)
    listener.wait_tone(BORIS)

    room.get_by_role("button", name="Lock").click()
    expect(room).to_contain_text("Locked", timeout=AT_ONCE)
    phones(asterisk22, "202").call("801").wait_ended()
    expect(room).to_contain_text("3 participants")
    room.get_by_role("button", name="Unlock").click()
    expect(room.get_by_role("button", name="Lock")).to_be_visible(timeout=AT_ONCE)

    seat(page, "102").get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("102 Agent 102")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Remove").click()
    boris.wait_ended()
    expect(room).to_contain_text("2 participants", timeout=AT_ONCE)
    _, members = read_rooms(asterisk22)
    assert {row["CallerIDNum"] for row in members["801"]} == {"101", "201"}

    anna.hangup()
    listener.hangup()
    page.mouse.move(2, 2)
    expect(page.locator("pp-conferences")).to_contain_text("The last conference ended at", timeout=3 * AT_ONCE)
    done = [entry[1:] for entry in panel22.audit()[before:] if entry[0] == "outcome"]
    verbs = ("conferences.mute", "conferences.unmute", "conferences.lock", "conferences.unlock", "conferences.kick")
    assert done == [(verb, "done", "") for verb in verbs]


def test_places_are_kept_under_the_hand(
    asterisk22: Asterisk, phones: Callable[..., Phone], board: Callable[[str], Page]
) -> None:
    """Who leaves while she points stays as one who left: nothing slides under her finger."""
    first = phones(asterisk22, "101").call("801").wait_up()
    phones(asterisk22, "102").call("801").wait_up()
    page = board("bob")
    expect(page.locator(".seat")).to_have_count(2)
    seat(page, "102").hover()
    page.mouse.move(400, 300)
    first.hangup()
    expect(seat(page, "101")).to_contain_text("Left", timeout=2 * AT_ONCE)
    expect(seat(page, "101").get_by_role("button", name="Remove")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".seat")).to_have_count(1)


def test_an_auditor_sees_and_does_not_touch(
    asterisk22: Asterisk, phones: Callable[..., Phone], board: Callable[[str], Page]
) -> None:
    phones(asterisk22, "101").call("801").wait_up()
    page = board("ann")
    expect(seat(page, "101")).to_be_visible()
    for name in ("Mute", "Remove", "Lock"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_greyed_and_still_when_the_pbx_is_silent(
    asterisk22: Asterisk, phones: Callable[..., Phone], board: Callable[[str], Page]
) -> None:
    phones(asterisk22, "101").call("801").wait_up()
    page = board("bob")
    expect(seat(page, "101")).to_be_visible()
    asterisk22.freeze()
    expect(page.locator(".room.stale")).to_be_visible(timeout=15_000)
    expect(seat(page, "101").get_by_role("button", name="Mute")).to_have_attribute("aria-disabled", "true")
    seat(page, "101").get_by_role("button", name="Mute").click(force=True)  # Playwright itself won't press it
    expect(page.locator(".toast")).to_contain_text("No live data")
    asterisk22.thaw()
    expect(page.locator(".room.stale")).to_have_count(0, timeout=15_000)


def test_search_finds_a_participant(
    asterisk22: Asterisk, phones: Callable[..., Phone], board: Callable[[str], Page]
) -> None:
    phones(asterisk22, "101").call("801").wait_up()
    phones(asterisk22, "102").call("802").wait_up()
    page = board("bob")
    expect(page.locator(".seat")).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("102")
    expect(page.locator(".seat")).to_have_count(1)
    expect(page.locator(".room-head")).to_contain_text("802")
    page.keyboard.type("9")
    expect(page.locator("pp-conferences")).to_contain_text("Nobody in a conference matches")
