"""Every change to people, roles, teams and protections, for pages, CSV, the permissions file and the shell alike.

One rule for them all, held by `changing`: whoever changes something must hold all of it (rights and part of the
floor), as it was, and all that anybody gains by it. So nobody gives what she has not, to herself neither, and nobody
touches who holds more. One's phones are one's own: that somebody sees the calls of hers does not keep others from
managing her; but only who reaches an extension may say whose phone it is. And somebody must remain who can put all
right again.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import OperationalError, models, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import invitations, mfa, sessions, tokens
from accounts.models import Phone, Protected, RolePolicy, Team, TeamRule, User
from accounts.permissions import Scope
from accounts.rights import RIGHTS, ROLES
from audit.record import Who
from people import noted, state
from people.power import Power, reaches
from people.state import Difference, Key, Person, State

log = logging.getLogger(__name__)

PEOPLE: Final = "accounts.people"
ROLES_TEAMS: Final = "accounts.roles"

MOST_STARS: Final = 3
"""In a pattern. Each may cost a look at every place of a name, for every name: more are a way to slow the floor down,
and mean nothing that anybody would write."""


class Refused(Exception):
    """It is not done. ``code`` is for the audit and for tests, ``words`` are for who asked."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@dataclass(slots=True)
class Change:
    """A change under way: what was before it, and what whoever makes it held then."""

    before: State
    power: Power
    differences: list[Difference] = field(default_factory=list)
    """What it comes to, once it is finished."""

    @property
    def lines(self) -> list[str]:
        """The differences as people read them."""
        return [line for one in self.differences for line in one.lines()]

    @property
    def mark(self) -> str:
        """Stands for the lines: another of these, and it is another change."""
        return sha256("\n".join(self.lines).encode()).hexdigest()

    def touch(self, key: Key) -> None:
        """Refused unless who changes holds all that this is, or that she is."""
        if not self.may_touch(key):
            name = self.before.name(key)
            if key[0] == "person":
                raise Refused("beyond", _("%(name)s holds more than you do.") % {"name": name})
            raise Refused("beyond", _("“%(name)s” gives more than you hold.") % {"name": name})

    def may_touch(self, key: Key) -> bool:
        thing = self.before.thing(key)
        if isinstance(thing, Person):
            held = self.before.power(key[1], phones=False)
        elif isinstance(thing, state.Role | state.TeamNow):
            held = thing.power
        else:
            held = Power(scope=Scope(frozenset({thing[0]} if thing else ())))
        return self.power.holds(held)

    def person(self, pk: int) -> User:
        """Somebody whom she may manage; another is as one that is not there."""
        user = User.objects.filter(pk=pk).first()
        if user is None or not self.may_touch(("person", pk)):
            raise Refused("gone", _("There is nobody like this whom you manage."))
        return user

    def finish(self, after: State) -> None:
        """Refuses what goes beyond what she holds, and what would leave nobody to put it right."""
        self.differences = state.differences(self.before, after)
        for one in self.differences:
            self.touch(one.key)
            kind, pk = one.key
            gained = Power()
            if kind in ("role", "team"):
                was, now = self.before.thing(one.key), after.thing(one.key)
                assert not isinstance(was, Person | tuple)
                assert not isinstance(now, Person | tuple)
                gained = now.power.since(was.power if was else Power()) if now else Power()
            elif kind == "protected" and one.after:
                gained = Power(scope=Scope(frozenset({after.protected[pk][0]})))
            self._gives(gained, one.name)
        for pk, person in after.people.items():
            self._gives(after.power(pk).since(self.before.power(pk)), person.username)
        if self.before.admins() and not after.admins():
            raise Refused(
                "last_admin",
                _("Nobody would be left who manages both people and roles. Give that to somebody else first."),
            )

    def _gives(self, gained: Power, name: str) -> None:
        if self.power.holds(gained):
            return
        missing = sorted(str(RIGHTS[right]) for right in gained.rights - self.power.rights if right in RIGHTS)
        if missing:
            raise Refused(
                "beyond",
                _("“%(name)s” would get rights that you don't hold: %(rights)s.")
                % {"name": name, "rights": ", ".join(missing)},
            )
        if gained.scope.everywhere:
            raise Refused("beyond", _("“%(name)s” would get the whole floor, which you don't have.") % {"name": name})
        beyond = [r for r in gained.scope.rules if not reaches(self.power.scope, Scope(frozenset({r})))]
        raise Refused(
            "beyond",
            _("“%(name)s” would reach a part of the floor that you don't: %(rules)s.")
            % {"name": name, "rules": ", ".join(state.rule_words(beyond))},
        )


@contextmanager
def changing(who: Who, right: str, verb: str, *, dry: bool = False, seen: str | None = None) -> Iterator[Change]:
    """A transaction in which one change is made, by somebody who has the right now; `who.user_id` None is the shell,
    which may all. It is in the audit when it is done, and so is its refusal. ``dry``: only to see what it would be.
    ``seen``: the mark of what it was said to come to; if it is something else now, only to see.

    One after the other: two that each leave an administrator can together leave none.
    """
    try:
        with transaction.atomic():
            # A row that is always there and that nobody else locks. On SQLite a transaction has the one writer's lock
            # from its beginning.
            list(Permission.objects.select_for_update(no_key=True).filter(codename="people"))
            before = state.read()
            change = Change(before, _held(before, who, right))
            yield change
            change.finish(state.read())
            if dry or seen not in (None, change.mark):
                transaction.set_rollback(True)
            else:
                for one in change.differences:
                    noted.changed(who, verb, one.key, one.name, one.before, one.after)
    except OperationalError as error:
        log.warning("people could not be changed: %s", error)
        raise Refused("busy", _("The database is busy. Try again in a moment.")) from error
    except Refused as refusal:
        if not dry:
            noted.denied(who, verb, refusal.code, refusal.words)
        raise


def looking(who: Who, right: str) -> Change:
    """What somebody who has the right could change now: for pages that only show."""
    now = state.read()
    return Change(now, _held(now, who, right))


def _held(now: State, who: Who, right: str) -> Power:
    if who.user_id is None:
        return state.ALL
    person, power = now.people.get(who.user_id), now.power(who.user_id)
    if person is None or not person.active or right not in power.rights:
        raise Refused("no_right", _("You may not do this any more."))
    return power


# --- people


def save_person(
    user: User,
    *,
    roles: Iterable[str] | None = None,
    teams: Iterable[str] | None = None,
    phones: Mapping[str, str] | None = None,
) -> None:
    """Keep somebody, new or changed, as she is given; of what is None nothing changes. Names of roles and teams;
    phones by PBX. ValidationError tells which field is wrong."""
    if user._state.adding:
        user.set_unusable_password()  # nobody else ever chooses it
        if User.objects.filter(username__iexact=user.username).exists():
            raise ValidationError({"username": _("There is one of this name already.")})
    if user.language not in ("", *dict(settings.LANGUAGES)):
        raise ValidationError({"language": _("The panel doesn't speak this language.")})
    user.full_clean(exclude=["password"])
    user.save()
    if roles is not None:
        user.groups.set(_all(Group, roles, _("There is no role “%(name)s”."), "roles"))
    if teams is not None:
        user.teams.set(_all(Team, teams, _("There is no team “%(name)s”."), "teams"))
    if phones is not None:
        user.phones.exclude(pbx__in=phones).delete()
        for pbx, dial in phones.items():
            phone = Phone.objects.filter(user=user, pbx=pbx).first() or Phone(user=user, pbx=pbx)
            phone.dial_string = dial
            try:
                phone.save()
            except ValidationError as error:
                raise ValidationError({"phones": error.messages}) from None


def set_active(change: Change, pk: int, active: bool) -> None:
    """Without an account that is active nothing of hers works: no session, no token, no command. All is kept."""
    user = change.person(pk)
    user.is_active = active
    user.save(update_fields=["is_active"])


def link_for(change: Change, who: Who, pk: int, request: HttpRequest | None) -> str:
    """A link by which she sets her own password, for her alone."""
    user = change.person(pk)
    if not user.is_active:
        raise Refused("inactive", _("Her account is switched off: switch it on first."))
    noted.changed(who, "people.link", ("person", pk), user.username, {}, {"link": "made"})
    return invitations.link_for(user, request)


def end_sessions(change: Change, who: Who, pk: int) -> int:
    user = change.person(pk)
    ended = sessions.end(user)
    noted.changed(who, "people.sessions", ("person", pk), user.username, {"sessions": ended}, {"sessions": 0})
    return ended


def reset_factors(change: Change, who: Who, pk: int) -> int:
    """She has lost them: she signs in by her password, and sets up new ones if she must."""
    user = change.person(pk)
    taken = mfa.reset(user)
    noted.changed(who, "people.factors", ("person", pk), user.username, {"factors": taken}, {"factors": 0})
    return taken


def revoke_tokens(change: Change, who: Who, pk: int) -> int:
    user = change.person(pk)
    revoked = tokens.good().filter(user=user).update(revoked=timezone.now())
    noted.changed(who, "people.tokens", ("person", pk), user.username, {"tokens": revoked}, {"tokens": 0})
    return revoked


# --- roles


def save_role(role: Group, name: str, rights: Iterable[str], *, second_factor: bool | None = None) -> None:
    """Keep a role, new or changed. ``second_factor``: it is asked of who has the role; None: as it was, or not."""
    if role.name in ROLES and name != role.name:
        raise ValidationError({"name": _("A role that comes with the panel keeps its name.")})
    if unknown := sorted(set(rights) - RIGHTS.keys()):
        raise ValidationError({"rights": _("There is no right “%(name)s”.") % {"name": unknown[0]}})
    role.name = _named(Group, role.pk, name)
    role.full_clean()
    role.save()
    wanted = models.Q(pk__in=[])
    for right in rights:
        app, codename = right.split(".")
        wanted |= models.Q(content_type__app_label=app, codename=codename)
    others = role.permissions.exclude(pk__in=_ours())
    role.permissions.set([*Permission.objects.filter(wanted), *others])
    if second_factor is not None:
        RolePolicy.objects.update_or_create(group=role, defaults={"mfa_required": second_factor})


def _ours() -> list[int]:
    """Permissions that are rights of ours; a group may have some of Django's own too."""
    rows = Permission.objects.values_list("pk", "content_type__app_label", "codename")
    return [pk for pk, app, codename in rows if f"{app}.{codename}" in RIGHTS]


def delete_role(role: Group) -> None:
    if role.name in ROLES:
        raise Refused("shipped", _("A role that comes with the panel stays; take its rights away instead."))
    role.delete()


# --- teams and protections


def save_team(team: Team, name: str) -> None:
    team.name = _named(Team, team.pk, name)
    team.full_clean()
    team.save()


def add_rule(team: Team, aspect: str, pbx: str, name: str) -> None:
    rule = TeamRule(team=team, aspect=aspect, pbx=_pattern("pbx", pbx), name=_pattern("name", name))
    if aspect == TeamRule.Of.PBX:
        rule.name = "*"  # all of it, whatever the name
    rule.full_clean()
    rule.save()


def drop_rule(team: Team, aspect: str, pbx: str, name: str) -> None:
    team.rules.filter(aspect=aspect, pbx=pbx, name=name).delete()


def add_member(team: Team, username: str) -> None:
    team.members.add(_user(username))


def drop_member(team: Team, username: str) -> None:
    team.members.remove(_user(username))


def _user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise ValidationError({"username": _("There is nobody of this name.")})
    return user


def save_protected(protected: Protected) -> None:
    protected.pbx, protected.extension = _pattern("pbx", protected.pbx), _pattern("extension", protected.extension)
    protected.full_clean()
    protected.save()


# --- what all of these need


def _pattern(field_name: str, text: str) -> str:
    if text.count("*") > MOST_STARS:
        raise ValidationError({field_name: _("At most %(most)d * in a pattern.") % {"most": MOST_STARS}})
    return text.strip()


def _named(model: type[Group] | type[Team], pk: int | None, name: str) -> str:
    """`|` parts names in CSV; two that differ only in case would be mistaken for each other."""
    name = " ".join(name.split())
    if "|" in name or not name.isprintable():
        raise ValidationError({"name": _("A name is made of letters, digits and signs, but not of |.")})
    manager: models.Manager[Any] = model._default_manager
    if manager.filter(name__iexact=name).exclude(pk=pk).exists():
        raise ValidationError({"name": _("There is one of this name already.")})
    return name


def _all(model: type[Group] | type[Team], names: Iterable[str], words: str, field_name: str) -> list[Any]:
    manager: models.Manager[Any] = model._default_manager
    found = {one.name: one for one in manager.filter(name__in=list(names))}
    for name in names:
        if name not in found:
            raise ValidationError({field_name: words % {"name": name}})
    return list(found.values())
