"""How people are told that they are monitored, and whether a reason must be given. Pure, as accounts.permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from accounts.permissions import Scope, TargetSnapshot, UserSnapshot, in_scope

Mode: TypeAlias = Literal["listen", "whisper", "barge"]
Told: TypeAlias = Literal["no", "screen", "tone"]
"""Not at all; on the page of who is monitored; by a tone that all on the call hear, and on the page."""

MODES: Final[tuple[Mode, ...]] = ("listen", "whisper", "barge")
STRICTNESS: Final[tuple[Told, ...]] = ("no", "screen", "tone")

LONGEST_REASON: Final = 200
"""Signs. A sentence; what is longer is a report, and belongs elsewhere."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for one mode. The default is what holds until somebody decides: nobody is monitored unawares."""

    told: Told = "screen"
    reason: bool = False
    """Who monitors must say why."""


def strictest(*policies: Policy) -> Policy:
    return Policy(
        told=max((policy.told for policy in policies), key=STRICTNESS.index), reason=any(p.reason for p in policies)
    )


Modes: TypeAlias = tuple[tuple[Mode, Policy], ...]
"""As a mapping, hashable: a mode that is not in it is left to the panel's own policy."""


@dataclass(frozen=True, slots=True)
class TeamPolicy:
    """One team's part of the floor, and what it has instead of the panel's policy."""

    scope: Scope
    modes: Modes = ()


@dataclass(frozen=True, slots=True)
class Policies:
    """All of them, as of when they were read. Every team is there that has a part of the floor."""

    panel: Modes = ()
    teams: tuple[TeamPolicy, ...] = ()
    reasons: tuple[str, ...] = ()
    """Those that are offered; another may be written."""

    def of(self, mode: Mode, target: TargetSnapshot) -> Policy:
        """What holds for monitoring this: for each of our own side that is heard, what each team has that he is in,
        the panel's for who is in none; of all that the strictest."""
        panel = dict(self.panel).get(mode, Policy())
        found = [
            dict(team.modes).get(mode, panel)
            for number in target.numbers
            for team in self.teams
            if in_scope(team.scope, target, number)
        ]
        alone = not all(any(in_scope(team.scope, target, number) for team in self.teams) for number in target.numbers)
        return strictest(*found, *([panel] if alone or not found else []))

    @property
    def covert(self) -> bool:
        """Whether anybody may be monitored without being told: then not everybody is shown who listens to her."""
        return any(
            policy.told == "no" for modes in (self.panel, *(t.modes for t in self.teams)) for _, policy in modes
        )


UNANSWERED: Final = Policies()


def policy_of(user: UserSnapshot, mode: Mode, target: TargetSnapshot) -> Policy:
    """What holds for this at the moment of which her snapshot is."""
    return (user.monitoring or UNANSWERED).of(mode, target)


def same_for_all_modes(user: UserSnapshot, target: TargetSnapshot) -> bool:
    """Whether it makes no difference which mode it is: a leg that its phone's own keys turn, which nobody is told of,
    must not come under another policy by it."""
    return len({policy_of(user, mode, target) for mode in MODES}) == 1


@dataclass(frozen=True, slots=True)
class Preset:
    """One regime's switches: docs/monitoring-and-law.md has the reasons."""

    told: Told
    reason: bool

    @property
    def modes(self) -> Modes:
        return tuple((mode, Policy(self.told, self.reason)) for mode in MODES)


PRESETS: Final[Mapping[str, Preset]] = {
    # Notice to the employee, and a purpose for each listening.
    "EU": Preset(told="screen", reason=True),
    "RU": Preset(told="screen", reason=True),
    "UA": Preset(told="screen", reason=True),
    # Everybody on the line consents: a beep has been taken for notice.
    "US-ALL-PARTY": Preset(told="tone", reason=False),
}
