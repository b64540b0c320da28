"""Who gets the page of conferences, and what its navigation shows."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.conftest import member

pytestmark = pytest.mark.django_db

BOARD = "/conferences/"


@pytest.fixture(autouse=True)
def one_pbx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PHOENIX_PBX_NAMES", ["lab"])


def test_strangers_sign_in_first(client: Client) -> None:
    assert client.get(BOARD).headers["Location"].startswith(reverse("login"))


def test_an_outsider_may_not_open_it_nor_sees_the_way(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    answer = client.get(BOARD)
    assert answer.status_code == 403
    assert b"pp-conferences" not in answer.content


@pytest.mark.parametrize("role", ["Admin", "Supervisor", "Team lead", "Auditor"])
def test_who_may_see_gets_the_board(client: Client, role: str) -> None:
    client.force_login(member("Dora", role))
    answer = client.get(BOARD)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert '<pp-conferences data-socket="/ws/panel/">' in page
    assert f'href="{BOARD}" title="Conferences" aria-current="page"' in page
    assert f'href="{BOARD}"' in client.get("/calls/").content.decode()


def test_without_a_pbx_it_says_how_to_connect_one(client: Client, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PHOENIX_PBX_NAMES", [])
    client.force_login(bob)
    page = client.get(BOARD).content.decode()
    assert "pp-conferences" not in page
    assert "manager.conf" in page
