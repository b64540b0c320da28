"""The two commands that make users."""

import re
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.passwords import GROUPS, LENGTH, SIGNS, readable
from audit.models import Entry

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_first_users_are_made_once() -> None:
    said = run("firstusers")
    passwords = dict(re.findall(r"\|  (\w+) +(\S+-\S+) +\|", said))
    assert set(passwords) == {"admin", "supervisor"}
    for name, password in passwords.items():
        assert authenticate(username=name, password=password) is not None
    admin, supervisor = (User.objects.get(username=name) for name in ("admin", "supervisor"))
    assert admin.is_superuser
    assert admin.groups.get().name == "Admin"
    assert not supervisor.is_superuser
    assert supervisor.groups.get().name == "Supervisor"
    # Nothing is configured here: the demo PBX is what they will look at, and a phone on it answers by itself.
    assert [str(phone) for phone in supervisor.phones.all()] == ["demo: PJSIP/2000"]
    assert run("firstusers") == ""
    assert User.objects.count() == 2


def test_a_password_has_96_bits_or_more_and_no_two_are_alike() -> None:
    assert len(SIGNS) ** (GROUPS * LENGTH) >= 2**96
    assert not set(SIGNS) & set("01lIO")
    assert len({readable() for _ in range(1_000)}) == 1_000


def test_an_operator_with_role_and_phones() -> None:
    said = run("createoperator", "dana", "--role", "team LEAD", "--phone", "office=PJSIP/900", "--phone", "lab=SIP/7")
    password = said.split()[-1]
    dana = authenticate(username="dana", password=password)
    assert isinstance(dana, User)
    assert dana.groups.get().name == "Team lead"
    assert dict(dana.phones.values_list("pbx", "dial_string")) == {"office": "PJSIP/900", "lab": "SIP/7"}
    assert not dana.is_superuser
    assert run("createoperator", "root2", "--superuser")
    assert User.objects.get(username="root2").is_superuser


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dana", "--role", "Boss"], "There is no role Boss. There are: Admin, Agent,"),
        (["dana", "--phone", "PJSIP/900"], "write PBX=DIAL"),
        (["dana", "--phone", "office=PJSIP/900&PJSIP/901"], "looks like PJSIP/900"),
        (["dana", "--phone", "office=Local/900@from-internal"], "looks like PJSIP/900"),
        (["dana", "--phone", "office=PJSIP/900\r\nAction: Logoff"], "looks like PJSIP/900"),
        (["dana", "--phone", "office=PJSIP/900\n"], "looks like PJSIP/900"),
        (["dana", "--phone", "Office!=PJSIP/900"], "no such PBX"),
        (["dana", "--phone", "a=PJSIP/1", "--phone", "a=PJSIP/2"], "already exists"),
        (["da na"], "valid username"),
    ],
)
def test_mistakes_are_said_and_nothing_is_made(words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        run("createoperator", *words)
    assert not User.objects.exists()


def test_a_phone_is_set_changed_and_taken_away(bob: User) -> None:
    assert "PJSIP/900" in run("setphone", "bob", "lab=PJSIP/900")
    run("setphone", "bob", "office=SIP/7")
    run("setphone", "bob", "lab=PJSIP/901")
    assert dict(bob.phones.values_list("pbx", "dial_string")) == {"lab": "PJSIP/901", "office": "SIP/7"}
    assert "no phone" in run("setphone", "bob", "lab=")
    assert dict(bob.phones.values_list("pbx", "dial_string")) == {"office": "SIP/7"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "lab=PJSIP/900"], "There is no user nobody"),
        (["bob", "PJSIP/900"], "write PBX=DIAL"),
        (["bob", "lab=Local/900@from-internal"], "looks like PJSIP/900"),
        (["bob", "lab=PJSIP/900&PJSIP/901"], "looks like PJSIP/900"),
        (["bob", "Lab!=PJSIP/900"], "no such PBX"),
    ],
)
def test_a_phone_that_cannot_be(bob: User, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        run("setphone", *words)
    assert not bob.phones.exists()


def test_no_way_to_save_a_phone_goes_round_the_check(bob: User) -> None:
    with pytest.raises(ValidationError):
        bob.phones.create(pbx="lab", dial_string="PJSIP/900,30,A(demo)")
    assert not bob.phones.exists()


def test_a_name_that_is_taken(bob: User) -> None:
    with pytest.raises(CommandError, match="already exists"):
        run("createoperator", "bob")


def test_a_user_with_entries_in_the_trail_cannot_be_deleted(bob: User) -> None:
    Entry(kind="denied", command="0" * 32, user=bob, user_name="Bob", source="page", verb="hangup").save()
    with pytest.raises(Exception, match="protected"):
        bob.delete()
