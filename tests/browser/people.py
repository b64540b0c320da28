"""What an administrator does on the pages of people, as steps for a test: she is signed in on `page`."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.running import Panel


def make_team(page: Page, panel: Panel, name: str, *parts: tuple[str, str]) -> None:
    """A team, and its parts of the floor: ("queue", "sales")."""
    page.goto(f"{panel.url}people/teams/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the team").click()
    for aspect, pattern in parts:
        page.get_by_label("What").select_option(aspect)
        page.get_by_label("Name or pattern").fill(pattern)
        page.get_by_role("button", name="Add").first.click()
        expect(page.locator(".lines").first).to_contain_text(pattern)


def copy_role(page: Page, panel: Panel, of: str, name: str, *without: str) -> None:
    """An own role as another, but for some rights, by their words."""
    page.goto(f"{panel.url}people/roles/")
    page.get_by_role("link", name=f"Copy {of}", exact=True).click()
    page.get_by_label("Name").fill(name)
    for words in without:
        page.get_by_label(words, exact=True).uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Kept.")).to_be_visible()


def invite(page: Page, panel: Panel, username: str, name: str, role: str, team: str, phone: str = "") -> str:
    """Somebody new with one role and one team, and a phone on the first PBX; the link for her."""
    page.goto(f"{panel.url}people/")
    page.get_by_role("link", name="Invite").click()
    page.get_by_label("User name").fill(username)
    page.get_by_label("Name shown").fill(name)
    page.get_by_role("group", name="Roles").get_by_label(role, exact=True).check()
    page.get_by_role("group", name="Teams").get_by_label(team, exact=True).check()
    if phone:
        page.get_by_role("group", name="Her phones").get_by_role("textbox").first.fill(phone)
    page.get_by_role("button", name="Make the invitation").click()
    link = page.locator("[data-link]").text_content()
    assert link is not None
    return link
