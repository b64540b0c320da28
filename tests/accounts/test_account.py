"""My account: password, sessions, language and time zone."""

from datetime import datetime

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.living import living
from accounts.models import User
from tests.accounts.conftest import PASSWORD, SignIn, send_password

pytestmark = pytest.mark.django_db

ME = "/accounts/me/"
NEW = "another horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def key(client: Client) -> str:
    return str(client.session.session_key)


def test_a_new_password_ends_all_other_sessions(come: SignIn, bob: User) -> None:
    here, there = come(bob), Client()
    send_password(there, bob)
    was = key(here)
    answer = here.post("/accounts/me/password/", {"new_password1": NEW, "new_password2": NEW})
    assert answer["Location"] == ME
    assert living([was, key(there), key(here)]) == {key(here)}
    assert "other sessions have ended" in here.get(ME).content.decode()
    assert there.get("/calls/").status_code == 302
    bob.refresh_from_db()
    assert bob.check_password(NEW)


def test_sessions_are_listed_and_ended_one_by_one_or_all(come: SignIn, bob: User) -> None:
    here = come(bob)
    others = [Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="192.0.2.7") for _ in range(3)]
    for other in others:
        send_password(other, bob)
    found = sessions.held(bob)
    assert len(found) == 4
    assert {(s.browser, s.address) for s in found if s.key != key(here)} == {("Firefox, Linux", "192.0.2.7")}
    page = here.get(ME).content.decode()
    assert page.count("data-session=") == 4
    assert page.count("this one") == 1
    one = next(s for s in found if s.key == key(others[0]))
    here.post(f"{ME}sessions/end/", {"session": one.id})
    assert living([key(c) for c in (here, *others)]) == {key(c) for c in (here, *others[1:])}
    here.post(f"{ME}sessions/end/", {"session": "others"})
    assert living([key(c) for c in (here, *others)]) == {key(here)}
    assert [s.key for s in sessions.held(bob)] == [key(here)]


@pytest.mark.parametrize("given", ["", "x", "-1", "9" * 30, "٣"])
def test_ending_what_is_none(given: str, come: SignIn, bob: User) -> None:
    client = come(bob)
    assert client.post(f"{ME}sessions/end/", {"session": given}).status_code == 302
    assert len(sessions.held(bob)) == 1


def test_anothers_session_is_none(come: SignIn, bob: User, alice: User) -> None:
    hers, his = come(alice), come(bob)
    (session,) = sessions.held(alice)
    his.post(f"{ME}sessions/end/", {"session": session.id})
    assert living([key(hers)]) == {key(hers)}


def test_a_session_that_was_signed_out_is_not_listed(come: SignIn, bob: User) -> None:
    come(bob).post("/accounts/logout/")
    assert sessions.held(bob) == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18.0 Safari/605.1", "Safari, macOS"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.5", "Another program"),
        ("", "Another program"),
    ],
)
def test_a_browser_in_words(said: str, shown: str) -> None:
    assert sessions.browser(said) == shown


def test_language_and_time_zone(come: SignIn, bob: User) -> None:
    client = come(bob)
    assert client.post(ME, {"language": "ru", "time_zone": "Europe/Kyiv"})["Location"] == ME
    bob.refresh_from_db()
    assert (bob.language, bob.time_zone) == ("ru", "Europe/Kyiv")
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ru"
    page = client.get(ME).content.decode()
    assert "Сохранено." in page
    for wrong in ({"language": "tlh", "time_zone": ""}, {"language": "en", "time_zone": "Mars/Olympus"}):
        assert client.post(ME, wrong).status_code == 200
    assert client.post(ME, {"language": "en", "time_zone": "", "is_superuser": "on", "username": "root"})
    bob.refresh_from_db()
    assert (bob.username, bob.is_superuser, bob.time_zone) == ("bob", False, "")


def test_a_session_has_an_end_however_much_is_clicked(
    come: SignIn, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = come(bob)
    began = timezone.now()
    for hours in range(6, 24 * 7, 6):
        at = began.timestamp() + hours * 3600
        monkeypatch.setattr("time.time", lambda at=at: at)
        monkeypatch.setattr(timezone, "now", lambda at=at: datetime.fromtimestamp(at, began.tzinfo))
        assert client.get("/calls/").status_code == 200, hours
    at = began.timestamp() + 24 * 7 * 3600 + 60
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(at, began.tzinfo))
    assert client.get("/calls/").status_code == 302
    assert living([key(client)]) == set()


def test_passwords_of_nobody_take_as_long(settings: object) -> None:
    """Not measured here, which would be a guess on a busy machine: as many hashes are made, whatever was wrong."""
    from unittest import mock

    from accounts.hashers import Argon2

    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2"]  # type: ignore[attr-defined]
    good = User.objects.create(username="good")
    good.set_password(PASSWORD)
    good.save()
    gone = User.objects.create(username="gone", is_active=False, password=good.password)
    invited = User.objects.create(username="invited")
    invited.set_unusable_password()
    invited.save()
    assert gone.check_password(PASSWORD)
    for name in ("good", "gone", "invited", "nobody"):
        with (
            mock.patch.object(Argon2, "verify", autospec=True, side_effect=Argon2.verify) as checked,
            mock.patch.object(Argon2, "encode", autospec=True, side_effect=Argon2.encode) as made,
        ):
            Client().post("/accounts/login/", {"username": name, "password": "wrong"})
        assert checked.call_count + made.call_count == 1, name


def test_a_passkey_that_is_none_is_told_so(come: SignIn, bob: User) -> None:
    client = come(bob)
    answer = client.post("/accounts/confirm/passkey/?next=/calls/", {"credential": "{}"})
    assert answer.status_code == 302  # she has none: another way is offered
    anybody = Client()
    for credential in ("{}", "x", '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}'):
        page = anybody.post("/accounts/login/passkey/", {"credential": credential}, follow=True).content.decode()
        assert "That passkey is not known here." in page
        assert "_auth_user_id" not in anybody.session
