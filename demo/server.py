"""The manager interface of the imitation: sessions on a loopback socket, served as Asterisk 22 serves them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import random
import socket
from collections.abc import Callable
from typing import Final

from demo.answers import AMI_VERSION, BY_NAME
from demo.events import Event, Header
from demo.pbx import Pbx
from demo.replies import Request, error, response, success

HOST: Final = "127.0.0.1"
USER: Final = "phoenix"
CLASSES: Final = frozenset({"system", "call", "agent", "log", "verbose", "user", "config", "dtmf", "reporting", "cdr"})

LOGIN_S: Final = 10.0
"""``authtimeout``: who has not logged in by then is cut off."""

REFUSED_S: Final = 1.0
"""A refused login is closed after so long (measured on 22)."""

MAX_UNREAD: Final = 4 * 1024 * 1024
"""Bytes that a session may leave unread before it is cut off, as ``writetimeout`` does."""

MAX_LINE: Final = 1022
MAX_HEADERS: Final = 128


class _Unreadable(Exception):
    """An action past Asterisk's limits; the text is Asterisk's answer to it."""


class Session:
    """One connection. ``mask``: the event classes that it hears; None for all."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._challenge = ""
        self.logged_in = False
        self._mask: frozenset[str] | None = frozenset()

    def hears(self, event: Event) -> bool:
        return self.logged_in and (self._mask is None or event.cls in self._mask)

    def send(self, data: bytes) -> None:
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > MAX_UNREAD:
            transport.abort()
            return
        self._writer.write(data)

    async def serve(self) -> None:
        """Until the other side, a refusal or the server ends it."""
        self.send(f"Asterisk Call Manager/{AMI_VERSION}\r\n".encode())
        with contextlib.suppress(ConnectionError, TimeoutError):
            while True:
                async with asyncio.timeout(None if self.logged_in else LOGIN_S):
                    try:
                        request = await self._read()
                    except _Unreadable as reason:
                        self.send(error(Request(), str(reason)))
                        continue
                if request is None or not await self._take(request):
                    return

    def close(self) -> None:
        self._writer.close()

    async def _read(self) -> Request | None:
        """The next action; None at the end of the stream. Raises ``_Unreadable`` after one that Asterisk takes not."""
        request, lines, longest = Request(), 0, 0
        while True:
            try:
                line = await self._reader.readline()
            except ValueError:  # longer than the reader's limit
                return None
            if not line:
                return None
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text:
                break
            lines, longest = lines + 1, max(longest, len(line.rstrip(b"\r\n")))
            name, colon, value = text.partition(":")
            if colon:
                request[name.strip().lower()] = value.lstrip(" ")
        if longest > MAX_LINE:
            raise _Unreadable("Failed to parse message: line too long")
        if lines > MAX_HEADERS:
            raise _Unreadable("Too many lines in message or allocation failure")
        return request

    async def _take(self, request: Request) -> bool:
        """Serve one action; False when it was the session's last."""
        name = request.get("action", "").lower()
        if not name:
            self.send(error(request, "Missing action in request"))
        elif name == "challenge":
            self._give_challenge(request)
        elif name == "login":
            return await self._log_in(request)
        elif not self.logged_in:
            self.send(error(request, "Permission denied"))
        elif name == "logoff":
            self.send(response(request, "Goodbye", ("Message", "Thanks for all the fish.")))
            return False
        elif name == "events":
            self._mask = _mask(request.get("eventmask", ""))
            self.send(response(request, "Success", ("Events", "Off" if self._mask == frozenset() else "On")))
        elif (handler := BY_NAME.get(name)) is None:
            words = (
                f"Invalid/unknown command: {request['action']}. Use Action: ListCommands to show available commands."
            )
            self.send(error(request, words))
        else:
            self._server.answer(self, lambda: handler(self._server.pbx, request))
        return True

    def _give_challenge(self, request: Request) -> None:
        if request.get("authtype", "").upper() != "MD5":
            self.send(error(request, "Must specify AuthType"))
            return
        self._challenge = str(random.SystemRandom().randrange(10**9))
        self.send(response(request, "Success", ("Challenge", self._challenge)))

    async def _log_in(self, request: Request) -> bool:
        secret = self._server.secret
        if request.get("authtype", "").upper() == "MD5":
            text = self._challenge + secret
            wanted = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() if self._challenge else ""
            given = request.get("key", "")
        else:
            wanted, given = secret, request.get("secret", "")
        right = bool(wanted) and hmac.compare_digest(wanted.encode(), given.encode())
        if request.get("username") != USER or not right:
            self.send(error(request, "Authentication failed"))
            await asyncio.sleep(REFUSED_S)
            return False
        self._mask = _mask(request.get("events", "on"))
        self.logged_in = True
        self.send(success(request, "Authentication accepted"))
        up = str(round(self._server.pbx.clock() - self._server.pbx.booted))
        headers: tuple[Header, ...] = (("Uptime", up), ("LastReload", up), ("Status", "Fully Booted"))
        booted = Event("FullyBooted", "system", headers)
        if self.hears(booted):
            self.send(booted.encode())
        return True


def _mask(text: str) -> frozenset[str] | None:
    words = frozenset(text.lower().replace(" ", "").split(","))
    if words & {"on", "all", "yes", "true", "1"}:
        return None
    return words & CLASSES


class Server:
    """Listens on a free loopback port. Give ``emit`` to the Pbx and set ``pbx`` before ``start``."""

    pbx: Pbx

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.port = 0
        self._sessions: set[Session] = set()
        self._server: asyncio.Server | None = None
        self._held: list[Event] | None = None

    async def start(self, listening: socket.socket | None = None) -> None:
        """Serve on a socket that listens already, or on a free loopback port. Raises ``OSError`` without one."""
        listening = listening or socket.create_server((HOST, 0))
        self._server = await asyncio.start_server(self._connected, sock=listening, limit=64 * 1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and all sessions."""
        if self._server is None:
            return
        self._server.close()
        for session in [*self._sessions]:
            session.close()
        await asyncio.sleep(0)

    def emit(self, event: Event) -> None:
        """Tell every session that hears this class."""
        if self._held is not None:
            self._held.append(event)
            return
        data: bytes | None = None
        for session in self._sessions:
            if session.hears(event):
                data = data or event.encode()
                session.send(data)

    def answer(self, session: Session, act: Callable[[], bytes]) -> None:
        """Answer first, then let the events out that the action caused: the order of a real session."""
        self._held = []
        try:
            session.send(act())
        finally:
            held, self._held = self._held, None
            for event in held:
                self.emit(event)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self._sessions.add(session)
        try:
            await session.serve()
        finally:
            self._sessions.discard(session)
            session.close()
