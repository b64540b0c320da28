"""The language is the user's: it comes with her to another browser."""

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_choosing_is_kept(bob: User, client: Client) -> None:
    client.force_login(bob)
    response = client.post("/i18n/setlang/", {"language": "ru", "next": "/livez"})
    assert response.status_code == 302
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ru"
    bob.refresh_from_db()
    assert bob.language == "ru"


def test_signing_in_brings_it(bob: User, client: Client) -> None:
    bob.language = "ru"
    bob.set_password("correct horse battery")
    bob.save()
    client.post("/accounts/login/", {"username": "bob", "password": "correct horse battery"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ru"


def test_the_first_sign_in_keeps_the_language_of_its_page(bob: User, client: Client) -> None:
    bob.set_password("correct horse battery")
    bob.save()
    form = {"username": "bob", "password": "correct horse battery"}
    client.post("/accounts/login/", form, headers={"accept-language": "ru"})
    bob.refresh_from_db()
    assert bob.language == "ru"
    client.post("/accounts/login/", form, headers={"accept-language": "en"})
    bob.refresh_from_db()
    assert bob.language == "ru"


def test_one_that_is_not_there_changes_nothing(bob: User, client: Client) -> None:
    client.force_login(bob)
    client.post("/i18n/setlang/", {"language": "xx"})
    bob.refresh_from_db()
    assert bob.language == ""


def test_who_is_not_signed_in_may_choose_too(client: Client) -> None:
    assert client.post("/i18n/setlang/", {"language": "ru"}).status_code == 302
    assert client.get("/i18n/setlang/").status_code == 405
