"""Conference rooms. What changes one needs write class ``call``, but for recording."""

from __future__ import annotations

from typing import Final

from ami.actions.base import Action, change, listing, named, whole_name

_PARTICIPANTS: Final = ("Channel", "participants")  # all but admins
_ALL: Final = ("Channel", "all")


def confbridge_list_rooms() -> Action:
    """List the conference rooms that somebody is in: parties, marked ones, lock. Needs write class ``reporting``."""
    return listing("ConfbridgeListRooms", empty_errors=("No active conferences.",))


def confbridge_list(conference: str) -> Action:
    """List who is in one room. Needs write class ``reporting``. A room that is no more has nobody in it."""
    empty = ("No active conferences.", "No Conference by that name found.")
    return listing("ConfbridgeList", _conference(conference), empty_errors=empty)


def confbridge_mute(conference: str, channel: str) -> Action:
    """Nobody in the room hears this participant any more. ``channel``: its full name."""
    return change("ConfbridgeMute", _conference(conference), whole_name(channel))


def confbridge_unmute(conference: str, channel: str) -> Action:
    """The room hears this participant again. ``channel``: its full name."""
    return change("ConfbridgeUnmute", _conference(conference), whole_name(channel))


def confbridge_kick(conference: str, channel: str) -> Action:
    """Put this participant out of the room; its call goes on in the dialplan, which mostly ends it."""
    return change("ConfbridgeKick", _conference(conference), whole_name(channel))


def confbridge_lock(conference: str) -> Action:
    """Nobody but admins gets into the room any more. No event tells of it (measured on 16 and 22)."""
    return change("ConfbridgeLock", _conference(conference))


def confbridge_unlock(conference: str) -> Action:
    """Everybody gets into the room again. No event tells of it."""
    return change("ConfbridgeUnlock", _conference(conference))


# To everybody, in functions of their own: the words that Asterisk takes for it never come in as a channel.


def confbridge_mute_participants(conference: str) -> Action:
    """Nobody in the room is heard any more but its admins. One ``ConfbridgeMute`` comes for each."""
    return change("ConfbridgeMute", _conference(conference), _PARTICIPANTS)


def confbridge_unmute_participants(conference: str) -> Action:
    """Everybody in the room but its admins, who are as they were, is heard again."""
    return change("ConfbridgeUnmute", _conference(conference), _PARTICIPANTS)


def confbridge_kick_participants(conference: str) -> Action:
    """Put everybody out of the room but its admins."""
    return change("ConfbridgeKick", _conference(conference), _PARTICIPANTS)


def confbridge_mute_all(conference: str) -> Action:
    """Nobody in the room is heard any more, not even its admins."""
    return change("ConfbridgeMute", _conference(conference), _ALL)


def confbridge_unmute_all(conference: str) -> Action:
    """Everybody in the room is heard again."""
    return change("ConfbridgeUnmute", _conference(conference), _ALL)


def confbridge_kick_all(conference: str) -> Action:
    """Put everybody out of the room, which ends it."""
    return change("ConfbridgeKick", _conference(conference), _ALL)


def confbridge_start_record(conference: str) -> Action:
    """Record the room, into a file that Asterisk names. Needs write class ``system`` [16 and 22]."""
    return change("ConfbridgeStartRecord", _conference(conference))


def confbridge_stop_record(conference: str) -> Action:
    """End the room's recording. Needs write class ``system`` [16 and 22]."""
    return change("ConfbridgeStopRecord", _conference(conference))


def confbridge_set_single_video_src(conference: str, channel: str) -> Action:
    """Show this participant to all. ``channel``: its full name."""
    return change("ConfbridgeSetSingleVideoSrc", _conference(conference), whole_name(channel))


def _conference(name: str) -> tuple[str, str]:
    return named("Conference", name)
