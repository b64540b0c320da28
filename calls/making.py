"""Begin a call: between her phone and a number, or between a phone of ours and a number."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Annotated, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, ConfigDict, StringConstraints

import ami
from accounts.permissions import UserSnapshot
from calls import numbers, ringing
from floor.defaults import setting
from floor.registry import Action, Found, Plan, Refused
from live import channels
from live.pbx import Pbx

_METERS: Final[defaultdict[str, numbers.Meter]] = defaultdict(numbers.Meter)
"""By PBX; one process has each, its worker's."""


def policy(pbx: str) -> numbers.Policy:
    """What the settings allow to be dialled there."""
    return numbers.Policy(
        setting(pbx, "PHOENIX_DIAL"),
        settings.PHOENIX_DIAL_ROLES,
        tuple(settings.PHOENIX_DIAL_DENY),
        settings.PHOENIX_DIAL_LONGEST,
        settings.PHOENIX_DIAL_PER_MINUTE,
        settings.PHOENIX_DIAL_PER_MINUTE_ALL,
        settings.PHOENIX_DIAL_AT_ONCE,
    )


def allowed(pbx: Pbx, text: str, user: UserSnapshot) -> str:
    """The number as it is dialled, counted as one more; ``Refused`` if she may not dial it, or not now."""
    number, rules = numbers.dialled(text), policy(pbx.name)
    if why := rules.refuses(number, user.roles):
        raise Refused(why, text)
    alive = sum(uniqueid.startswith(channels.CALL) for uniqueid in pbx.channels)
    if not _METERS[pbx.name].take(rules, user.id, alive, time.monotonic()):
        raise Refused("too_many_calls")
    return number


Number = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class CallArgs(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Number
    """Whom to call."""
    extension: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,20}$")] = ""
    """Whose phone rings first, an extension of ours; "" for her own."""


def plan_call(pbx: Pbx, found: Found, args: CallArgs, user: UserSnapshot) -> Plan:
    """The phone rings first, and dials when it is answered. Proved when it was answered and is on its way there:
    what becomes of the call after that, the call shows."""
    if args.extension:
        phone = pbx.devices.phone_of(args.extension)
        if not phone:
            raise Refused("no_extension", args.extension)
    else:
        phone = ringing.her_phone(user, pbx)
    number = allowed(pbx, args.number, user)
    channel_id = ringing.named(channels.CALL)
    send = ami.actions.originate_extension(
        phone,
        setting(pbx.name, "PHOENIX_CONTEXT"),
        number,
        channel_id=channel_id,
        caller_name=setting(pbx.name, "PHOENIX_CALLER_CALL"),
        caller_number=number,
        ring_ms=ringing.ring_ms(),
    )

    def answered(pbx: Pbx) -> bool:
        leg = pbx.own.get(channel_id)
        return leg is not None and leg.answered

    return ringing.plan(channel_id, send, answered)


CALL = Action("calls.call", "pbx", _("Call"), plan_call, CallArgs, phone=True)
