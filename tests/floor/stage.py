"""Stand-ins for what lies at the floor's two edges: a browser's socket, and the link to a PBX."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import ami
from ami.client import LinkState
from ami.protocol import Message


def command(
    number: int, user_id: int, verb: str, target: dict[str, Any], epoch: int, /, **changed: Any
) -> dict[str, Any]:
    """A command as a page's consumer sends it to the worker; ``number`` makes its id."""
    return {
        "id": f"{number:032x}",
        "user_id": user_id,
        "user_name": "whoever",
        "verb": verb,
        "target": target,
        "args": {},
        "epoch": epoch,
        "at": time.time(),
        "source": "page",
        "address": "127.0.0.1",
        "reply_to": "web.x",
        **changed,
    }


class Browser:
    """A connection that keeps what it is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.closed: int | None = None
        self._told = asyncio.Event()

    def deliver(self, text: str) -> None:
        self.texts.append(text)
        self._told.set()

    async def told(self, count: int, type_: str) -> None:
        """Wait until it was told so many messages of this type."""
        while len(self.of(type_)) < count:
            self._told.clear()
            await self._told.wait()

    def close_with(self, code: int) -> None:
        self.closed = code

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [message for message in self.said if message["type"] == type_]


class FakeLink:
    """A link that records what would be sent; tests answer for Asterisk."""

    def __init__(self) -> None:
        self.state = LinkState("live")
        self.posted: list[tuple[ami.Action, asyncio.Future[Message]]] = []

    def post(self, action: ami.Action, timeout: float = 3.0) -> asyncio.Future[Message]:
        if self.state.phase != "live":
            raise ami.NotConnected("the link is down")
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.posted.append((action, future))
        return future

    @property
    def channels(self) -> list[str]:
        return [dict(action.headers)["Channel"] for action, _ in self.posted]

    def answer(self, index: int, response: str, text: str = "") -> None:
        raw = f"Response: {response}\r\nMessage: {text}".encode()
        self.posted[index][1].set_result(Message(raw))
