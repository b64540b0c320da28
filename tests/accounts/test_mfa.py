"""The second factor: who must have one sets it up before anything else; codes are good once; it can't be guessed."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from accounts import mfa, tokens
from accounts.adapters import Mfa
from accounts.living import acting
from accounts.models import RolePolicy, User
from accounts.snapshots import user_snapshot
from tests.accounts.conftest import SignIn, give_password, send_password

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SECOND = "/accounts/login/second/"
ME = "/accounts/me/"
APP = "/accounts/me/app/"


def code(secret: str = SECRET, steps: int = 0) -> str:
    """What the app shows, or did so many steps ago."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


@pytest.fixture
def asked(settings: Any) -> None:
    """A panel with a real PBX: roles are asked what they say."""
    settings.PHOENIX_MFA = True


@pytest.fixture
def bob_with_app(bob: User, rf: Any) -> User:
    TOTP.activate(bob, SECRET)
    return give_password(bob)


def test_the_password_alone_lets_nobody_in_who_has_a_second_factor(bob_with_app: User, client: Client) -> None:
    assert send_password(client, bob_with_app)["Location"] == SECOND
    assert "_auth_user_id" not in client.session
    assert client.get("/calls/").status_code == 302
    before = client.session.session_key
    assert client.post(SECOND, {"code": code()})["Location"] == "/calls/"
    assert client.get("/calls/").status_code == 200
    assert client.session.session_key != before


def test_the_sign_in_page_is_a_new_beginning(bob_with_app: User, client: Client) -> None:
    send_password(client, bob_with_app)
    client.get("/accounts/login/")
    assert client.post(SECOND, {"code": code()})["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session


def test_a_code_is_good_once_and_so_are_those_before_it(bob_with_app: User, client: Client) -> None:
    for given, good in ((code(), True), (code(), False), (code(steps=-1), False), (code(steps=1), True)):
        client.logout()
        cache.clear()  # what one process remembers of used codes, another doesn't know
        send_password(client, bob_with_app)
        assert (client.post(SECOND, {"code": given}).status_code == 302) is good


def test_codes_of_other_times_are_wrong(bob_with_app: User, client: Client) -> None:
    send_password(client, bob_with_app)
    for steps in (-3, 3):
        assert client.post(SECOND, {"code": code(steps=steps)}).status_code == 200
    assert "_auth_user_id" not in client.session


def test_codes_are_not_guessed(bob_with_app: User) -> None:
    """By nobody who knows the password, from wherever he tries."""
    for n in range(5):
        client = Client(REMOTE_ADDR=f"192.0.2.{n}")
        send_password(client, bob_with_app)
        client.post(SECOND, {"code": "x"})
    client = Client(REMOTE_ADDR="192.0.2.99")
    send_password(client, bob_with_app)
    client.post(SECOND, {"code": code()})
    assert "_auth_user_id" not in client.session


def test_a_recovery_code_signs_in_once(come: SignIn, bob: User) -> None:
    client = come(bob)
    page = client.get(APP).content.decode()
    key = re.search(r"<code data-secret>([A-Z2-7 ]+)</code>", page)
    assert key is not None
    secret = key[1].replace(" ", "")
    answer = client.post(APP, {"code": code(secret)})
    assert answer["Location"] == "/accounts/me/codes/"
    codes = re.findall(r"<li>(\d{8})</li>", client.get(answer["Location"]).content.decode())
    assert len(set(codes)) == 10
    for expected in (302, 200):
        other = Client()
        send_password(other, bob)
        assert other.post(SECOND, {"code": codes[0]}).status_code == expected


def test_seeds_cannot_be_read_from_the_database(bob_with_app: User) -> None:
    assert SECRET not in str(Authenticator.objects.values().get())


def test_a_key_that_was_changed_makes_codes_wrong_and_no_error(settings: Any) -> None:
    hidden = Mfa().encrypt(SECRET)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key " * 6
    assert Mfa().decrypt(hidden) != SECRET
    settings.SECRET_KEY_FALLBACKS = [old]
    assert Mfa().decrypt(hidden) == SECRET


def test_administrators_must_have_one_by_default(alice: User, bob: User, asked: None) -> None:
    assert mfa.missing(alice)
    assert not mfa.missing(bob)
    bob.is_superuser = True
    assert mfa.missing(bob)


def test_what_a_role_asks_stays_as_administrators_have_set_it(alice: User, bob: User, asked: None) -> None:
    RolePolicy.objects.filter(group__name="Admin").update(mfa_required=False)
    RolePolicy.objects.filter(group__name="Supervisor").update(mfa_required=True)
    call_command("migrate", verbosity=0)
    assert not mfa.missing(alice)
    assert mfa.missing(bob)


def test_a_demo_alone_asks_nobody(alice: User) -> None:
    assert not mfa.missing(alice)


def test_who_has_none_is_led_to_set_it_up(alice: User, asked: None, come: SignIn) -> None:
    client = come(alice)
    for address in ("/calls/", "/conferences/", "/accounts/tokens/", "/accounts/me/password/"):
        assert client.get(address)["Location"] == ME
        assert client.post(address).status_code == 403
    assert "One thing first" in client.get(ME).content.decode()
    secret = re.search(r"<code data-secret>([A-Z2-7 ]+)</code>", client.get(APP).content.decode())
    assert secret is not None
    client.post(APP, {"code": code(secret[1].replace(" ", ""))})
    assert client.get("/calls/").status_code == 200


def test_nor_do_her_socket_and_her_tokens_work(alice: User, settings: Any) -> None:
    token, secret = tokens.make(alice, "x", frozenset({"calls.view"}), 1)
    settings.PHOENIX_MFA = True
    snapshot = user_snapshot(alice.pk)
    assert snapshot is not None
    assert (snapshot.active, snapshot.rights) == (False, frozenset())
    assert tokens.bearer(secret, "192.0.2.1") is None
    with_token = acting(alice.pk, tokens.key_of(token.pk))
    assert with_token is not None
    assert (with_token.active, with_token.rights) == (False, frozenset())
    TOTP.activate(alice, SECRET)
    again = user_snapshot(alice.pk)
    assert again is not None
    assert again.active
    assert isinstance(tokens.bearer(secret, "192.0.2.1"), tokens.Bearer)


def test_the_last_one_stays_with_who_must_have_one(alice: User, asked: None) -> None:
    TOTP.activate(give_password(alice), SECRET)
    client = Client()
    send_password(client, alice)
    client.post(SECOND, {"code": code()})
    assert client.post("/accounts/me/app/remove/").status_code == 200
    assert mfa.enabled(alice)
    RolePolicy.objects.update(mfa_required=False)
    assert client.post("/accounts/me/app/remove/").status_code == 302
    assert not mfa.enabled(alice)


def test_resetting_is_for_who_has_lost_hers(bob_with_app: User, client: Client) -> None:
    call_command("resetmfa", "bob")
    assert send_password(client, bob_with_app)["Location"] == "/calls/"


def test_nothing_tells_whether_a_name_has_a_second_factor(bob_with_app: User, client: Client) -> None:
    """Before the right password: the same answer, to the sign, as for nobody."""

    def page(name: str) -> str:
        answer = client.post("/accounts/login/", {"username": name, "password": "wrong"})
        text = re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", answer.content.decode())
        return text.replace(f'value="{name}"', "")

    assert page("bob") == page("nobody")
