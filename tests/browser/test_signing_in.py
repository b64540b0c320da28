"""From a panel without users to one whose administrator comes in by a passkey: pages, script and policy together."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running import Panel

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"


def give_device(page: Page) -> None:
    """A fingerprint reader that always knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    options |= {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_from_the_first_start_to_a_passkey(
    new_page: Callable[..., Page], tmp_path_factory: pytest.TempPathFactory
) -> None:
    # A PBX that is real, as far as the settings know: so that the policy holds. Nobody answers there.
    panel = Panel(tmp_path_factory.mktemp("signing-in"), PHOENIX_PBX="ami://panel:x@127.0.0.1:9", PHOENIX_MFA="policy")
    panel.set_up()
    with panel:
        said = re.search(r"http://\S+/setup/\S+", panel.line())
        assert said is not None
        # Passkeys are for names: at a bare number there are none.
        at = panel.url.replace("127.0.0.1", "localhost")
        page = new_page()
        give_device(page)
        page.goto(said[0].replace("127.0.0.1", "localhost"))
        page.fill("[name=username]", "eve")
        page.fill("[name=new_password1]", PASSWORD)
        page.fill("[name=new_password2]", PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        sign_in(page)

        # An administrator: a second factor first, whatever address she opens.
        expect(page.get_by_role("heading", name="One thing first")).to_be_visible()
        page.goto(at + "calls/")
        page.get_by_role("link", name="Use a passkey").click()
        page.get_by_role("button", name="Make a passkey").click()
        codes = page.locator("[data-codes] li")
        expect(codes).to_have_count(10)
        code = codes.first.inner_text()
        page.get_by_role("link", name="I have them").click()
        expect(page.locator("li[data-passkey]")).to_have_count(1)

        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.wait_for_url("**/calls/")
        page.goto(at + "accounts/confirm/passkey/?next=/accounts/tokens/")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/accounts/tokens/")

        # Another browser, without that device: password and a recovery code.
        other = new_page()
        other.goto(at)
        sign_in(other)
        other.fill("[name=code]", code)
        other.press("[name=code]", "Enter")
        other.wait_for_url("**/calls/")
        expect(other.locator("[data-banner]")).to_contain_text(
            "127.0.0.1"
        )  # its socket is open: it is told of the PBX

        # Which the first one sees, and ends: what the other had open goes back to the sign-in page by itself.
        page.goto(at + "accounts/me/")
        expect(page.locator("li[data-session]")).to_have_count(2)
        page.get_by_role("button", name="End all others").click()
        expect(page.locator("li[data-session]")).to_have_count(1)
        other.wait_for_url("**/accounts/login/**")


def sign_in(page: Page) -> None:
    page.fill("[name=username]", "eve")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
