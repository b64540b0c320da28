"""Everybody, all roles, teams and protections as they are now: read at once, compared, and said in words.

Sync ORM; within a transaction that holds the lock of people.services it is one moment's picture.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from django.conf import settings
from django.contrib.auth.models import Group, Permission

from accounts.models import Phone, Protected, RolePolicy, Team, TeamRule, User
from accounts.permissions import EVERYWHERE, WHOLE_FLOOR, Rule, Scope
from accounts.rights import RIGHTS
from people.power import Power

Kind: TypeAlias = Literal["person", "role", "team", "protected"]
Key: TypeAlias = tuple[Kind, int]
Document: TypeAlias = dict[str, Any]

ADMIN: Final = frozenset({"accounts.people", "accounts.roles"})
"""Who holds both can put everything right again."""

# Not RIGHTS: what a role's name alone lets one dial, by the settings PHOENIX_DIAL_<ROLE>.
_DIALS: Final = frozenset(role for manners in settings.PHOENIX_MANNERS.values() for role in manners.dial.by_role)
ALL: Final = Power(frozenset(RIGHTS) | {f"dial {role}" for role in _DIALS}, WHOLE_FLOOR)


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    rights: frozenset[str]
    second_factor: bool = False
    """It is asked of who has the role."""

    @property
    def power(self) -> Power:
        if self.rights >= RIGHTS.keys():
            return ALL
        dials = {f"dial {self.name}"} if self.name in _DIALS else set()
        return Power(self.rights | dials, WHOLE_FLOOR if EVERYWHERE in self.rights else Scope())


@dataclass(frozen=True, slots=True)
class TeamNow:
    name: str
    rules: frozenset[Rule]

    @property
    def power(self) -> Power:
        return Power(scope=Scope(self.rules))


@dataclass(frozen=True, slots=True)
class Person:
    """Roles and teams by their ids: a role that is renamed changes nobody."""

    username: str
    display_name: str
    email: str
    language: str
    time_zone: str
    active: bool
    superuser: bool
    has_come: bool
    """She can sign in: she has a password, or has signed in without one. Who was only invited has not."""
    own: frozenset[str]
    """Rights given to her alone, which only the shell can."""
    roles: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()
    phones: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    people: Mapping[int, Person] = field(default_factory=dict)
    roles: Mapping[int, Role] = field(default_factory=dict)
    teams: Mapping[int, TeamNow] = field(default_factory=dict)
    protected: Mapping[int, tuple[Rule, str]] = field(default_factory=dict)

    def power(self, user_id: int, *, phones: bool = True) -> Power:
        """What she may when her account is active, with or without what her own phones let her see."""
        person = self.people.get(user_id)
        if person is None:
            return Power()
        if person.superuser:
            return ALL
        powers = [self.roles[pk].power for pk in person.roles]
        rights = person.own.union(*(power.rights for power in powers))
        if rights >= RIGHTS.keys():
            return ALL
        rules = frozenset[Rule]().union(*(self.teams[pk].rules for pk in person.teams))
        if phones:
            rules |= {Rule("extension", pbx, dial.partition("/")[2]) for pbx, dial in person.phones}
        return Power(rights, Scope(rules, everywhere=EVERYWHERE in rights))

    def admins(self) -> set[int]:
        """Who can put everything right again, today."""
        return {
            pk
            for pk, person in self.people.items()
            if person.active and person.has_come and self.power(pk).rights >= ADMIN
        }

    def thing(self, key: Key) -> Person | Role | TeamNow | tuple[Rule, str] | None:
        kind, pk = key
        of: Mapping[int, Any] = {
            "person": self.people,
            "role": self.roles,
            "team": self.teams,
            "protected": self.protected,
        }[kind]
        return of.get(pk)

    def keys(self) -> Iterator[Key]:
        yield from (("person", pk) for pk in self.people)
        yield from (("role", pk) for pk in self.roles)
        yield from (("team", pk) for pk in self.teams)
        yield from (("protected", pk) for pk in self.protected)

    def name(self, key: Key) -> str:
        thing = self.thing(key)
        if isinstance(thing, Person):
            return thing.username
        if isinstance(thing, Role | TeamNow):
            return thing.name
        return f"{thing[0].name} ({thing[0].pbx})" if thing else ""

    def document(self, key: Key) -> Document:
        """What it is, as the audit and the differences show it; empty if it is not there."""
        thing = self.thing(key)
        if isinstance(thing, Person):
            return {
                "username": thing.username,
                "name": thing.display_name,
                "email": thing.email,
                "language": thing.language,
                "time_zone": thing.time_zone,
                "active": thing.active,
                "roles": sorted(self.roles[pk].name for pk in thing.roles),
                "teams": sorted(self.teams[pk].name for pk in thing.teams),
                "phones": [f"{pbx}={dial}" for pbx, dial in thing.phones],
            }
        if isinstance(thing, Role):
            return {"name": thing.name, "rights": sorted(thing.rights), "second_factor": thing.second_factor}
        if isinstance(thing, TeamNow):
            return {"name": thing.name, "rules": rule_words(thing.rules)}
        return {"pbx": thing[0].pbx, "extension": thing[0].name, "note": thing[1]} if thing else {}


def rule_words(rules: Iterable[Rule]) -> list[str]:
    """`queue sales* on office`, in a stable order."""
    return sorted(
        f"pbx {rule.pbx}" if rule.aspect == "pbx" else f"{rule.aspect} {rule.name} on {rule.pbx}" for rule in rules
    )


@dataclass(frozen=True, slots=True)
class Difference:
    key: Key
    name: str
    before: Document
    after: Document

    def lines(self) -> Iterator[str]:
        """As people read it: `+ role Night`, `~ person ann: roles + Agent − Team lead`."""
        what = f"{self.key[0]} {self.name}"
        if not self.before or not self.after:
            sign, document = ("+", self.after) if self.after else ("-", self.before)
            yield ": ".join(filter(None, [f"{sign} {what}", ", ".join(_said(self.name, document))]))
            return
        for name, was in self.before.items():
            now = self.after[name]
            if was == now:
                continue
            if isinstance(was, list):
                signs = [f"+ {item}" for item in now if item not in was] + [f"- {x}" for x in was if x not in now]
                yield f"~ {what}: {name} {', '.join(signs)}"
            else:
                yield f"~ {what}: {name} {_value(was)} → {_value(now)}"


_USUAL: Final = (("active", True), ("second_factor", False))


def _said(name: str, document: Document) -> Iterator[str]:
    """What of something new or gone is worth a word."""
    for field_, value in document.items():
        if value in ("", [], name) or (field_, value) in _USUAL or field_ in ("pbx", "extension"):
            continue
        words = (" " if field_ == "rights" else " | ").join(value) if isinstance(value, list) else _value(value)
        yield f"{field_} {words}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) or "–"


def differences(before: State, after: State) -> list[Difference]:
    """What changed, roles first and people last, each by name."""
    order: list[Kind] = ["role", "team", "protected", "person"]
    changed = [key for key in {*before.keys(), *after.keys()} if before.thing(key) != after.thing(key)]
    found = [
        Difference(key, after.name(key) or before.name(key), before.document(key), after.document(key))
        for key in changed
    ]
    return sorted(found, key=lambda one: (order.index(one.key[0]), one.name, one.key[1]))


def read() -> State:
    """All of it, in ten queries however many there are."""
    ours = {
        pk: f"{app}.{codename}"
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    ours = {pk: right for pk, right in ours.items() if right in RIGHTS}
    granted: dict[int, set[str]] = defaultdict(set)
    for group, permission in Group.permissions.through.objects.values_list("group_id", "permission_id"):
        if permission in ours:
            granted[group].add(ours[permission])
    own: dict[int, set[str]] = defaultdict(set)
    for user, permission in User.user_permissions.through.objects.values_list("user_id", "permission_id"):
        if permission in ours:
            own[user].add(ours[permission])
    roles: dict[int, set[int]] = defaultdict(set)
    for user, group in User.groups.through.objects.values_list("user_id", "group_id"):
        roles[user].add(group)
    teams: dict[int, set[int]] = defaultdict(set)
    for user, team in Team.members.through.objects.values_list("user_id", "team_id"):
        teams[user].add(team)
    phones: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for user, pbx, dial in Phone.objects.order_by("pbx").values_list("user_id", "pbx", "dial_string"):
        phones[user].append((pbx, dial))
    factors = set(RolePolicy.objects.filter(mfa_required=True).values_list("group_id", flat=True))
    rules: dict[int, set[Rule]] = defaultdict(set)
    for team, aspect, pbx, name in TeamRule.objects.values_list("team_id", "aspect", "pbx", "name"):
        rules[team].add(Rule(aspect, pbx, name))  # type: ignore[arg-type]  # the column's choices
    return State(
        people={
            user.pk: Person(
                username=user.username,
                display_name=user.display_name,
                email=user.email,
                language=user.language,
                time_zone=user.time_zone,
                active=user.is_active,
                superuser=user.is_superuser,
                has_come=user.last_login is not None or user.has_usable_password(),
                own=frozenset(own[user.pk]),
                roles=frozenset(roles[user.pk]),
                teams=frozenset(teams[user.pk]),
                phones=tuple(phones[user.pk]),
            )
            for user in User.objects.all()
        },
        roles={
            pk: Role(name, frozenset(granted[pk]), second_factor=pk in factors)
            for pk, name in Group.objects.values_list("pk", "name")
        },
        teams={pk: TeamNow(name, frozenset(rules[pk])) for pk, name in Team.objects.values_list("pk", "name")},
        protected={
            pk: (Rule("extension", pbx, extension), note)
            for pk, pbx, extension, note in Protected.objects.values_list("pk", "pbx", "extension", "note")
        },
    )
