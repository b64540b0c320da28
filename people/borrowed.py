"""What the pages use of audit and decisions, each by one thin function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.permissions import enough
from accounts.rights import RIGHTS
from accounts.snapshots import snapshot_of
from audit import trail
from audit.record import What, Who
from floor.registry import Action


def changed(
    who: Who, verb: str, kind: str, key: int, words: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Into the audit, in the transaction of the change: of both the fields that differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    args = {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }
    trail.outcome(who, _what(verb, kind, key, words, args), "done")


def denied(who: Who, verb: str, code: str, words: str) -> None:
    trail.denied(who, _what(verb, "", 0, words, {}), code)


def _what(verb: str, kind: str, key: int, words: str, args: Mapping[str, Any]) -> What:
    return What(uuid4().hex, verb, target_kind=kind, target_key=str(key or ""), target_words=words, args=args)


@dataclass(frozen=True, slots=True)
class Explained:
    allowed: bool
    reasons: tuple[str, ...]


def explain(user: User, action: Action, key: str) -> Explained:
    """Why she may do this to what the key names (`office/204`), or may not, as of now. So far: whether one of her
    roles gives the right."""
    snapshot, wanted = snapshot_of(user), enough(action.right)
    if not snapshot.active:
        return Explained(False, (_("The account of %(user)s is not active.") % {"user": user.name},))
    words = {"user": user.name, "right": ", ".join(f"“{RIGHTS[one]}”" for one in sorted(wanted) if one in RIGHTS)}
    roles = Group.objects.order_by("name").prefetch_related("permissions__content_type")
    rights = {g.name: {f"{p.content_type.app_label}.{p.codename}" for p in g.permissions.all()} for g in roles}
    givers = [name for name, given in rights.items() if given & wanted]
    if not wanted & snapshot.rights:
        said = _("%(user)s lacks the right %(right)s. It comes with: %(roles)s.")
        return Explained(False, (said % {**words, "roles": ", ".join(givers)},))
    hers = [name for name in snapshot.roles if name in givers]
    if not hers:
        return Explained(True, (_("%(user)s has the right %(right)s without a role.") % words,))
    said = ngettext(
        "The role %(roles)s gives %(user)s the right %(right)s.",
        "The roles %(roles)s give %(user)s the right %(right)s.",
        len(hers),
    )
    return Explained(True, (said % {**words, "roles": ", ".join(hers)},))
