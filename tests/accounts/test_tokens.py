"""Personal tokens: the page, the shell, and what is kept of them."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.living import acting, living
from accounts.models import Team, Token, User
from accounts.permissions import EVERYWHERE, Rule, Scope
from accounts.rights import ROLES
from phoenix_panel.logs import masked

pytestmark = pytest.mark.django_db

PASSWORD = "a password of twelve"
PAGE = "/accounts/tokens/"


@pytest.fixture
def hers(client: Client, bob: User) -> Client:
    """Signed in a moment ago: making a token asks for no more."""
    bob.set_password(PASSWORD)
    bob.save()
    client.post("/accounts/login/", {"username": "bob", "password": PASSWORD})
    return client


def ask(client: Client, **changed: object) -> tuple[str, str]:
    """Fill in the form; the page, and the token that it shows."""
    given = {"name": "Wallboard", "days": "30", "rights": ["calls.view"], **changed}
    page = client.post(PAGE, given).content.decode()
    shown = re.search(r"<pre data-token>(.*?)</pre>", page)
    return page, shown[1] if shown else ""


def test_it_is_shown_once_and_kept_as_a_hash(hers: Client, bob: User) -> None:
    _, secret = ask(hers)
    assert tokens.FORM.fullmatch(secret)
    token = Token.objects.get()
    assert (token.user, token.name, token.rights, token.hint) == (bob, "Wallboard", ["calls.view"], secret[:12])
    assert timedelta(days=29, hours=23) < token.expires - timezone.now() <= timedelta(days=30)
    kept = " ".join(str(value) for value in Token.objects.values().get().values())
    assert secret[13:] not in kept
    later = hers.get(PAGE).content.decode()
    assert secret[13:] not in later
    assert f'data-held="{token.hint}"' in later
    found = tokens.bearer(secret, "192.0.2.1")
    assert isinstance(found, tokens.Bearer)
    assert (found.user.id, found.key) == (bob.pk, f"token:{token.pk}")
    assert found.user.rights == {"calls.view"}


def test_two_are_never_alike(bob: User) -> None:
    secrets = {tokens.make(bob, "x", frozenset({"calls.view"}), 1)[1] for _ in range(20)}
    assert len(secrets) == 20


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "What it is for"),
        ({"name": "x" * 61}, "What it is for"),
        ({"name": "a\u202eb"}, "can&#x27;t be written"),
        ({"days": "366"}, "Good for"),
        ({"days": "0"}, "Good for"),
        ({"rights": []}, "What it may do"),
        ({"rights": ["audit.everything"]}, "What it may do"),
    ],
)
def test_what_is_refused(changed: dict[str, object], words: str, hers: Client) -> None:
    page, secret = ask(hers, **changed)
    assert not secret
    assert words in page.partition('role="alert"')[2].partition("</div>")[0] + page.partition('role="alert"')[2][:600]
    assert not Token.objects.exists()


def test_no_right_is_given_that_she_has_not(client: Client, charlie: User, hers: Client) -> None:
    assert "calls.hangup" in hers.get(PAGE).content.decode()
    client.force_login(charlie)
    page = client.get(PAGE).content.decode()
    assert "calls.hangup" not in page
    assert "You have no right that a token could have." in page
    with pytest.raises(tokens.Unfit, match="rights"):
        tokens.make(charlie, "x", frozenset({"calls.view"}), 1)


def test_revoking(hers: Client, bob: User) -> None:
    _, secret = ask(hers)
    token = Token.objects.get()
    hers.post(f"{PAGE}revoke/", {"token": token.pk})
    assert tokens.bearer(secret, "192.0.2.1") is None
    assert token.hint not in hers.get(PAGE).content.decode()


@pytest.mark.parametrize("given", ["", "x", "-1", "9" * 30, "٣"])
def test_revoking_what_is_none(given: str, hers: Client) -> None:
    ask(hers)
    assert hers.post(f"{PAGE}revoke/", {"token": given}).status_code == 302
    assert tokens.good().count() == 1


def test_another_sees_and_revokes_nothing_of_it(hers: Client, client: Client, alice: User) -> None:
    ask(hers)
    token = Token.objects.get()
    client.force_login(alice)
    assert token.hint not in client.get(PAGE).content.decode()
    client.post(f"{PAGE}revoke/", {"token": token.pk})
    assert tokens.good().count() == 1


def test_only_so_many(bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST", 2)
    for _ in range(2):
        tokens.make(bob, "x", frozenset({"calls.view"}), 1)
    with pytest.raises(tokens.Unfit, match="many"):
        tokens.make(bob, "x", frozenset({"calls.view"}), 1)


def test_who_acts_with_it(bob: User, alice: User) -> None:
    token, _ = tokens.make(bob, "x", frozenset({"calls.view", "calls.hangup"}), 1)
    key = tokens.key_of(token.pk)
    found = acting(bob.pk, key)
    assert found is not None
    assert found.rights == {"calls.view", "calls.hangup"}
    assert acting(alice.pk, key) is None, "another's"
    assert living([key, "token:0", "nosession"]) == {key}
    bob.groups.clear()
    found = acting(bob.pk, key)
    assert found is not None
    assert found.rights == frozenset()
    Token.objects.update(expires=timezone.now())
    assert acting(bob.pk, key) is None
    assert living([key]) == set()


def test_a_token_does_not_reach_a_log(bob: User) -> None:
    token, secret = tokens.make(bob, "x", frozenset({"calls.view"}), 1)
    said = masked(f"GET /api/v1/me?x={secret} HTTP/1.1")
    assert secret[13:] not in said
    assert token.hint in said


# --- the shell


def shell(*words: str) -> str:
    out = StringIO()
    call_command("apitoken", *words, stdout=out)
    return out.getvalue().strip()


def test_from_the_shell(bob: User) -> None:
    secret = shell("create", "bob", "--name", "cron", "--days", "7", "--right", "calls.view")
    found = tokens.bearer(secret, "192.0.2.1")
    assert isinstance(found, tokens.Bearer)
    assert found.granted == {"calls.view"}
    assert secret[:12] in shell("list")
    assert secret[:12] in shell("list", "bob")
    assert secret[13:] not in shell("list")
    assert shell("revoke", secret) == "revoked: 1"
    assert tokens.bearer(secret, "192.0.2.1") is None
    assert shell("list") == ""


def test_all_of_a_user(bob: User) -> None:
    for _ in range(3):
        secret = shell("create", "bob", "--name", "cron")
    found = tokens.bearer(secret, "192.0.2.1")
    assert isinstance(found, tokens.Bearer)
    assert found.granted == ROLES["Supervisor"]
    assert shell("revoke", "--user", "bob") == "revoked: 3"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "nobody", "--name", "x"), "no user"),
        (("create", "bob", "--name", "x", "--days", "366"), "365"),
        (("create", "bob", "--name", " "), "name"),
        (("create", "bob", "--name", "x", "--right", "audit.all"), "not all of these"),
        (("revoke", "phx_aaaaaaaa"), "no such token"),
        (("list", "nobody"), "no user"),
    ],
)
def test_the_shell_says_what_is_wrong(words: tuple[str, ...], said: str, bob: User) -> None:
    with pytest.raises(CommandError, match=said):
        shell(*words)


def test_without_the_whole_floor_a_token_has_her_teams_part(bob: User) -> None:
    """In the door, and where a command is decided."""
    team = Team.objects.create(name="Sales")
    team.rules.create(aspect="queue", name="sales")
    team.members.add(bob)
    for rights, everywhere in ((frozenset({"calls.view"}), False), (frozenset({"calls.view", EVERYWHERE}), True)):
        token, secret = tokens.make(bob, "x", rights, 1)
        came = tokens.bearer(secret, "192.0.2.1")
        assert isinstance(came, tokens.Bearer)
        acts = acting(bob.pk, tokens.key_of(token.pk))
        assert acts == came.user
        assert came.user.scope == Scope(frozenset({Rule("queue", "*", "sales")}), everywhere)
