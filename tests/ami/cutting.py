"""One stream in pieces: the invariant that hypothesis and the fuzzer hold the protocol to.

However a stream of any bytes is cut, the same messages come and then the same end, nothing but the protocol's own
errors is raised, and what is held stays under the cap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ami import protocol as wire
from ami.errors import IncompleteMessage, ProtocolError
from ami.protocol import Message, Protocol

GREETING = b"Asterisk Call Manager/11.0.0\r\n"

# Caps that a short stream can break, in the proportions of the real ones.
SMALL_CAPS = {"MAX_LINE": 100, "MAX_MESSAGE": 400, "MAX_HEADERS": 15, "_SMALL": 45}


@dataclass(frozen=True)
class Outcome:
    """The bytes of each message, and how the stream ended: "", "malformed" (a cap) or "incomplete"."""

    messages: list[bytes]
    end: str


def outcome(stream: bytes, cuts: Iterable[int] = ()) -> Outcome:
    """Feed ``stream`` cut at these places; every message is read in all ways on the way."""
    protocol, messages, start = Protocol(), list[bytes](), 0
    try:
        for cut in [*sorted(cuts), len(stream)]:
            for message in protocol.feed(stream[start:cut]):
                messages.append(message.raw)
                read(message)
            start = max(start, cut)
            assert len(protocol._buffer) <= wire.MAX_MESSAGE + 3, "what is held is bounded"
    except ProtocolError:
        assert len(protocol._buffer) == 0
        return Outcome(messages, "malformed")
    try:
        protocol.eof()
    except IncompleteMessage:
        return Outcome(messages, "incomplete")
    return Outcome(messages, "")


def read(message: Message) -> None:
    """All that can be asked of a message, and what must hold between the answers."""
    items = message.items()
    assert [key for key, _ in items[:1]] == ["Event"] or not message.event
    assert [key for key, _ in items[:1]] == ["Response"] or not message.response
    assert len(items) == message.raw.count(b"\r\n") + 1
    for key, value in items:
        assert message.all(key)[0] == message.get(key)
        assert value in message.all(key)
        message.text(key).encode()  # no surrogates: it can go anywhere
    assert message.get("\r\n", "none") == "none"
    assert repr(message).startswith("<Message ")
