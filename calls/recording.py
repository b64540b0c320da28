"""Record a call, pause and stop: where the PBX has an account that may."""

from __future__ import annotations

import re
import time

import ami
from accounts.permissions import UserSnapshot
from floor.registry import Action, Found, NoArgs, Plan, Refused
from floor.words import gettext_lazy as _
from live.calls import Call
from live.channels import Channel
from live.pbx import Pbx

TALKS = frozenset({"talking", "hold"})


def file_name(pbx: Pbx, leg: Channel, now: float) -> str:
    """Ours, from nothing that a stranger chose but the leg's id: ``20261124-101530-lab-1795.12.wav``, UTC."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return re.sub(r"[^A-Za-z0-9_.-]", "_", f"{stamp}-{pbx.name}-{leg.uniqueid}")[:90] + ".wav"


def _recorded(pbx: Pbx, call: Call) -> Channel:
    for leg in pbx.calls.legs(call):
        if leg.recorded:
            return leg
    raise Refused("not_now")


def plan_record(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Both sides, at our own side's leg, while it talks. Proved by MixMonitorStart."""
    call: Call = found.subject
    legs = [leg for leg in pbx.calls.legs(call) if not leg.local_half]
    if call.phase not in TALKS or not legs or any(leg.recorded for leg in legs):
        raise Refused("not_now")
    leg = min(legs, key=lambda leg: pbx.calls.side(leg) != "internal")
    send = ami.actions.mix_monitor(leg.uniqueid, file_name(pbx, leg, time.time()))
    return Plan((send,), lambda pbx: _is(pbx, leg) and leg.recorded)


def plan_stop_record(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Proved by MixMonitorStop."""
    leg = _recorded(pbx, found.subject)
    send = ami.actions.stop_mix_monitor(leg.uniqueid)
    return Plan((send,), lambda pbx: not leg.recorded)


def plan_pause(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Proved by MixMonitorMute about a leg that is recorded: Asterisk says Success also where nothing is."""
    leg = _recorded(pbx, found.subject)
    send = ami.actions.mix_monitor_mute(leg.uniqueid, True)
    return Plan((send,), lambda pbx: _is(pbx, leg) and leg.recorded and leg.paused)


def plan_resume(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    leg = _recorded(pbx, found.subject)
    send = ami.actions.mix_monitor_mute(leg.uniqueid, False)
    return Plan((send,), lambda pbx: _is(pbx, leg) and leg.recorded and not leg.paused)


def _is(pbx: Pbx, leg: Channel) -> bool:
    return pbx.channels.get(leg.uniqueid) is leg


RECORD = Action("calls.record", "call", _("Record"), plan_record, when="talks", records=True)
STOP_RECORD = Action("calls.stop_record", "call", _("Stop recording"), plan_stop_record, records=True)
PAUSE_RECORD = Action("calls.pause_record", "call", _("Pause recording"), plan_pause, records=True)
RESUME_RECORD = Action(
    "calls.resume_record", "call", _("Resume recording"), plan_resume, granted_by="calls.record", records=True
)

ACTIONS = (RECORD, STOP_RECORD, PAUSE_RECORD, RESUME_RECORD)
