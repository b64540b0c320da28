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
from collections.abc import Iterable, Iterator

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
_PRINTABLE = b"\x0e"  # what begins with CR or LF, and what is empty, is less
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


# Decoded header lines, by their bytes: 98 of 100 lines of a real stream have come before (measured).
# Bounded twice: emptied when it is full, and long lines are not kept at all.
_known: dict[bytes, tuple[str, str]] = {}
_MOST_KNOWN = 16_384
_LONGEST_KNOWN = 256  # bytes


def _learn(line: bytes) -> tuple[str, str]:
    text = line.decode("utf-8", "replace")
    # ": " first: a key may hold a colon, as in "ChanVariable(IAX2/10.0.0.1:4569-7): name=value".
    key, found, value = text.partition(": ")
    if not found:
        key, _, value = text.partition(":")
    header = (sys.intern(key), value)
    if len(line) <= _LONGEST_KNOWN:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[line] = header
    return header


class Message:
    """One event, response or list item.

    ``raw``: its bytes without the empty line at the end.
    ``event``: the event's name, or "". Only the first header makes a message an event: a header named
    ``Event`` further down may be a stranger's text.
    ``response``: "Success", "Error", "Goodbye" …, or "", by the same rule. (``OriginateResponse`` is an event
    that has a header ``Response``: ``get("Response")``.)

    Header names are compared as Asterisk writes them, with case.
    """

    __slots__ = ("_first", "event", "raw", "response")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        line = raw.partition(_CRLF)[0]
        try:
            key, value = _known[line]
        except KeyError:
            key, value = _learn(line)
        self.event = value if key == "Event" else ""
        self.response = value if key == "Response" else ""
        self._first: dict[str, str] | None = None

    def items(self) -> list[tuple[str, str]]:
        """All headers in order, repeated ones too. Bytes that are no UTF-8 read as U+FFFD."""
        return [_known.get(line) or _learn(line) for line in self.raw.split(_CRLF)]

    def get(self, key: str, default: str = "") -> str:
        """The first value of ``key`` exactly as sent, or ``default``. Sent empty, it is "", not the default."""
        headers = self._first
        if headers is None:
            # A plain loop over plain dicts: CPython 3.11 specialises it, and nothing else tried was faster (measured).
            headers = self._first = {}
            known = _known
            lines = self.raw.split(_CRLF)
            lines.reverse()  # so that the first of repeated headers wins: a later one may be forged by a value
            for line in lines:
                try:
                    name, value = known[line]
                except KeyError:
                    name, value = _learn(line)
                headers[name] = value
        return headers.get(key, default)

    def all(self, key: str) -> list[str]:
        """All values of ``key``, in order (``Output``, ``ChanVariable``)."""
        return [value for name, value in self.items() if name == key]

    def text(self, key: str) -> str:
        """As ``get``, with Asterisk's C escapes undone where it writes them (see ``ESCAPED``)."""
        value = self.get(key)
        escaped = "\\" in value and key.endswith(ESCAPED) and key not in RAW and self.event not in RAW
        return unescape(value) if escaped else value

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
# … but not these two, nor this header of the list Status, whose code writes them by itself (measured on 16 and 22).
RAW = frozenset(("OriginateResponse", "QueueEntry", "EffectiveConnectedLineName"))

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

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that ``data`` completes, in order, each made as you iterate: then only one is alive at a time.

        Raises ``ProtocolError`` past a cap, while you iterate, after the messages that came before. So however a
        stream is cut into pieces, the same messages come, and then the same error.
        """
        if self._error is not None:
            raise self._error
        self._buffer += data
        blocks: list[bytes] = []
        try:
            if self.banner is not None or self._greet():
                self._cut(blocks)
                self._check_unfinished()
        except ProtocolError as error:
            self._error = error
            self._buffer.clear()
            return _then_raise(blocks, error)
        return map(Message, blocks)

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

    def _cut(self, blocks: list[bytes]) -> None:
        """Move the finished messages from the buffer to ``blocks``."""
        buffer = self._buffer
        if buffer.find(_END, self._searched) >= 0:
            *whole, rest = bytes(buffer).split(_END)
            buffer[:] = rest
            self._searched_lines = self._line = 0
            for block in whole:
                if block < _PRINTABLE:  # the stray empty line before a message, or nothing
                    block = block.lstrip(_CRLF)
                    if not block:
                        continue
                if len(block) > _SMALL:
                    _check(block)
                blocks.append(block)
        if buffer and buffer[0] in _CRLF:
            buffer[:] = buffer.lstrip(_CRLF)
        # The last three bytes may begin an end that the next bytes finish.
        self._searched = max(0, len(buffer) - 3)

    def _check_unfinished(self) -> None:
        buffer = self._buffer
        if len(buffer) > MAX_MESSAGE + 3:  # of its end three bytes may be here already
            raise ProtocolError(f"a message is longer than {MAX_MESSAGE} bytes")
        if len(buffer) <= MAX_LINE:
            return
        while (end := buffer.find(_CRLF, self._searched_lines)) >= 0:
            self._check_line(end)
            self._line = self._searched_lines = end + len(_CRLF)
        self._check_line(len(buffer) - buffer.endswith(b"\r"))
        self._searched_lines = max(self._line, len(buffer) - 1)

    def _check_line(self, end: int) -> None:
        if end - self._line > MAX_LINE:
            raise ProtocolError(f"a line is longer than {MAX_LINE} bytes")


def _then_raise(blocks: list[bytes], error: ProtocolError) -> Iterator[Message]:
    yield from map(Message, blocks)
    raise error


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
