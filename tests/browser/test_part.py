"""A team lead of one queue, at a real Asterisk: she sees her queue's calls and no others, and gets no button for what
she may not do to one of them. When her part is taken from her the rows go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.running import Panel
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

OUTSIDE = "+4915112345678"
TEAM = """
from accounts.models import Team, User
team = Team.objects.create(name="Sales")
team.members.add(User.objects.get(username="dana"))
team.rules.create(aspect="queue", name="sales")
"""
TAKEN = 'from accounts.models import TeamRule; TeamRule.objects.filter(team__name="Sales").update(name="vip")'


def test_she_sees_her_queue_and_nothing_else(
    asterisk22: Asterisk, phones: Callable[..., Phone], panel22: Panel, new_page: Callable[..., Page]
) -> None:
    password = panel22.user("dana", "Team lead")
    panel22.manage("shell", "-v0", "-c", TEAM)
    phones(asterisk22, "104")
    phones(asterisk22, "202").call("104").wait_up()  # none of hers
    phones(asterisk22, "101")
    outside = phones(asterisk22, "trunk", host="127.0.0.9", register=False, number=OUTSIDE, name="Zoë O'Brien")
    outside.call("600").wait_up()
    page = sign_in(new_page(), panel22, "dana", password)
    page.wait_for_selector("[data-pill].ready")
    expect(page.locator("[data-scope]")).to_have_text("My part: sales")
    rows = page.locator("tbody tr[data-key]")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(OUTSIDE)
    expect(rows).to_contain_text("Talking")
    rows.hover()
    expect(rows.get_by_role("button", name="Listen")).to_be_visible()
    page.mouse.move(0, 0)  # rows keep their places while she points at them
    # One of ours who is in none of her teams calls her queue: she sees it, and may not listen to him.
    phones(asterisk22, "102")
    phones(asterisk22, "203").call("600").wait_up()
    expect(rows).to_have_count(2)
    theirs = rows.filter(has_text="203")
    expect(theirs).to_contain_text("Talking")
    theirs.hover()
    expect(theirs.get_by_role("button", name="Hang up")).to_be_visible()
    expect(theirs.get_by_role("button", name="Listen")).to_have_count(0)
    known = page.evaluate("JSON.stringify(['call', 'party', 'device', 'queue'].map(kind => phoenix.store.all(kind)))")
    assert not [word for word in ("202", "104", "support", "vip") if word in known]
    page.mouse.move(0, 0)
    panel22.manage("shell", "-v0", "-c", TAKEN)
    expect(rows).to_have_count(0)
    expect(page.locator("[data-toasts]")).to_contain_text("What you may see has changed. My part: vip.")
    expect(page.locator(".empty")).to_contain_text("You may see 1 queue; ask an administrator for more.")
