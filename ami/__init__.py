"""A client for the Asterisk Manager Interface: a library on its own, standard library only.

::

    session = await ami.connect("amis://user:secret@pbx.example", on_event=print)
    for channel in await session.list(ami.actions.core_show_channels()):
        print(channel.get("Channel"))
"""

from __future__ import annotations

from collections.abc import Callable

from ami import actions
from ami.actions import Action
from ami.address import Address
from ami.client import Link, LinkState, Session, Timing
from ami.errors import (
    LINK_CODES,
    ActionRefused,
    ActionTimedOut,
    AmiError,
    ConnectionLost,
    EncodingRefused,
    IncompleteMessage,
    LoginRefused,
    NoGreeting,
    NotConnected,
    ProtocolError,
    ShutDown,
    Silent,
    TooManyPending,
    Unreachable,
)
from ami.protocol import Message, Protocol, encode, unescape

__all__ = [
    "LINK_CODES",
    "Action",
    "ActionRefused",
    "ActionTimedOut",
    "Address",
    "AmiError",
    "ConnectionLost",
    "EncodingRefused",
    "IncompleteMessage",
    "Link",
    "LinkState",
    "LoginRefused",
    "Message",
    "NoGreeting",
    "NotConnected",
    "Protocol",
    "ProtocolError",
    "Session",
    "ShutDown",
    "Silent",
    "Timing",
    "TooManyPending",
    "Unreachable",
    "actions",
    "connect",
    "encode",
    "unescape",
]


async def connect(
    url: str, events: str = "system,call,agent", on_event: Callable[[Message], None] | None = None
) -> Session:
    """One session, for scripts. ``url``: as ``Address.parse`` takes it. ``events``: the classes to hear, or "off".

    Raises ``ValueError`` for a wrong address, ``Unreachable``, ``NoGreeting``, ``LoginRefused``,
    ``ConnectionLost``. It is not kept alive: for that there is ``Link``.
    """
    return await Session.open(Address.parse(url), events=events, on_event=on_event)
