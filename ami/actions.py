"""The actions that we send: a closed set of typed builders.

Nothing else makes an ``Action`` in the product, and there is no raw one: an AMI account without any ``write``
class may still reset queues or suspend bridge technologies (measured), so what can be sent is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from ami.errors import EncodingRefused
from ami.protocol import encode

_HIDDEN = frozenset({"Key", "Secret"})
_MASK = re.compile(r"[a-z]+(,[a-z]+)*")
_WHOLE_CHANNEL = re.compile(r"[^/\s][^\s]*-[0-9a-f]{8}(;[12])?")

Application = Literal["ChanSpy", "PickupChan"]
"""What a phone that we ring may be joined to. A closed list: ``System``, ``AGI`` and their like are programs to run on
the PBX's host."""

DIAL_STRING: Final = re.compile(r"(PJSIP|SIP|IAX2|DAHDI|SCCP)/[A-Za-z0-9_.+-]{1,64}")
"""Technology and resource of one phone. Nothing that forks (``&``), carries options (``,``, ``/n``), or runs dialplan
(``Local/``)."""

_UNIQUEID: Final = r"[A-Za-z0-9_.:-]{1,150}"
_CHANNEL_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_DATA: Final[dict[Application, re.Pattern[str]]] = {
    # `u`: exactly this Uniqueid (without it a prefix, which takes in strangers); `E`: ends with its target instead of
    # going on to the next call; `S`: ends at once if the target is gone; `q`: no beep. Measured on 16 and 22.
    "ChanSpy": re.compile(rf"{_UNIQUEID},qu[wB]?ES"),
    # The whole name of one channel, as Asterisk makes them.
    "PickupChan": re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_.+@/-]{1,100}-[0-9a-f]{8}"),
}
_CALLER_NAME: Final = re.compile(r"[A-Za-z0-9 ._+-]{1,40}")
_CALLER_NUMBER: Final = re.compile(r"[0-9A-Za-z*#+._-]{0,40}")


@dataclass(frozen=True, slots=True, repr=False)
class Action:
    """One action, not yet sent.

    ``is_list``: Asterisk answers with items up to ``EventList: Complete``.
    ``mutating``: it changes something: unanswered, it is never sent a second time.
    ``empty_errors``: texts of ``Response: Error`` that mean an empty list, e.g. "No active conferences."
    """

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    is_list: bool = False
    mutating: bool = False
    empty_errors: tuple[str, ...] = ()

    def encode(self, action_id: str) -> bytes:
        """Its bytes. Raises ``EncodingRefused``."""
        return encode(self.name, (("ActionID", action_id), *self.headers))

    def __repr__(self) -> str:
        shown = ", ".join(f"{key}={'…' if key in _HIDDEN else repr(value)}" for key, value in self.headers)
        return f"<Action {self.name} {shown}>"


def challenge() -> Action:
    """Ask for the challenge that an MD5 login answers."""
    return Action("Challenge", (("AuthType", "MD5"),))


def login_md5(user: str, key: str, events: str) -> Action:
    """Log in: ``key`` is the hexadecimal MD5 of challenge + secret; the secret itself never travels.

    ``events``: "off", "on", or the classes wanted, as in "system,call,agent".
    """
    if not _MASK.fullmatch(events):
        raise EncodingRefused("Events", "is no list of event classes")
    return Action("Login", (("AuthType", "MD5"), ("Username", user), ("Key", key), ("Events", events)))


def logoff() -> Action:
    """End the session in good order."""
    return Action("Logoff")


def ping() -> Action:
    """Ask for a sign of life. Allowed to every account."""
    return Action("Ping")


def core_show_channels() -> Action:
    """List all channels. Needs write class ``system`` or ``reporting``."""
    return _listing("CoreShowChannels")


def bridge_list() -> Action:
    """List all bridges, without their members. Allowed to every account."""
    return _listing("BridgeList")


def status() -> Action:
    """List all channels, as ``core_show_channels`` does, from the channels themselves rather than from a cache.

    Needs write class ``system``, ``call`` or ``reporting``.
    """
    return _listing("Status")


def queue_status(queue: str = "") -> Action:
    """List the queues, their members and their callers, or those of one queue. An unknown queue gives no items.

    ``QueueParams``, ``QueueMember`` and ``QueueEntry`` come mixed. Allowed to every account.
    """
    return _listing("QueueStatus", *((_named("Queue", queue),) if queue else ()))


def queue_summary() -> Action:
    """List the queues with how many agents are in, free, and how many wait. Allowed to every account."""
    return _listing("QueueSummary")


def parked_calls() -> Action:
    """List the parked calls of all lots (``ParkedCall``). Needs write class ``call``."""
    return _listing("ParkedCalls")


def parking_lots() -> Action:
    """List the parking lots, their spaces and times (``Parkinglot``). Needs write class ``call``."""
    return _listing("Parkinglots")


def device_state_list() -> Action:
    """List the devices with their states (``DeviceStateChange``). Needs write class ``call`` or ``reporting``."""
    return _listing("DeviceStateList")


def extension_state_list() -> Action:
    """List the hints of the dialplan with their states (``ExtensionStatus``). Needs ``call`` or ``reporting``."""
    return _listing("ExtensionStateList", empty_errors=("No dialplan hints",))


def pjsip_show_endpoints() -> Action:
    """List chan_pjsip's endpoints (``EndpointList``). Needs write class ``system``: the account that we tell people
    to give the panel gets "Permission denied" [measured on 16 and 22]."""
    return _listing("PJSIPShowEndpoints", empty_errors=("No endpoints found",))


def pjsip_show_contacts() -> Action:
    """List where chan_pjsip's endpoints are registered (``ContactList``). Needs write class ``system``, as above."""
    return _listing("PJSIPShowContacts", empty_errors=("No Contacts found",))


def pjsip_show_registrations_outbound() -> Action:
    """List chan_pjsip's registrations at providers (``OutboundRegistrationDetail``, and its ``AuthDetail``).

    Needs write class ``system`` or ``reporting``.
    """
    return _listing("PJSIPShowRegistrationsOutbound")


def sip_peers() -> Action:
    """List chan_sip's peers (``PeerEntry``). Needs ``system`` or ``reporting``; gone since Asterisk 21."""
    return _listing("SIPpeers")


def sip_show_registry() -> Action:
    """List chan_sip's registrations at providers (``RegistryEntry``). Needs ``system`` or ``reporting``."""
    return _listing("SIPshowregistry")


def iax_peer_list() -> Action:
    """List chan_iax2's peers (``PeerEntry``). Needs write class ``system`` or ``reporting``."""
    return _listing("IAXpeerlist")


def iax_registry() -> Action:
    """List chan_iax2's registrations (``RegistryEntry``). Needs write class ``system`` or ``reporting``."""
    return _listing("IAXregistry")


def core_status() -> Action:
    """When Asterisk started and last reloaded (local time, without its zone), and how many calls it has."""
    return Action("CoreStatus")


def core_settings() -> Action:
    """Asterisk's version, its AMI version and its system name."""
    return Action("CoreSettings")


def list_commands() -> Action:
    """The actions that this account may use: one header each, its value ends in the classes that allow it."""
    return Action("ListCommands")


def hangup(uniqueid: str, cause: int = 16) -> Action:
    """Hang up one channel. ``cause`` is a Q.850 number, 16 = normal clearing.

    Asterisk takes ``/…/`` as a regular expression over all channels (``/.*/`` drops the whole PBX: measured),
    and skips blanks before it: neither passes.
    """
    if not uniqueid or uniqueid != uniqueid.strip():
        raise EncodingRefused("Channel", "is empty or has blanks around it")
    if uniqueid.startswith("/"):
        raise EncodingRefused("Channel", "would be a regular expression over all channels")
    if not 0 <= cause <= 127:
        raise EncodingRefused("Cause", "is no Q.850 cause (0 to 127)")
    return Action("Hangup", (("Channel", uniqueid), ("Cause", str(cause))), mutating=True)


def confbridge_list_rooms() -> Action:
    """List the conference rooms that somebody is in: parties, marked ones, lock. Needs write class ``reporting``."""
    return _listing("ConfbridgeListRooms", empty_errors=("No active conferences.",))


def confbridge_list(conference: str) -> Action:
    """List who is in one room. Needs write class ``reporting``. A room that is no more has nobody in it."""
    empty = ("No active conferences.", "No Conference by that name found.")
    return _listing("ConfbridgeList", _conference(conference), empty_errors=empty)


def confbridge_mute(conference: str, channel: str) -> Action:
    """Nobody in the room hears this participant any more. ``channel``: its full name."""
    return Action("ConfbridgeMute", (_conference(conference), _participant(channel)), mutating=True)


def confbridge_unmute(conference: str, channel: str) -> Action:
    """The room hears this participant again. ``channel``: its full name."""
    return Action("ConfbridgeUnmute", (_conference(conference), _participant(channel)), mutating=True)


def confbridge_kick(conference: str, channel: str) -> Action:
    """Put this participant out of the room; its call goes on in the dialplan, which mostly ends it."""
    return Action("ConfbridgeKick", (_conference(conference), _participant(channel)), mutating=True)


def confbridge_lock(conference: str) -> Action:
    """Nobody but admins gets into the room any more. No event tells of it (measured on 16 and 22)."""
    return Action("ConfbridgeLock", (_conference(conference),), mutating=True)


def confbridge_unlock(conference: str) -> Action:
    """Everybody gets into the room again. No event tells of it."""
    return Action("ConfbridgeUnlock", (_conference(conference),), mutating=True)


def _listing(name: str, *headers: tuple[str, str], empty_errors: tuple[str, ...] = ()) -> Action:
    """An Asterisk that has not loaded the action's module has none of what it lists [measured on 16 and 22]."""
    no_such_action = f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
    return Action(name, headers, is_list=True, empty_errors=(*empty_errors, no_such_action))


def _named(field: str, name: str) -> tuple[str, str]:
    """Asterisk skips blanks before a value and keeps those after it."""
    if not name or name != name.strip():
        raise EncodingRefused(field, "is empty or has blanks around it")
    return field, name


def _conference(name: str) -> tuple[str, str]:
    return _named("Conference", name)


def _participant(channel: str) -> tuple[str, str]:
    """These actions take names only, no Uniqueid, and match by prefix: ``PJSIP/10`` mutes 101 (measured); ``all`` and
    ``participants`` reach everybody. A whole name with its eight digits is the prefix of no other."""
    if not _WHOLE_CHANNEL.fullmatch(channel):
        raise EncodingRefused("Channel", "is no whole channel name")
    return "Channel", channel


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
    """Ring ``phone`` for up to ``ring_ms`` milliseconds, and join it to ``application`` when it is answered.

    Always ``Async`` (else the session serves nothing until somebody answers), always under a ``channel_id`` of ours:
    it becomes the leg's Uniqueid, and ``OriginateResponse`` names it even when no leg came to be [measured on 16 and
    22]. The caller's name and number are what the phone shows. Needs write class ``originate``. ``Data`` must be as
    ``listen``, ``whisper`` and ``pickup`` write it.
    """
    if not DIAL_STRING.fullmatch(phone):
        raise EncodingRefused("Channel", "is not the dial string of one phone, such as PJSIP/900")
    if application not in _DATA:
        raise EncodingRefused("Application", "is none that a phone may be joined to")
    if not _DATA[application].fullmatch(data):
        raise EncodingRefused("Data", f"is not what {application} is given here")
    if not _CHANNEL_ID.fullmatch(channel_id):
        raise EncodingRefused("ChannelId", "is no id of a channel")
    if not _CALLER_NAME.fullmatch(caller_name) or not _CALLER_NUMBER.fullmatch(caller_number):
        raise EncodingRefused("CallerID", "has signs that do not belong there")
    if not 1_000 <= ring_ms <= 120_000:
        raise EncodingRefused("Timeout", "is not between 1 s and 2 min")
    headers = (
        ("Channel", phone),
        ("Application", application),
        ("Data", data),
        ("CallerID", f'"{caller_name}" <{caller_number}>'),
        ("Timeout", str(ring_ms)),
        ("ChannelId", channel_id),
        ("Async", "true"),
    )
    return Action("Originate", headers, mutating=True)


def listen(
    phone: str, uniqueid: str, *, channel_id: str, caller_name: str, caller_number: str = "", ring_ms: int = 15_000
) -> Action:
    """Let ``phone`` hear both sides of the call of the channel ``uniqueid``; nobody hears the phone."""
    return originate_application(
        phone,
        "ChanSpy",
        f"{uniqueid},quES",
        channel_id=channel_id,
        caller_name=caller_name,
        caller_number=caller_number,
        ring_ms=ring_ms,
    )


def whisper(
    phone: str, uniqueid: str, *, channel_id: str, caller_name: str, caller_number: str = "", ring_ms: int = 15_000
) -> Action:
    """As ``listen``, and who sits at ``uniqueid``, he alone, hears the phone."""
    return originate_application(
        phone,
        "ChanSpy",
        f"{uniqueid},quwES",
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
    take the name from live state and at once: names come again after a restart of Asterisk.
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


# Every builder there is. The tests feed each one's every text field with hostile values.
BUILDERS: tuple[Callable[..., Action], ...] = (
    challenge,
    login_md5,
    logoff,
    ping,
    core_show_channels,
    bridge_list,
    status,
    queue_status,
    queue_summary,
    parked_calls,
    parking_lots,
    device_state_list,
    extension_state_list,
    pjsip_show_endpoints,
    pjsip_show_contacts,
    pjsip_show_registrations_outbound,
    sip_peers,
    sip_show_registry,
    iax_peer_list,
    iax_registry,
    core_status,
    core_settings,
    list_commands,
    hangup,
    confbridge_list_rooms,
    confbridge_list,
    confbridge_mute,
    confbridge_unmute,
    confbridge_kick,
    confbridge_lock,
    confbridge_unlock,
    originate_application,
    listen,
    whisper,
    pickup,
)
