"""`decide()`: the only place that answers whether somebody may do something. Pure: no Django, no I/O, no clock.

Who asks gives snapshots of the user and of the live target, taken at that moment, and acts on the answer before
anything can change them.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from accounts.monitoring_policy import Mode, Policies

DenyCode: TypeAlias = Literal["inactive", "no_right", "hidden", "protected", "scope"]
"""Why not. She has no account that is active; she lacks the right; it lies outside what she may see (then it is to her
as if it were not there); somebody on it may not be monitored; part of it lies outside what she may act on."""

Aspect: TypeAlias = Literal["pbx", "extension", "queue", "conference"]

EVERYWHERE: Final = "floor.everywhere"
"""The right by which one's teams limit nothing."""

NUMBERS: Final = "calls.numbers"
"""The right to see outside numbers in full."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One part of the floor, as teams and protections name it. ``pbx`` and ``name`` are patterns: `*` stands for any
    signs, also none, `?` for one; all others for themselves. The aspect `pbx` is all of a PBX, whatever the name."""

    aspect: Aspect
    pbx: str
    name: str = "*"

    def covers(self, aspect: Aspect, pbx: str, name: str) -> bool:
        if self.aspect != "pbx" and (self.aspect != aspect or not _pattern(self.name).fullmatch(name)):
            return False
        return _pattern(self.pbx).fullmatch(pbx) is not None


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the floor that is somebody's: what one of the rules covers."""

    rules: frozenset[Rule] = frozenset()
    everywhere: bool = False

    def covers(self, aspect: Aspect, pbx: str, name: str = "") -> bool:
        """Whether this is in it; of a whole PBX: ``covers("pbx", pbx)``."""
        return self.everywhere or _covered(self.rules, aspect, pbx, name)


WHOLE_FLOOR: Final = Scope(everywhere=True)


@functools.lru_cache(maxsize=4_096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text), re.DOTALL)


@functools.lru_cache(maxsize=100_000)
def _covered(rules: frozenset[Rule], aspect: Aspect, pbx: str, name: str) -> bool:
    return any(rule.covers(aspect, pbx, name) for rule in rules)


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
    scope: Scope = Scope()
    """Her teams' part of the floor, and her own phones."""
    protected: frozenset[Rule] = frozenset()
    """Who may not be monitored by anybody, as of when this was read."""
    monitoring: Policies | None = None
    """How people are told that they are monitored, as of the same moment (accounts.monitoring_policy); None: as it is
    until somebody decides."""

    def phone(self, pbx: str) -> str:
        """The dial string of her phone on this PBX, or ""."""
        return dict(self.phones).get(pbx, "")

    def limited(self, granted: frozenset[str]) -> UserSnapshot:
        """Her, with no more than these of her rights: what a token grants. Her teams limit a token that does not
        grant the whole floor."""
        rights = self.rights & granted
        return replace(self, rights=rights, scope=replace(self.scope, everywhere=EVERYWHERE in rights))


@dataclass(frozen=True, slots=True)
class TargetSnapshot:
    """What an action is about: an entity of the live model, and where on the floor it lies."""

    kind: str  # call, party, …: the entity kinds of docs/frames.md
    key: str
    pbx: str
    numbers: tuple[str, ...] = ()  # all of our own side that take part in it, or in the call that it is a part of
    acted: tuple[str, ...] = ()  # those of them that it is done to, where that is not the whole
    queue: str = ""  # the queue that it came through, stands in, or is
    room: str = ""  # the conference that it sits in, or is
    vouched: tuple[str, ...] = ()  # those of `numbers` that are there for that queue (its members) or room
    owner: int = 0  # the id of the user who began it; 0 if nobody did, or it is not known
    device: str = ""  # the phone that it is at: technology and resource, as in a dial string
    shown_by: str = ""  # the right by which its kind is seen at all
    mode: Mode | None = None  # of somebody who listens: how


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
    # To keep less than is kept needs the same right as to begin, and not that all of it be hers: somebody protected
    # may have come to it since.
    "calls.stop_record": (frozenset(), frozenset({"calls.record"})),
    "calls.pause_record": (frozenset(), frozenset({"calls.record"})),
    "conferences.stop_record": (frozenset(), frozenset({"conferences.record"})),
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


MONITORS_ALL: Final = frozenset(
    {"calls.listen", "calls.whisper", "calls.barge", "calls.switch", "calls.record", "conferences.record"}
)
"""What is heard or kept of everybody on it: all of them must be in scope, and none protected."""

NEEDS_ALL: Final = MONITORS_ALL | {"calls.pickup"}
"""Who takes a call takes it from whom it rings, so it must not be one outside her scope."""


def decide(user: UserSnapshot, right: str, target: TargetSnapshot | None) -> Decision:
    """May this user do what needs `right` to `target` (None: to nothing in particular, as in "see the board")?

    The first reason that holds is the answer: an inactive user learns nothing about rights that she once had, and who
    lacks the right, or may not see it, nothing of what there is.
    """
    if not user.active:
        return Deny("inactive")
    if not enough(right) & user.rights:
        return Deny("no_right")
    if target is None:
        return Allow()
    own = is_own(user, target)
    # Her own listening she may end wherever it has gone; not turn it to more than she might begin there.
    ends = own and target.kind == "spy" and right not in MONITORS_ALL
    if not ends and not (shown(user.rights, target) and sees(user.scope, target)):
        return Deny("hidden")
    if not enough(right, own) & user.rights:
        return Deny("no_right")
    if ends:
        return Allow()
    if right in MONITORS_ALL and protected(user, target):
        return Deny("protected")
    if outside(user, right, target):
        return Deny("scope")
    return Allow()


def shown(rights: frozenset[str], target: TargetSnapshot) -> bool:
    """Whether somebody with these rights is shown things of its kind."""
    return not target.shown_by or target.shown_by in rights


def protected(user: UserSnapshot, target: TargetSnapshot) -> tuple[str, ...]:
    """Who on it may not be monitored."""
    return tuple(
        number
        for number in target.numbers
        if any(rule.covers("extension", target.pbx, number) for rule in user.protected)
    )


def outside(user: UserSnapshot, right: str, target: TargetSnapshot) -> tuple[str, ...]:
    """Who on it, of those whom it is done to, is not in her part of the floor."""
    meant = target.numbers if right in NEEDS_ALL else target.acted
    return tuple(number for number in meant if not in_scope(user.scope, target, number))


def sees(scope: Scope, target: TargetSnapshot) -> bool:
    """Whether some of it lies in that part of the floor."""
    if target.kind == "pbx":
        return scope.everywhere or any(_pattern(rule.pbx).fullmatch(target.pbx) for rule in scope.rules)
    return (
        scope.covers("pbx", target.pbx)
        or _in_its_place(scope, target)
        or any(scope.covers("extension", target.pbx, number) for number in target.numbers)
    )


def visible(user: UserSnapshot, target: TargetSnapshot) -> bool:
    """Whether this is shown to her: it is of a kind that she may see and of her part of the floor, or it is her own
    listening, wherever that has gone."""
    if not shown(user.rights, target):
        return False
    if target.kind == "spy" and is_own(user, target):
        return True
    return sees(user.scope, target) and not (target.kind == "spy" and _untold(user, target))


def _untold(user: UserSnapshot, target: TargetSnapshot) -> bool:
    """Somebody listens to a call at her own phone, and the policy has it that she is not told. Who has the whole floor
    sees who listens on it, wherever it is."""
    if user.monitoring is None or user.scope.everywhere or target.mode is None:
        return False
    hers = {phone.partition("/")[2] for pbx, phone in user.phones if pbx == target.pbx}
    return not hers.isdisjoint(target.numbers) and user.monitoring.of(target.mode, target).told == "no"


def _in_its_place(scope: Scope, target: TargetSnapshot) -> bool:
    return (target.queue != "" and scope.covers("queue", target.pbx, target.queue)) or (
        target.room != "" and scope.covers("conference", target.pbx, target.room)
    )


def in_scope(scope: Scope, target: TargetSnapshot, number: str) -> bool:
    """A queue in scope answers for its members on the calls that it gave them, not on others of theirs."""
    return scope.covers("extension", target.pbx, number) or (number in target.vouched and _in_its_place(scope, target))
