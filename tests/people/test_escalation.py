"""Whatever anybody does, in whatever order: nobody comes to hold what who did it did not hold.

What somebody holds is asked here as the floor asks it, of snapshots and of single places on the floor, not of
people.power, which is what is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from accounts.models import Phone, Protected, Team, User
from accounts.permissions import Aspect
from accounts.rights import RIGHTS
from accounts.snapshots import user_snapshot
from people import services, sheets
from people.services import PEOPLE, ROLES_TEAMS, Change, Refused, changing
from people.sheets import Faults
from tests.people.stage import Company, of

pytestmark = pytest.mark.django_db

Held: TypeAlias = tuple[frozenset[str], frozenset[tuple[str, str, str]]]
Deed: TypeAlias = tuple[str, Callable[[Change], None]]

PLACES: list[tuple[Aspect, str, str]] = [
    *(("queue", pbx, name) for pbx in ("office", "lab") for name in ("sales", "sales-vip", "support")),
    *(("extension", pbx, name) for pbx in ("office", "lab") for name in ("201", "210", "777")),
    ("conference", "office", "800"),
    ("pbx", "office", ""),
    ("pbx", "lab", ""),
]

users = st.sampled_from(["alice", "lena", "ann", "bob", "nina", "mia"])
roles = st.sampled_from(["Agent", "Team lead", "Supervisor", "Admin", "Managing", "Listening", "Own"])
teams = st.sampled_from(["Sales", "Support", "Night"])
pbxs = st.sampled_from(["office", "lab", "*", "off*"])
names = st.sampled_from(["sales", "sales*", "s*", "*", "2??", "2*", "201", "777", "support", "800"])
some_rights = st.lists(st.sampled_from(["calls.view", "calls.listen", "calls.barge", *RIGHTS]), max_size=5)


def held() -> dict[str, Held]:
    """What everybody may, and where, as the floor would find it."""
    found: dict[str, Held] = {}
    for user in User.objects.all():
        snapshot = user_snapshot(user.pk)
        assert snapshot is not None
        found[user.username] = (snapshot.rights, frozenset(one for one in PLACES if snapshot.scope.covers(*one)))
    return found


def _person(username: str) -> User:
    return User.objects.filter(username=username).first() or User(username=username)


@st.composite
def deeds(draw: st.DrawFn) -> Deed:
    """Something that an administrator's page, or a file of hers, can ask for."""
    kind = draw(st.sampled_from(["roles", "teams", "phone", "role", "rule", "less", "member", "guard", "sheet"]))
    username, role, team = draw(users), draw(roles), draw(teams)
    aspect, pbx, name = draw(st.sampled_from(["queue", "extension", "pbx", "conference"])), draw(pbxs), draw(names)
    own, of_roles, of_teams = draw(some_rights), draw(st.lists(roles, max_size=2)), draw(st.lists(teams, max_size=2))

    def the_team() -> Team:
        found = Team.objects.filter(name=team).first() or Team()
        services.save_team(found, team)
        return found

    def do(change: Change) -> None:
        if kind == "roles":
            services.save_person(_person(username), roles=of_roles)
        elif kind == "teams":
            services.save_person(_person(username), teams=of_teams)
        elif kind == "phone":
            services.save_person(_person(username), phones={"office": f"PJSIP/{name}"})
        elif kind == "role":
            services.save_role(Group.objects.filter(name=role).first() or Group(), role, own)
        elif kind == "rule":
            services.add_rule(the_team(), aspect, pbx, name)
        elif kind == "less":
            the_team().rules.all().delete()
        elif kind == "member":
            services.add_member(the_team(), username)
        elif kind == "guard":
            services.save_protected(Protected(pbx=pbx, extension=name))
        else:
            cells = {"username": username, "roles": "|".join(of_roles), "teams": "|".join(of_teams), "phones": ""}
            sheets.take_people(change, [sheets.Row(2, cells)])

    return kind, do


@given(st.lists(st.tuples(users, st.sampled_from([PEOPLE, ROLES_TEAMS]), deeds()), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_gains_what_the_giver_has_not(company: Company, steps: list[tuple[str, str, Deed]]) -> None:
    with transaction.atomic():
        before = held()
        for actor, right, (kind, deed) in steps:
            who = User.objects.filter(username=actor).first()
            if who is None:
                continue
            try:
                with changing(of(who), right, "test") as change:
                    deed(change)
                event(f"{kind}: done")
            except (Refused, ValidationError, Faults) as error:
                event(f"{kind}: {getattr(error, 'code', 'wrong')}")
            after = held()
            mine_rights, mine_places = before[actor]
            for username, (now_rights, now_places) in after.items():
                was_rights, was_places = before.get(username, (frozenset(), frozenset()))
                assert now_rights - was_rights <= mine_rights, (kind, actor, username)
                assert now_places - was_places <= mine_places, (kind, actor, username)
            assert any({PEOPLE, ROLES_TEAMS} <= now_rights for now_rights, _places in after.values())
            before = after
        transaction.set_rollback(True)


def test_the_test_can_fail(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rule, a lead takes what she likes."""
    monkeypatch.setattr(Change, "finish", lambda self, after: None)
    before: dict[str, Any] = held()
    with changing(of(company.lena), PEOPLE, "test"):
        services.save_person(company.lena, roles=["Admin"])
    assert not held()["lena"][0] <= before["lena"][0]
    assert not Phone.objects.exists()
