"""Signing in and out; guessing is slowed, and nothing tells which names exist."""

import threading
import time
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from accounts import throttle
from accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
LOGIN = "/accounts/login/"


@pytest.fixture
def bob_with_password(bob: User) -> User:
    bob.set_password(PASSWORD)
    bob.save()
    return bob


def sign_in(client: Client, password: str, username: str = "bob", address: str = "192.0.2.1") -> int:
    response = client.post(LOGIN, {"username": username, "password": password}, REMOTE_ADDR=address)
    return response.status_code


def test_signs_in_with_argon2_and_a_new_session(bob_with_password: User, client: Client) -> None:
    assert bob_with_password.password.startswith("argon2")
    session = client.session
    session["before"] = 1
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
    response = client.post(LOGIN, {"username": "bob", "password": PASSWORD})
    assert response.status_code == 302
    assert response["Location"] == reverse("calls:board")
    assert client.session.session_key != session.session_key


def test_cookies_are_closed_to_scripts_and_other_sites(bob_with_password: User, client: Client) -> None:
    client.get(LOGIN)
    client.post(LOGIN, {"username": "bob", "password": PASSWORD})
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        cookie = client.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"


def test_the_same_words_for_every_reason(bob_with_password: User, client: Client) -> None:
    def words(username: str, password: str) -> bytes:
        response = client.post(LOGIN, {"username": username, "password": password})
        assert response.status_code == 200
        assert not response.wsgi_request.user.is_authenticated
        errors = response.context["form"].non_field_errors()
        return str(errors).encode()

    wrong = words("bob", "wrong")
    nobody = words("nobody", "wrong")
    bob_with_password.is_active = False
    bob_with_password.save()
    inactive = words("bob", PASSWORD)
    assert wrong == nobody == inactive


def test_a_sixth_attempt_waits_even_with_the_right_password(bob_with_password: User, client: Client) -> None:
    for _ in range(throttle.PER_NAME):
        assert sign_in(client, "wrong") == 200
    response = client.post(LOGIN, {"username": "bob", "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= throttle.WINDOW
    assert "Try again in 5 minutes" in response.content.decode()
    assert not response.wsgi_request.user.is_authenticated


def test_others_are_not_locked_out(bob_with_password: User, client: Client) -> None:
    """Locking the name for everybody would let a stranger keep Bob out."""
    for _ in range(throttle.PER_NAME + 1):
        sign_in(client, "wrong")
    assert sign_in(client, PASSWORD, address="192.0.2.2") == 302


def test_the_name_in_other_letters_is_the_same_name(client: Client) -> None:
    for name in ("bob", "BOB", "Bob", "boB", " bob "):
        assert sign_in(client, "wrong", username=name) == 200
    assert sign_in(client, "wrong", username="bOb") == 429


def test_the_right_password_ends_the_count(bob_with_password: User, client: Client) -> None:
    for _ in range(3):
        for _ in range(throttle.PER_NAME - 1):
            assert sign_in(client, "wrong") == 200
        assert sign_in(client, PASSWORD) == 302
        client.logout()


def test_one_password_for_every_name_is_slowed_too() -> None:
    waits = [throttle.attempt(f"user{n}", "192.0.2.9").wait for n in range(throttle.PER_ADDRESS + 5)]
    assert waits[: throttle.PER_ADDRESS] == [0] * throttle.PER_ADDRESS
    assert all(waits[throttle.PER_ADDRESS :])


def test_an_ipv6_customer_is_one_address() -> None:
    for n in range(throttle.PER_NAME):
        assert not throttle.attempt("bob", f"2001:db8::{n}").wait
    assert throttle.attempt("bob", "2001:db8::ffff").wait
    assert not throttle.attempt("bob", "2001:db8:0:1::1").wait


def test_attempts_at_once_are_counted_one_by_one() -> None:
    passed: list[int] = []
    start = threading.Barrier(20)

    def guess() -> None:
        start.wait()
        passed.append(throttle.attempt("bob", "192.0.2.3").wait)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(0) == throttle.PER_NAME


def test_x_forwarded_for_is_not_believed(client: Client) -> None:
    for n in range(throttle.PER_NAME):
        client.post(LOGIN, {"username": "bob", "password": "x"}, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}")
    response = client.post(LOGIN, {"username": "bob", "password": "x"}, HTTP_X_FORWARDED_FOR="198.51.100.99")
    assert response.status_code == 429


def test_behind_a_proxy_of_ours_each_browser_counts_alone(client: Client, settings: Any) -> None:
    settings.PHOENIX_PROXIES = 1

    def guess(forwarded: str) -> int:
        words = {"username": "bob", "password": "x"}
        return client.post(LOGIN, words, headers={"x-forwarded-for": forwarded}).status_code

    for n in range(throttle.PER_NAME):  # what the browser writes itself stands before what the proxy adds
        assert guess(f"203.0.113.{n}, 198.51.100.1") == 200
    assert guess("198.51.100.1") == 429
    assert guess("198.51.100.2") == 200


def test_the_name_in_signs_that_stand_for_its_letters(bob_with_password: User, client: Client) -> None:
    """The form signs `ｂob` in as `bob`: each such spelling was five more attempts."""
    spellings = ("ｂob", "bｏb", "boｂ", "𝐛ob", "ⓑob")
    assert sign_in(client, PASSWORD, username=spellings[0]) == 302
    client.logout()
    for name in spellings:
        assert sign_in(client, "wrong", username=name) == 200
    assert sign_in(client, "wrong", username="bob") == 429


def test_a_name_made_to_take_long_does_not() -> None:
    began = time.monotonic()
    throttle.attempt("a" + "\u0301\u0323" * 500_000, "192.0.2.1")
    assert time.monotonic() - began < 1


def test_few_passwords_are_checked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check takes memory and a processor: a thousand strangers at once must not stop the floor."""
    turns = throttle.Turns(2, 3, patience=5)
    lock, start = threading.Lock(), threading.Barrier(24)
    inside = most = 0
    let_in: list[bool] = []

    def come() -> None:
        nonlocal inside, most
        start.wait()
        with turns.turn() as mine:
            if mine:
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.5)
                with lock:
                    inside -= 1
        let_in.append(mine)

    threads = [threading.Thread(target=come) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
    assert let_in.count(True) == 5
    with turns.turn() as mine:
        assert mine


def test_who_waits_in_vain_is_sent_away() -> None:
    turns = throttle.Turns(1, 1, patience=0.05)
    with turns.turn() as first, turns.turn() as second:
        assert (first, second) == (True, False)


def test_too_many_sign_ins_at_once_are_told_to_come_again(
    bob_with_password: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = throttle.Turns(1, 0, patience=5)
    monkeypatch.setattr(throttle, "turns", turns)
    with turns.turn():
        for _ in range(throttle.PER_NAME + 1):  # nobody looked at the password: nothing is counted
            response = client.post(LOGIN, {"username": "bob", "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
            assert response.status_code == 503
            assert int(response["Retry-After"]) > 0
            assert "Try again in a moment" in response.content.decode()
    assert sign_in(client, PASSWORD) == 302


def test_a_hash_takes_the_memory_that_owasp_names(bob: User, client: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    bob.password = make_password(PASSWORD)
    bob.save()
    assert "m=102400,t=2,p=8" in bob.password
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2"]
    assert sign_in(client, PASSWORD) == 302
    bob.refresh_from_db()
    assert "m=19456,t=2,p=1" in bob.password
    client.logout()
    assert sign_in(client, PASSWORD) == 302


def test_strange_names_are_answered_like_any_other(client: Client) -> None:
    for name in ("\x00", "a" * 100_000, "‮bob", "'; DROP TABLE"):
        assert sign_in(client, "x", username=name) == 200


def test_signing_out_is_a_post(bob: User, client: Client) -> None:
    client.force_login(bob)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_no_way_out_to_another_site(bob_with_password: User, client: Client) -> None:
    response = client.post(LOGIN, {"username": "bob", "password": PASSWORD, "next": "https://evil.example/"})
    assert response["Location"] == reverse("calls:board")


def test_a_form_from_elsewhere_is_refused(bob_with_password: User) -> None:
    client = Client(enforce_csrf_checks=True)
    for address in (LOGIN, "/accounts/logout/", "/i18n/setlang/"):
        assert client.post(address, {"username": "bob", "password": PASSWORD}).status_code == 403
