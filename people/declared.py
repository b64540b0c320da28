"""Roles, teams and protections as one file, to be kept in version control and reviewed (docs/people.md).

It names everybody who has a role or is in a team; people themselves are made elsewhere (pages, CSV, the directory).
"""

import json
from typing import Annotated, Any, Literal

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic import ValidationError as Unfit

from accounts.models import Protected, Team, User
from accounts.rights import ROLES
from people import services
from people.services import Change
from people.sheets import words_of
from people.state import State

Name = Annotated[str, Field(min_length=1, max_length=150)]


class Faults(Exception):
    """What is wrong with a file, a line each."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Role(_Part):
    rights: list[str]
    second_factor: bool = False
    members: list[Name] = []


class _Rule(_Part):
    aspect: Literal["pbx", "extension", "queue", "conference"]
    pbx: str = "*"
    name: str = "*"


class _Team(_Part):
    rules: list[_Rule] = []
    members: list[Name] = []


class _Protected(_Part):
    extension: str
    pbx: str = "*"
    note: str = ""


class Declared(_Part):
    """The whole file. What it does not name goes away: own roles, teams, protections, memberships."""

    roles: dict[Name, _Role]
    teams: dict[Name, _Team]
    protected: list[_Protected]


def dump(now: State) -> str:
    """The file for what is now; the same bytes for the same state."""

    def members(of: Literal["roles", "teams"], pk: int) -> list[str]:
        return sorted(person.username for person in now.people.values() if pk in getattr(person, of))

    roles: dict[str, Any] = {
        role.name: {
            "rights": sorted(role.rights),
            "second_factor": role.second_factor,
            "members": members("roles", pk),
        }
        for pk, role in sorted(now.roles.items(), key=lambda item: item[1].name)
    }
    teams = {
        team.name: {
            "rules": [
                {"aspect": rule.aspect, "pbx": rule.pbx, "name": rule.name}
                for rule in sorted(team.rules, key=lambda rule: (rule.aspect, rule.pbx, rule.name))
            ],
            "members": members("teams", pk),
        }
        for pk, team in sorted(now.teams.items(), key=lambda item: item[1].name)
    }
    protected = [
        {"pbx": rule.pbx, "extension": rule.name, "note": note}
        for rule, note in sorted(now.protected.values(), key=lambda item: (item[0].pbx, item[0].name))
    ]
    whole = {"roles": roles, "teams": teams, "protected": protected}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def load(text: str) -> Declared:
    """Faults."""
    try:
        declared = Declared.model_validate_json(text)
    except Unfit as error:
        lines = [f"{' → '.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in error.errors()]
        raise Faults(*lines) from None
    if missing := sorted(ROLES.keys() - declared.roles.keys()):
        raise Faults(f"roles: {', '.join(missing)} is not there. A role that comes with the panel stays.")
    return declared


def take(change: Change, declared: Declared) -> None:
    """Make it so. Faults: of what is wrong with it, the first thing of each role and team."""
    faults: list[str] = []
    users = {user.username: user for user in User.objects.all()}

    def members(names: list[str]) -> list[User]:
        if unknown := [name for name in names if name not in users]:
            raise ValidationError(f"there is no user {unknown[0]}")
        return [users[name] for name in names]

    Group.objects.exclude(name__in=declared.roles).delete()
    for name, role in declared.roles.items():
        try:
            group = Group.objects.filter(name=name).first() or Group()
            services.save_role(group, name, role.rights, second_factor=role.second_factor)
            group.user_set.set(members(role.members))
        except ValidationError as error:
            faults.append(f"role {name}: {words_of(error)}")
    Team.objects.exclude(name__in=declared.teams).delete()
    for name, wanted in declared.teams.items():
        try:
            team = Team.objects.filter(name=name).first() or Team()
            services.save_team(team, name)
            team.members.set(members(wanted.members))
            team.rules.all().delete()
            for rule in wanted.rules:
                services.add_rule(team, rule.aspect, rule.pbx, rule.name)
        except ValidationError as error:
            faults.append(f"team {name}: {words_of(error)}")
    held = {(one.pbx, one.extension): one for one in Protected.objects.all()}
    for part in declared.protected:
        one = held.pop((part.pbx, part.extension), None) or Protected(pbx=part.pbx, extension=part.extension)
        one.note = part.note
        try:
            services.save_protected(one)
        except ValidationError as error:
            faults.append(f"protected {part.extension}: {words_of(error)}")
    Protected.objects.filter(pk__in=[one.pk for one in held.values()]).delete()
    if faults:
        raise Faults(*faults)
