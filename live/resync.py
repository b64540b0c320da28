"""What to ask Asterisk after each login, in which order, and where each answer goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

LISTENED_S: Final = 2.0
"""Every so often, while the panel listens to somebody, it is read again who talks with whom: should an event fail to
tell, nobody hears for longer than that what she may not."""

UNTOLD_S: Final = 10.0
"""Every so often what no event tells is read again, while there is something of the kind."""


@dataclass(frozen=True, slots=True)
class Step:
    """One list and what its ``Complete`` does to the model: an atomic replace, returning the number of corrections."""

    action: Action
    replace: Callable[[Pbx, list[Message], float], int]
    then: Callable[[Pbx], tuple[Step, ...]] = lambda pbx: ()
    """What to ask when this and its like are taken: lists for which one must know names first."""


def _rooms(then: Callable[[Pbx], tuple[Step, ...]] = lambda pbx: ()) -> Step:
    def replace(pbx: Pbx, items: list[Message], now: float) -> int:
        return pbx.conferences.replace_rooms(items, now)

    return Step(actions.confbridge_list_rooms(), replace, then)


def _members(names: Iterable[str]) -> tuple[Step, ...]:
    def step(name: str) -> Step:
        def replace(pbx: Pbx, items: list[Message], now: float) -> int:
            return pbx.conferences.replace_members(name, items, now)

        return Step(actions.confbridge_list(name), replace)

    # Of a name that can't be asked about, as it stands, events alone tell.
    return tuple(step(name) for name in names if name and name == name.strip())


def _registrations(technology: str, action: Action) -> Step:
    def replace(pbx: Pbx, items: list[Message], now: float) -> int:
        pbx.lines.replace_registrations(technology, items)
        return 0

    return Step(action, replace)


QUEUES: Final = Step(actions.queue_status(), lambda pbx, items, now: pbx.queues.replace(items, now))
"""What alone tells a queue's counters, and the order of callers after a change of priority."""

CHANNELS: Final = Step(actions.core_show_channels(), Pbx.replace_channels)
"""What alone tells where in the dialplan a leg is."""

BRIDGES: Final = Step(actions.bridge_list(), Pbx.replace_bridges)

# Bridges first: the channels' list names bridges by id only, and what a bridge is decides what a call is.
WHO_TALKS: Final = (BRIDGES, CHANNELS)

STEPS: Final = (
    *WHO_TALKS,
    _rooms(then=lambda pbx: _members(pbx.conferences.rooms)),
    QUEUES,
    Step(actions.parked_calls(), lambda pbx, items, now: pbx.parking.replace(items, now)),
    Step(actions.device_state_list(), lambda pbx, items, now: pbx.devices.replace_states(items, now)),
    Step(actions.extension_state_list(), lambda pbx, items, now: pbx.devices.replace_hints(items, now)),
    _registrations("PJSIP", actions.pjsip_show_registrations_outbound()),
    _registrations("SIP", actions.sip_show_registry()),
    _registrations("IAX2", actions.iax_registry()),
)

LOCKS: Final = _rooms()
"""What alone tells whether a room is locked."""


def untold(pbx: Pbx) -> tuple[Step, ...]:
    """What to ask every ``UNTOLD_S``: locks while there are rooms, and the members of rooms where somebody is new; the
    counters of queues while there are any."""
    rooms = _rooms(then=lambda pbx: _members(pbx.conferences.unread()))
    return (*((rooms,) if pbx.conferences.rooms else ()), *((QUEUES,) if pbx.queues.queues else ()))
