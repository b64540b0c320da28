"""Signing in as people do: by the form. (`client.force_login` leaves no trace of how somebody came.)"""

from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User

PASSWORD = "correct horse battery"

SignIn = Callable[[User], Client]


def give_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def send_password(client: Client, user: User) -> HttpResponse:
    answer = client.post("/accounts/login/", {"username": user.username, "password": PASSWORD})
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.fixture
def come() -> SignIn:
    """Gives her a password and signs her in with it, each time in another browser."""

    def sign_in(user: User) -> Client:
        client = Client()
        assert send_password(client, give_password(user)).status_code == 302
        return client

    return sign_in
