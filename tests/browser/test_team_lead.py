"""The whole story, from the invitation to the audit: an administrator invites a team lead and limits her to one queue;
she comes in with a second factor, sees that queue's calls, does what she may, and the audit tells all of it."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b32decode
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.people import invite, make_team
from tests.browser.running import Panel
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

OUTSIDE = "+4915112345679"
PASSWORD = "the kettle sings at noon"
STEP_S = 30


def code(secret: str, ahead: int) -> str:
    """What an authenticator app shows (RFC 6238), so many steps from now."""
    counter = int(time.time()) // STEP_S + ahead
    digest = hmac.digest(b32decode(secret), counter.to_bytes(8), hashlib.sha1)
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 10**6:06}"


def test_from_her_invitation_to_the_audit(
    asterisk22: Asterisk, phones: Callable[..., Phone], panel22: Panel, new_page: Callable[..., Page]
) -> None:
    admin = sign_in(new_page(), panel22, "ada", panel22.user("ada", "Admin"))
    make_team(admin, panel22, "Inbound", ("queue", "sales"))
    link = invite(admin, panel22, "lena", "Lena Kim", "Team lead", "Inbound")

    page = new_page()
    page.goto(link)
    page.fill("[name=new_password1]", PASSWORD)
    page.fill("[name=new_password2]", PASSWORD)
    page.get_by_role("button", name="Set it").click()
    sign_in(page, panel22, "lena", PASSWORD)
    page.goto(f"{panel22.url}accounts/me/app/")
    secret = page.locator("[data-secret]").inner_text().replace(" ", "")
    page.fill("[name=code]", code(secret, 0))
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator("[data-codes] li")).to_have_count(10)
    page.goto(panel22.url)
    page.get_by_role("button", name="Sign out").click()

    phones(asterisk22, "104")
    phones(asterisk22, "202").call("104").wait_up()  # none of hers
    phones(asterisk22, "101")
    caller = phones(asterisk22, "trunk", host="127.0.0.9", register=False, number=OUTSIDE, name="Maria Weber")
    call = caller.call("600").wait_up()
    page.fill("[name=username]", "lena")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.fill("[name=code]", code(secret, 1))  # the present one has been used, and is good once
    page.press("[name=code]", "Enter")
    page.wait_for_selector("[data-pill].ready")
    expect(page.locator("[data-scope]")).to_have_text("My part: sales")
    rows = page.locator("tbody tr[data-key]")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(OUTSIDE)
    expect(rows).to_contain_text("Talking")
    rows.hover()
    expect(rows.get_by_role("button", name="Listen")).to_be_visible()
    expect(page.get_by_role("button", name="Whisper")).to_have_count(0)
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    rows.get_by_role("button", name="Hang up").click()
    page.get_by_role("dialog").get_by_role("button", name="Hang up").click()
    call.wait_ended()

    admin.goto(f"{panel22.url}audit/actions/?person=Lena+Kim")
    told = admin.locator("[data-entry]")
    expect(told.first).to_contain_text("Hang up")
    expect(told.first).to_contain_text(OUTSIDE)
    expect(told.first.locator(".chip.ready")).to_be_visible()
    story = " ".join(told.all_inner_texts())
    assert [words for words in ("Signed in", "second factor") if words.lower() not in story.lower()] == []
    admin.goto(f"{panel22.url}audit/actions/?person=ada")
    story = " ".join(admin.locator("[data-entry]").all_inner_texts())
    assert [words for words in ("lena", "Inbound", "sales") if words not in story] == []
