"""What is done to one leg of a call: mute it, press its keys. Asterisk tells of neither's effect to anybody."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

import ami
from accounts.permissions import UserSnapshot
from floor.registry import Action, Args, Asked, Found, Plan, Refused
from floor.words import gettext_lazy as _
from live import channels
from live.channels import Channel
from live.pbx import Pbx


class MuteArgs(Args):
    muted: Annotated[bool, Asked(_("Muted"))] = True
    direction: Annotated[
        Literal["in", "out", "all"],
        Asked(_("What"), choices={"in": _("What it says"), "out": _("What it hears"), "all": _("Both")}),
    ] = "in"
    """What the party says, what it hears, or both."""


class KeysArgs(Args):
    keys: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9*#A-D]{1,32}$"),
        Asked(_("Keys"), _("0 to 9, *, #, A to D"), format="keys"),
    ]


def _up(leg: Channel) -> Channel:
    if leg.state != channels.UP:
        raise Refused("not_now")
    return leg


def plan_mute(pbx: Pbx, found: Found, args: MuteArgs, user: UserSnapshot) -> Plan:
    """Neither an event nor a list tells of it [measured on 16 and 22]; it needs class ``system``."""
    leg = _up(found.subject)
    send = ami.actions.mute_audio(leg.uniqueid, args.direction, "on" if args.muted else "off")
    return Plan((send,), lambda pbx: False, unprovable=True)


def plan_keys(pbx: Pbx, found: Found, args: KeysArgs, user: UserSnapshot) -> Plan:
    """Heard by who sits at the leg. Events of keys are of a class that the panel does not read (card numbers)."""
    leg = _up(found.subject)
    sends = tuple(ami.actions.play_dtmf(leg.uniqueid, key) for key in args.keys)
    return Plan(sends, lambda pbx: False, unprovable=True)


MUTE = Action("calls.mute", "party", _("Mute"), plan_mute, MuteArgs, when="up", records=True)
KEYS = Action("calls.keys", "party", _("Send keys"), plan_keys, KeysArgs, when="up")

ACTIONS = (MUTE, KEYS)
