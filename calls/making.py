"""Begin a call: between her phone and a number, or between a phone of ours and a number."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

import ami
from accounts.permissions import UserSnapshot
from floor import ringing
from floor.registry import Action, Args, Asked, Found, Plan, Refused
from floor.ringing import Number, allowed
from floor.words import gettext_lazy as _
from live import channels
from live.pbx import Pbx


class CallArgs(Args):
    number: Annotated[Number, Asked(_("Number"), format="number")]
    """Whom to call."""
    extension: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9]{0,20}$"),
        Asked(
            _("Phone that rings first"),
            _("An extension. Empty: your own phone"),
            format="extension",
            own_phone=True,
        ),
    ] = ""
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
        pbx.manners.context,
        number,
        channel_id=channel_id,
        caller_name=pbx.manners.call,
        caller_number=number,
        ring_ms=pbx.manners.ring_s * 1000,
    )

    def answered(pbx: Pbx) -> bool:
        leg = pbx.own.get(channel_id)
        return leg is not None and leg.answered

    return ringing.plan(pbx, channel_id, send, answered)


CALL = Action("calls.call", "pbx", _("Call"), plan_call, CallArgs, phone=True)
