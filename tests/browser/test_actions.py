"""Every action from the page, one real click each, on the demo PBX: what it asks for, and what comes of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from demo.server import USER
from tests.browser.conftest import sign_in
from tests.browser.running import Panel
from tests.demo.stages import demo_stage

pytestmark = pytest.mark.browser

AT_ONCE = 2_000
RUNG = 6_000  # the supervisor's phone of the demo answers after a second
SOON = 20_000  # until somebody of the demo does what the test needs


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    panel = Panel(tmp_path_factory.mktemp("actions"), PHOENIX_DEMO="1")
    panel.set_up()
    with panel:
        yield panel


@pytest.fixture(scope="module")
def passwords(demo: Panel) -> dict[str, str]:
    """Sue has a phone, Bob has none, Ann may only look."""
    return {
        "sue": demo.user("sue", "Supervisor", "--display-name", "Sue Rivers", "--phone", "demo=PJSIP/2000"),
        "bob": demo.user("bob", "Supervisor"),
        "ann": demo.user("ann", "Auditor"),
    }


@pytest.fixture
def desk(new_page: Callable[..., Page], demo: Panel, passwords: dict[str, str]) -> Callable[..., Page]:
    def open_(name: str = "sue", path: str = "", **options: object) -> Page:
        page = sign_in(new_page(**options), demo, name, passwords[name])
        if path:
            page.goto(demo.url + path)
        page.wait_for_selector("[data-pill].ready")
        return page

    return open_


FRESH = """() => {
  const calls = phoenix.store.all("call").filter(({phase, parties}) => phase === "talking" && parties.length === 2);
  const listened = new Set(phoenix.store.all("spy").map(spy => spy.call));
  const shown = new Set([...document.querySelectorAll("tbody tr[data-key]")].map(row => row.dataset.key));
  const fit = calls.filter(({key}) => shown.has(key) && !listened.has(key));
  return fit.sort((a, b) => b.since - a.since)[0]?.key ?? null;
}"""
"""The call that has begun last: of those that talk it goes on longest."""


def talking(page: Page) -> Locator:
    """The row of a call that talks."""
    key = page.wait_for_function(FRESH, timeout=SOON).json_value()
    return page.locator(f'tbody tr[data-key="{key}"]')


def more(row: Locator, name: str, group: int = 0) -> None:
    """Press an item of the row's menu; ``group``: 0 for the first that has it."""
    for _ in range(5):
        row.hover()
        try:
            row.get_by_role("button", name="More").click(timeout=1_500)
            break
        except PlaywrightTimeoutError:
            continue  # the row went from under the pointer in between: calls go on
    row.page.get_by_role("menuitem", name=re.compile(f"^{name}…?$")).nth(group).click()


def written(panel: Panel, before: int, wanted: list[tuple[str, str, str]]) -> None:
    """The audit has these outcomes (verb, outcome, code). It is written while the page is told already."""
    until = time.monotonic() + 5
    while True:
        outcomes = [entry[1:] for entry in panel.audit()[before:] if entry[0] == "outcome"]
        if len(outcomes) >= len(wanted) or time.monotonic() > until:
            break
        time.sleep(0.02)
    assert outcomes == wanted


def test_a_call_is_recorded_paused_and_stopped(demo: Panel, desk: Callable[..., Page]) -> None:
    page, before = desk(), len(demo.audit())
    row = talking(page)
    recorded = row.get_by_title("Being recorded")
    expect(recorded).to_have_count(0)
    more(row, "Record")
    expect(row.locator(".said-result.done")).to_be_visible(timeout=AT_ONCE)
    expect(recorded).to_have_count(1)
    more(row, "Pause recording")
    expect(row.get_by_title("Recording paused")).to_have_count(1, timeout=AT_ONCE)
    more(row, "Resume recording")
    expect(recorded).to_have_count(1, timeout=AT_ONCE)
    more(row, "Stop recording")
    expect(recorded).to_have_count(0, timeout=AT_ONCE)
    verbs = ("calls.record", "calls.pause_record", "calls.resume_record", "calls.stop_record")
    written(demo, before, [(verb, "done", "") for verb in verbs])


def test_a_caller_is_parked_and_taken_back(desk: Callable[..., Page]) -> None:
    page = desk()
    row = talking(page)
    who = row.locator(".from .name bdi").first.inner_text()
    more(row, "Park")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Seconds until it rings back")).to_be_focused()
    dialog.get_by_label("Seconds until it rings back").fill("3")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("From 5 to 86400")).to_be_visible()
    dialog.get_by_label("Seconds until it rings back").fill("120")
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible(timeout=AT_ONCE)
    parked = page.get_by_role("region", name="Parked callers").get_by_role("listitem").filter(has_text=who)
    expect(parked.locator(".left")).to_have_text(re.compile("01:5[0-9]|02:00"))
    parked.get_by_role("button", name="Take back").click()
    expect(parked).to_have_count(0, timeout=RUNG)
    expect(page.locator("tbody tr[data-key]", has_text=who).filter(has_text="Sue Rivers")).to_contain_text("Talking")


def test_a_party_is_transferred(demo: Panel, desk: Callable[..., Page]) -> None:
    page, before = desk(), len(demo.audit())
    row = talking(page)
    who = row.locator(".from .name bdi").first.inner_text()
    more(row, "Transfer")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(who)
    dialog.get_by_label("To number").fill("00491751234567")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("You may not dial this number: 00491751234567")).to_be_visible(timeout=AT_ONCE)
    expect(dialog.get_by_label("To number")).to_be_focused()
    dialog.get_by_label("To number").fill("2000")
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible(timeout=AT_ONCE)
    expect(page.locator("tbody tr[data-key]", has_text=who).filter(has_text="2000")).to_be_visible(timeout=RUNG)
    written(demo, before, [("calls.transfer", "refused", "number_denied"), ("calls.transfer", "done", "")])


def test_keys_and_muting_are_sent_and_that_is_all_that_is_said(demo: Panel, desk: Callable[..., Page]) -> None:
    page, before = desk(), len(demo.audit())
    row = talking(page)
    more(row, "Send keys")
    dialog = page.get_by_role("dialog")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Please fill this in")).to_be_visible()
    page.keyboard.type("12x")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("This cannot be used here")).to_be_visible()
    dialog.get_by_label("Keys").fill("12#")
    page.keyboard.press("Enter")
    said = row.locator(".said-result.unknown")
    expect(said).to_contain_text("Sent; Asterisk does not tell whether it worked", timeout=AT_ONCE)
    more(row, "Mute", 1)
    dialog.get_by_label("What").select_option("Both")
    dialog.get_by_role("button", name="Mute").click()
    expect(said).to_have_attribute("title", re.compile("^Mute: Sent"), timeout=AT_ONCE)
    written(demo, before, [("calls.keys", "unknown", "not_provable"), ("calls.mute", "unknown", "not_provable")])


def test_a_number_is_called_from_her_phone_and_from_another(demo: Panel, desk: Callable[..., Page]) -> None:
    page, before = desk(), len(demo.audit())
    button = page.get_by_role("button", name="Call", exact=True)
    button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Number")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_label("Number").fill("6003")
    page.keyboard.press("Enter")
    expect(page.locator(".begin .said-result")).to_contain_text("Ringing your phone", timeout=AT_ONCE)
    expect(page.locator(".begin .said-result.done")).to_be_visible(timeout=RUNG)
    expect(page.locator("tbody tr[data-key]", has_text="Sue Rivers").first).to_contain_text("Billing")
    button.click()
    dialog.get_by_label("Number").fill("6003")
    dialog.get_by_label("Phone that rings first").fill("4711")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("The PBX knows no phone of this extension: 4711")).to_be_visible(timeout=AT_ONCE)
    written(demo, before, [("calls.call", "done", ""), ("calls.call", "refused", "no_extension")])


def test_without_a_phone_of_her_own_she_names_one(desk: Callable[..., Page]) -> None:
    page = desk("bob")
    page.get_by_role("button", name="Call", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Number").fill("6003")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("No phone of yours is known on this PBX: name one")).to_be_visible()
    dialog.get_by_label("Phone that rings first").fill("2000")
    page.keyboard.press("Enter")
    expect(page.locator(".begin .said-result")).to_contain_text("Ringing the phone", timeout=AT_ONCE)


def test_she_switches_without_being_rung_again(demo: Panel, desk: Callable[..., Page]) -> None:
    page = desk()
    row = talking(page)
    row.hover()
    row.get_by_role("button", name="Listen").click()
    session = page.locator("[data-dock] .session")
    expect(session).to_have_count(1, timeout=RUNG)
    expect(session).to_contain_text("Nobody hears you, unless your phone's keys switched it")
    key = session.get_attribute("data-key")
    before = len(demo.audit())
    session.get_by_role("button", name="Whisper").click()
    expect(session).to_contain_text("Only this party hears you", timeout=AT_ONCE)
    expect(session.get_by_role("button", name="Whisper")).to_have_attribute("aria-pressed", "true")
    expect(session.locator(".said-result")).to_contain_text("Sent; Asterisk does not tell whether it worked")
    page.keyboard.press("3")
    expect(session).to_contain_text("Everybody hears you", timeout=AT_ONCE)
    page.reload()
    expect(session).to_contain_text("Everybody hears you")
    assert session.get_attribute("data-key") == key
    written(demo, before, [("calls.switch", "unknown", "not_provable")] * 2)
    page.keyboard.press("Escape")
    expect(session).to_have_count(0, timeout=AT_ONCE)


def test_barge_in_by_one_click(desk: Callable[..., Page]) -> None:
    page = desk()
    row = talking(page)
    row.hover()
    row.get_by_role("button", name="Barge in").click()
    session = page.locator("[data-dock] .session.barge")
    expect(session).to_contain_text("Everybody hears you", timeout=RUNG)
    session.get_by_role("button", name="Stop").click()
    expect(session).to_have_count(0, timeout=AT_ONCE)


def test_the_menu_by_keyboard(desk: Callable[..., Page]) -> None:
    page = desk()
    row = talking(page)
    row.focus()
    page.keyboard.press("m")
    items = page.get_by_role("menu").get_by_role("menuitem")
    expect(items.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(items).to_have_count(0)
    expect(row).to_be_focused()
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row).to_be_focused()
    row.hover()
    row.get_by_role("button", name="More").click()
    page.keyboard.press("Escape")
    expect(row.get_by_role("button", name="More")).to_be_focused()


def test_a_menu_over_a_call_that_changed_does_nothing(demo: Panel, desk: Callable[..., Page]) -> None:
    """What the menu shows is how things were when it was opened: it is not done to another state."""
    page = desk()
    row = talking(page)
    other = desk()
    row.hover()
    row.get_by_role("button", name="More").click()
    before = len(demo.audit())
    twin = other.locator(f'tbody tr[data-key="{row.get_attribute("data-key")}"]')
    more(twin, "Park")
    other.keyboard.press("Enter")
    item = page.get_by_role("menuitem", name=re.compile("^Send keys")).first
    expect(item).to_have_attribute("aria-disabled", "true", timeout=AT_ONCE)
    expect(item).to_contain_text(re.compile("The call has changed|The party has left the call"))
    item.click(force=True)
    expect(page.locator(".toast")).to_contain_text(re.compile("The call has changed|The party has left the call"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    written(demo, before, [("calls.park", "done", "")])


def test_a_room_as_a_whole(demo: Panel, desk: Callable[..., Page]) -> None:
    page = desk(path="conferences/")
    room = page.get_by_role("region", name="Room 8001")
    expect(room).to_be_visible(timeout=SOON)
    before = len(demo.audit())
    room.get_by_role("button", name="Mute all but admins").click()
    unmute = room.get_by_role("button", name="Unmute all")
    expect(unmute).to_be_visible(timeout=AT_ONCE)
    expect(room.locator(".seat").filter(has_text="Muted").first).to_be_visible()
    unmute.click()
    expect(unmute).to_have_count(0, timeout=AT_ONCE)
    room.get_by_role("button", name="Record").click()
    expect(room.locator(".chip", has_text="Recording")).to_be_visible(timeout=AT_ONCE)
    room.get_by_role("button", name="Stop recording").click()
    expect(room.locator(".chip", has_text="Recording")).to_have_count(0, timeout=AT_ONCE)

    room.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("dialog")).to_contain_text("8001")
    page.keyboard.press("Enter")
    expect(room.locator(".said-result")).to_contain_text("Ringing your phone", timeout=AT_ONCE)
    expect(room.get_by_role("button", name="Invite")).to_be_visible()
    page.get_by_role("button", name="Apply").click(timeout=RUNG)  # places are kept while she points
    expect(room.locator(".seat", has_text="Sue Rivers")).to_be_visible()

    room.get_by_role("button", name="Remove all").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Remove all").click()
    expect(page.locator(".seat", has_text="Sue Rivers").and_(page.locator(":not(.gone)"))).to_have_count(
        0, timeout=AT_ONCE
    )
    done = ("mute_others", "unmute_others", "record", "stop_record", "invite", "kick_all")
    written(demo, before, [(f"conferences.{verb}", "done", "") for verb in done])


def test_who_may_not_has_no_such_control(desk: Callable[..., Page]) -> None:
    page = desk("ann")
    row = talking(page)
    row.hover()
    expect(row.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("button", name="Call", exact=True)).to_have_count(0)


def test_on_a_telephone_in_the_hand(desk: Callable[..., Page]) -> None:
    """The first touch of a row does nothing but show what can be done."""
    path = "calls/?state=talking&sort=-time"
    page = desk(path=path, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    row = talking(page)
    row.tap()
    expect(row).to_have_attribute("aria-selected", "true")
    row.get_by_role("button", name="More").tap()
    page.get_by_role("menuitem", name=re.compile("^Transfer")).first.tap()
    expect(page.get_by_role("dialog").get_by_label("To number")).to_be_focused()
    page.get_by_role("button", name="Cancel").tap()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_with_two_pbxs_she_says_which(tmp_path: Path, new_page: Callable[..., Page]) -> None:
    """Whose phone is needed, and what can be done, is as it is there."""
    with demo_stage() as stage:
        url = f"ami://{USER}:bytes@127.0.0.1:{stage.server.port}"
        panel = Panel(tmp_path, PHOENIX_DEMO="1", PHOENIX_PBX_LAB=url)
        panel.set_up()
        password = panel.user("sue", "Supervisor", "--phone", "demo=PJSIP/2000")
        with panel:
            page = sign_in(new_page(), panel, "sue", password)
            page.wait_for_function("() => [...phoenix.store.pbxs.values()].filter(({ready}) => ready).length === 2")
            page.get_by_role("button", name="Call", exact=True).click()
            dialog = page.get_by_role("dialog")
            expect(dialog.get_by_label("Server").locator("option")).to_have_text(["lab", "demo"])
            dialog.get_by_label("Server").select_option("lab")
            expect(dialog.locator("datalist option[value='900']")).to_have_count(1)
            dialog.get_by_label("Number").fill("801")
            page.keyboard.press("Enter")
            expect(dialog.get_by_text("No phone of yours is known on this PBX: name one")).to_be_visible()
            dialog.get_by_label("Phone that rings first").fill("900")
            page.keyboard.press("Enter")
            row = page.locator("tbody tr[data-key^='lab/']")
            expect(row).to_contain_text("Room 801", timeout=RUNG)
            written(panel, 0, [("calls.call", "done", "")])
