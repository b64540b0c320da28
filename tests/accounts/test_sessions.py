"""A session ends SESSION_COOKIE_AGE after the last page, and is written at most every ten minutes."""

import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import sessions
from accounts.models import User

pytestmark = pytest.mark.django_db


def test_pages_move_the_end_on(bob: User, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(bob)
    client.get("/i18n/setlang/")
    stored = Session.objects.get()
    Session.objects.update(expire_date=stored.expire_date - timedelta(hours=3))
    client.get("/accounts/login/")
    assert Session.objects.get().expire_date < stored.expire_date  # moved on a moment ago: not again

    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + sessions.EVERY + 1)
    client.get("/accounts/login/")
    assert Session.objects.get().expire_date >= stored.expire_date


def test_a_visitor_gets_no_session(client: Client) -> None:
    client.get("/accounts/login/")
    assert not Session.objects.exists()
