"""An administrator's walk: a team of one queue, a role of her own, an invitation; at a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.people import copy_role, invite, make_team
from tests.browser.running import Panel

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    running = Panel(tmp_path_factory.mktemp("people"), PHOENIX_DEMO="1")
    running.set_up()
    with running:
        yield running


def test_a_lead_of_one_queue_is_invited(new_page: Callable[..., Page], panel: Panel) -> None:
    page = sign_in(new_page(), panel, "alice", panel.user("alice", "Admin"))
    make_team(page, panel, "Sales", ("queue", "sales"))
    copy_role(page, panel, "Team lead", "Quiet lead", "Listen to calls")
    link = invite(page, panel, "lena", "Лена <b>Ким", "Quiet lead", "Sales", "PJSIP/2001")
    assert link.startswith(panel.url)

    page.get_by_role("link", name="Users").click()
    row = page.get_by_role("row").filter(has_text="lena")
    expect(row).to_contain_text("Лена <b>Ким")
    expect(row).to_contain_text("Quiet lead")
    expect(row).to_contain_text("Sales")
    expect(row).to_contain_text("Invited")

    # By keyboard alone, from the search to her page; what is wrong is said at its field, which is then in focus order.
    page.get_by_role("searchbox").fill("ким")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Лена <b>Ким").press("Enter")
    page.get_by_label("Time zone").fill("Mars/Base")
    page.get_by_label("Time zone").press("Enter")
    zone = page.get_by_label("Time zone")
    expect(zone).to_have_attribute("aria-invalid", "true")
    expect(zone).to_have_accessible_description("There is no such time zone.")
    expect(zone).to_have_value("Mars/Base")

    page.set_viewport_size({"width": 390, "height": 844})
    for where in ("", "new/", "1/", "roles/", "roles/1/", "teams/", "teams/1/", "protected/", "explain/", "files/"):
        page.goto(f"{panel.url}people/{where}")
        assert page.evaluate("document.documentElement.scrollWidth") == 390, where
        boxes = page.locator("main .btn:visible, main a.btn:visible, nav.tabs a").all()
        assert all((box.bounding_box() or {"height": 0})["height"] >= 40 for box in boxes), where
