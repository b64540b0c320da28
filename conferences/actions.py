"""What one can do to a conference room and to a participant."""

from __future__ import annotations

from collections.abc import Callable

import ami
from accounts.permissions import UserSnapshot
from floor import registry
from floor.registry import Action, Found, Kind, NoArgs, Plan
from floor.words import gettext_lazy as _
from floor.words import pgettext_lazy
from live.conferences import Participant, Room
from live.pbx import Pbx
from live.resync import LOCKS

Planner = Callable[[Pbx, Found, NoArgs, UserSnapshot], Plan]


def find_participant(pbx: Pbx, uniqueid: str) -> Found | None:
    """Who sits in a room with this leg now, as an action needs it."""
    participant = pbx.conferences.participants.get(uniqueid)
    if participant is None:
        return None
    words = f"{_who(pbx, participant)} ({participant.room})"
    return Found(pbx.key(uniqueid), participant.rev, words, _inside(pbx, [uniqueid]), participant)


def find_room(pbx: Pbx, name: str) -> Found | None:
    """The room of this name, if somebody is in it."""
    room = pbx.conferences.rooms.get(name)
    if room is None:
        return None
    return Found(pbx.key(name), room.rev, name, _inside(pbx, room.members), room)


def _who(pbx: Pbx, participant: Participant) -> str:
    number, name = pbx.calls.identity(pbx.channels[participant.uniqueid])
    return f"{number} {name}".strip()


def _inside(pbx: Pbx, uniqueids: list[str]) -> tuple[str, ...]:
    legs = [pbx.channels[uniqueid] for uniqueid in uniqueids]
    return tuple(pbx.calls.identity(leg)[0] for leg in legs if pbx.calls.side(leg) == "internal")


def _plan_mute(muted: bool) -> Planner:
    """Proved by the event that ConfBridge sends for each participant that it mutes or unmutes."""
    build = ami.actions.confbridge_mute if muted else ami.actions.confbridge_unmute

    def plan(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
        participant: Participant = found.subject

        def proved(pbx: Pbx) -> bool:
            return _seated(pbx, participant) and participant.muted is muted

        return Plan((build(participant.room, pbx.channels[participant.uniqueid].name),), proved)

    return plan


def plan_kick(pbx: Pbx, found: Found, args: NoArgs, user: UserSnapshot) -> Plan:
    """Proved when it is out of the room, which only an event or a list can tell."""
    participant: Participant = found.subject
    kick = ami.actions.confbridge_kick(participant.room, pbx.channels[participant.uniqueid].name)
    return Plan((kick,), lambda pbx: not _seated(pbx, participant))


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
LOCK = Action("conferences.lock", "room", pgettext_lazy("room", "Lock"), _plan_lock(True))
UNLOCK = Action(
    "conferences.unlock", "room", pgettext_lazy("room", "Unlock"), _plan_lock(False), granted_by="conferences.lock"
)


def register() -> None:
    """Tell the floor of the kinds and actions of conferences."""
    registry.register_kind(Kind("room", right="conferences.view", find=find_room))
    registry.register_kind(Kind("participant", right="conferences.view", find=find_participant))
    for action in (MUTE, UNMUTE, KICK, LOCK, UNLOCK):
        registry.register(action)
