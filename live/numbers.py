"""Which numbers may be dialled from the panel, by whom, and how many of them. Pure: time comes in.

Toll fraud is what this is against: a stolen session, or a script, that calls premium numbers all night. So extensions
only, until an administrator says otherwise; and limits that hold for what she allowed.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

_DIALLED: Final = re.compile(r"\+?[0-9*#]{1,40}")
_SPACING: Final = str.maketrans("", "", " -().\u00a0")
_MINUTE: Final = 60.0

Why = Literal["number_bad", "number_denied", "too_many_calls"]


def dialled(text: str) -> str:
    """What a person wrote, as it is dialled: ``+7 (495) 123-45-67`` → ``+74951234567``; "" if it is no number."""
    number = text.translate(_SPACING)
    return number if _DIALLED.fullmatch(number) else ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be dialled. Patterns must match the whole number."""

    allowed: re.Pattern[str]
    """By anybody who may call at all."""
    by_role: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """By who has that role, besides."""
    denied: tuple[str, ...] = ()
    """Prefixes that nobody dials, whatever is allowed; ``+`` or not makes no difference."""
    longest: int = 20
    per_minute: int = 10
    """Of one user."""
    per_minute_all: int = 60
    at_once: int = 30
    """Calls that the panel made and that go on."""

    def refuses(self, number: str, roles: Iterable[str]) -> Why | Literal[""]:
        """Why this user may not dial this number (as ``dialled`` gives it), or ""."""
        if not number or len(number) > self.longest:
            return "number_bad"
        if any(number.lstrip("+").startswith(prefix.lstrip("+")) for prefix in self.denied):
            return "number_denied"
        patterns = [self.allowed, *(self.by_role[role] for role in roles if role in self.by_role)]
        return "" if any(pattern.fullmatch(number) for pattern in patterns) else "number_denied"


class Meter:
    """Counts what was dialled on one PBX in the last minute."""

    def __init__(self) -> None:
        self._times: defaultdict[int | None, deque[float]] = defaultdict(deque)
        """By user (0 is who has no account: a shell, a script); None is all."""

    def take(self, policy: Policy, user_id: int, alive: int, now: float) -> bool:
        """Count one more, if there may be one more. ``now``: seconds of a clock that never goes back."""
        if alive >= policy.at_once:
            return False
        for who, most in ((user_id, policy.per_minute), (None, policy.per_minute_all)):
            times = self._times[who]
            while times and now - times[0] >= _MINUTE:
                times.popleft()
            if len(times) >= most:
                return False
        for who in (user_id, None):
            self._times[who].append(now)
        return True
