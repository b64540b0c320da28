"""What one can do to a live call."""

from __future__ import annotations

import ami
from accounts.permissions import UserSnapshot
from calls import legs, making, monitoring, moving, recording
from floor import registry
from floor.registry import Action, Found, Kind, NoArgs, Plan
from floor.words import gettext_lazy as _
from live import sides
from live.calls import Call
from live.pbx import Pbx


def find_call(pbx: Pbx, call_id: str) -> Found | None:
    """The live call of this id, as an action needs it."""
    call = pbx.calls.get(call_id)
    if call is None or not pbx.calls.legs(call):
        return None  # also in the moment between its last hang-up and the next look
    parties = [pbx.entities()["party"].get(pbx.calls.key(uniqueid), {}) for uniqueid in call.parties]
    words = [f"{party.get('number', '')} {party.get('name', '')}".strip() for party in parties]
    return Found(pbx.calls.key(call_id), pbx.calls.rev(call), " → ".join(words), call, sides.of_call(pbx, call))


def plan_hangup(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Hang up every party's leg, by Uniqueid: with one alone, a dialplan may carry the other on.

    Proved when all of them are gone from the live model, which only a Hangup event or a list can do.
    """
    call: Call = found.subject
    uniqueids = [leg.uniqueid for leg in pbx.calls.legs(call)]
    return Plan(
        sends=tuple(ami.actions.hangup(uniqueid) for uniqueid in uniqueids),
        proved=lambda pbx: not any(uniqueid in pbx.channels for uniqueid in uniqueids),
    )


HANGUP = Action(
    verb="calls.hangup",
    target="call",
    label=_("Hang up"),
    confirm=_("Hang up this call?"),
    danger=True,
    plan=plan_hangup,
)


def find_pbx(pbx: Pbx, rest: str) -> Found | None:
    """The PBX itself: what is begun there is done to nothing that is there already."""
    return None if rest else Found(pbx.name, 0, pbx.name, pbx)


def register() -> None:
    """Tell the floor of the kinds and actions of live calls."""
    registry.register_kind(Kind("pbx", right="calls.view", find=find_pbx))
    registry.register_kind(Kind("call", right="calls.view", find=find_call))
    registry.register_kind(Kind("party", right="calls.view", find=moving.find_party))
    registry.register_kind(Kind("spy", right="calls.view", find=monitoring.find_spy))
    registry.register_kind(Kind("parked", right="calls.view", find=moving.find_parked))
    for name in ("device", "extension", "trunk"):
        registry.register_kind(Kind(name, right="calls.view"))
    for action in (*monitoring.ACTIONS, making.CALL, *moving.ACTIONS, *recording.ACTIONS, *legs.ACTIONS, HANGUP):
        registry.register(action)
