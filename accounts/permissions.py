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
    phones: tuple[tuple[str, str], ...] = ()
    """(PBX, dial string) of each phone that is hers."""
    roles: tuple[str, ...] = ()
    """Names: what she may dial goes by them. What she may do goes by rights alone."""

    def phone(self, pbx: str) -> str:
        """The dial string of her phone on this PBX, or ""."""
        return dict(self.phones).get(pbx, "")


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """What an action is about: an entity of the live model, and the numbers of our own side that take part in it."""

    kind: str  # call, party, …: the entity kinds of docs/frames.md
    key: str
    pbx: str
    numbers: tuple[str, ...] = ()
    owner: int = 0  # the id of the user who began it; 0 if nobody did, or it is not known
    device: str = ""  # the phone that it is at: technology and resource, as in a dial string


@dataclass(frozen=True, slots=True)
class Allow:
    allowed: Literal[True] = field(default=True, init=False)


@dataclass(frozen=True, slots=True)
class Deny:
    code: DenyCode
    allowed: Literal[False] = field(default=False, init=False)


Decision: TypeAlias = Allow | Deny


_MONITORS = frozenset({"calls.listen", "calls.whisper", "calls.barge"})

# Rights that nobody is granted: what each comes to. First, which rights are enough (one of them) for what is the
# user's own; then, which for all else. To end what one began one needs no more than to be allowed to begin it.
_COME_TO: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "calls.stop": (_MONITORS, frozenset({"calls.hangup"})),
    # What one began oneself one may change, within one's rights; another's listening nobody turns to something else.
    "calls.switch": (_MONITORS, frozenset()),
}


def enough(right: str, own: bool | None = None) -> frozenset[str]:
    """The rights of which one is enough for what needs `right`, where it is the user's own (True), is not (False), or
    for some target at least (None)."""
    if right not in _COME_TO:
        return frozenset({right})
    hers, others = _COME_TO[right]
    return others if own is False else hers | others


def is_own(user: UserSnapshot, target: TargetSnapshot) -> bool:
    """She began it, or it is at her phone (who began it is forgotten when the panel restarts, and a listening that
    she dialled herself nobody was told of)."""
    if target.owner:
        return target.owner == user.id
    return target.device != "" and target.device == user.phone(target.pbx)


def decide(user: UserSnapshot, right: str, target: TargetSnapshot | None) -> Decision:
    """May this user do what needs `right` to `target` (None: to nothing in particular, as in "see the board")?

    The first reason that holds is the answer: an inactive user learns nothing about rights that she once had.
    """
    if not user.active:
        return Deny("inactive")
    own = None if target is None else is_own(user, target)
    if not enough(right, own) & user.rights:
        return Deny("no_right")
    return Allow()
