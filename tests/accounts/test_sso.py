"""Signing in by an identity provider: a real one on this machine, a panel in a process of its own, and a browser's
cookies. (Without the settings none of it is there: no app, no table, no address.)
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from oidc_provider_mock import run_server_in_thread

from phoenix_panel import sso
from phoenix_panel.environment import Environment
from tests.browser.running import Panel

ROLES = "panel-leads=Team lead; cn=bosses,ou=office=Admin"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the provider's libraries
LINK = "accounts/sso/"
BOARD = "/calls/"
WRONG = "did not let you in"


class Idp:
    """The provider. It believes who says that she is somebody."""

    def __init__(self) -> None:
        self._running: AbstractContextManager[Any] = run_server_in_thread()
        self.url = f"http://localhost:{self._running.__enter__().server_port}"

    def user(self, sub: str, **claims: Any) -> None:
        assert requests.put(f"{self.url}/users/{sub}", json=claims, timeout=5).ok

    def stop(self) -> None:
        self._running.__exit__(None, None, None)


@pytest.fixture(scope="module")
def idp() -> Iterator[Idp]:
    idp = Idp()
    yield idp
    idp.stop()


@pytest.fixture(scope="module")
def panel(idp: Idp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    running = Panel(
        tmp_path_factory.mktemp("sso"),
        PHOENIX_OIDC_ISSUER=idp.url,
        PHOENIX_OIDC_CLIENT_ID="panel",
        PHOENIX_OIDC_SECRET="s3cret-word",
        PHOENIX_OIDC_ROLES=ROLES,
        PHOENIX_OIDC_NAME="Office",
    )
    running.set_up()
    with running:
        yield running


def come(panel: Panel, sub: str) -> tuple[requests.Session, requests.Response]:
    """From the sign-in page to the provider, as somebody, and back to where the panel leads."""
    session = requests.Session()
    form = session.get(panel.url + LINK, timeout=10)
    assert urlsplit(form.url).path == "/oauth2/authorize"
    return session, session.post(form.url, {"sub": sub}, timeout=10)


def rows(panel: Panel, query: str, *given: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(panel.var / "phoenix.sqlite3")) as database:
        return list(database.execute(query, given))


def roles(panel: Panel, sub: str) -> set[str]:
    found = rows(
        panel,
        "SELECT g.name FROM auth_group g JOIN accounts_user_groups ug ON ug.group_id = g.id"
        " JOIN socialaccount_socialaccount s ON s.user_id = ug.user_id WHERE s.uid = ?",
        sub,
    )
    return {name for (name,) in found}


def name(panel: Panel, sub: str) -> str:
    joined = "accounts_user u JOIN socialaccount_socialaccount s ON s.user_id = u.id"
    ((found,),) = rows(panel, f"SELECT u.username FROM {joined} WHERE s.uid = ?", sub)
    return str(found)


def test_the_way_there_has_state_and_proof_key(panel: Panel) -> None:
    page = requests.get(panel.url + "accounts/login/", timeout=5).text
    assert "Sign in with Office" in page
    answer = requests.get(panel.url + LINK, timeout=5, allow_redirects=False)
    assert re.search(r"[?&]state=\w{16,}", answer.headers["Location"])
    assert "code_challenge_method=S256" in answer.headers["Location"]


def test_her_groups_are_her_roles_at_each_sign_in(panel: Panel, idp: Idp) -> None:
    idp.user("s-lea", preferred_username="lea", name="Lea", groups=["panel-leads", "others"])
    session, page = come(panel, "s-lea")
    assert urlsplit(page.url).path == BOARD
    assert roles(panel, "s-lea") == {"Team lead"}
    assert name(panel, "s-lea") == "lea"
    idp.user("s-lea", preferred_username="lea", groups=["cn=bosses,ou=office"])
    come(panel, "s-lea")
    assert roles(panel, "s-lea") == {"Admin"}
    assert rows(panel, "SELECT count(*) FROM accounts_user WHERE username LIKE 'lea%'") == [(1,)]
    idp.user("s-lea", preferred_username="lea", groups=[])
    _, page = come(panel, "s-lea")
    assert (page.status_code, WRONG in page.text) == (403, True)
    assert roles(panel, "s-lea") == set()
    # Who was signed in before has no right left either.
    assert session.get(panel.url + "calls/", timeout=5).status_code == 403


def test_without_a_group_of_ours_there_is_no_account(panel: Panel, idp: Idp) -> None:
    idp.user("s-guest", preferred_username="guest", groups=["cleaners"])
    _, page = come(panel, "s-guest")
    assert page.status_code == 403
    assert rows(panel, "SELECT * FROM accounts_user WHERE username = 'guest'") == []


def test_no_account_is_taken_over_by_a_name_or_an_address(panel: Panel, idp: Idp) -> None:
    panel.user("boss", "Admin")
    with closing(sqlite3.connect(panel.var / "phoenix.sqlite3")) as database, database:
        database.execute("UPDATE accounts_user SET email = 'boss@example.com' WHERE username = 'boss'")
    idp.user(
        "s-eve",
        preferred_username="boss",
        email="boss@example.com",
        email_verified=True,
        groups=["panel-leads"],
    )
    _, page = come(panel, "s-eve")
    assert urlsplit(page.url).path == BOARD
    assert name(panel, "s-eve") != "boss"
    assert roles(panel, "s-eve") == {"Team lead"}
    assert 'title="boss"' not in page.text
    # Nor does another `sub` become her by calling itself so.
    idp.user("s-eve2", preferred_username=name(panel, "s-eve"), groups=["panel-leads"])
    come(panel, "s-eve2")
    assert name(panel, "s-eve2") != name(panel, "s-eve")


def test_a_link_connects_nobodys_account(panel: Panel, idp: Idp) -> None:
    """allauth's `process=connect`, by which a page elsewhere would make its provider's account a key to hers."""
    password = panel.user("carla", "Supervisor")
    session = requests.Session()
    page = session.get(panel.url + "accounts/login/", timeout=5).text
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    given = {"username": "carla", "password": password, "csrfmiddlewaretoken": token[1]}
    assert session.post(panel.url + "accounts/login/", given, timeout=5).url.endswith(BOARD)
    idp.user("s-mallory", preferred_username="mallory", groups=["panel-leads"])
    form = session.get(panel.url + LINK + "?process=connect", timeout=5)
    session.post(form.url, {"sub": "s-mallory"}, timeout=5)
    assert name(panel, "s-mallory") == "mallory"


def test_an_answer_that_nobody_asked_for_is_refused(panel: Panel) -> None:
    for query in ("code=x&state=x", "code=x", "error=access_denied"):
        answer = requests.get(panel.url + LINK + f"callback/?{query}", timeout=5)
        assert answer.status_code in (401, 403), query
        assert WRONG in answer.text


def test_who_comes_this_way_alone_confirms_this_way(panel: Panel, idp: Idp) -> None:
    idp.user("s-ida", preferred_username="ida", groups=["panel-leads"])
    session, _ = come(panel, "s-ida")
    key = str(session.cookies["phoenix"])
    assert session.get(panel.url + "accounts/me/password/", timeout=5).url.endswith("/accounts/me/password/")
    age(panel, key)
    asked = session.get(panel.url + "accounts/me/password/", timeout=5, allow_redirects=False)
    assert asked.headers["Location"].startswith("/accounts/sso/again/")
    form = session.get(panel.url + asked.headers["Location"][1:], timeout=5)
    assert "prompt=login" in form.url
    assert session.post(form.url, {"sub": "s-ida"}, timeout=5).url.endswith("/accounts/me/password/")


def age(panel: Panel, key: str) -> None:
    """As if she had signed in an hour ago."""
    panel.manage(
        "shell",
        "-v0",
        "-c",
        f"from django.contrib.sessions.backends.db import SessionStore as S; s = S({key!r});"
        "[r.update(at=r['at'] - 3600) for r in s['account_authentication_methods']]; s.save()",
    )


def test_while_it_is_down_who_has_a_password_comes_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    """And the page answers: the provider is asked by nobody who does not choose it."""
    idp = Idp()
    panel = Panel(
        tmp_path_factory.mktemp("down"),
        PHOENIX_OIDC_ISSUER=idp.url,
        PHOENIX_OIDC_CLIENT_ID="panel",
        PHOENIX_OIDC_SECRET="s3cret-word",
        PHOENIX_OIDC_ROLES=ROLES,
    )
    panel.set_up()
    password = panel.user("root", "Admin")
    with panel:
        idp.stop()
        answer = requests.get(panel.url + LINK, timeout=15)
        assert (answer.status_code, WRONG in answer.text) == (503, True)
        session = requests.Session()
        page = session.get(panel.url + "accounts/login/", timeout=5).text
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None
        given = {"username": "root", "password": password, "csrfmiddlewaretoken": token[1]}
        assert session.post(panel.url + "accounts/login/", given, timeout=5).url.endswith(BOARD)
        assert "traceback" not in panel.log.lower()


GOOD = {
    "PHOENIX_OIDC_ISSUER": "https://idp.example/realms/a",
    "PHOENIX_OIDC_CLIENT_ID": "panel",
    "PHOENIX_OIDC_SECRET": "x",
    "PHOENIX_OIDC_ROLES": ROLES,
}


def test_accounts_are_bound_to_the_whole_issuer() -> None:
    one, slash, other = (
        sso.read(Environment(GOOD | {"PHOENIX_OIDC_ISSUER": issuer}))
        for issuer in ("https://idp.example/realms/a", "https://idp.example/realms/a/", "https://idp.example/realms/b")
    )
    assert one is not None
    assert slash is not None
    assert other is not None
    assert one.id == slash.id != other.id
    assert one.roles == {"panel-leads": "Team lead", "cn=bosses,ou=office": "Admin"}
    assert sso.read(Environment({})) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"PHOENIX_OIDC_ISSUER": "http://idp.example"},
        {"PHOENIX_OIDC_ISSUER": "idp.example"},
        {"PHOENIX_OIDC_CLIENT_ID": ""},
        {"PHOENIX_OIDC_SECRET": ""},
        {"PHOENIX_OIDC_ROLES": ""},
        {"PHOENIX_OIDC_ROLES": "admins"},
        {"PHOENIX_OIDC_MFA": "perhaps"},
    ],
    ids=json.dumps,
)
def test_half_a_provider_is_said(wrong: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="PHOENIX_OIDC"):
        sso.read(Environment(GOOD | wrong))
