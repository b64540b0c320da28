"""Dangerous things are asked of who has lately said who she is."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from accounts import throttle
from accounts.models import Token, User
from tests.accounts.conftest import PASSWORD, SignIn, give_password
from tests.accounts.test_mfa import SECRET, code

pytestmark = pytest.mark.django_db

CONFIRM = "/accounts/confirm/"
TOKENS = "/accounts/tokens/"
FORM = {"name": "Wallboard", "days": "30", "rights": ["calls.view"]}


def eleven_minutes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 11 * 60)


def test_signing_in_is_enough_for_ten_minutes(come: SignIn, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = come(bob)
    assert b"data-token" in client.post(TOKENS, FORM).content
    eleven_minutes_on(monkeypatch)
    answer = client.post(TOKENS, FORM)
    assert answer["Location"] == f"{CONFIRM}?next=%2Faccounts%2Ftokens%2F"
    assert Token.objects.count() == 1


def test_after_the_password_the_form_is_done(come: SignIn, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = come(bob)
    eleven_minutes_on(monkeypatch)
    where = client.post(TOKENS, FORM)["Location"]
    assert client.post(where, {"password": "wrong", "next": TOKENS}).status_code == 200
    assert not Token.objects.exists()
    page = client.post(where, {"password": PASSWORD, "next": TOKENS})
    assert b"data-token" in page.content
    assert Token.objects.get().name == "Wallboard"


def test_a_code_will_do_too(bob: User, come: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client = come(bob)
    TOTP.activate(bob, SECRET)
    eleven_minutes_on(monkeypatch)
    where = client.post(TOKENS, FORM)["Location"]
    assert "/accounts/confirm/code/" in client.get(where).content.decode()
    assert b"data-token" in client.post("/accounts/confirm/code/", {"code": code(), "next": TOKENS}).content


def test_passwords_are_not_tried_here_either(come: SignIn, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = come(bob)
    eleven_minutes_on(monkeypatch)
    for _ in range(throttle.PER_NAME):
        client.post(CONFIRM, {"password": "wrong"})
    page = client.post(CONFIRM, {"password": PASSWORD}).content.decode()
    assert "Too many attempts" in page
    assert client.post(TOKENS, FORM).status_code == 302


def test_a_new_password_is_kept_nowhere_meanwhile(come: SignIn, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = come(bob)
    eleven_minutes_on(monkeypatch)
    given = {"new_password1": "a new one of hers", "new_password2": "a new one of hers"}
    assert client.post("/accounts/me/password/", given)["Location"].startswith(CONFIRM)
    assert "a new one" not in str(dict(client.session))


def test_another_has_confirmed_nothing(come: SignIn, bob: User, alice: User) -> None:
    """Records of how somebody came are hers, also when somebody else signs in to the same session."""
    client = come(bob)
    client.force_login(give_password(alice))
    assert client.post(TOKENS, FORM)["Location"].startswith(CONFIRM)


def test_who_is_not_signed_in_signs_in() -> None:
    assert Client().post(TOKENS, FORM)["Location"].startswith("/accounts/login/")
