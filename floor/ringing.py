"""Ring a phone of ours for what comes after: the plan that all such actions share, and why nothing came of one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Annotated, Final

from pydantic import StringConstraints

import ami
from accounts.permissions import UserSnapshot
from floor.registry import Plan, Refused
from live import channels, dialling, ownlegs
from live.channels import Channel
from live.ownlegs import OwnLeg
from live.pbx import Pbx

BEYOND_RING_S: Final = 3.0
"""After the last ring, the time for the leg to be answered, joined and seen."""

Q850_NO_ANSWER = frozenset({18, 19})
Q850_BUSY = frozenset({17, 21})
"""Busy, and rejected: a phone on "do not disturb" says either."""


def her_phone(user: UserSnapshot, pbx: Pbx) -> str:
    """The dial string of her phone there."""
    phone = user.phone(pbx.name)
    if not phone:
        raise Refused("no_phone")
    return phone


def named(prefix: str) -> str:
    """An id for a leg of ours: it will be its Uniqueid."""
    return prefix + secrets.token_hex(12)


def plan(
    pbx: Pbx,
    channel_id: str,
    send: ami.Action,
    done: Callable[[Pbx], bool] | None = None,
    meant: Callable[[Pbx], bool | None] = lambda pbx: True,
) -> Plan:
    """Proved when the model has seen that what the leg was made for has begun; failed when it no longer can.

    ``meant``: whether it would still be what was clicked on, None while that can't be said. A phone may ring for long:
    when it would be something else, its leg is hung up.
    """

    def proved(pbx: Pbx) -> bool:
        leg = pbx.own.get(channel_id)
        if leg is not None and done is not None and not leg.done and done(pbx):
            pbx.own.done(channel_id)
        return leg is not None and leg.done and meant(pbx) is True

    def failed(pbx: Pbx) -> tuple[str, str] | None:
        leg = pbx.own.get(channel_id)
        if channel_id in pbx.channels and meant(pbx) is False:
            return "changed", ""
        return _why(leg) if leg is not None and leg.failed else None

    def undo(pbx: Pbx) -> tuple[ami.Action, ...]:
        return (ami.actions.hangup(channel_id),) if channel_id in pbx.channels else ()

    patience_s = pbx.manners.ring_s + BEYOND_RING_S
    return Plan((send,), proved, failed=failed, undo=undo, patience_s=patience_s, own_leg=channel_id)


def _why(leg: OwnLeg) -> tuple[str, str]:
    """Why nothing came of it, as the codes of docs/frames.md and Asterisk's own words."""
    if leg.answered:
        return "too_late", ""
    if leg.reason == ownlegs.NO_ANSWER or leg.cause in Q850_NO_ANSWER:
        return "no_answer", ""
    if leg.cause in Q850_BUSY:
        return "phone_busy", leg.text
    if not leg.born:
        return "phone_unreachable", ""
    return "asterisk", leg.text


def allowed(pbx: Pbx, text: str, user: UserSnapshot) -> str:
    """The number as it is dialled, counted as one more; ``Refused`` if she may not dial it, or not now."""
    number, policy = dialling.dialled(text), pbx.manners.dial
    if why := policy.refuses(number, user.roles):
        raise Refused(why, text)
    alive = sum(uniqueid.startswith(channels.CALL) for uniqueid in pbx.channels)
    if not pbx.meter.take(policy, user.id, alive, time.monotonic()):
        raise Refused("too_many_calls")
    return number


Number = Annotated[str, StringConstraints(min_length=1, max_length=60)]
"""As a person writes it; what of it is dialled, ``allowed`` says."""


def number_of(pbx: Pbx, leg: Channel) -> str:
    """Whose number her phone shows; only what is a number goes there (a stranger chooses his own)."""
    number = pbx.calls.identity(leg)[0]
    return number if number.isascii() and number.isdigit() and len(number) <= 20 else ""
