"""Listen, whisper, pick up: at the supervisor's own phone, which rings first; and stop.

Each rings her phone by an Originate under an id of ours, and names one live channel, exactly (design: never a prefix,
never built from an extension).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

import ami
from accounts.permissions import UserSnapshot
from floor.registry import Action, Found, NoArgs, Plan, Refused
from floor.words import gettext_lazy as _
from live import channels, ownlegs
from live.bridges import Kind
from live.calls import Call
from live.channels import Channel
from live.ownlegs import OwnLeg
from live.pbx import Pbx
from live.spies import Spy

TALKS = frozenset({"talking", "hold"})

BEYOND_RING_S = 3.0
"""After the last ring, the time for the leg to be answered, joined and seen."""

Q850_NO_ANSWER = frozenset({18, 19})
Q850_BUSY = frozenset({17, 21})
"""Busy, and rejected: a phone on "do not disturb" says either."""


class PartyArgs(BaseModel):
    """Which of the call's parties, by key; "" leaves the choice to the panel."""

    model_config = ConfigDict(extra="forbid")

    party: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="which of the call's parties; without it the agent", json_schema_extra={"entity": "party"}
    )


# --- whom


def _legs(pbx: Pbx, call: Call, wanted: str, fits: Callable[[Channel], bool]) -> Iterator[Channel]:
    """The parties' legs that fit, the one asked for alone if one was; whom the call came to before who began it."""
    for leg in reversed(pbx.calls.legs(call)):
        if wanted in ("", pbx.calls.key(leg.uniqueid)) and not leg.local_half and fits(leg):
            yield leg


def _talks(pbx: Pbx, leg: Channel) -> bool:
    bridge = pbx.bridges.get(leg.bridge)
    return bridge is not None and bridge.kind is Kind.TALK


def _ear(pbx: Pbx, call: Call, wanted: str) -> Channel:
    """Where to listen: at the agent's leg, which is the internal party's; both sides are heard at either."""
    if call.phase in TALKS:
        legs = [*_legs(pbx, call, wanted, lambda leg: _talks(pbx, leg))]
        legs.sort(key=lambda leg: pbx.calls.side(leg) != "internal")
        if legs:
            return legs[0]
    raise Refused("not_now")


def _agent(pbx: Pbx, call: Call, wanted: str) -> Channel:
    """Whom to whisper to: a party of our own side, never the customer."""
    if call.phase in TALKS:
        for leg in _legs(pbx, call, wanted, lambda leg: _talks(pbx, leg) and pbx.calls.side(leg) == "internal"):
            return leg
    raise Refused("not_now")


def _rung(pbx: Pbx, call: Call, wanted: str) -> Channel:
    """The leg that is rung. (With the caller's leg PickupChan does nothing: measured.)"""
    for leg in _legs(pbx, call, wanted, lambda leg: leg.state == channels.RINGING and not leg.bridge):
        return leg
    raise Refused("not_now")


# --- how


def _ring(user: UserSnapshot, pbx: Pbx) -> str:
    """The dial string of her phone there."""
    phone = user.phone(pbx.name)
    if not phone:
        raise Refused("no_phone")
    return phone


def _plan(pbx: Pbx, channel_id: str, send: ami.Action) -> Plan:
    """Proved when the model has seen that what the leg was made for has begun; failed when it no longer can."""

    def proved(pbx: Pbx) -> bool:
        leg = pbx.own.get(channel_id)
        return leg is not None and leg.done

    def failed(pbx: Pbx) -> tuple[str, str] | None:
        leg = pbx.own.get(channel_id)
        return _why(leg) if leg is not None and leg.failed else None

    return Plan((send,), proved, failed=failed, patience_s=pbx.manners.ring_s + BEYOND_RING_S, own_leg=channel_id)


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


def _named(prefix: str) -> str:
    return prefix + secrets.token_hex(12)


def _number(pbx: Pbx, leg: Channel) -> str:
    """Whose number her phone shows; only what is a number goes there (a stranger chooses his own)."""
    number = pbx.calls.identity(leg)[0]
    return number if number.isascii() and number.isdigit() and len(number) <= 20 else ""


def plan_listen(pbx: Pbx, found: Found, args: PartyArgs, user: UserSnapshot) -> Plan:
    """Her phone rings, and hears both sides; nobody hears it."""
    phone, leg, channel_id = _ring(user, pbx), _ear(pbx, found.subject, args.party), _named(channels.LISTEN)
    send = ami.actions.listen(
        phone,
        leg.uniqueid,
        channel_id=channel_id,
        caller_name=pbx.manners.listen,
        caller_number=_number(pbx, leg),
        ring_ms=pbx.manners.ring_s * 1000,
    )
    return _plan(pbx, channel_id, send)


def plan_whisper(pbx: Pbx, found: Found, args: PartyArgs, user: UserSnapshot) -> Plan:
    """As listening, and the agent, he alone, hears her phone."""
    phone, leg, channel_id = _ring(user, pbx), _agent(pbx, found.subject, args.party), _named(channels.WHISPER)
    send = ami.actions.whisper(
        phone,
        leg.uniqueid,
        channel_id=channel_id,
        caller_name=pbx.manners.whisper,
        caller_number=_number(pbx, leg),
        ring_ms=pbx.manners.ring_s * 1000,
    )
    return _plan(pbx, channel_id, send)


def plan_pickup(pbx: Pbx, found: Found, args: PartyArgs, user: UserSnapshot) -> Plan:
    """Her phone rings, and when she answers it has the call that rang elsewhere."""
    phone, leg, channel_id = _ring(user, pbx), _rung(pbx, found.subject, args.party), _named(channels.PICKUP)
    send = ami.actions.pickup(
        phone,
        leg.name,
        channel_id=channel_id,
        caller_name=pbx.manners.pickup,
        caller_number=_number(pbx, leg),
        ring_ms=pbx.manners.ring_s * 1000,
    )
    return _plan(pbx, channel_id, send)


# --- stop


def find_spy(pbx: Pbx, uniqueid: str) -> Found | None:
    """The leg of this Uniqueid that listens."""
    spy = pbx.spies.get(uniqueid)
    if spy is None:
        return None
    spyer, spyee = pbx.channels[uniqueid], pbx.channels[spy.spyee]
    own = pbx.own.get(uniqueid)
    (number, name), (heard, heard_name) = pbx.calls.identity(spyer), pbx.calls.identity(spyee)
    words = f"{number} {name}".strip() + f" ({spy.mode}) → " + f"{heard} {heard_name}".strip()
    inside = (heard,) if pbx.calls.side(spyee) == "internal" else ()
    owner = own.user_id if own is not None else 0
    return Found(pbx.calls.key(uniqueid), spy.rev, words, inside, spy, owner, spyer.device)


def plan_stop(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Hang up the leg that listens, and no other. Proved when it is gone from the live model."""
    spy: Spy = found.subject
    return Plan((ami.actions.hangup(spy.spyer),), lambda pbx: spy.spyer not in pbx.channels)


LISTEN = Action(
    verb="calls.listen",
    target="call",
    label=_("Listen"),
    args=PartyArgs,
    when="talks",
    phone=True,
    plan=plan_listen,
)

WHISPER = Action(
    verb="calls.whisper",
    target="call",
    label=_("Whisper"),
    args=PartyArgs,
    when="talks",
    phone=True,
    plan=plan_whisper,
)

PICKUP = Action(
    verb="calls.pickup",
    target="call",
    label=_("Pick up"),
    args=PartyArgs,
    when="rings",
    phone=True,
    plan=plan_pickup,
)

STOP = Action(verb="calls.stop", target="spy", label=_("Stop listening"), plan=plan_stop)
