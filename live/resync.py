"""What to ask Asterisk after each login, in which order, and where each answer goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ami import actions
from ami.actions import Action
from ami.protocol import Message
from live.pbx import Pbx

SETTLE_S: Final = 0.5
"""Wait before the resynced picture is shown: events older than a list may set a value back until the newer one
comes (p99 24 to 227 ms measured under overload on 22)."""

RECONCILE_S: Final = 30.0
"""Every so often the lists are read again; what they correct is drift, and should be none."""


@dataclass(frozen=True, slots=True)
class Step:
    """One list and what its ``Complete`` does to the model: an atomic replace, returning the number of corrections."""

    action: Action
    replace: Callable[[Pbx, list[Message], float], int]


STEPS: Final = (
    # Bridges first: the channels' list names bridges by id only, and what a bridge is decides what a call is.
    Step(actions.bridge_list(), Pbx.replace_bridges),
    Step(actions.core_show_channels(), Pbx.replace_channels),
)
