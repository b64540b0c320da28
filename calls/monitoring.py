"""Listen, whisper, barge, pick up: at the supervisor's own phone, which rings first; switch, and stop.

Each rings her phone by an Originate under an id of ours, and names one live channel, exactly (design: never a prefix,
never built from an extension).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

import ami
from accounts.monitoring_policy import LONGEST_REASON, Mode, policy_of, same_for_all_modes
from accounts.permissions import UserSnapshot
from floor import ringing
from floor.registry import Action, Args, Asked, Found, NoArgs, Plan, Refused, name_of
from floor.words import Words
from floor.words import gettext_lazy as _
from live import channels, sides
from live.bridges import Kind
from live.calls import Call
from live.channels import Channel
from live.pbx import Pbx
from live.resync import CHANNELS
from live.spies import Spy

TALKS = frozenset({"talking", "hold"})


class PartyArgs(Args):
    party: Annotated[str, StringConstraints(max_length=200)] = Field("", json_schema_extra={"entity": "party"})
    """Which of the call's parties, by key; "" leaves the choice to the panel."""


class MonitorArgs(PartyArgs):
    reason: Annotated[
        str,
        StringConstraints(max_length=LONGEST_REASON, strip_whitespace=True),
        Asked(_("Reason"), _("It is kept in the audit."), format="reason"),
    ] = ""
    """Why, where the policy wants to know; it goes into the audit."""


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


def _as_clicked(found: Found, leg: Channel) -> Callable[[Pbx], bool | None]:
    """Whether the leg still talks on the call that was clicked on, with the same ones."""

    def meant(pbx: Pbx) -> bool | None:
        if leg.uniqueid not in pbx.channels:
            return True  # then ChanSpy finds nobody, and says so
        call = pbx.calls.get(found.subject.id)
        if call is None or call.rev != found.rev:
            return False
        return True if pbx.calls.rev(call) == found.rev else None

    return meant


# --- how

ALL_THREE = frozenset({"calls.listen", "calls.whisper", "calls.barge"})
"""Who holds these may switch at her phone, by its keys 4, 5 and 6: nobody else's phone is made so."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way of joining a call with her phone."""

    verb: str
    label: Words
    prefix: str
    """Of the leg's id: it says what the leg was made for, after a restart of the panel too."""
    caller: str
    """Which of the PBX's manners her phone shows."""
    where: Callable[[Pbx, Call, str], Channel]
    build: Callable[..., ami.Action]
    target: Callable[[Pbx, Channel], str]
    mode: Mode | None = None
    """How it monitors, if it does."""

    def plan(self, pbx: Pbx, found: Found, args: PartyArgs, user: UserSnapshot) -> Plan:
        phone = ringing.her_phone(user, pbx)
        leg = self.where(pbx, found.subject, args.party)
        if self.mode is None:
            channel_id = ringing.named(self.prefix)
            return ringing.plan(pbx, channel_id, self._send(pbx, leg, phone, channel_id))
        target = found.target("call", pbx.name)
        policy = policy_of(user, self.mode, target)
        reason = args.reason if isinstance(args, MonitorArgs) else ""
        if policy.reason and not reason:
            raise Refused("reason_required")
        toned = policy.told == "tone"
        switchable = user.rights >= ALL_THREE and same_for_all_modes(user, target)
        marks = (channels.TONED if toned else "") + (channels.SWITCHABLE if switchable else "")
        channel_id = ringing.named(self.prefix + marks)
        send = self._send(pbx, leg, phone, channel_id, switchable=switchable)
        plan = ringing.plan(pbx, channel_id, send, meant=_as_clicked(found, leg))
        return replace(plan, told=policy.told, reason=reason, tone=leg.uniqueid if toned else "")

    def _send(self, pbx: Pbx, leg: Channel, phone: str, channel_id: str, **more: bool) -> ami.Action:
        return self.build(
            phone,
            self.target(pbx, leg),
            channel_id=channel_id,
            caller_name=getattr(pbx.manners, self.caller),
            caller_number=ringing.number_of(pbx, leg),
            ring_ms=pbx.manners.ring_s * 1000,
            **more,
        )

    @property
    def action(self) -> Action:
        when: Literal["talks", "rings"] = "talks" if self.mode else "rings"
        args = MonitorArgs if self.mode else PartyArgs
        return Action(self.verb, "call", self.label, self.plan, args, when=when, phone=True)


WAYS = (
    # Her phone rings, and hears both sides; nobody hears it.
    _Way(
        verb="calls.listen",
        label=_("Listen"),
        prefix=channels.LISTEN,
        caller="listen",
        where=_ear,
        build=ami.actions.listen,
        target=lambda pbx, leg: leg.uniqueid,
        mode="listen",
    ),
    # As listening, and the agent, he alone, hears her phone.
    _Way(
        verb="calls.whisper",
        label=_("Whisper"),
        prefix=channels.WHISPER,
        caller="whisper",
        where=_agent,
        build=ami.actions.whisper,
        target=lambda pbx, leg: leg.uniqueid,
        mode="whisper",
    ),
    # As listening, and both sides hear her phone.
    _Way(
        verb="calls.barge",
        label=_("Barge in"),
        prefix=channels.BARGE,
        caller="barge",
        where=_ear,
        build=ami.actions.barge,
        target=lambda pbx, leg: leg.uniqueid,
        mode="barge",
    ),
    # Her phone rings, and when she answers it has the call that rang elsewhere.
    _Way(
        verb="calls.pickup",
        label=_("Pick up"),
        prefix=channels.PICKUP,
        caller="pickup",
        where=_rung,
        build=ami.actions.pickup,
        target=name_of,
    ),
)


# --- switch


class ModeArgs(Args):
    mode: Annotated[
        Literal["listen", "whisper", "barge"],
        Asked(_("To"), choices={"listen": _("Listen"), "whisper": _("Whisper"), "barge": _("Barge in")}),
    ]


def plan_switch(pbx: Pbx, found: Found, args: ModeArgs, user: UserSnapshot) -> Plan:
    """Turn her phone's leg to another mode, by the key that it would press itself. Only a leg that was made so, for
    who holds all three rights, obeys; and neither an event nor a list tells that it did [measured on 16 and 22].

    It was made so only where one policy held for all modes, and its reason was given then. Where that is another now,
    it has to be begun anew."""
    spy: Spy = found.subject
    if not user.rights >= ALL_THREE:
        raise Refused("no_right")
    if not spy.switchable:
        raise Refused("not_now")
    if policy_of(user, args.mode, found.target("spy", pbx.name)).told == "tone" and not spy.toned:
        raise Refused("no_tone")
    return Plan(
        (ami.actions.spy_mode(spy.spyer, args.mode),),
        lambda pbx: False,
        reread=(CHANNELS,),  # not for a proof: so that what the model remembers is told at once
        unprovable=True,
        taken=lambda pbx: pbx.spies.turned(spy.spyer, args.mode),
    )


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
    return Found(
        pbx.calls.key(uniqueid),
        spy.rev,
        words,
        spy,
        sides.of_leg(pbx, spyee),
        acted=sides.inside(pbx, [spyer]),
        owner=own.user_id if own is not None else 0,
        device=spyer.device,
        mode=spy.mode,
    )


def plan_stop(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Hang up the leg that listens, and no other. Proved when it is gone from the live model."""
    spy: Spy = found.subject
    return Plan((ami.actions.hangup(spy.spyer),), lambda pbx: spy.spyer not in pbx.channels)


STOP = Action(verb="calls.stop", target="spy", label=_("Stop listening"), plan=plan_stop)
SWITCH = Action(verb="calls.switch", target="spy", label=_("Switch"), plan=plan_switch, args=ModeArgs)

ACTIONS = (*(way.action for way in WAYS), STOP, SWITCH)
