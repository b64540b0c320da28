"""Users as `decide()` wants them, read from the database now. Sync: `await sync_to_async(user_snapshot)(id)`."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from accounts import mfa, policies
from accounts.explaining import Standing
from accounts.models import Phone, Protected, Team, TeamRule, User
from accounts.permissions import EVERYWHERE, Rule, Scope, UserSnapshot
from accounts.rights import RIGHTS


def user_snapshot(user_id: int) -> UserSnapshot | None:
    """The user with her rights as the database has them at this moment; None if there is no such user."""
    return user_snapshots([user_id]).get(user_id)


def user_snapshots(user_ids: Collection[int]) -> dict[int, UserSnapshot]:
    """Those of them that there are, by id: some queries in all, however many they are.

    An inactive user has no rights, a superuser has all (Django's own rules). Who must have a second factor and has
    none is as one who may not come in: no socket, no token, no command of hers works before she has set it up.
    """
    users = list(User.objects.filter(pk__in=user_ids))
    roles = _pairs(User.groups.through.objects.filter(user__in=user_ids), "user_id", "group_id", "group__name")
    own = _pairs(User.user_permissions.through.objects.filter(user__in=user_ids), "user_id", *_RIGHT)
    phones = _pairs(Phone.objects.filter(user__in=user_ids), "user_id", "pbx", "dial_string")
    teams = _pairs(Team.members.through.objects.filter(user__in=user_ids), "user_id", "team_id")
    of_roles = _pairs(Group.permissions.through.objects.filter(group__in=_firsts(roles)), "group_id", *_RIGHT)
    rules = _pairs(TeamRule.objects.filter(team__in=_firsts(teams)), "team_id", "aspect", "pbx", "name")
    unfit = mfa.missing_of(users)
    protected = frozenset(Rule("extension", *row) for row in Protected.objects.values_list("pbx", "extension"))
    monitoring = policies.read()

    def one(user: User) -> UserSnapshot:
        held = {".".join(right) for right in own[user.pk]}
        held.update(".".join(right) for group, _ in roles[user.pk] for right in of_roles[group])
        # Only rights that exist: what else Django knows (its own models' permissions) is none of ours.
        rights = frozenset(RIGHTS) if user.is_superuser else frozenset(held & RIGHTS.keys())
        active = user.is_active and user.pk not in unfit
        if not active:
            rights = frozenset()
        hers = sorted(phones[user.pk])
        part = [Rule(*row) for (team,) in teams[user.pk] for row in rules[team]]
        # `PJSIP/900`: the panel takes a phone's resource for its extension, as the live model does.
        part += [Rule("extension", pbx, phone.partition("/")[2]) for pbx, phone in hers]
        return UserSnapshot(
            id=user.pk,
            name=user.name,
            active=active,
            rights=rights,
            language=user.language or settings.LANGUAGE_CODE,
            roles=tuple(sorted(name for _, name in roles[user.pk])),
            phones=tuple(hers),
            scope=Scope(frozenset(part), everywhere=EVERYWHERE in rights),
            protected=protected,
            monitoring=monitoring,
        )

    return {user.pk: one(user) for user in users}


_RIGHT = ("permission__content_type__app_label", "permission__codename")


def _pairs(rows: QuerySet[Any], key: str, *columns: str) -> defaultdict[Any, list[Any]]:
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for of, *values in rows.order_by().values_list(key, *columns):
        found[of].append(tuple(values))
    return found


def _firsts(rows: dict[Any, list[Any]]) -> set[Any]:
    return {first for of in rows.values() for first, *_ in of}


def users_at(ids: set[int], phones: set[str], pbx: str) -> list[UserSnapshot]:
    """The users with these ids, and those who have one of these phones (dial strings) on this PBX."""
    hers = Q(phones__pbx=pbx, phones__dial_string__in=phones)
    return [*user_snapshots(set(User.objects.filter(Q(pk__in=ids) | hers).values_list("pk", flat=True))).values()]


def snapshot_of(user: User) -> UserSnapshot:
    """As `user_snapshot`, for a user just fetched."""
    found = user_snapshot(user.pk)
    assert found is not None
    return found


def standing_of(user: User) -> Standing:
    """As ``snapshot_of``, with all roles and with her teams: what an explanation goes by."""
    roles: dict[str, set[str]] = {group.name: set() for group in Group.objects.order_by("name")}
    granted = Group.objects.values_list("name", "permissions__content_type__app_label", "permissions__codename")
    for name, app, codename in granted:
        roles[name] |= {f"{app}.{codename}"} & RIGHTS.keys()
    teams: dict[str, set[Rule]] = {team.name: set() for team in user.teams.all()}
    for team, *row in TeamRule.objects.filter(team__members=user).values_list("team__name", "aspect", "pbx", "name"):
        teams[team].add(Rule(*row))  # type: ignore[arg-type]  # the column's choices
    return Standing(
        snapshot_of(user),
        {name: frozenset(rights) for name, rights in roles.items()},
        {team: frozenset(rules) for team, rules in teams.items()},
    )
