"""A small Asterisk manager on loopback that does as a test says: for timing and faults, which no real one fakes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import Callable
from typing import Self

Headers = dict[str, str]
Answer = Callable[["Connection", Headers], None]

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
CHALLENGE = "123456789"


def block(*lines: str) -> bytes:
    """A message of these header lines."""
    return "\r\n".join((*lines, "", "")).encode()


def listing(action_id: str, name: str, *items: str) -> bytes:
    """The whole answer to a list action, one item per Uniqueid."""
    return b"".join(
        (
            block("Response: Success", f"ActionID: {action_id}", "EventList: start", "Message: will follow"),
            *(block(f"Event: {name}", f"ActionID: {action_id}", f"Uniqueid: {item}") for item in items),
            block(f"Event: {name}Complete", f"ActionID: {action_id}", "EventList: Complete", "ListItems: 1"),
        )
    )


class Connection:
    """One client's connection, seen from the server."""

    def __init__(self, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer, self.reader, self.writer = peer, reader, writer
        self.actions: list[Headers] = []
        self.mask = ""
        self.ended = asyncio.Event()

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def answer(self, action: Headers, response: str, *lines: str) -> None:
        self.send(block(f"Response: {response}", f"ActionID: {action['ActionID']}", *lines))

    def names(self) -> list[str]:
        return [action["Action"] for action in self.actions]

    async def serve(self) -> None:
        self.send(self.peer.greeting)
        try:
            while True:
                text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in text.split("\r\n") if line)
                self.actions.append(action)
                self.peer.answers.get(action["Action"], Connection.unknown)(self, action)
                self.peer.changed.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ended.set()
            self.peer.changed.set()
            self.writer.close()

    # The answers of an Asterisk in good health.

    def unknown(self, action: Headers) -> None:
        self.answer(action, "Error", f"Message: Invalid/unknown command: {action['Action']}.")

    def silent(self, action: Headers) -> None:
        pass

    def challenge(self, action: Headers) -> None:
        self.answer(action, "Success", f"Challenge: {CHALLENGE}")

    def login(self, action: Headers) -> None:
        key = hashlib.md5((CHALLENGE + self.peer.secret).encode()).hexdigest()
        if (action["AuthType"], action["Username"], action["Key"]) != ("MD5", self.peer.user, key):
            self.answer(action, "Error", "Message: Authentication failed")
            return
        self.mask = action["Events"]
        self.answer(action, "Success", "Message: Authentication accepted")
        if "system" in self.mask and self.peer.booted:
            self.send(block("Event: FullyBooted", "Privilege: system,all", "Status: Fully Booted"))

    def ping(self, action: Headers) -> None:
        self.answer(action, "Success", "Ping: Pong", "Timestamp: 1.0")

    def logoff(self, action: Headers) -> None:
        self.answer(action, "Goodbye", "Message: Thanks for all the fish.")

    def channels(self, action: Headers) -> None:
        self.send(listing(action["ActionID"], "CoreShowChannel", *self.peer.channels))

    def bridges(self, action: Headers) -> None:
        self.send(listing(action["ActionID"], "BridgeListItem", "b1"))

    def no_such_channel(self, action: Headers) -> None:
        self.answer(action, "Error", "Message: No such channel")


class Peer:
    """The server. ``answers`` says what each action does; ``connections`` are all there have been."""

    user, secret = "panel", "s3cr3t/?#"

    def __init__(self) -> None:
        self.greeting = GREETING
        self.booted = True
        self.channels: list[str] = ["1.1", "1.2"]
        self.connections: list[Connection] = []
        self.changed = asyncio.Event()
        self.answers: dict[str, Answer] = {
            "Challenge": Connection.challenge,
            "Login": Connection.login,
            "Ping": Connection.ping,
            "Logoff": Connection.logoff,
            "CoreShowChannels": Connection.channels,
            "BridgeList": Connection.bridges,
            "Hangup": Connection.no_such_channel,
        }
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection(self, reader, writer)
        self.connections.append(connection)
        self.changed.set()
        with contextlib.suppress(asyncio.CancelledError):
            await connection.serve()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something that the clients did makes ``condition`` true."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
