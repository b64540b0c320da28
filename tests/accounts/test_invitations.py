"""Links by which somebody sets her own password: once, not for long, and past no second factor."""

import threading
import time
from io import StringIO

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from accounts import invitations
from accounts.models import User
from tests.accounts.conftest import PASSWORD, give_password, send_password
from tests.accounts.test_mfa import SECRET

NEW = {"new_password1": PASSWORD, "new_password2": PASSWORD}


def path(user: User) -> str:
    link = invitations.link_for(user, RequestFactory().get("/"))
    assert link.startswith("http://testserver/accounts/invitation/")
    return link.removeprefix("http://testserver")


def after(hours: float, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)


@pytest.mark.django_db
def test_she_sets_her_own_password_and_signs_in(bob: User, client: Client) -> None:
    link = path(bob)
    assert "bob" in client.get(link).content.decode()
    assert client.post(link, NEW)["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session
    assert send_password(client, bob)["Location"] == "/calls/"


@pytest.mark.django_db
def test_it_is_good_once(bob: User, client: Client) -> None:
    link = path(bob)
    client.post(link, NEW)
    assert client.get(link).status_code == 404
    assert client.post(link, {"new_password1": "another one of twelve", "new_password2": "another one of twelve"})
    bob.refresh_from_db()
    assert bob.check_password(PASSWORD)


@pytest.mark.django_db
def test_a_newer_invitation_ends_the_older(bob: User, client: Client) -> None:
    older, newer = path(bob), path(bob)
    assert client.get(older).status_code == 404
    assert client.get(newer).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "status"), [(71.9, 200), (72.1, 404)])
def test_an_invitation_is_good_for_three_days(
    hours: float, status: int, bob: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = path(bob)
    after(hours, monkeypatch)
    assert client.get(link).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "status"), [(0.9, 200), (1.1, 404)])
def test_a_link_for_who_has_forgotten_hers_is_good_for_an_hour(
    hours: float, status: int, bob: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = path(give_password(bob))
    after(hours, monkeypatch)
    assert client.get(link).status_code == status


@pytest.mark.django_db
def test_it_ends_when_she_signs_in_or_may_not_come_any_more(bob: User, client: Client) -> None:
    link = path(give_password(bob))
    send_password(client, bob)
    assert client.get(link).status_code == 404
    link = path(User.objects.get(pk=bob.pk))
    User.objects.update(is_active=False)
    assert client.get(link).status_code == 404


@pytest.mark.django_db
def test_it_passes_no_second_factor(bob: User, client: Client) -> None:
    TOTP.activate(bob, SECRET)
    client.post(path(give_password(bob)), NEW)
    assert send_password(client, bob)["Location"] == "/accounts/login/second/"


@pytest.mark.django_db
def test_a_weak_password_is_refused(bob: User, client: Client) -> None:
    link = path(bob)
    for weak in ("short", "123456789012", "bob@bob"):
        client.post(link, {"new_password1": weak, "new_password2": weak})
    client.post(link, {"new_password1": PASSWORD, "new_password2": PASSWORD + "x"})
    bob.refresh_from_db()
    assert not bob.has_usable_password()


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x", "a:b:c", "\x00", "W10:1u:x"])
def test_what_is_no_link(token: str) -> None:
    assert invitations.whose(token) is None


@pytest.mark.django_db
def test_changed_by_a_sign_it_is_none(bob: User, alice: User) -> None:
    token = path(bob).split("/")[3]
    assert invitations.whose(token) == bob
    for at in range(0, len(token), 7):
        other = "A" if token[at] != "A" else "B"
        assert invitations.whose(token[:at] + other + token[at + 1 :]) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_too_late(transactional_db: None) -> None:
    bob = User.objects.create(username="bob", password="!x")
    link = path(bob)
    start, answers = threading.Barrier(2), []

    def set_it(password: str) -> None:
        start.wait()
        answer = Client().post(link, {"new_password1": password, "new_password2": password})
        answers.append(answer.status_code)

    threads = [threading.Thread(target=set_it, args=[f"{n} horses battery staple"]) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [302, 404]


@pytest.mark.django_db
def test_from_the_shell(bob: User, client: Client) -> None:
    out = StringIO()
    call_command("invite", "bob", stdout=out)
    link = out.getvalue().strip()
    assert link.startswith("http://localhost:8000/accounts/invitation/")
    assert client.get(link.removeprefix("http://localhost:8000")).status_code == 200
    with pytest.raises(CommandError, match="There is no user"):
        call_command("invite", "nobody")
