"""What one can do to a conference room and to a participant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import StringConstraints

import ami
from accounts.permissions import UserSnapshot
from floor import registry, ringing
from floor.registry import Action, Args, Asked, Found, Kind, NoArgs, Plan, Refused, name_of
from floor.words import gettext_lazy as _
from floor.words import pgettext_lazy
from live import channels, sides
from live.conferences import Participant, Room
from live.pbx import Pbx
from live.resync import BRIDGES, LOCKS

Planner = Callable[[Pbx, Found, Any, UserSnapshot], Plan]


def find_participant(pbx: Pbx, uniqueid: str) -> Found | None:
    """Who sits in a room with this leg now, as an action needs it."""
    participant = pbx.conferences.participants.get(uniqueid)
    if participant is None:
        return None
    channel = pbx.channels[uniqueid]
    side = sides.in_room(pbx, participant.room, sides.of_leg(pbx, channel).numbers)
    words, acted = f"{_who(pbx, participant)} ({participant.room})", sides.inside(pbx, [channel])
    return Found(pbx.key(uniqueid), participant.rev, words, participant, side, acted)


def find_room(pbx: Pbx, name: str) -> Found | None:
    """The room of this name, if somebody is in it."""
    room = pbx.conferences.rooms.get(name)
    if room is None:
        return None
    numbers = sides.seated(pbx, name)
    return Found(pbx.key(name), room.rev, name, room, sides.in_room(pbx, name, numbers), acted=numbers)


def _who(pbx: Pbx, participant: Participant) -> str:
    number, name = pbx.calls.identity(pbx.channels[participant.uniqueid])
    return f"{number} {name}".strip()


def _plan_mute(muted: bool) -> Planner:
    """Proved by the event that ConfBridge sends for each participant that it mutes or unmutes."""
    build = ami.actions.confbridge_mute if muted else ami.actions.confbridge_unmute

    def plan(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
        participant: Participant = found.subject

        def proved(pbx: Pbx) -> bool:
            return _seated(pbx, participant) and participant.muted is muted

        return Plan((build(participant.room, name_of(pbx, pbx.channels[participant.uniqueid])),), proved)

    return plan


def plan_kick(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Proved when it is out of the room, which only an event or a list can tell."""
    participant: Participant = found.subject
    kick = ami.actions.confbridge_kick(participant.room, name_of(pbx, pbx.channels[participant.uniqueid]))
    return Plan((kick,), lambda pbx: not _seated(pbx, participant))


def plan_video(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Proved by the event about the room's bridge; where it was so already, which raises none, by the list."""
    participant: Participant = found.subject
    send = ami.actions.confbridge_set_single_video_src(
        participant.room, name_of(pbx, pbx.channels[participant.uniqueid])
    )

    def proved(pbx: Pbx) -> bool:
        return _seated(pbx, participant) and pbx.conferences.is_video_source(participant)

    return Plan((send,), proved, reread=(BRIDGES,), answered_first=True)


def _seated(pbx: Pbx, participant: Participant) -> bool:
    """Whether it still sits where it sat: who left and came back is another participant."""
    return pbx.conferences.participants.get(participant.uniqueid) is participant


def _plan_lock(locked: bool) -> Planner:
    """No event tells of a lock: proved by a list that is read after Asterisk has answered."""
    build = ami.actions.confbridge_lock if locked else ami.actions.confbridge_unlock

    def plan(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
        room: Room = found.subject
        reads = pbx.conferences.reads

        def proved(pbx: Pbx) -> bool:
            there = pbx.conferences.rooms.get(room.name) is room
            return there and room.locked is locked and pbx.conferences.reads > reads

        return Plan((build(room.name),), proved, reread=(LOCKS,))

    return plan


def _plan_mute_others(muted: bool) -> Planner:
    """All but the room's admins. Proved by the events that ConfBridge sends, one for each."""
    build = ami.actions.confbridge_mute_participants if muted else ami.actions.confbridge_unmute_participants

    def plan(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
        room: Room = found.subject
        meant = [one for one in _in(pbx, room) if not one.admin]
        if not meant:
            raise Refused("not_now")

        def proved(pbx: Pbx) -> bool:
            return all(one.muted is muted for one in meant if _seated(pbx, one))

        return Plan((build(room.name),), proved)

    return plan


def plan_kick_all(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Proved when all that were in the room are out of it."""
    room: Room = found.subject
    meant = _in(pbx, room)
    return Plan((ami.actions.confbridge_kick_all(room.name),), lambda pbx: not any(_seated(pbx, one) for one in meant))


def _in(pbx: Pbx, room: Room) -> list[Participant]:
    return [pbx.conferences.participants[uniqueid] for uniqueid in room.members]


def plan_invite(pbx: Pbx, found: Found, args: InviteArgs, user: UserSnapshot) -> Plan:
    """The phone rings, and whoever answers it is in the room: the pair of *remove*. Proved when he is."""
    room: Room = found.subject
    phone = pbx.devices.phone_of(args.extension) if args.extension else ringing.her_phone(user, pbx)
    if not phone:
        raise Refused("no_extension", args.extension)
    channel_id = ringing.named(channels.INVITE)
    send = ami.actions.invite(
        phone,
        room.name,
        channel_id=channel_id,
        caller_name=pbx.manners.call,
        caller_number=room.name if room.name.isascii() and room.name.isdigit() else "",
        ring_ms=pbx.manners.ring_s * 1000,
    )

    def inside(pbx: Pbx) -> bool:
        participant = pbx.conferences.participants.get(channel_id)
        return participant is not None and participant.room == room.name

    return ringing.plan(pbx, channel_id, send, inside)


def _plan_record(recording: bool) -> Planner:
    """Proved by the event that ConfBridge sends. The file is named by Asterisk, in its own folder for recordings."""
    build = ami.actions.confbridge_start_record if recording else ami.actions.confbridge_stop_record

    def plan(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
        room: Room = found.subject

        def proved(pbx: Pbx) -> bool:
            there = pbx.conferences.rooms.get(room.name) is room
            return there and room.recording_told and room.recording is recording

        return Plan((build(room.name),), proved)

    return plan


class InviteArgs(Args):
    extension: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9]{0,20}$"),
        Asked(_("Whom"), _("An extension. Empty: your own phone"), format="extension", own_phone=True),
    ] = ""
    """Whose phone rings, an extension of ours; "" for her own."""


MUTE = Action("conferences.mute", "participant", pgettext_lazy("participant", "Mute"), _plan_mute(True))
UNMUTE = Action(
    "conferences.unmute",
    "participant",
    pgettext_lazy("participant", "Unmute"),
    _plan_mute(False),
    granted_by="conferences.mute",
)
KICK = Action(
    "conferences.kick",
    "participant",
    pgettext_lazy("participant", "Remove"),
    plan_kick,
    confirm=_("Remove this participant from the conference?"),
    danger=True,
)
VIDEO = Action("conferences.video", "participant", pgettext_lazy("participant", "Show video to all"), plan_video)
LOCK = Action("conferences.lock", "room", pgettext_lazy("room", "Lock"), _plan_lock(True))
UNLOCK = Action(
    "conferences.unlock", "room", pgettext_lazy("room", "Unlock"), _plan_lock(False), granted_by="conferences.lock"
)


MUTE_OTHERS = Action(
    "conferences.mute_others",
    "room",
    pgettext_lazy("room", "Mute all but admins"),
    _plan_mute_others(True),
    granted_by="conferences.mute",
)
UNMUTE_OTHERS = Action(
    "conferences.unmute_others",
    "room",
    pgettext_lazy("room", "Unmute all"),
    _plan_mute_others(False),
    granted_by="conferences.mute",
)
KICK_ALL = Action(
    "conferences.kick_all",
    "room",
    pgettext_lazy("room", "Remove all"),
    plan_kick_all,
    granted_by="conferences.kick",
    confirm=_("Remove everybody from this conference?"),
    danger=True,
)
INVITE = Action("conferences.invite", "room", pgettext_lazy("room", "Invite"), plan_invite, InviteArgs, phone=True)
RECORD = Action("conferences.record", "room", pgettext_lazy("room", "Record"), _plan_record(True), records=True)
STOP_RECORD = Action(
    "conferences.stop_record",
    "room",
    pgettext_lazy("room", "Stop recording"),
    _plan_record(False),
    records=True,
)

ACTIONS = (MUTE, UNMUTE, KICK, VIDEO, MUTE_OTHERS, UNMUTE_OTHERS, KICK_ALL, LOCK, UNLOCK, INVITE, RECORD, STOP_RECORD)


def register() -> None:
    """Tell the floor of the kinds and actions of conferences."""
    registry.register_kind(Kind("room", right="conferences.view", find=find_room))
    registry.register_kind(Kind("participant", right="conferences.view", find=find_participant))
    for action in ACTIONS:
        registry.register(action)
