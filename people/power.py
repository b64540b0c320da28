"""What somebody holds, and whether another holds all of it: who gives must have. Pure: no Django, no I/O, no clock."""

import re
from dataclasses import dataclass, replace
from typing import Final

from accounts.permissions import Rule, Scope

NOWHERE: Final = Scope()


@dataclass(frozen=True, slots=True)
class Power:
    """Rights and a part of the floor: of a person by her roles, teams and phones; of a role; of a team."""

    rights: frozenset[str] = frozenset()
    scope: Scope = NOWHERE

    def holds(self, other: "Power") -> bool:
        """Whether all of the other's lies within this."""
        return other.rights <= self.rights and reaches(self.scope, other.scope)

    def since(self, before: "Power") -> "Power":
        """What of this was not there before."""
        scope = self.scope
        if before.scope.everywhere:
            scope = NOWHERE
        elif not scope.everywhere:
            scope = replace(scope, rules=scope.rules - before.scope.rules)
        return Power(self.rights - before.rights, scope)


def reaches(scope: Scope, other: Scope) -> bool:
    """Whether the other lies within it. Rule by rule: where only several rules together would cover one, the answer is
    no, though a wiser head might say yes."""
    if scope.everywhere:
        return True
    return not other.everywhere and all(any(contains(mine, rule) for mine in scope.rules) for rule in other.rules)


def contains(rule: Rule, other: Rule) -> bool:
    """Whether the rule covers all that the other does, for whatever names there may ever be."""
    if rule.aspect != "pbx" and (rule.aspect != other.aspect or not _within(other.name, rule.name)):
        return False
    return _within(other.pbx, rule.pbx)


def _within(inner: str, outer: str) -> bool:
    """Whether every name that the pattern `inner` matches is matched by `outer`.

    The inner pattern is read as a name itself, in which `?` is a sign that only a wildcard matches, and `*` one that
    only `*` does. In a run of wildcards their order means nothing, so those that stand for one sign come first.
    """
    return _reader(_sorted(outer)).fullmatch(_sorted(inner)) is not None


def _sorted(pattern: str) -> str:
    return re.sub(r"[*?]+", lambda run: "?" * run[0].count("?") + "*" * ("*" in run[0]), pattern)


def _reader(pattern: str) -> re.Pattern[str]:
    """What stands between two `*` may be found where it first comes: no other place is better, so nothing is tried
    twice, however many `*` there are."""
    parts = ("".join("[^*]" if sign == "?" else re.escape(sign) for sign in part) for part in pattern.split("*"))
    first, *rest = parts
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last, re.DOTALL)
