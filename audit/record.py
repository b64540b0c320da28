"""What an entry of the trail says: who, what, and what came of it. No Django: scripts have no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

VERBS: Final[dict[str, object]] = {}
"""For each verb its words, or a promise of them: whoever registers an action puts them here."""


def told(code: str, detail: str = "") -> tuple[str, str]:
    """Code and detail as whoever asked is told them, of those that the audit has of a denial: what she may not see is
    to her as what is no more, and an extension that she may not have (``detail``) as one that the PBX does not."""
    if code == "hidden":
        return ("no_extension", detail) if detail else ("gone", "")
    return ("no_right" if code == "inactive" else code), detail


Source: TypeAlias = Literal["page", "api", "shell", "desk", "panel"]
Outcome: TypeAlias = Literal["done", "refused", "unknown"]


class AuditUnavailable(Exception):
    """The trail can't be written or read now: what needs it must not be done. The text is for the log only."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks, from where. `user_id` is None for what no user of ours does: who has a shell, a desk phone, a stranger
    who tries to sign in."""

    user_id: int | None
    name: str
    source: Source
    address: str = ""


@dataclass(frozen=True, slots=True)
class What:
    """What is asked for; `target_words` say who was on the call, for a reader who comes when the call is long gone."""

    command: str  # 32 hex digits
    verb: str
    pbx: str = ""
    target_kind: str = ""
    target_key: str = ""
    target_words: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A command that has an intent, and how it ended: `outcome` is "" as long as nobody knows."""

    who: Who
    what: What
    at: datetime
    outcome: Outcome | Literal[""] = ""
    code: str = ""
    detail: str = ""


Mode: TypeAlias = Literal["listen", "whisper", "barge"]
Why: TypeAlias = Literal["stopped", "target", "leg", "scope", "lost", "unknown"]


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody listens. Times are seconds of UTC."""

    id: str
    """32 hex digits, of this listening alone."""
    who: Who
    pbx: str
    device: str
    """The phone that listens: technology and resource, as in a dial string."""
    phone: str
    """Its number and name, as the call shows them."""
    target: str
    """The number of the leg that is heard."""
    target_name: str
    others: tuple[tuple[str, str], ...]
    """Number and name of who else is on the call."""
    call: str
    mode: Mode
    keys: bool
    """Its phone can turn it to another mode by its own keys: nobody is told."""
    action: str
    """The command that made it, "" if that is not known."""
    since: float
    told: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Turned:
    """Its mode is another: turned by this command, which was sent, and nothing proves that it was obeyed; or by none,
    when a list told what the event of its beginning had not."""

    id: str
    mode: Mode
    action: str


@dataclass(frozen=True, slots=True)
class Ended:
    """It is over. `until` is None where nobody knows since when."""

    id: str
    why: Why
    until: float | None


@dataclass(frozen=True, slots=True)
class Restarted:
    """The worker of this PBX begins: what an earlier one saw begin, and not end, ended or goes on unseen."""

    pbx: str


Heard: TypeAlias = Began | Turned | Ended | Restarted
