"""Why somebody may do something, or may not, in words: what `decide()` answers, told to who manages roles and teams.

Pure, as `decide()` is; the words are those of the language that is active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.permissions import (
    DenyCode,
    Rule,
    Scope,
    TargetSnapshot,
    UserSnapshot,
    decide,
    enough,
    is_own,
    outside,
    protected,
    sees,
    shown,
)
from accounts.rights import RIGHTS


@dataclass(frozen=True, slots=True)
class Standing:
    """A user, and where what she holds comes from."""

    user: UserSnapshot
    roles: Mapping[str, frozenset[str]]
    """Every role there is, and the rights that it gives. Hers are named in ``user.roles``."""
    teams: Mapping[str, frozenset[Rule]]
    """The teams that she is in, and their parts of the floor."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """``code``: "" if she may and can, else ``decide()``'s or that of the state which forbids it. ``reasons``: one
    sentence each, the deciding one last."""

    allowed: bool
    code: str
    reasons: tuple[str, ...]


def explain(
    standing: Standing,
    right: str,
    target: TargetSnapshot | None,
    *,
    state: str = "",
    named: bool = True,
) -> Explanation:
    """Why the user may or can't do what needs ``right`` to ``target`` (None: there is no such thing now, or
    ``state`` says why nobody knows).

    ``state``: the code of docs/frames.md with which it would be refused though she may, "" for none (what the phone
    and the call are like, ``floor.asking`` finds out). ``named``: the reader may know who is protected, and who else
    is on it; without, it says "somebody".
    """
    user = standing.user
    if not user.active:
        return Explanation(False, "inactive", (_("The account of %(user)s is not active.") % {"user": user.name},))
    reasons = [_right(standing, right)]
    decision = decide(user, right, target)
    if target is None:
        if not decision.allowed:
            return Explanation(False, decision.code, tuple(reasons))
        code = state or "gone"
        return Explanation(False, code, (*reasons, str(STATES.get(code, code))))
    if not decision.allowed:
        if decision.code != "no_right" or enough(right) & user.rights:
            reasons += map(str, _denied(standing, right, target, decision.code, named))
        return Explanation(False, decision.code, tuple(reasons))
    reasons += _covered(standing, target)
    if state:
        reasons.append(str(STATES.get(state, state)))
    return Explanation(not state, state, tuple(reasons))


def _right(standing: Standing, right: str) -> str:
    """Which of her roles gives it, or which would."""
    user, wanted = standing.user, enough(right)
    named = _list(_("“%(right)s”") % {"right": RIGHTS[one]} for one in sorted(wanted) if one in RIGHTS) or right
    words = {"user": user.name, "right": named}
    if not wanted & user.rights:
        givers = [role for role, rights in standing.roles.items() if rights & wanted]
        if not givers:
            return _("%(user)s lacks the right %(right)s, which no role gives.") % words
        return _("%(user)s lacks the right %(right)s. It comes with: %(roles)s.") % {**words, "roles": _list(givers)}
    hers = [role for role in user.roles if standing.roles.get(role, frozenset()) & wanted]
    if not hers:
        return _("%(user)s has the right %(right)s without a role.") % words
    return ngettext(
        "The role %(roles)s gives %(user)s the right %(right)s.",
        "The roles %(roles)s give %(user)s the right %(right)s.",
        len(hers),
    ) % {**words, "roles": _list(hers)}


def _denied(
    standing: Standing, right: str, target: TargetSnapshot, code: DenyCode, named: bool
) -> Iterator[str | Promise]:
    user = standing.user
    words = {"user": user.name}
    if code == "hidden" and not shown(user.rights, target):
        yield _("%(user)s lacks the right “%(right)s”, without which nothing of the kind is seen.") % {
            **words,
            "right": RIGHTS[target.shown_by],
        }
    elif code == "hidden":
        yield _("Nothing of it is in a team of %(user)s.") % words
    elif code == "no_right":
        yield _("%(user)s did not begin it: it needs the right to act on what others began.") % words
    elif named:
        numbers = protected(user, target) if code == "protected" else outside(user, right, target)
        yield from _covered(standing, target)
        yield _NAMED[code](len(numbers)) % {**words, "who": _list(number or _("no number") for number in numbers)}
    else:
        yield _SOMEBODY[code]


def _covered(standing: Standing, target: TargetSnapshot) -> Iterator[str]:
    """By what it is in her part of the floor."""
    user = standing.user
    words = {"user": user.name}
    if user.scope.everywhere:
        yield _("The whole floor is open to %(user)s.") % words
    elif is_own(user, target):
        yield _("%(user)s began it, or it is at the own phone of %(user)s.") % words
    for team, rules in sorted(standing.teams.items()):
        by = [_rule(rule) for rule in sorted(rules, key=str) if sees(Scope(frozenset({rule})), target)]
        if by:
            yield _("The team %(team)s covers it: %(rules)s.") % {"team": team, "rules": _list(by)}
    own = Scope(user.scope.rules.difference(*standing.teams.values()))
    if sees(own, target):
        yield _("It is at a phone of %(user)s.") % words


def _rule(rule: Rule) -> str:
    words = {"name": rule.name, "pbx": rule.pbx}
    return {
        "pbx": _("the whole PBX %(pbx)s"),
        "extension": _("extension %(name)s (PBX %(pbx)s)"),
        "queue": _("queue %(name)s (PBX %(pbx)s)"),
        "conference": _("conference %(name)s (PBX %(pbx)s)"),
    }[rule.aspect] % words


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


_NAMED: Final[Mapping[str, Callable[[int], str]]] = {
    "protected": lambda many: ngettext(
        "%(who)s is protected: nobody may listen to it, speak to it unasked or record it.",
        "%(who)s are protected: nobody may listen to them, speak to them unasked or record them.",
        many,
    ),
    "scope": lambda many: ngettext("%(who)s is in no team of %(user)s.", "%(who)s are in no team of %(user)s.", many),
}

_SOMEBODY: Final[Mapping[str, str | Promise]] = {
    "protected": gettext_lazy("Somebody on it may not be monitored."),
    "scope": gettext_lazy("Part of it is in no team of the user."),
}

STATES: Final[Mapping[str, str | Promise]] = {
    "not_now": gettext_lazy("It is in no state for it now: a call must talk, or ring."),
    "no_phone": gettext_lazy("No phone of the user is known on this PBX: it could not ring."),
    "no_extension": gettext_lazy("The PBX knows no phone for the extension."),
    "no_recording": gettext_lazy("The panel has no account on this PBX that may do it."),
    "link_down": gettext_lazy("The PBX is not reachable now."),
    "no_worker": gettext_lazy("The PBX is not reachable now."),
    "pbx_unknown": gettext_lazy("The panel knows no such PBX, or nobody is connected to it."),
    "gone": gettext_lazy("There is no such thing on the PBX now."),
    "ambiguous": gettext_lazy("Several are called so now: name one by its key."),
}
"""Of codes of docs/frames.md: why what is allowed can't be done now."""
