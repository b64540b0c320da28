"""What each action does on the imitation, and in which words it is answered: those of Asterisk 22."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from demo.channels import Originate
from demo.events import Header, block
from demo.pbx import INTERNAL
from demo.rooms import Room

if TYPE_CHECKING:
    from demo.pbx import Pbx

VERSION: Final = "22.0.0-demo"
AMI_VERSION: Final = "11.0.0"
MAX_CALLS: Final = 0

BLACKLISTED: Final = frozenset(
    {"agi", "deadagi", "dbdeltree", "eagi", "exec", "execif", "externalivr", "fastagi", "gosub", "macro", "mixmonitor"}
    | {"privacymanager", "read", "readfile", "stasis", "system", "trysystem", "tryexec"}
)
"""Applications that an account without class ``system`` may not originate."""


class Request(dict[str, str]):
    """One action's headers by lower-case name; the last of repeated ones wins."""

    @property
    def action_id(self) -> str:
        return self.get("actionid", "")


def response(request: Request, kind: str, *headers: Header) -> bytes:
    echoed = (("ActionID", request.action_id),) if request.action_id else ()
    return block((("Response", kind), *echoed, *headers))


def success(request: Request, message: str) -> bytes:
    return response(request, "Success", ("Message", message))


def error(request: Request, message: str) -> bytes:
    return response(request, "Error", ("Message", message))


def listing(
    request: Request,
    message: str,
    items: Iterable[tuple[str, tuple[Header, ...]]],
    complete: str,
    *,
    last: bool = False,
) -> bytes:
    """A whole list. Queues write the ActionID after an item's headers (``last``), all others before (seen on 22)."""
    echoed: tuple[Header, ...] = (("ActionID", request.action_id),) if request.action_id else ()
    parts = [response(request, "Success", ("EventList", "start"), ("Message", message))]
    for name, headers in items:
        parts.append(block((("Event", name), *headers, *echoed) if last else (("Event", name), *echoed, *headers)))
    count = ("ListItems", str(len(parts) - 1))
    parts.append(block((("Event", complete), *echoed, ("EventList", "Complete"), count)))
    return b"".join(parts)


def _ping(pbx: Pbx, request: Request) -> bytes:
    return response(request, "Success", ("Ping", "Pong"), ("Timestamp", f"{pbx.clock():.6f}"))


def _core_status(pbx: Pbx, request: Request) -> bytes:
    booted = time.localtime(pbx.booted)
    day, hour = time.strftime("%Y-%m-%d", booted), time.strftime("%H:%M:%S", booted)
    return response(
        request,
        "Success",
        ("CoreStartupDate", day),
        ("CoreStartupTime", hour),
        ("CoreReloadDate", day),
        ("CoreReloadTime", hour),
        ("CoreCurrentCalls", str(len(pbx.channels))),
        ("CoreProcessedCalls", str(pbx.processed)),
    )


def _core_settings(pbx: Pbx, request: Request) -> bytes:
    return response(
        request,
        "Success",
        ("AMIversion", AMI_VERSION),
        ("AsteriskVersion", VERSION),
        ("SystemName", "demo"),
        ("CoreMaxCalls", str(MAX_CALLS)),
        ("CoreMaxLoadAvg", "0.000000"),
        ("CoreRunUser", ""),
        ("CoreRunGroup", ""),
        ("CoreMaxFilehandles", "0"),
        ("CoreRealTimeEnabled", "No"),
        ("CoreCDRenabled", "No"),
        ("CoreHTTPenabled", "No"),
        ("SoundsSearchCustomDir", "No"),
    )


def _list_commands(pbx: Pbx, request: Request) -> bytes:
    return response(request, "Success", *((name, words) for name, (words, _) in ACTIONS.items()))


def _core_show_channels(pbx: Pbx, request: Request) -> bytes:
    now = pbx.clock()
    items = []
    for channel in pbx.channels.values():
        lasted = int(now - channel.created)
        duration = f"{lasted // 3600:02d}:{lasted // 60 % 60:02d}:{lasted % 60:02d}"
        more = (
            ("Application", channel.application),
            ("ApplicationData", channel.data),
            ("Duration", duration),
            ("BridgeId", channel.bridge.uniqueid if channel.bridge is not None else ""),
        )
        items.append(("CoreShowChannel", (*channel.snapshot(), *more)))
    return listing(request, "Channels will follow", items, "CoreShowChannelsComplete")


def _bridge_list(pbx: Pbx, request: Request) -> bytes:
    items = [("BridgeListItem", bridge.headers()) for bridge in pbx.bridges.values()]
    return listing(request, "Bridge listing will follow", items, "BridgeListComplete")


def _queue_status(pbx: Pbx, request: Request) -> bytes:
    wanted = request.get("queue", "")
    items: list[tuple[str, tuple[Header, ...]]] = []
    for queue in pbx.queues.values():
        if wanted in ("", queue.name):
            items.append(("QueueParams", queue.params()))
            items += [("QueueMember", member.item(pbx.state(member.interface))) for member in queue.members]
            items += [("QueueEntry", queue.entry(visit, pbx.clock())) for visit in queue.waiting]
    return listing(request, "Queue status will follow", items, "QueueStatusComplete", last=True)


def _hangup(pbx: Pbx, request: Request) -> bytes:
    name = request.get("channel", "")
    if not name:
        return error(request, "No channel specified")
    channel = pbx.find(name)
    if channel is None:
        return error(request, "No such channel")
    cause = request.get("cause", "")
    pbx.hangup(channel, int(cause) if cause.isdecimal() else 0)
    return success(request, "Channel Hungup")


def _originate(pbx: Pbx, request: Request) -> bytes:
    wanted, application = request.get("channel", ""), request.get("application", "")
    exten, context = request.get("exten", ""), request.get("context", "")
    if not wanted:
        return error(request, "Channel not specified")
    if "/" not in wanted:
        return error(request, "Invalid channel")
    if application.lower() in BLACKLISTED:
        return error(request, "Originate Access Forbidden: app or data blacklisted")
    if not application and exten and not (context == INTERNAL and pbx.exists(exten)):
        return error(request, "Extension does not exist.")
    if request.get("async", "").lower() not in ("1", "true", "yes", "y", "on", "t"):
        # A real one would block this session until the leg is answered. Words of our own: nothing sends this.
        return error(request, "The demo PBX originates only with Async: true")
    timeout = request.get("timeout", "")
    want = Originate(
        action_id=request.action_id,
        wanted=wanted,
        channel_id=request.get("channelid", ""),
        caller=_caller(request["callerid"]) if request.get("callerid") else None,
        application=application,
        data=request.get("data", ""),
        context=context,
        exten="" if application else exten,
    )
    pbx.later(0.0, lambda: pbx.originating.start(want, int(timeout) / 1000 if timeout.isdecimal() else 30.0))
    return success(request, "Originate successfully queued")


def _caller(text: str) -> tuple[str, str]:
    """``"Name" <number>`` as (number, name)."""
    name, found, number = text.rpartition("<")
    if not found:
        return text.strip(), ""
    return number.rstrip(">").strip(), name.strip().strip('"')


# --- conferences

NONE: Final = "No active conferences."
NO_NAME: Final = "No Conference name provided."
NO_SUCH: Final = "No Conference by that name found."
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


def _lock(locked: bool) -> Handler:
    def handler(pbx: Pbx, request: Request) -> bytes:
        room = _named_room(pbx, request)
        if isinstance(room, str):
            return error(request, room)
        room.locked = locked
        return success(request, "Conference locked" if locked else "Conference unlocked")

    return handler


Handler = Callable[["Pbx", Request], bytes]

ACTIONS: Final[dict[str, tuple[str, Handler | None]]] = {
    "BridgeList": ("Get a list of bridges in the system.  (Priv: <none>)", _bridge_list),
    "Challenge": ("Generate Challenge for MD5 Auth.  (Priv: <none>)", None),
    "ConfbridgeKick": ("Kick a Confbridge user.  (Priv: call,all)", _kick),
    "ConfbridgeList": ("List participants in a conference.  (Priv: reporting,all)", _participants),
    "ConfbridgeListRooms": ("List active conferences.  (Priv: reporting,all)", _rooms),
    "ConfbridgeLock": ("Lock a Confbridge conference.  (Priv: call,all)", _lock(True)),
    "ConfbridgeMute": ("Mute a Confbridge user.  (Priv: call,all)", _mute(True)),
    "ConfbridgeUnlock": ("Unlock a Confbridge conference.  (Priv: call,all)", _lock(False)),
    "ConfbridgeUnmute": ("Unmute a Confbridge user.  (Priv: call,all)", _mute(False)),
    "CoreSettings": ("Show PBX core settings (version etc).  (Priv: system,reporting,all)", _core_settings),
    "CoreShowChannels": ("List currently active channels.  (Priv: system,reporting,all)", _core_show_channels),
    "CoreStatus": ("Show PBX core status variables.  (Priv: system,reporting,all)", _core_status),
    "Events": ("Control Event Flow.  (Priv: <none>)", None),
    "Hangup": ("Hangup channel.  (Priv: system,call,all)", _hangup),
    "ListCommands": ("List available manager commands.  (Priv: <none>)", _list_commands),
    "Login": ("Login Manager.  (Priv: <none>)", None),
    "Logoff": ("Logoff Manager.  (Priv: <none>)", None),
    "Originate": ("Originate a call.  (Priv: originate,all)", _originate),
    "Ping": ("Keepalive command.  (Priv: <none>)", _ping),
    "QueueStatus": ("Show queue status.  (Priv: <none>)", _queue_status),
}
"""Each action, as ListCommands describes it; those without a handler are the session's own."""

BY_NAME: Final = {name.lower(): handler for name, (_, handler) in ACTIONS.items()}
