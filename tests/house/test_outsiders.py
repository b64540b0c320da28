"""Every address that there is: none for strangers, none without its right, no change without the page's own token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User

pytestmark = pytest.mark.django_db

# For people who have not signed in yet, for their browsers, and for what watches the process.
OPEN = {"home", "login", "logout", "set_language", "jsi18n", "livez"}
# For everybody who has: what is her own.
OWN = {"tokens", "revoke_token"}
VALUES = {"pk": "1", "deed": "off"}


def addresses(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, str]]:
    """(address, name with its namespace) of all of them, with values for what is to be filled in."""
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route)
        elif isinstance(pattern, URLPattern):
            for name in pattern.pattern.converters:
                converter = next(c for c in ("int", "slug", "str", "uuid", "path", "") if _part(c, name) in route)
                route = route.replace(_part(converter, name), VALUES.get(name, "1"))
            yield route, str(pattern.name)


def _part(converter: str, name: str) -> str:
    return f"<{converter}:{name}>" if converter else f"<{name}>"


ALL = [(route, name) for route, name in addresses(get_resolver()) if not route.startswith("/api/")]
# The API has its own door and no cookies: tests/api/test_door.py.


def test_they_are_found() -> None:
    assert {"/people/", "/people/1/off/", "/people/teams/1/off/", "/calls/", "/livez"} <= {route for route, _ in ALL}


@pytest.mark.parametrize(("route", "name"), [one for one in ALL if one[1] not in OPEN])
def test_strangers_are_sent_to_sign_in(route: str, name: str, client: Client) -> None:
    for response in (client.get(route), client.post(route)):
        assert response.status_code == 302, route
        assert response["Location"].startswith("/accounts/login/"), route


@pytest.mark.parametrize(("route", "name"), [one for one in ALL if one[1] not in OPEN | OWN])
def test_who_has_no_right_gets_nowhere(route: str, name: str, client: Client, charlie: User) -> None:
    client.force_login(charlie)
    for response in (client.get(route), client.post(route)):
        assert response.status_code == 403, route


@pytest.mark.parametrize(("route", "name"), ALL)
def test_nothing_is_changed_from_another_site(route: str, name: str, alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    for method in (client.post, client.put, client.patch, client.delete):
        assert method(route).status_code in {403, 405}, route
