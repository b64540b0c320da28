"""The actions that we send: a closed set of typed builders.

Nothing else makes an ``Action`` in the product, and there is no raw one: an AMI account without any ``write``
class may still reset queues or suspend bridge technologies (measured), so what can be sent is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ami.errors import EncodingRefused
from ami.protocol import encode

_HIDDEN = frozenset({"Key", "Secret"})
_MASK = re.compile(r"[a-z]+(,[a-z]+)*")


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
    return Action("CoreShowChannels", is_list=True)


def bridge_list() -> Action:
    """List all bridges, without their members. Allowed to every account."""
    return Action("BridgeList", is_list=True)


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


# Every builder there is. The tests feed each one's every text field with hostile values.
BUILDERS: tuple[Callable[..., Action], ...] = (
    challenge,
    login_md5,
    logoff,
    ping,
    core_show_channels,
    bridge_list,
    core_status,
    core_settings,
    list_commands,
    hangup,
)
