"""How the imitation answers about its conferences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.replies import Action, Handler, Request, error, listing, success
from demo.rooms import Room

if TYPE_CHECKING:
    from demo.pbx import Pbx

NONE: Final = "No active conferences."
NO_NAME: Final = "No Conference name provided."
NO_SUCH: Final = "No Conference by that name found."
NOT_STOPPED: Final = "Internal error while stopping recording."
NO_CHANNEL: Final = "No Channel by that name found in Conference."


def _rooms(pbx: Pbx, request: Request) -> bytes:
    rooms = pbx.seats.rooms.values()
    if not rooms:
        return error(request, NONE)
    items = [("ConfbridgeListRooms", room.item()) for room in rooms]
    return listing(request, "Confbridge conferences will follow", items, "ConfbridgeListRoomsComplete")


def _named_room(pbx: Pbx, request: Request) -> Room | str:
    """The room that the action names, or why not. Asterisk looks for a name first, then whether there is any room."""
    name = request.get("conference", "")
    if not name:
        return NO_NAME
    if not pbx.seats.rooms:
        return NONE
    return pbx.seats.rooms.get(name, NO_SUCH)


def _participants(pbx: Pbx, request: Request) -> bytes:
    room = _named_room(pbx, request)
    if isinstance(room, str):
        return error(request, room)
    items = [("ConfbridgeList", participant.item(pbx.clock())) for participant in room.participants]
    return listing(request, "Confbridge user list will follow", items, "ConfbridgeListComplete")


def _mute(muted: bool) -> Handler:
    def handler(pbx: Pbx, request: Request) -> bytes:
        if request.get("conference") and not request.get("channel"):
            return error(request, "No channel name provided.")
        room = _named_room(pbx, request)
        if isinstance(room, str):
            return error(request, room)
        chosen = room.named(request.get("channel", ""))
        if not chosen:
            return error(request, NO_CHANNEL)
        pbx.seats.mute(chosen, muted)
        return success(request, "User muted" if muted else "User unmuted")

    return handler


def _kick(pbx: Pbx, request: Request) -> bytes:
    room, name = _named_room(pbx, request), request.get("channel", "")
    if isinstance(room, str):
        return error(request, room)
    chosen = room.named(name) if name else []
    if not chosen:
        return error(request, NO_CHANNEL)
    pbx.seats.kick(chosen)
    return success(request, "All participants kicked" if name.lower() == "all" else "User kicked")


def _video(pbx: Pbx, request: Request) -> bytes:
    if request.get("conference") and not request.get("channel"):
        return error(request, "No channel name provided.")
    room = _named_room(pbx, request)
    if isinstance(room, str):
        return error(request, room)
    chosen = next((one for one in room.participants if one.channel.name == request.get("channel")), None)
    if chosen is None:
        return error(request, "No channel by that name found in conference.")
    pbx.seats.show(chosen)
    return success(request, "Conference single video source set.")


def _lock(locked: bool) -> Handler:
    def handler(pbx: Pbx, request: Request) -> bytes:
        room = _named_room(pbx, request)
        if isinstance(room, str):
            return error(request, room)
        room.locked = locked
        return success(request, "Conference locked" if locked else "Conference unlocked")

    return handler


def _record(recorded: bool) -> Handler:
    def handler(pbx: Pbx, request: Request) -> bytes:
        room = _named_room(pbx, request)
        if isinstance(room, str):
            return error(request, room)
        if room.recorded is recorded:
            return error(request, "Conference is already being recorded." if recorded else NOT_STOPPED)
        pbx.seats.record(room, recorded)
        return success(request, f"Conference Recording {'Started' if recorded else 'Stopped'}.")

    return handler


ROOMS: Final[dict[str, Action]] = {
    "ConfbridgeKick": ("Kick a Confbridge user.  (Priv: call,all)", _kick),
    "ConfbridgeList": ("List participants in a conference.  (Priv: reporting,all)", _participants),
    "ConfbridgeListRooms": ("List active conferences.  (Priv: reporting,all)", _rooms),
    "ConfbridgeLock": ("Lock a Confbridge conference.  (Priv: call,all)", _lock(True)),
    "ConfbridgeMute": ("Mute a Confbridge user.  (Priv: call,all)", _mute(True)),
    "ConfbridgeSetSingleVideoSrc": (
        "Set a conference user as the single video source distributed to all other participants.  (Priv: call,all)",
        _video,
    ),
    "ConfbridgeStartRecord": ("Start recording a Confbridge conference.  (Priv: system,all)", _record(True)),
    "ConfbridgeStopRecord": ("Stop recording a Confbridge conference.  (Priv: system,all)", _record(False)),
    "ConfbridgeUnlock": ("Unlock a Confbridge conference.  (Priv: call,all)", _lock(False)),
    "ConfbridgeUnmute": ("Unmute a Confbridge user.  (Priv: call,all)", _mute(False)),
}
