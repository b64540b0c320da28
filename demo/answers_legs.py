"""How the imitation answers about what is done to one leg: sent on, recorded, muted, keys pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.channels import Channel
from demo.devices import INTERNAL
from demo.replies import Action, Request, error, response, success

if TYPE_CHECKING:
    from demo.pbx import Pbx

NO_NAME: Final = "No channel specified"
KEYS: Final = frozenset("0123456789*#ABCD")


def _transfer(pbx: Pbx, request: Request) -> bytes:
    name, exten = request.get("channel", ""), request.get("exten", "")
    if not name:
        return error(request, NO_NAME)
    if not exten:
        return error(request, "No extension specified")
    channel = pbx.find(name)
    if channel is None:
        return error(request, "Channel specified does not exist")
    if request.get("context", INTERNAL) != INTERNAL or not pbx.transfer(channel, exten, by_phone=False):
        return error(request, "Transfer invalid")
    return success(request, "Transfer succeeded")


def _redirect(pbx: Pbx, request: Request) -> bytes:
    name, exten = request.get("channel", ""), request.get("exten", "")
    if not name:
        return error(request, "Channel not specified")
    channel = pbx.find(name)
    if channel is None:
        return error(request, f"Channel does not exist: {name}")
    pbx.redirect(channel, exten)
    return success(request, "Redirect successful")


def _record(pbx: Pbx, request: Request) -> bytes:
    channel = _named(pbx, request)
    if not isinstance(channel, Channel):
        return channel
    pbx.record(channel)
    return response(request, "Success")


def _stop(pbx: Pbx, request: Request) -> bytes:
    channel = _named(pbx, request)
    if not isinstance(channel, Channel):
        return channel
    if not pbx.stop_recording(channel):
        return error(request, "Could not stop monitoring channel")
    return response(request, "Success")


def _pause(pbx: Pbx, request: Request) -> bytes:
    channel = _named(pbx, request)
    if not isinstance(channel, Channel):
        return channel
    pbx.pause_recording(channel, request.get("state", "") == "1", request.get("direction", ""))
    return response(request, "Success")


def _mute(pbx: Pbx, request: Request) -> bytes:
    """Nobody can hear here whether it does anything; a real one tells nobody either."""
    if not request.get("channel", ""):
        return error(request, "Channel not specified")
    channel = _named(pbx, request)
    return response(request, "Success") if isinstance(channel, Channel) else channel


def _keys(pbx: Pbx, request: Request) -> bytes:
    if pbx.find(request.get("channel", "")) is None:
        return error(request, "Channel not found")
    if request.get("digit", "") not in KEYS:
        return error(request, "Digit not specified")
    return success(request, "DTMF successfully queued")


def _named(pbx: Pbx, request: Request) -> Channel | bytes:
    """The channel that the action names, or why not."""
    name = request.get("channel", "")
    if not name:
        return error(request, NO_NAME)
    return pbx.find(name) or error(request, "No such channel")


LEGS: Final[dict[str, Action]] = {
    "BlindTransfer": ("Blind transfer channel(s) to the given destination  (Priv: call,all)", _transfer),
    "MixMonitor": (
        "Record a call and mix the audio during the recording.  Use of StopMixMonitor is required to guarantee the"
        " audio file is available for processing during dialplan execution.  (Priv: system,all)",
        _record,
    ),
    "MixMonitorMute": ("Mute / unMute a Mixmonitor recording.  (Priv: system,call,all)", _pause),
    "MuteAudio": ("Mute an audio stream.  (Priv: system,all)", _mute),
    "PlayDTMF": ("Play DTMF signal on a specific channel.  (Priv: call,all)", _keys),
    "Redirect": ("Redirect (transfer) a call.  (Priv: call,all)", _redirect),
    "StopMixMonitor": (
        "Stop recording a call through MixMonitor, and free the recording's file handle.  (Priv: system,call,all)",
        _stop,
    ),
}
