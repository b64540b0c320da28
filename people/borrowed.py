"""Why somebody may do something, or can't: in the place of what accounts and the floor will say of it."""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.permissions import enough
from accounts.rights import RIGHTS
from accounts.snapshots import snapshot_of
from floor.registry import Action


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
