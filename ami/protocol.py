"""The wire format of the Asterisk Manager Interface: bytes in, messages out, and back. No sockets, no clock.

``Protocol.feed`` takes bytes as they come and returns whole messages; ``encode`` is the only maker of bytes.
A message is kept as its raw block: the event's name is known at once, headers are decoded when asked for,
since over half of a real stream's events interest nobody.

What the framing rests on, all seen on Asterisk 16 and 22:

* Lines end in CR LF, a message ends in an empty line. A bare LF may stand inside a value
  (``Message: Park successful\\n``) and ends nothing.
* Some messages are followed by one CR LF too many, so the next one seems to begin with an empty line.
* Values are bytes of any kind: a caller's name may be Latin-1, or end in the middle of a UTF-8 character.
* An event, a response and a list item differ by their first header only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from ami.errors import EncodingRefused, IncompleteMessage, ProtocolError

# Caps on what a peer may make us hold. The largest message of a real Asterisk 22 is its answer to ListCommands,
# about 10 KB in 130 headers; past a cap the peer is broken or hostile.
MAX_GREETING = 1024  # bytes; Asterisk's has 30
MAX_LINE = 64 * 1024  # bytes
MAX_MESSAGE = 1024 * 1024  # bytes
MAX_HEADERS = 500
# A header is at least one byte and its CR LF: a shorter message cannot break the cap on headers or lines.
_SMALL = MAX_HEADERS * 3

# What Asterisk takes: 1,022 bytes a line and 128 headers (measured); beyond, it answers without an ActionID.
MAX_LINE_OUT = 1000
MAX_HEADERS_OUT = 120

_CRLF = b"\r\n"
_END = b"\r\n\r\n"
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class _Lines(dict[bytes, tuple[str, str]]):
    """Decoded header lines, by their bytes: most lines of a stream have come before.

    Bounded twice: cleared when it holds ``LIMIT`` lines, and long lines are not kept at all.
    """

    LIMIT = 16_384
    LONGEST = 256

    def __missing__(self, line: bytes) -> tuple[str, str]:
        text = line.decode("utf-8", "replace")
        # ": " first: a key may hold a colon, as in "ChanVariable(IAX2/10.0.0.1:4569-7): name=value".
        key, found, value = text.partition(": ")
        if not found:
            key, _, value = text.partition(":")
        header = (sys.intern(key), value)
        if len(line) <= self.LONGEST:
            if len(self) >= self.LIMIT:
                self.clear()
            self[line] = header
        return header


_lines = _Lines()
_header_of = _lines.__getitem__


class Message:
    """One event, response or list item.

    ``raw``: its bytes without the empty line at the end.
    ``event``: the event's name, or "". Only the first header makes a message an event: a header named
    ``Event`` further down may be a stranger's text.
    ``response``: "Success", "Error", "Goodbye" …, or "", by the same rule. (``OriginateResponse`` is an event
    that has a header ``Response``: ``get("Response")``.)

    Header names are compared as Asterisk writes them, with case.
    """

    __slots__ = ("_first", "_items", "event", "raw", "response")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        end = raw.find(_CRLF)
        key, value = _lines[raw if end < 0 else raw[:end]]
        self.event = value if key == "Event" else ""
        self.response = value if key == "Response" else ""
        self._items: list[tuple[str, str]] | None = None
        self._first: dict[str, str] | None = None

    def items(self) -> list[tuple[str, str]]:
        """All headers in order, repeated ones too. Bytes that are no UTF-8 read as U+FFFD.

        The list is the message's own: do not change it.
        """
        if self._items is None:
            self._items = list(map(_header_of, self.raw.split(_CRLF)))
        return self._items

    def get(self, key: str, default: str = "") -> str:
        """The first value of ``key`` exactly as sent, or ``default``. Sent empty, it is "", not the default."""
        if self._first is None:
            # Reversed, so that the first of repeated headers wins: a later one may be forged by a value.
            self._first = dict(reversed(self.items()))
        return self._first.get(key, default)

    def all(self, key: str) -> list[str]:
        """All values of ``key``, in order (``Output``, ``ChanVariable``)."""
        return [value for name, value in self.items() if name == key]

    def text(self, key: str) -> str:
        """As ``get``, with Asterisk's C escapes undone where it writes them (see ``ESCAPED``)."""
        value = self.get(key)
        return unescape(value) if "\\" in value and key.endswith(ESCAPED) else value

    @property
    def action_id(self) -> str:
        """The ActionID of the action that this answers, or ""."""
        return self.get("ActionID")

    def __repr__(self) -> str:
        return f"<Message {self.event or self.response or '?'} {len(self.raw)} bytes>"


# Asterisk writes the names of caller and connected line with C escapes: `Zoë "Z" O'Brien` arrives as
# `Zoë \"Z\" O\'Brien` (measured on 16 and 22). Numbers come raw, even `7"8\9` (measured on 22): undoing escapes
# there would change them. Prefixed forms (DestCallerIDName, SpyeeConnectedLineName …) end the same way.
ESCAPED = ("CallerIDName", "ConnectedLineName")

_ESCAPE = re.compile(r"\\([abfnrtv\\'\"?])")
_ESCAPES = dict(zip("abfnrtv\\'\"?", "\a\b\f\n\r\t\v\\'\"?", strict=True))


def unescape(value: str) -> str:
    """Undo Asterisk's C escapes (``ast_escape_c``). A backslash before anything else stays as it is."""
    return _ESCAPE.sub(lambda match: _ESCAPES[match[1]], value)


class Protocol:
    """One connection's incoming bytes. Give it all that comes with ``feed``, then ``eof``.

    ``banner`` is the greeting line, None until it has come; messages follow it.
    After a ``ProtocolError`` the connection must be dropped: every further ``feed`` raises it again.
    """

    def __init__(self) -> None:
        self.banner: str | None = None
        self._buffer = bytearray()
        # Bytes are searched once: up to here the buffer holds no end of a message, and no further end of a line.
        self._searched = self._searched_lines = 0
        self._line = 0  # where the unfinished line begins
        self._error: ProtocolError | None = None

    def feed(self, data: bytes) -> list[Message]:
        """The messages that ``data`` completes, in order. Raises ``ProtocolError`` past a cap."""
        if self._error is not None:
            raise self._error
        try:
            self._buffer += data
            if self.banner is None and not self._greet():
                return []
            messages = [Message(block) for block in self._blocks()]
            self._check_unfinished()
        except ProtocolError as error:
            self._error = error
            self._buffer.clear()
            raise
        return messages

    def eof(self) -> None:
        """The stream has ended. Raises ``IncompleteMessage`` when it did so inside a message."""
        left = len(self._buffer.strip(b"\r\n"))
        if left and self._error is None:
            raise IncompleteMessage(f"the stream ended inside a message, after {left} bytes of it")

    def _greet(self) -> bool:
        end = self._buffer.find(b"\n", 0, MAX_GREETING)
        if end < 0:
            if len(self._buffer) >= MAX_GREETING:
                raise ProtocolError(f"the greeting is longer than {MAX_GREETING} bytes")
            return False
        self.banner = self._buffer[:end].decode("utf-8", "replace").rstrip("\r")
        del self._buffer[: end + 1]
        return True

    def _blocks(self) -> list[bytes]:
        """Cut the finished messages off the buffer."""
        buffer = self._buffer
        end = buffer.rfind(_END, self._searched)
        if end < 0:
            # The last three bytes may begin an end that the next bytes finish.
            self._searched = max(0, len(buffer) - 3)
            return []
        chunk = bytes(buffer[: end + len(_END)])
        del buffer[: len(chunk)]
        self._searched = self._searched_lines = self._line = 0
        blocks = []
        for block in chunk.split(_END):
            if block[:1] in (b"\r", b"\n"):
                # The stray empty line before a message.
                block = block.lstrip(b"\r\n")
            if block:
                if len(block) > _SMALL:
                    _check(block)
                blocks.append(block)
        return blocks

    def _check_unfinished(self) -> None:
        buffer = self._buffer
        if len(buffer) > MAX_MESSAGE:
            raise ProtocolError(f"a message is longer than {MAX_MESSAGE} bytes")
        end = buffer.rfind(_CRLF, self._searched_lines)
        if end >= 0:
            self._line = end + len(_CRLF)
        self._searched_lines = max(self._line, len(buffer) - 1)
        if len(buffer) - self._line > MAX_LINE + 1:  # its CR may be here already
            raise ProtocolError(f"a line is longer than {MAX_LINE} bytes")


def _check(block: bytes) -> None:
    if len(block) > MAX_MESSAGE:
        raise ProtocolError(f"a message is longer than {MAX_MESSAGE} bytes")
    lines = block.split(_CRLF)
    if len(lines) > MAX_HEADERS:
        raise ProtocolError(f"a message has more than {MAX_HEADERS} headers")
    if len(block) > MAX_LINE and max(map(len, lines)) > MAX_LINE:
        raise ProtocolError(f"a line is longer than {MAX_LINE} bytes")


def encode(name: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of exactly one action, or ``EncodingRefused`` naming the header.

    A line feed in a value is a new header to Asterisk, two are a new action, and a NUL cuts the value
    (measured): no control character passes. The error never shows the value, which may be a secret.
    """
    lines = [b"Action: " + _checked("Action", name, _KEY.fullmatch(name) is not None)]
    for key, value in headers:
        if not _KEY.fullmatch(key):
            raise EncodingRefused(ascii(key[:40]), "is no name of a header")
        lines.append(f"{key}: ".encode() + _checked(key, value))
        if len(lines) > MAX_HEADERS_OUT:
            raise EncodingRefused(key, f"is past {MAX_HEADERS_OUT} headers")
    return _CRLF.join(lines) + _END


def _checked(field: str, value: str, valid: bool = True) -> bytes:
    if found := _CONTROL.search(value):
        raise EncodingRefused(field, f"control character U+{ord(found[0]):04X} is not allowed")
    if _SURROGATE.search(value):
        raise EncodingRefused(field, "is not valid text (a lone surrogate)")
    if not valid:
        raise EncodingRefused(field, "is no name of an action")
    data = value.encode()
    if len(field) + 2 + len(data) > MAX_LINE_OUT:
        raise EncodingRefused(field, f"is longer than {MAX_LINE_OUT} bytes with its name")
    return data
