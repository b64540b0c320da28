"""What an entry of the trail says: who, what, and what came of it. No Django: scripts have no database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

Source: TypeAlias = Literal["page", "api", "shell"]
Outcome: TypeAlias = Literal["done", "refused", "unknown"]


class AuditUnavailable(Exception):
    """The trail can't be written or read now: what needs it must not be done. The text is for the log only."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks, from where. `user_id` is None only for what no user does (`source` then is "shell")."""

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
