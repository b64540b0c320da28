"""What the imitation says: events with their headers in Asterisk 22's own order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Header = tuple[str, str]
Class = Literal["system", "call", "agent"]


class Emit(Protocol):
    """Whoever takes what happens. Most is of class ``call``."""

    def __call__(self, name: str, *headers: Header, cls: Class = "call") -> None: ...


SYSTEM: Final = "demo"
"""The ``systemname`` of the demo's ``asterisk.conf``: a header of every event, and what Uniqueids begin with."""

UNKNOWN: Final = "<unknown>"

_ESCAPES: Final = {char: f"\\{letter}" for char, letter in zip("\a\b\f\n\r\t\v\\'\"?", "abfnrtv\\'\"?", strict=True)}


def escaped(text: str) -> str:
    """A name as AMI writes it, with C escapes (``ast_escape_c``)."""
    return "".join(_ESCAPES.get(char, char) for char in text)


def block(headers: Iterable[Header]) -> bytes:
    """The bytes of one message. Control characters in values become blanks: one message stays one message."""
    lines = (f"{key}: {value}" for key, value in headers)
    return "".join(f"{''.join(c if c >= ' ' else ' ' for c in line)}\r\n" for line in lines).encode() + b"\r\n"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``cls`` is the class by which sessions choose what they hear."""

    name: str
    cls: Class
    headers: tuple[Header, ...]

    def encode(self) -> bytes:
        first = (("Event", self.name), ("Privilege", f"{self.cls},all"))
        # FullyBooted is sent to one session, before events are: the only one without SystemName (seen on 22).
        system = () if self.name == "FullyBooted" else (("SystemName", SYSTEM),)
        return block((*first, *system, *self.headers))
