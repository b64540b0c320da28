"""How a PBX is to be taken: what its names mean, and how phones of its users are rung for the panel's own ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from live.dialling import Policy

EXTENSIONS: Final = r"^\d{2,6}$"
"""Whole numbers that are extensions of ours even where the PBX has no hint and no queue member for them."""

TRUNKS: Final = (
    r"(?i)^(?:(?:PJSIP|SIP|IAX2|OOH323)/[^/]*(?:trunk|provider|gateway|carrier|operator|pstn|sbc)|DAHDI/i\d+/)"
)
"""Channel names of the lines that lead outside: SIP endpoints that are named after what they are, and ISDN spans
(``DAHDI/i1/…``; analogue ports, phones among them, are ``DAHDI/1-1``)."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What a user's phone shows when the panel rings it, and for how long it rings; what is dialled, and where.

    The defaults are those of the script that the panel grew out of (docs/from-the-php-script.md).
    """

    ring_s: int = 15
    listen: str = "Phoenix-Spy"
    whisper: str = "Phoenix-whispers"
    barge: str = "Phoenix-Barge"
    pickup: str = "Phoenix-Pickup"
    call: str = "Phoenix-call"
    context: str = "from-internal"
    """Where in the dialplan what the panel dials is looked for: what a phone of ours reaches by dialling it."""
    dial: Policy = field(default_factory=lambda: Policy(re.compile(EXTENSIONS)))


SEED: Final = Manners()
