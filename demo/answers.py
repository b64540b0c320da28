"""What each action does on the imitation, and in which words it is answered: those of Asterisk 22."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from demo.answers_legs import LEGS
from demo.answers_lines import LINES
from demo.answers_parking import PARKING
from demo.answers_queues import QUEUES
from demo.answers_rooms import ROOMS
from demo.channels import Originate
from demo.devices import INTERNAL
from demo.events import UNKNOWN
from demo.replies import Action, Request, error, listing, response, success, true

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
    return response(request, "Success", *((name, ACTIONS[name][0]) for name in sorted(ACTIONS, key=str.lower)))


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


def _status(pbx: Pbx, request: Request) -> bytes:
    """Two of its words are its own: a Privilege that no event has, and effective names that are not escaped."""
    wanted = request.get("channel", "")
    found = pbx.find(wanted)
    if wanted and found is None:
        return error(request, "No such channel")
    items = []
    for channel in [found] if found is not None else pbx.channels.values():
        headers = (
            ("Privilege", "Call"),
            *channel.snapshot(),
            ("Type", channel.device.partition("/")[0]),
            ("DNID", channel.dialled),
            ("EffectiveConnectedLineNum", channel.connected_number or UNKNOWN),
            ("EffectiveConnectedLineName", channel.connected_name or UNKNOWN),
            ("TimeToHangup", "0"),
            ("BridgeID", channel.bridge.uniqueid if channel.bridge is not None else ""),
            ("Application", channel.application),
            ("Data", channel.data),
            ("Nativeformats", "(ulaw)"),
            ("Readformat", "ulaw"),
            ("Readtrans", ""),
            ("Writeformat", "ulaw"),
            ("Writetrans", ""),
            ("Callgroup", "2"),
            ("Pickupgroup", "2"),
            ("Seconds", str(int(pbx.clock() - channel.created))),
        )
        items.append(("Status", headers))
    total = ("Items", str(len(items)))
    return listing(request, "Channel status will follow", items, "StatusComplete", total, last=True)


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
    if not true(request.get("async", "")):
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


ACTIONS: Final[dict[str, Action]] = {
    "BridgeList": ("Get a list of bridges in the system.  (Priv: <none>)", _bridge_list),
    "Challenge": ("Generate Challenge for MD5 Auth.  (Priv: <none>)", None),
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
    "Status": ("List channel status.  (Priv: system,call,reporting,all)", _status),
    **LEGS,
    **LINES,
    **PARKING,
    **QUEUES,
    **ROOMS,
}
"""Each action, as ListCommands describes it; those without a handler are the session's own."""

BY_NAME: Final = {name.lower(): handler for name, (_, handler) in ACTIONS.items()}
