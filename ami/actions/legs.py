"""What is done to a leg of a live call. Each names its channels by Uniqueid but where it says otherwise.

All need write class ``call``, but for those that say ``system``, which is a shell on the PBX's host.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from ami.actions.base import Action, OnOff, change, named, number, one_channel, one_of, place
from ami.errors import EncodingRefused

SpyMode = Literal["listen", "whisper", "barge"]
_SPY_KEYS: Final[dict[SpyMode, str]] = {"listen": "4", "whisper": "5", "barge": "6"}

# It goes to the application's arguments, where a comma begins the options and then a command to run. No folder.
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_MONITOR_ID: Final = re.compile(r"0x[0-9a-f]{1,16}")
# Asterisk cuts this name at its last hyphen and dials the rest when the time is over: nothing but a phone's leg.
_PHONE_LEG: Final = re.compile(r"(PJSIP|SIP|IAX2|SCCP)/[A-Za-z0-9_.+-]{1,64}-[0-9a-f]{1,8}|DAHDI/\d{1,4}-\d{1,4}")


def hangup(uniqueid: str, cause: int = 16) -> Action:
    """Hang up one channel. ``cause`` is a Q.850 number, 16 = normal clearing."""
    return change("Hangup", one_channel(uniqueid), number("Cause", cause, 0, 127))


def redirect(uniqueid: str, context: str, exten: str) -> Action:
    """Send this leg elsewhere in the dialplan; the other one of its call is left to its own, and mostly ends.

    Never a leg that rings: that kills its call [measured].
    """
    return change("Redirect", one_channel(uniqueid), *place(context, exten))


def redirect_both(
    uniqueid: str, context: str, exten: str, extra_uniqueid: str, extra_context: str, extra_exten: str
) -> Action:
    """Send both legs of a call elsewhere, each to its own place."""
    return change(
        "Redirect",
        one_channel(uniqueid),
        *place(context, exten),
        one_channel(extra_uniqueid, "ExtraChannel"),
        *place(extra_context, extra_exten, "Extra"),
    )


def blind_transfer(uniqueid: str, context: str, exten: str) -> Action:
    """Transfer a call as if the leg ``uniqueid`` did: it is out, the other one goes to ``exten``."""
    where, who, _ = place(context, exten)  # it takes no priority
    return change("BlindTransfer", one_channel(uniqueid), where, who)


def atxfer(uniqueid: str, context: str, exten: str) -> Action:
    """Begin an attended transfer for the leg ``uniqueid``, by injecting the keys of features.conf's ``atxfer``.

    Without that entry, or t/T where the call was dialled, nothing happens, and the answer is ``Success`` all the same.
    """
    where, who, _ = place(context, exten)
    return change("Atxfer", one_channel(uniqueid), where, who)


def cancel_atxfer(uniqueid: str) -> Action:
    """Back to the first call, for the leg that began an attended transfer."""
    return change("CancelAtxfer", one_channel(uniqueid))


def park(uniqueid: str, back_to: str, timeout_ms: int, lot: str = "default") -> Action:
    """Park this leg. After ``timeout_ms`` milliseconds (0: never) it rings the phone of the channel *named*
    ``back_to``, mostly the other leg of its call."""
    if not _PHONE_LEG.fullmatch(back_to):
        raise EncodingRefused("TimeoutChannel", "is no whole name of a phone's channel")
    return change(
        "Park",
        one_channel(uniqueid),
        ("TimeoutChannel", back_to),
        number("Timeout", timeout_ms, 0, 86_400_000),
        named("Parkinglot", lot),
    )


def mix_monitor(uniqueid: str, file: str) -> Action:
    """Record both sides while the leg is in a bridge, into ``file`` of Asterisk's own folder for recordings.

    The answer's ``MixMonitorID`` names this recording. Needs write class ``system``.
    """
    if not _FILE.fullmatch(file):
        raise EncodingRefused("File", "is no plain file name")
    return change("MixMonitor", one_channel(uniqueid), ("File", file), ("Options", "b"))


def stop_mix_monitor(uniqueid: str, mix_monitor_id: str = "") -> Action:
    """End the recording of this id; without one, of any that the leg has."""
    if not mix_monitor_id:
        return change("StopMixMonitor", one_channel(uniqueid))
    if not _MONITOR_ID.fullmatch(mix_monitor_id):
        raise EncodingRefused("MixMonitorID", "is no id that MixMonitor gave")
    return change("StopMixMonitor", one_channel(uniqueid), ("MixMonitorID", mix_monitor_id))


def mix_monitor_mute(uniqueid: str, muted: bool) -> Action:
    """Pause the leg's recordings, both sides, or let them go on; while paused, silence is written."""
    return change("MixMonitorMute", one_channel(uniqueid), ("Direction", "both"), ("State", str(int(muted))))


def mute_audio(uniqueid: str, direction: Literal["in", "out", "all"], state: OnOff) -> Action:
    """Mute what a leg says ("in"), what it hears ("out"), or both. No event tells of it, and no list.

    Needs write class ``system`` [16 and 22].
    """
    return change(
        "MuteAudio",
        one_channel(uniqueid),
        one_of("Direction", direction, "in", "out", "all"),
        one_of("State", state, "on", "off"),
    )


def play_dtmf(uniqueid: str, digit: str, *, receive: bool = False) -> Action:
    """Send one key to who sits at this leg; with ``receive``, as if he had pressed it.

    As all that wants a channel, it blocks its session while something holds that channel's lock: half a frame of
    AudioSocket does, until the other half comes [measured on 22]. (There is no action ``SendDTMF``.)
    """
    one_of("Digit", digit, *"0123456789*#ABCD")
    return change("PlayDTMF", one_channel(uniqueid), ("Digit", digit), ("Receive", "true" if receive else "false"))


def spy_mode(uniqueid: str, mode: SpyMode) -> Action:
    """Switch a spying leg that was made ``switchable``, by the key that its phone would press."""
    if mode not in _SPY_KEYS:
        raise EncodingRefused("Digit", "is for none of listen, whisper, barge")
    return play_dtmf(uniqueid, _SPY_KEYS[mode], receive=True)
