"""`decide()`: the only place that answers whether somebody may do something. Pure: no Django, no I/O, no clock.

Who asks gives snapshots of the user and of the live target, taken at that moment, and acts on the answer before
anything can change them.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

DenyCode: TypeAlias = Literal["inactive", "no_right"]


@dataclass(frozen=True, slots=True)
class UserSnapshot:
    """A user as she is now; `rights` are the right strings of accounts.rights, roles already resolved."""

    id: int
    name: str
    active: bool
    rights: frozenset[str]
    language: str = "en"


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """What an action is about: an entity of the live model, and the numbers of our own side that take part in it."""

    kind: str  # call, party, …: the entity kinds of docs/frames.md
    key: str
    pbx: str
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Allow:
    allowed: Literal[True] = field(default=True, init=False)


@dataclass(frozen=True, slots=True)
class Deny:
    code: DenyCode
    allowed: Literal[False] = field(default=False, init=False)


Decision: TypeAlias = Allow | Deny


def decide(user: UserSnapshot, right: str, target: TargetSnapshot | None) -> Decision:
    """May this user do what needs `right` to `target` (None: to nothing in particular, as in "see the board")?

    The first reason that holds is the answer: an inactive user learns nothing about rights that she once had.
    """
    if not user.active:
        return Deny("inactive")
    if right not in user.rights:
        return Deny("no_right")
    return Allow()
