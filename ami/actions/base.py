"""What an action is, and the checks that builders share. Each refuses by ``EncodingRefused`` naming AMI's header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from ami.errors import EncodingRefused
from ami.protocol import encode

_HIDDEN = frozenset({"Key", "Secret"})
_WHOLE_NAME = re.compile(r"[^/\s][^\s]*-[0-9a-f]{1,8}(;[12])?")
_CONTEXT = re.compile(r"[A-Za-z0-9_.-]{1,79}")
_EXTEN = re.compile(r"[A-Za-z0-9*#+][A-Za-z0-9*#+_.-]{0,78}")

OnOff = Literal["on", "off"]

DIAL_STRING: Final = re.compile(r"(PJSIP|SIP|IAX2|DAHDI|SCCP)/[A-Za-z0-9_.+-]{1,64}")
"""Technology and resource of one phone. Nothing that forks (``&``), carries options (``,``, ``/n``), or runs dialplan
(``Local/``)."""


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


def listing(name: str, *headers: tuple[str, str], empty_errors: tuple[str, ...] = ()) -> Action:
    """An Asterisk that has not loaded the action's module has none of what it lists [measured on 16 and 22]."""
    no_such_action = f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
    return Action(name, headers, is_list=True, empty_errors=(*empty_errors, no_such_action))


def change(name: str, *headers: tuple[str, str]) -> Action:
    """An action that changes something."""
    return Action(name, headers, mutating=True)


def named(field: str, name: str) -> tuple[str, str]:
    """Asterisk skips blanks before a value and keeps those after it."""
    if not name or name != name.strip():
        raise EncodingRefused(field, "is empty or has blanks around it")
    return field, name


def one_channel(uniqueid: str, field: str = "Channel") -> tuple[str, str]:
    """One channel by its Uniqueid: Asterisk looks for a channel of exactly this name, then for this Uniqueid [measured
    on 16 and 22 with every action that uses this].

    ``Hangup`` takes ``/…/`` as a regular expression over all channels (``/.*/`` drops the whole PBX: measured), and
    skips blanks before it: neither passes.
    """
    if uniqueid.startswith("/"):
        raise EncodingRefused(field, "would be a regular expression over all channels")
    return named(field, uniqueid)


def whole_name(channel: str, field: str = "Channel") -> tuple[str, str]:
    """One channel by its name, for actions that know no Uniqueid. Some match by prefix: ``PJSIP/10`` mutes 101
    (measured); and ``all`` and ``participants`` reach everybody. A whole name ends in a number of its own, not always
    of eight digits (``IAX2/401-3832``, ``DAHDI/33-1``): whether another channel's name begins with it is for the
    caller to know."""
    if not _WHOLE_NAME.fullmatch(channel):
        raise EncodingRefused(field, "is no whole channel name")
    return field, channel


def place(context: str, exten: str, prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Where in the dialplan: always priority 1 of an extension. Redirect answers ``Success`` even for a context that
    does not exist [measured]: whether the place is there is for the caller to know."""
    if not _CONTEXT.fullmatch(context):
        raise EncodingRefused(f"{prefix}Context", "is no name of a context")
    if not _EXTEN.fullmatch(exten):
        raise EncodingRefused(f"{prefix}Exten", "is no extension that can be dialled")
    return (f"{prefix}Context", context), (f"{prefix}Exten", exten), (f"{prefix}Priority", "1")


def one_of(field: str, value: str, *allowed: str) -> tuple[str, str]:
    """One of the words that Asterisk knows there."""
    if value not in allowed:
        raise EncodingRefused(field, f"is none of {', '.join(allowed)}")
    return field, value


def number(field: str, value: int, least: int, most: int) -> tuple[str, str]:
    """A whole number, from ``least`` to ``most``."""
    if not least <= value <= most:
        raise EncodingRefused(field, f"is not between {least} and {most}")
    return field, str(value)
