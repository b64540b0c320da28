"""Log in, stay alive, log off, and what Asterisk says of itself."""

from __future__ import annotations

import re

from ami.actions.base import Action
from ami.errors import EncodingRefused

_MASK = re.compile(r"[a-z]+(,[a-z]+)*")


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


def core_status() -> Action:
    """When Asterisk started and last reloaded (local time, without its zone), and how many calls it has."""
    return Action("CoreStatus")


def core_settings() -> Action:
    """Asterisk's version, its AMI version and its system name."""
    return Action("CoreSettings")


def list_commands() -> Action:
    """The actions that this account may use: one header each, its value ends in the classes that allow it."""
    return Action("ListCommands")
