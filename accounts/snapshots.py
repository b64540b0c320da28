"""Users as `decide()` wants them, read from the database now. Sync: `await sync_to_async(user_snapshot)(id)`."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Q

from accounts import mfa, policies
from accounts.explaining import Standing
from accounts.models import Protected, TeamRule, User
from accounts.permissions import EVERYWHERE, Rule, Scope, UserSnapshot
from accounts.rights import RIGHTS


def user_snapshot(user_id: int) -> UserSnapshot | None:
    """The user with her rights as the database has them at this moment; None if there is no such user."""
    user = User.objects.filter(pk=user_id).first()
    return None if user is None else snapshot_of(user)


def users_at(ids: set[int], phones: set[str], pbx: str) -> list[UserSnapshot]:
    """The users with these ids, and those who have one of these phones (dial strings) on this PBX."""
    hers = Q(phones__pbx=pbx, phones__dial_string__in=phones)
    return [snapshot_of(user) for user in User.objects.filter(Q(pk__in=ids) | hers).distinct()]


def snapshot_of(user: User) -> UserSnapshot:
    """As `user_snapshot`, for a user just fetched: Django caches permissions on the instance, so pass no old one.

    Who must have a second factor and has none is as one who may not come in: no socket, no token, no command of hers
    works before she has set it up.
    """
    active = user.is_active and not mfa.missing(user)
    # Only rights that exist: what else Django knows (its own models' permissions) is none of ours. An inactive user
    # has none, a superuser has all (Django's own rules).
    rights = frozenset(user.get_all_permissions() & RIGHTS.keys()) if active else frozenset()
    phones = tuple(user.phones.order_by("pbx").values_list("pbx", "dial_string"))
    teams = TeamRule.objects.filter(team__members=user).values_list("aspect", "pbx", "name")
    rules = [Rule(*row) for row in teams]  # type: ignore[arg-type]  # the column's choices
    # `PJSIP/900`: the panel takes a phone's resource for its extension, as the live model does.
    rules += [Rule("extension", pbx, phone.partition("/")[2]) for pbx, phone in phones]
    return UserSnapshot(
        id=user.pk,
        name=user.name,
        active=active,
        rights=rights,
        language=user.language or settings.LANGUAGE_CODE,
        roles=tuple(user.groups.order_by("name").values_list("name", flat=True)),
        phones=phones,
        scope=Scope(frozenset(rules), everywhere=EVERYWHERE in rights),
        protected=frozenset(Rule("extension", *row) for row in Protected.objects.values_list("pbx", "extension")),
        monitoring=policies.read(),
    )


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
