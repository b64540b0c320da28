"""The headers that every answer carries, on every address there is: nobody may add a page without them."""

import json
from collections.abc import Iterator

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from floor.consumers import Allowance
from phoenix_panel import reports

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
    "report-uri /csp/",
}
OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ("camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()"),
}


EXAMPLES = {"<kind>/<path:key>": "call/demo/1", "<id>": "0" * 32, "<int:pk>": "1"}
EXAMPLES |= {"<slug:deed>": "off", "<str:token>": "x", "<str:code>": "x"}
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


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_no_address_takes_anything_from_another_site(address: str, site: str, client: Client, alice: User) -> None:
    """Also where no token is asked for, or one was come by: the browser itself says where it comes from."""
    client.force_login(alice)
    for method in ("post", "put", "patch", "delete"):
        response = getattr(client, method)(address, headers={"sec-fetch-site": site})
        assert (response.status_code, response.content) == (403, b"This came from another site.\n")
        check(response)


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}])
def test_our_own_forms_are_taken(client: Client, alice: User, headers: dict[str, str]) -> None:
    client.force_login(alice)
    assert client.post("/accounts/logout/", headers=headers).status_code == 302


def report(client: Client, body: object, kind: str = "application/csp-report") -> HttpResponseBase:
    return client.generic("POST", "/csp/", body if isinstance(body, str) else json.dumps(body), content_type=kind)


@pytest.fixture
def some_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "_allowance", Allowance(per_s=0.0, burst=3))


@pytest.mark.usefixtures("some_reports")
def test_what_the_policy_stopped_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(enforce_csrf_checks=True)
    told = {"effective-directive": "script-src-attr", "blocked-uri": "inline", "line-number": 7, "script-sample": "x"}
    assert report(client, {"csp-report": told}).status_code == 204
    (record,) = caplog.records
    assert (record.effective_directive, record.blocked_uri, record.line_number) == ("script-src-attr", "inline", 7)  # type: ignore[attr-defined]
    for _ in range(9):
        assert report(client, {"csp-report": told}).status_code == 204
    assert len(caplog.records) == 3, "so many, and no more"


@pytest.mark.usefixtures("some_reports")
@pytest.mark.parametrize(
    "body", ["[", "[]", "{}", '{"csp-report": 1}', "[" * 9_000, '{"csp-report": {"blocked-uri": []}}']
)
def test_a_report_that_is_none_harms_nothing(body: str) -> None:
    assert report(Client(), body).status_code == 204


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_form_sends_no_report(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    assert report(Client(enforce_csrf_checks=True), "x", kind).status_code in (403, 404)
    assert not [record for record in caplog.records if record.name == reports.__name__]


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
