"""Ring a phone of ours and join it to something. All need write class ``originate``.

Always ``Async`` (else the session serves nothing until somebody answers), always under a ``channel_id`` of ours: it
becomes the leg's Uniqueid, and ``OriginateResponse`` names it even when no leg came to be [measured on 16 and 22]. The
caller's name and number are what the phone shows. ``ring_ms``: for how long it rings, milliseconds.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final, Literal

from ami.actions.base import DIAL_STRING, Action, change, number, place
from ami.errors import EncodingRefused

Application = Literal["ChanSpy", "PickupChan", "ConfBridge", "Wait"]
"""What a phone that we ring may be joined to. A closed list: ``System``, ``AGI`` and their like are programs to run on
the PBX's host."""

_UNIQUEID: Final = r"[A-Za-z0-9_.:-]{1,150}"
_CHANNEL_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_DATA: Final[dict[Application, re.Pattern[str]]] = {
    # `u`: exactly this Uniqueid (without it a prefix, which takes in strangers); `E`: ends with its target instead of
    # going on to the next call; `S`: ends at once if the target is gone; `q`: no beep; `d`: its keys 4, 5 and 6
    # switch to listening, whispering and barging. Measured on 16 and 22.
    "ChanSpy": re.compile(rf"{_UNIQUEID},qud?[wB]?ES"),
    # The whole name of one channel, as Asterisk makes them.
    "PickupChan": re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.+@/-]{1,100}-[0-9a-f]{1,8}"),
    # The room, without the profiles that may follow a comma: the PBX's own.
    "ConfBridge": re.compile(r"[A-Za-z0-9_.-]{1,79}"),
    "Wait": re.compile(r"[0-9]{1,4}"),
}
_CALLER_NAME: Final = re.compile(r"[A-Za-z0-9 ._+-]{1,40}")
_CALLER_NUMBER: Final = re.compile(r"[0-9A-Za-z*#+._-]{0,40}")


def originate_application(
    phone: str,
    application: Application,
    data: str,
    *,
    channel_id: str,
    caller_name: str,
    caller_number: str = "",
    ring_ms: int = 15_000,
) -> Action:
    """Ring ``phone``, and join it to ``application`` when it is answered.

    ``Data`` must be as the builders below write it.
    """
    if application not in _DATA:
        raise EncodingRefused("Application", "is none that a phone may be joined to")
    if not _DATA[application].fullmatch(data):
        raise EncodingRefused("Data", f"is not what {application} is given here")
    then = (("Application", application), ("Data", data))
    return _originate(phone, then, channel_id, caller_name, caller_number, ring_ms)


def originate_extension(
    phone: str,
    context: str,
    exten: str,
    *,
    channel_id: str,
    caller_name: str,
    caller_number: str = "",
    ring_ms: int = 15_000,
) -> Action:
    """Ring ``phone``, and when it is answered let it call ``exten`` in ``context``, as if it had dialled that itself.

    An extension that is not there is refused at once: "Extension does not exist." [measured].
    """
    return _originate(phone, place(context, exten), channel_id, caller_name, caller_number, ring_ms)


def listen(
    phone: str,
    uniqueid: str,
    *,
    channel_id: str,
    caller_name: str,
    caller_number: str = "",
    ring_ms: int = 15_000,
    switchable: bool = False,
) -> Action:
    """Let ``phone`` hear both sides of the call of the channel ``uniqueid``; nobody hears the phone.

    ``switchable``: the phone's own keys 5, 6 and 4 turn it to whispering, barging and back, and so does
    ``spy_mode``: only for who may do all three.
    """
    data = f"{uniqueid},{_options('', switchable)}"
    return originate_application(
        phone,
        "ChanSpy",
        data,
        channel_id=channel_id,
        caller_name=caller_name,
        caller_number=caller_number,
        ring_ms=ring_ms,
    )


def whisper(
    phone: str,
    uniqueid: str,
    *,
    channel_id: str,
    caller_name: str,
    caller_number: str = "",
    ring_ms: int = 15_000,
    switchable: bool = False,
) -> Action:
    """As ``listen``, and who sits at ``uniqueid``, he alone, hears the phone."""
    data = f"{uniqueid},{_options('w', switchable)}"
    return originate_application(
        phone,
        "ChanSpy",
        data,
        channel_id=channel_id,
        caller_name=caller_name,
        caller_number=caller_number,
        ring_ms=ring_ms,
    )


def barge(
    phone: str,
    uniqueid: str,
    *,
    channel_id: str,
    caller_name: str,
    caller_number: str = "",
    ring_ms: int = 15_000,
    switchable: bool = False,
) -> Action:
    """As ``listen``, and both sides hear the phone."""
    data = f"{uniqueid},{_options('B', switchable)}"
    return originate_application(
        phone,
        "ChanSpy",
        data,
        channel_id=channel_id,
        caller_name=caller_name,
        caller_number=caller_number,
        ring_ms=ring_ms,
    )


def pickup(
    phone: str, ringing: str, *, channel_id: str, caller_name: str, caller_number: str = "", ring_ms: int = 15_000
) -> Action:
    """Let ``phone`` take the call that rings at the channel *named* ``ringing`` (``PJSIP/102-000000a4``).

    It must be the leg that is rung: with the caller's nothing happens [measured]. PickupChan takes no Uniqueid, so
    take the name from live state and at once: names come again after a restart of Asterisk; and a beginning is enough
    for it, so none whose name is the beginning of another's.
    """
    return originate_application(
        phone,
        "PickupChan",
        ringing,
        channel_id=channel_id,
        caller_name=caller_name,
        caller_number=caller_number,
        ring_ms=ring_ms,
    )


def invite(
    phone: str, conference: str, *, channel_id: str, caller_name: str, caller_number: str = "", ring_ms: int = 15_000
) -> Action:
    """Ring ``phone`` into a conference room, with the PBX's default profiles."""
    return originate_application(
        phone,
        "ConfBridge",
        conference,
        channel_id=channel_id,
        caller_name=caller_name,
        caller_number=caller_number,
        ring_ms=ring_ms,
    )


def hold_line(
    phone: str,
    seconds: int,
    *,
    channel_id: str,
    caller_name: str,
    caller_number: str = "",
    ring_ms: int = 15_000,
) -> Action:
    """Ring ``phone`` and keep its line for up to ``seconds`` of silence, for something else to take it over."""
    _, data = number("Data", seconds, 1, 3600)
    return originate_application(
        phone,
        "Wait",
        data,
        channel_id=channel_id,
        caller_name=caller_name,
        caller_number=caller_number,
        ring_ms=ring_ms,
    )


def tone(host: str, port: int, uniqueid: str, *, channel_id: str) -> Action:
    """Make a leg that leads to ``host``, an IP address, and ``port`` as bare RTP in µ-law, and let both sides of the
    call of the channel ``uniqueid`` hear what is sent back there; nobody is rung.

    Whether there is anybody at that address Asterisk doesn't ask [chan_rtp, measured on 16 and 22].
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise EncodingRefused("Channel", "leads to what is no IP address") from None
    _, number_ = number("Channel", port, 1, 65_535)
    where = f"[{address}]:{number_}" if address.version == 6 else f"{address}:{number_}"
    if not re.fullmatch(_UNIQUEID, uniqueid):
        raise EncodingRefused("Data", "is no Uniqueid")
    then = (("Application", "ChanSpy"), ("Data", f"{uniqueid},{_options('B', False)}"))
    return _order(f"UnicastRTP/{where}/c(ulaw)", then, channel_id, "Phoenix-Tone", "", _TONE_MS)


_TONE_MS: Final = 3_000
"""Such a leg is up at once; it is no use later."""


def _options(mode: Literal["", "w", "B"], switchable: bool) -> str:
    return f"qu{'d' if switchable else ''}{mode}ES"


def _originate(
    phone: str,
    then: tuple[tuple[str, str], ...],
    channel_id: str,
    caller_name: str,
    caller_number: str,
    ring_ms: int,
) -> Action:
    if not DIAL_STRING.fullmatch(phone):
        raise EncodingRefused("Channel", "is not the dial string of one phone, such as PJSIP/900")
    return _order(phone, then, channel_id, caller_name, caller_number, ring_ms)


def _order(
    channel: str,
    then: tuple[tuple[str, str], ...],
    channel_id: str,
    caller_name: str,
    caller_number: str,
    ring_ms: int,
) -> Action:
    if not _CHANNEL_ID.fullmatch(channel_id):
        raise EncodingRefused("ChannelId", "is no id of a channel")
    if not _CALLER_NAME.fullmatch(caller_name) or not _CALLER_NUMBER.fullmatch(caller_number):
        raise EncodingRefused("CallerID", "has signs that do not belong there")
    return change(
        "Originate",
        ("Channel", channel),
        *then,
        ("CallerID", f'"{caller_name}" <{caller_number}>'),
        number("Timeout", ring_ms, 1_000, 120_000),
        ("ChannelId", channel_id),
        ("Async", "true"),
    )
