"""Send a party of a call elsewhere: transfer, park, take back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

import ami
from accounts.permissions import UserSnapshot
from floor import ringing
from floor.registry import Action, Args, Asked, Found, NoArgs, Plan, Refused
from floor.ringing import Number, allowed
from floor.words import gettext_lazy as _
from live import channels, sides
from live.bridges import Kind
from live.channels import Channel
from live.parking import Parked
from live.pbx import Pbx
from live.resync import CHANNELS


def find_party(pbx: Pbx, uniqueid: str) -> Found | None:
    """The live leg of this id that is a party of a call. It is as its call is: a click on a leg whose call has changed
    meant another state."""
    channel = pbx.channels.get(uniqueid)
    call = pbx.calls.get(channel.call) if channel is not None else None
    if channel is None or call is None or uniqueid not in call.parties:
        return None
    number, name = pbx.calls.identity(channel)
    acted = sides.inside(pbx, [channel])
    side = sides.of_call(pbx, call)
    return Found(pbx.key(uniqueid), pbx.calls.rev(call), f"{number} {name}".strip(), channel, side, acted)


def find_parked(pbx: Pbx, uniqueid: str) -> Found | None:
    parked, channel = pbx.parking.parked.get(uniqueid), pbx.channels.get(uniqueid)
    if parked is None or channel is None:
        return None
    number, name = pbx.calls.identity(channel)
    words, acted = f"{number} {name} ({parked.space})", sides.inside(pbx, [channel])
    return Found(pbx.key(uniqueid), parked.rev, words, parked, sides.of_leg(pbx, channel), acted)


def mate(pbx: Pbx, leg: Channel) -> Channel | None:
    """Whom this leg talks to, if that is one other leg."""
    bridge = pbx.bridges.get(leg.bridge)
    if bridge is None or bridge.kind is not Kind.TALK or len(bridge.members) != 2:
        return None
    (other,) = bridge.members - {leg.uniqueid}
    return pbx.channels.get(other)


class TransferArgs(Args):
    number: Annotated[Number, Asked(_("To number"), format="number")]


def plan_transfer(pbx: Pbx, found: Found, args: TransferArgs, user: UserSnapshot) -> Plan:
    """This party is sent to the number; whom it talked to is out of the call, as after a transfer by his own phone.

    Proved by Asterisk's event of the transfer, or by a list read afterwards that shows it there (a leg that talks to
    nobody; the link broke). A leg that rings is never sent anywhere: that kills its call [measured].
    """
    leg: Channel = found.subject
    if leg.state != channels.UP and not leg.dials:
        raise Refused("not_now")
    number = allowed(pbx, args.number, user)
    context, other = pbx.manners.context, mate(pbx, leg)
    reads, was = pbx.reads, leg.exten
    if other is not None:
        told = len(pbx.transfers.get(other.uniqueid, ()))

        def transferred(pbx: Pbx) -> bool:
            listed = pbx.reads > reads and pbx.channels.get(leg.uniqueid) is leg and leg.exten == number != was
            return listed or "Success" in pbx.transfers.get(other.uniqueid, ())[told:]

        return Plan((ami.actions.blind_transfer(other.uniqueid, context, number),), transferred)

    def there(pbx: Pbx) -> bool:
        return pbx.reads > reads and leg.uniqueid in pbx.channels and (leg.exten == number or bool(leg.dials))

    return Plan((ami.actions.redirect(leg.uniqueid, context, number),), there, reread=(CHANNELS,))


def plan_attend(pbx: Pbx, found: Found, args: TransferArgs, user: UserSnapshot) -> Plan:
    """This party asks the number first: whom it talks to hears music meanwhile. When it hangs up the two are joined.

    Asterisk presses the keys of features.conf's ``atxfer`` for it, and says Success also where there is no such entry
    or the call allows no transfer: then nothing happens. Proved when the leg has left for a bridge of its own.
    """
    leg: Channel = found.subject
    if mate(pbx, leg) is None or leg.local_half:
        raise Refused("not_now")
    number, before = allowed(pbx, args.number, user), leg.bridge
    send = ami.actions.atxfer(leg.uniqueid, pbx.manners.context, number)

    def asks(pbx: Pbx) -> bool:
        return leg.uniqueid in pbx.channels and leg.bridge not in ("", before)

    return Plan((send,), asks)


def plan_cancel_attend(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Back to whom it talked to first. Proved when it is in another bridge again."""
    leg: Channel = found.subject
    before = leg.bridge

    def back(pbx: Pbx) -> bool:
        return leg.uniqueid in pbx.channels and leg.bridge not in ("", before)

    return Plan((ami.actions.cancel_atxfer(leg.uniqueid),), back)


class ParkArgs(Args):
    seconds: Annotated[int, Field(ge=5, le=86_400), Asked(_("Seconds until it rings back"))] = 60
    """Until it rings back at whom it talked to."""


def plan_park(pbx: Pbx, found: Found, args: ParkArgs, user: UserSnapshot) -> Plan:
    """Proved by ParkedCall."""
    leg: Channel = found.subject
    other = mate(pbx, leg)
    if other is None or other.local_half:
        raise Refused("not_now")
    send = ami.actions.park(leg.uniqueid, other.name, args.seconds * 1000)
    return Plan((send,), lambda pbx: leg.uniqueid in pbx.parking.parked)


def plan_retrieve(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Her phone rings, and when she answers it has the parked caller. Proved when the two are in one bridge."""
    parked: Parked = found.subject
    phone, channel_id = ringing.her_phone(user, pbx), ringing.named(channels.CALL)
    leg = pbx.channels[parked.uniqueid]
    send = ami.actions.originate_extension(
        phone,
        pbx.manners.context,
        parked.space,
        channel_id=channel_id,
        caller_name=pbx.manners.pickup,
        caller_number=ringing.number_of(pbx, leg),
        ring_ms=pbx.manners.ring_s * 1000,
    )

    def together(pbx: Pbx) -> bool:
        hers, other = pbx.channels.get(channel_id), pbx.channels.get(parked.uniqueid)
        return hers is not None and other is not None and hers.bridge == other.bridge != ""

    return ringing.plan(pbx, channel_id, send, together)


TRANSFER = Action("calls.transfer", "party", _("Transfer"), plan_transfer, TransferArgs, when="there")
ATTEND = Action(
    "calls.attend",
    "party",
    _("Ask first, then transfer"),
    plan_attend,
    TransferArgs,
    granted_by="calls.transfer",
    when="talks",
)
CANCEL_ATTEND = Action(
    "calls.cancel_attend",
    "party",
    _("Back to the first call"),
    plan_cancel_attend,
    granted_by="calls.transfer",
    when="up",
)
PARK = Action("calls.park", "party", _("Park"), plan_park, ParkArgs, when="talks")
RETRIEVE = Action("calls.retrieve", "parked", _("Take back"), plan_retrieve, granted_by="calls.park", phone=True)

ACTIONS = (TRANSFER, ATTEND, CANCEL_ATTEND, PARK, RETRIEVE)
