"""The headers that every answer carries, on every address there is: nobody may add a page without them."""

from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User

pytestmark = pytest.mark.django_db

CSP = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "media-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html phoenix",
}
OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ("camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()"),
}


EXAMPLES = {"<kind>/<path:key>": "call/demo/1", "<id>": "0" * 32, "<int:pk>": "1", "<int:team_id>": "1"}
EXAMPLES |= {"<str:token>": "x", "<str:code>": "x"}
"""What is put into addresses that take arguments."""


def addresses(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Every address of the URLconf; one that takes arguments would fail here, and is to be given examples of them."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route)
        else:
            assert isinstance(pattern, URLPattern)
            for arguments, example in EXAMPLES.items():
                route = route.replace(arguments, example)
            assert "<" not in route, f"{route}: say here what to put into it"
            yield route


ADDRESSES = [*addresses(get_resolver()), "/no/such/page"]


def check(response: HttpResponseBase) -> None:
    assert {part.strip() for part in response["Content-Security-Policy"].split(";")} == CSP
    assert "Content-Security-Policy-Report-Only" not in response
    for name, value in OTHERS.items():
        assert response[name] == value, name


@pytest.mark.parametrize("who", ["nobody", "charlie", "alice"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_has_the_headers(address: str, who: str, client: Client, request: pytest.FixtureRequest) -> None:
    if who != "nobody":
        user: User = request.getfixturevalue(who)
        client.force_login(user)
    response = client.get(address)
    assert response.status_code < 500
    check(response)
    # A page of somebody who is signed in stays in no cache; the words in jsi18n are nobody's.
    wanted = "private, no-cache" if address == "/jsi18n/" and response.status_code == 200 else "no-store"
    assert wanted in response["Cache-Control"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_takes_a_form_from_elsewhere(address: str, alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    refusals = {401, 403, 404, 405} if address.startswith("/api/") else {403, 404, 405}
    assert client.post(address, {"x": "y"}).status_code in refusals


def test_pages_need_a_signed_in_user(client: Client) -> None:
    open_to_all = {"/accounts/login/", "/accounts/logout/", "/i18n/setlang/", "/jsi18n/", "/livez", "/no/such/page"}
    open_to_all |= {"/accounts/invitation/x/", "/setup/x/"}
    # The API knows no session at all: tests/api.
    pages = {address for address in ADDRESSES if not address.startswith("/api/")}
    for address in pages - open_to_all:
        response = client.get(address, follow=True)
        assert response.redirect_chain, address
        assert response.redirect_chain[-1][0].startswith("/accounts/login/"), address


def test_the_board_has_an_outsider(client: Client, alice: User, charlie: User) -> None:
    client.force_login(charlie)
    assert not charlie.has_perm("calls.view")
    assert client.get("/calls/").status_code == 403
    client.force_login(alice)
    assert client.get("/calls/").status_code == 200


def test_another_host_is_refused(client: Client) -> None:
    assert client.get("/livez", headers={"host": "evil.example"}).status_code == 400


def test_livez_asks_the_database_nothing(client: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        response = client.get("/livez")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert not response.cookies
