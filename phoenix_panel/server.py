"""Daphne, as the panel runs it: strangers, who are heard before anybody signs in, can't fill memory, disk or log.

Import it before anything of Twisted's: Daphne chooses the reactor.
"""

from __future__ import annotations

from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor

LONGEST_BODY = 1024 * 1024
"""Bytes; no form of ours comes near. Django's own limit (DATA_UPLOAD_MAX_MEMORY_SIZE) is asked only when all is here,
and only by views that read it."""

LONGEST_MESSAGE = 64 * 1024
"""Bytes of one message to us, however many frames it comes in; ours have a few hundred. Autobahn has one limit for
both directions, and a snapshot is long: so many megabytes it would gather for anybody."""

LINGER_S = 2.0
"""How long a refused sender may go on sending (it is thrown away): who is cut off at once often never sees why."""

_WORDS = b"The request is longer than 1 MiB.\n"
REFUSAL = (
    b"HTTP/1.1 413 Content Too Large\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: %d\r\n"
    b"Connection: close\r\n"
    b"\r\n%s" % (len(_WORDS), _WORDS)
)


class Request(WebRequest):  # type: ignore[misc]  # Daphne has no types
    """Daphne's, that takes no longer body than LONGEST_BODY: neither a declared nor a chunked one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Nobody reads the form that Twisted would make of the body, on the loop that the live floor runs on.
        super().__init__(*args, **kwargs, parsePOSTFormSubmission=False)
        self._received = 0
        self._refused = False

    def gotLength(self, length: int | None) -> None:  # Twisted's name
        """The headers are here."""
        # Daphne takes the application's place from this header, whoever sends it, and fails on what is no path.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        # Of a short body, which is kept in memory: a longer one would get a file on the disk from Twisted.
        super().gotLength(0)
        if length is not None and length > LONGEST_BODY:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        self._received += len(data)
        if self._refused:
            return
        if self._received > LONGEST_BODY:
            self._refuse()
            return
        super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if not self._refused:
            super().requestReceived(command, path, version)

    def _refuse(self) -> None:
        self._refused = True
        self.requestHeaders.removeHeader(b"expect")  # else the channel would answer once more: 100 Continue
        channel = self.channel
        channel.dataReceived = _thrown_away
        channel.setTimeout(None)
        transport = channel.transport
        transport.unregisterProducer()
        transport.write(REFUSAL)
        transport.loseWriteConnection()
        reactor.callLater(LINGER_S, transport.abortConnection)


def _thrown_away(data: bytes) -> None:
    pass


class Factory(HTTPFactory):  # type: ignore[misc]
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class Socket(WebSocketProtocol):  # type: ignore[misc]
    """Daphne's, that gathers no long message out of frames."""

    def onMessageFrameBegin(self, length: int) -> None:
        super().onMessageFrameBegin(length)
        if not self.failedByMe and self.message_data_total_length > LONGEST_MESSAGE:
            self._max_message_size_exceeded(self.message_data_total_length, LONGEST_MESSAGE, "the message is too long")


class Server(daphne.server.Server):  # type: ignore[misc]
    """`run` makes Daphne's factories and then listens with what these attributes give."""

    @property
    def http_factory(self) -> Factory:
        return self._factory

    @http_factory.setter
    def http_factory(self, given: HTTPFactory) -> None:
        self._factory = Factory(self)

    @property
    def ws_factory(self) -> WebSocketFactory:
        return self._ws_factory

    @ws_factory.setter
    def ws_factory(self, given: WebSocketFactory) -> None:
        given.protocol = Socket
        self._ws_factory = given
