"""Numbers in headers: what is none, or none that can be meant, is told by what stands for *absent*."""

from __future__ import annotations

from typing import Final

from ami.protocol import Message

DIGITS: Final = 12
"""No number of Asterisk's has more (seconds of UTC have 10), and its thousandfold is exact in a page's JavaScript.
Without a bound a header of over 4,300 digits is a ValueError in the middle of an event."""


def number(text: str, absent: int = 0) -> int:
    """The decimal number in ``text``, or ``absent``."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS else absent


def number_in(message: Message, header: str) -> int:
    """The decimal number in this header, or 0."""
    return number(message.get(header))
