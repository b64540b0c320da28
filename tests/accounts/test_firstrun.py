"""The first administrator is who reads the server's terminal, not who comes first."""

import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import firstrun
from accounts.models import User
from tests.accounts.conftest import PASSWORD, send_password

pytestmark = pytest.mark.django_db

FORM = {"username": "eve", "new_password1": PASSWORD, "new_password2": PASSWORD}


def test_she_makes_herself_with_a_password_of_her_own(client: Client) -> None:
    page = f"/setup/{firstrun.code()}/"
    assert client.get(page).status_code == 200
    assert client.post(page, FORM)["Location"] == "/accounts/login/"
    eve = User.objects.get()
    assert eve.is_superuser
    assert eve.groups.get().name == "Admin"
    assert send_password(client, eve)["Location"] == "/calls/"


def test_it_is_good_once(client: Client) -> None:
    page = f"/setup/{firstrun.code()}/"
    client.post(page, FORM)
    assert firstrun.code() == ""
    assert client.get(page).status_code == 404
    assert client.post(page, {**FORM, "username": "mallory"}).status_code == 404
    assert User.objects.count() == 1


def test_a_stranger_has_no_code(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    old = firstrun.code()
    assert client.get("/setup/").status_code == 404
    assert client.post("/setup/x/", FORM).status_code == 404
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + firstrun.GOOD_S + 1)
    assert client.post(f"/setup/{old}/", FORM).status_code == 404
    assert not User.objects.exists()


def test_a_weak_or_strange_one_is_refused(client: Client) -> None:
    page = f"/setup/{firstrun.code()}/"
    for wrong in ({"username": "a b"}, {"new_password1": "short", "new_password2": "short"}, {"new_password2": "x"}):
        assert client.post(page, {**FORM, **wrong}).status_code == 200
    named = "administrator"
    assert client.post(page, {"username": named, "new_password1": named, "new_password2": named}).status_code == 200
    assert not User.objects.exists()


def test_the_sign_in_page_says_where(client: Client, db: None) -> None:
    assert "in its terminal" in client.get("/accounts/login/").content.decode()
    User.objects.create(username="eve")
    assert "in its terminal" not in client.get("/accounts/login/").content.decode()


def test_no_password_is_made_where_a_pbx_is_real(settings: object) -> None:
    settings.PHOENIX_DEMO_ALONE = False  # type: ignore[attr-defined]
    out = StringIO()
    call_command("firstusers", stdout=out)
    assert out.getvalue() == ""
    assert firstrun.nobody()
