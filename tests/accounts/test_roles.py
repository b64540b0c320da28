"""Roles in the database, and what they come to for `has_perm` and for snapshots. Charlie is the outsider."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from accounts.models import User
from accounts.permissions import Allow, Deny, decide
from accounts.rights import RIGHTS, ROLES
from accounts.roles import lay_out
from accounts.snapshots import user_snapshot
from tests.conftest import member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("right", RIGHTS)
def test_every_right_has_an_outsider(right: str, alice: User, charlie: User) -> None:
    assert alice.has_perm(right)
    assert not charlie.has_perm(right)
    outsider, insider = user_snapshot(charlie.pk), user_snapshot(alice.pk)
    assert outsider is not None
    assert insider is not None
    assert decide(outsider, right, None) == Deny("no_right")
    assert decide(insider, right, None) == Allow()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_comes_to_its_rights_and_no_more(role: str) -> None:
    snapshot = user_snapshot(member("Dana", role).pk)
    assert snapshot is not None
    assert snapshot.rights == ROLES[role]


def test_an_inactive_user_has_no_right(alice: User) -> None:
    alice.is_active = False
    alice.save()
    snapshot = user_snapshot(alice.pk)
    assert snapshot is not None
    assert not snapshot.active
    assert snapshot.rights == frozenset()


def test_a_superuser_has_every_right_and_only_ours(charlie: User) -> None:
    charlie.is_superuser = True
    charlie.save()
    snapshot = user_snapshot(charlie.pk)
    assert snapshot is not None
    assert snapshot.rights == frozenset(RIGHTS)


def test_a_snapshot_is_of_this_moment(bob: User) -> None:
    assert bob.has_perm("calls.hangup")  # and so Django has cached it on the instance
    bob.groups.clear()
    snapshot = user_snapshot(bob.pk)
    assert snapshot is not None
    assert snapshot.rights == frozenset()


def test_nobody_has_no_snapshot() -> None:
    assert user_snapshot(0) is None


def test_a_snapshot_has_the_name_shown_and_the_language(bob: User) -> None:
    bob.language = "ru"
    bob.save()
    snapshot = user_snapshot(bob.pk)
    assert snapshot is not None
    assert (snapshot.name, snapshot.language, snapshot.phones) == ("Bob", "ru", ())


def test_a_snapshot_has_her_phones_and_stays_hashable(bob: User) -> None:
    bob.phones.create(pbx="office", dial_string="SIP/7")
    bob.phones.create(pbx="lab", dial_string="PJSIP/900")
    snapshot = user_snapshot(bob.pk)
    assert snapshot is not None
    assert hash(snapshot)
    assert (snapshot.phone("lab"), snapshot.phone("office"), snapshot.phone("other")) == ("PJSIP/900", "SIP/7", "")


def test_an_upgrade_keeps_what_administrators_changed() -> None:
    supervisors = Group.objects.get(name="Supervisor")
    supervisors.permissions.remove(Permission.objects.get(codename="hangup"))
    lay_out(apps=apps)
    kept = {f"{p.content_type.app_label}.{p.codename}" for p in supervisors.permissions.all()}
    assert kept == ROLES["Supervisor"] - {"calls.hangup"}


def test_a_right_that_is_new_goes_to_the_roles_that_ship_with_it() -> None:
    Permission.objects.get(codename="hangup", content_type__app_label="calls").delete()
    lay_out(apps=apps)
    holders = Group.objects.filter(permissions__codename="hangup").values_list("name", flat=True)
    assert set(holders) == {role for role, rights in ROLES.items() if "calls.hangup" in rights}


def test_laying_out_again_changes_nothing() -> None:
    def state() -> tuple[list[str], list[tuple[str, str]]]:
        permissions = Permission.objects.filter(content_type__model="right").values_list("codename", flat=True)
        groups = Group.objects.values_list("name", "permissions__codename")
        return sorted(permissions), sorted((name, codename or "") for name, codename in groups)

    before = state()
    lay_out(apps=apps)
    assert state() == before
