"""Every address that there is has its outsiders: strangers, and who is signed in without its right."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests.house.test_headers import ADDRESSES

pytestmark = pytest.mark.django_db

# For who has not signed in yet, for her browser, and for what watches the process.
OPEN = {"/", "/i18n/setlang/", "/jsi18n/", "/livez", "/no/such/page", "/setup/x/", "/accounts/invitation/x/"}
OPEN |= {"/accounts/login/", "/accounts/login/passkey/", "/accounts/logout/"}
# The API knows no session at all: tests/api.
PAGES = sorted({address for address in ADDRESSES if not address.startswith("/api/")} - OPEN)
OWN = "/accounts/"  # for everybody who has signed in: tests/accounts


def test_they_are_found() -> None:
    assert {"/calls/", "/people/", "/people/1/off/", "/people/teams/1/off/"} <= set(PAGES)


@pytest.mark.parametrize("address", PAGES)
def test_strangers_are_sent_to_sign_in(address: str, client: Client) -> None:
    for response in (client.get(address), client.post(address)):
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("address", [address for address in PAGES if not address.startswith(OWN)])
def test_who_has_no_right_gets_nowhere(address: str, client: Client, charlie: User) -> None:
    client.force_login(charlie)
    assert client.get(address, follow=True).status_code == 403
    assert client.post(address).status_code in {403, 405}


@pytest.mark.parametrize("address", [*PAGES, *sorted(OPEN)])
def test_no_method_changes_anything_from_another_site(address: str, alice: User) -> None:
    """A form is in test_headers."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    for method in (client.put, client.patch, client.delete):
        assert method(address).status_code in {403, 404, 405}
