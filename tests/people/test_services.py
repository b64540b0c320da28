"""Who may change whom: nobody gives what she has not, nobody touches who holds more, somebody can put it right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import OperationalError

from accounts import tokens
from accounts.models import Protected, Team, TeamRule, User
from accounts.rights import RIGHTS, ROLES
from accounts.snapshots import user_snapshot
from audit.models import Entry
from people import services
from people.services import PEOPLE, ROLES_TEAMS, Refused, changing
from tests.people.stage import Company, of, role, team

Change = Callable[[Company], object]


def make(user: User | None, right: str, deed: Callable[[], object]) -> None:
    with changing(of(user), right, "test"):
        deed()


def refused(user: User | None, right: str, deed: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        make(user, right, deed)
    return caught.value.code


def rights(user: User) -> frozenset[str]:
    found = user_snapshot(user.pk)
    assert found is not None
    return found.rights


# --- what a lead may


def test_she_manages_her_own_people(company: Company) -> None:
    new = User(username="nina")
    make(company.lena, PEOPLE, lambda: services.save_person(new, roles=["Agent"], teams=["Sales"]))
    assert rights(new) == ROLES["Agent"]
    assert not new.has_usable_password()
    make(company.lena, ROLES_TEAMS, lambda: services.add_rule(company.sales, "queue", "office", "sales-vip"))
    make(company.lena, ROLES_TEAMS, lambda: role("Listeners", "calls.view", "calls.listen"))
    make(company.lena, PEOPLE, lambda: services.save_person(new, phones={"office": "PJSIP/210"}))
    make(company.lena, PEOPLE, lambda: services.save_person(company.ann, roles=[], teams=[]))
    assert rights(company.ann) == frozenset()


@pytest.mark.parametrize(
    "deed",
    [
        lambda c: services.save_person(User(username="n"), roles=["Supervisor"]),
        lambda c: services.save_person(User(username="n"), roles=["Listening"]),
        lambda c: services.save_person(User(username="n"), teams=["Support"]),
        lambda c: services.save_person(User(username="n"), phones={"office": "PJSIP/100"}),
        lambda c: services.save_person(User(username="n"), phones={"elsewhere": "PJSIP/201"}),
        lambda c: services.save_person(c.lena, roles=["Managing", "Supervisor"]),
        lambda c: services.save_person(c.lena, teams=["Sales", "Support"]),
        lambda c: services.save_person(c.lena, phones={"office": "PJSIP/100"}),
        lambda c: services.save_person(c.bob, roles=["Agent"]),
        lambda c: services.save_person(c.bob),
        lambda c: services.save_role(c.managing, "Managing", [*ROLES["Team lead"], "calls.barge"]),
        lambda c: services.save_role(Group(), "Trap", ["calls.barge"]),
        lambda c: services.save_role(Group(), "Trap", ["floor.everywhere"]),
        lambda c: services.save_role(c.listening, "Listening", ["calls.view"]),
        lambda c: services.delete_role(c.listening),
        lambda c: services.save_role(Group.objects.get(name="Admin"), "Admin", ["calls.view"]),
        lambda c: services.add_rule(c.sales, "queue", "office", "support"),
        lambda c: services.add_rule(c.sales, "queue", "*", "sales"),
        lambda c: services.add_rule(c.sales, "pbx", "office", "*"),
        lambda c: services.add_rule(Team.objects.create(name="Trap"), "queue", "office", "*"),
        lambda c: services.drop_rule(c.support, "queue", "office", "support"),
        lambda c: c.support.delete(),
        lambda c: services.add_member(c.support, "ann"),
        lambda c: services.add_member(c.sales, "bob"),
        lambda c: services.save_protected(Protected(pbx="office", extension="100")),
        lambda c: services.save_protected(Protected(pbx="*", extension="201")),
    ],
)
def test_what_goes_beyond_her(deed: Change, company: Company) -> None:
    before = [rights(user) for user in User.objects.all()]
    name = company.bob.display_name
    company.bob.display_name = "Somebody else"
    assert refused(company.lena, PEOPLE, lambda: deed(company)) == "beyond"
    assert [rights(user) for user in User.objects.all()] == before
    assert User.objects.get(pk=company.bob.pk).display_name == name
    assert not Group.objects.filter(name="Trap").exists()
    assert not Team.objects.filter(name="Trap").exists()
    assert list(Entry.objects.values_list("kind", "code")) == [("denied", "beyond")]


def test_an_administrator_may_all_of_that(company: Company) -> None:
    make(company.alice, ROLES_TEAMS, lambda: services.save_role(company.listening, "Ears", ["calls.listen"]))
    make(company.alice, ROLES_TEAMS, lambda: services.add_rule(company.sales, "pbx", "*", "*"))
    make(company.alice, PEOPLE, lambda: services.save_person(company.bob, roles=["Admin"], teams=["Support"]))
    assert rights(company.bob) == frozenset(RIGHTS)
    make(company.alice, ROLES_TEAMS, lambda: services.save_protected(Protected(pbx="*", extension="1*")))


@pytest.mark.parametrize("name", ["bob", "alice"])
def test_who_holds_more_is_as_not_there(name: str, company: Company) -> None:
    other = User.objects.get(username=name)
    for deed in (
        lambda c: services.set_active(c, other.pk, False),
        lambda c: services.end_sessions(c, of(company.lena), other.pk),
        lambda c: services.revoke_tokens(c, of(company.lena), other.pk),
        lambda c: services.link_for(c, of(company.lena), other.pk, None),
    ):
        with pytest.raises(Refused) as caught, changing(of(company.lena), PEOPLE, "test") as change:
            deed(change)
        assert caught.value.code == "gone"
    other.refresh_from_db()
    assert other.is_active


def test_her_own_phone_hides_nobody_from_her_lead(company: Company) -> None:
    """An agent sees the calls of her phone, wherever it is. That must not put her out of her lead's reach; but the
    phone is not the lead's to give."""
    company.ann.phones.create(pbx="office", dial_string="PJSIP/777")
    with changing(of(company.lena), PEOPLE, "test") as change:
        services.set_active(change, company.ann.pk, False)
    with changing(of(company.lena), PEOPLE, "test") as change:
        services.set_active(change, company.ann.pk, True)
    take = {"office": "PJSIP/778"}
    assert refused(company.lena, PEOPLE, lambda: services.save_person(company.ann, phones=take)) == "beyond"


def test_without_the_right_nothing(company: Company) -> None:
    for user in (company.ann, company.bob):
        assert refused(user, PEOPLE, lambda: None) == "no_right"
        assert refused(user, ROLES_TEAMS, lambda: None) == "no_right"
    company.lena.is_active = False
    company.lena.save()
    assert refused(company.lena, PEOPLE, lambda: None) == "no_right"


# --- the last administrator


@pytest.mark.parametrize(
    "deed",
    [
        lambda c: services.save_person(c.alice, roles=["Supervisor"]),
        lambda c: services.save_role(Group.objects.get(name="Admin"), "Admin", sorted(RIGHTS.keys() - {PEOPLE})),
        lambda c: User.objects.filter(pk=c.alice.pk).update(is_active=False),
    ],
)
def test_somebody_must_remain(deed: Change, company: Company) -> None:
    company.lena.groups.clear()
    assert refused(company.alice, PEOPLE, lambda: deed(company)) == "last_admin"
    assert refused(None, PEOPLE, lambda: deed(company)) == "last_admin"
    assert rights(company.alice) == frozenset(RIGHTS)
    make(company.alice, PEOPLE, lambda: services.save_person(company.bob, roles=["Admin"]))
    make(company.alice, PEOPLE, lambda: services.save_person(company.alice, roles=["Supervisor"]))


def test_who_never_came_is_nobody_to_put_it_right(company: Company) -> None:
    company.lena.groups.clear()
    make(company.alice, PEOPLE, lambda: services.save_person(User(username="new"), roles=["Admin"]))
    away = lambda: services.save_person(company.alice, roles=[])  # noqa: E731
    assert refused(company.alice, PEOPLE, away) == "last_admin"


# --- roles and names


def test_shipped_roles_keep_their_names_and_stay(company: Company) -> None:
    agent = Group.objects.get(name="Agent")
    with pytest.raises(ValidationError):
        make(company.alice, ROLES_TEAMS, lambda: services.save_role(agent, "Operator", ["calls.view"]))
    agent.refresh_from_db()
    assert refused(company.alice, ROLES_TEAMS, lambda: services.delete_role(agent)) == "shipped"


@pytest.mark.parametrize("name", ["agent", "AGENT ", "a|b", "", "x\u202ey", "x" * 151])
def test_names_that_a_role_can_not_have(name: str, company: Company) -> None:
    with pytest.raises(ValidationError):
        make(company.alice, ROLES_TEAMS, lambda: services.save_role(Group(), name, []))


def test_a_roles_name_may_let_one_dial_more(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """PHOENIX_DIAL_AGENT: who is no agent herself has not what the role's name gives."""
    monkeypatch.setattr("people.state._DIALS", frozenset({"Agent"}))
    new = User(username="nina")
    assert refused(company.lena, PEOPLE, lambda: services.save_person(new, roles=["Agent"])) == "beyond"


@pytest.mark.parametrize(("aspect", "pattern"), [("queue", "*a*b*c*"), ("queue", "a\nb"), ("trunk", "x")])
def test_patterns_that_are_none(aspect: str, pattern: str, company: Company) -> None:
    with pytest.raises(ValidationError):
        services.add_rule(company.sales, aspect, "*", pattern)
    assert TeamRule.objects.filter(team=company.sales).count() == 2


# --- the audit


def test_every_change_is_written_down_with_what_was(company: Company) -> None:
    make(company.alice, PEOPLE, lambda: services.save_person(company.ann, roles=["Agent", "Supervisor"]))
    make(company.alice, ROLES_TEAMS, lambda: services.save_role(company.listening, "Ears", ["calls.listen"]))
    first, second = Entry.objects.filter(verb="test")
    assert (first.user, first.target_words) == (company.alice, "ann")
    assert first.args == {"before": {"roles": ["Agent"]}, "after": {"roles": ["Agent", "Supervisor"]}}
    assert second.args["before"]["name"] == "Listening"
    assert second.args["after"] == {"name": "Ears", "rights": ["calls.listen"]}


def test_a_dry_run_leaves_nothing_behind(company: Company) -> None:
    with changing(of(company.alice), ROLES_TEAMS, "test", dry=True) as change:
        team("Night", ("queue", "*", "night"))
    assert change.lines == ["+ team Night: rules queue night on *"]
    assert not Team.objects.filter(name="Night").exists()
    assert not Entry.objects.exists()


def test_tokens_and_sessions_end(company: Company) -> None:
    tokens.make(company.ann, "cron", frozenset({"calls.view"}), 7)
    with changing(of(company.lena), PEOPLE, "test") as change:
        assert services.revoke_tokens(change, of(company.lena), company.ann.pk) == 1
        assert services.end_sessions(change, of(company.lena), company.ann.pk) == 0
    assert not tokens.good().filter(user=company.ann).exists()


def test_a_busy_database_is_said(company: Company) -> None:
    def wait() -> None:
        raise OperationalError("database is locked")

    assert refused(company.alice, PEOPLE, wait) == "busy"
