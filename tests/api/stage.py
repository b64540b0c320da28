"""A program with its token; and a floor whose PBX is a scene that the test moves."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from accounts import tokens
from accounts.models import Token, User
from accounts.snapshots import snapshot_of
from floor import layer
from floor.frames import Snapshot
from floor.hub import Hub
from phoenix_panel.asgi import application
from tests.browser.running import Panel
from tests.calls.stage import EPOCH, Desk


@dataclass(frozen=True)
class Answer:
    status_code: int
    content: bytes
    headers: dict[str, str]


async def ask(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """One request below ``/api/v1/`` to the panel's own ASGI application. (Django's test client would run all requests
    on one thread, one after another.)"""
    path, _, query = f"/api/v1/{path}".partition("?")
    given = {
        "host": "localhost",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **(headers or {}),
    }
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
    }
    communicator: Any = ApplicationCommunicator(application, scope)  # type: ignore[no-untyped-call]
    await communicator.send_input({"type": "http.request", "body": body})
    start = await communicator.receive_output(30)
    parts = []
    while True:
        part = await communicator.receive_output(30)
        parts.append(part.get("body", b""))
        if not part.get("more_body"):
            break
    await communicator.wait(30)
    told = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], b"".join(parts), told)


class Program:
    """Asks the API inside this process."""

    def __init__(self, user: User, *rights: str) -> None:
        self._user, self._rights = user, frozenset(rights)
        self.token: Token | None = None
        self.secret = ""

    async def ready(self) -> Program:
        if not self.secret:
            self.token, self.secret = await sync_to_async(self._make)()
        return self

    def _make(self) -> tuple[Token, str]:
        return tokens.make(self._user, "a program", self._rights or snapshot_of(self._user).rights, 30)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        await self.ready()
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return await ask(method, path, data, {"Authorization": f"Bearer {self.secret}", **headers})

    async def get(self, path: str) -> tuple[int, Any]:
        answer = await self.ask("GET", path)
        return answer.status_code, json.loads(answer.content)

    async def act(self, verb: str, key: str, more: str = "", /, **body: Any) -> tuple[int, Any]:
        rev = {"rev": body.pop("rev")} if "rev" in body else {}
        answer = await self.ask("POST", f"actions/{verb}{more}", {"target": {"key": key, **rev}, **body})
        return answer.status_code, json.loads(answer.content)


async def until(there: Callable[[], bool]) -> None:
    while not there():  # noqa: ASYNC110  # it is about the insides of what has no event for it
        await asyncio.sleep(0.001)


class Floor:
    """The real hub and dispatcher, with a scene for a PBX: what the worker's channel carries is dispatched."""

    def __init__(self, hub: Hub, user: User) -> None:
        self.hub = hub
        self.desk = Desk(user)
        self.desk._reply = self._reply  # type: ignore[method-assign]
        self.desk.dispatcher._reply = self._reply
        self.show()
        self._taking = asyncio.create_task(self._take())

    def show(self) -> None:
        self.hub.snapshot(Snapshot("lab", EPOCH, 0, 1000, self.desk.scene.pbx.entities()))

    async def _reply(self, channel: str, message: dict[str, Any]) -> None:
        self.desk.answers.append(message)
        self.hub.answered(dict(message))

    async def _take(self) -> None:
        async for message in layer.messages("pbx.lab"):
            await self.desk.dispatcher.run(message)

    async def sent(self, count: int) -> None:
        """Until so many actions went out."""
        await until(lambda: len(self.desk.link.posted) >= count)

    def hang_up(self) -> None:
        """What Asterisk does when it is told to hang the call up."""
        for uniqueid in ("a", "b"):
            self.desk.scene.hangup(uniqueid)
        self.desk.look()

    async def close(self) -> None:
        self._taking.cancel()
        await self.desk.dispatcher.finish()


class Caller:
    """Asks a running panel over HTTP, as any program does."""

    def __init__(self, panel: Panel, secret: str) -> None:
        self._panel, self.secret = panel, secret

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        data = json.dumps(body).encode() if body is not None else None
        given = {"Authorization": f"Bearer {self.secret}", **headers}
        request = urllib.request.Request(f"{self._panel.url}api/v1/{path}", data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            return answer.code, json.loads(answer.read())

    def until(self, path: str, there: Callable[[Any], Any]) -> Any:
        """Ask again until what is looked for is there; what was found."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            status, body = self.ask("GET", path)
            if status == 200 and (found := there(body)):
                return found
            time.sleep(0.3)
        raise AssertionError(f"not found in 20 s: {body}")


def new_token(panel: Panel, user: str, *rights: str) -> str:
    """A token of this user, made from the shell."""
    named = [word for right in rights for word in ("--right", right)]
    return panel.manage("apitoken", "create", user, "--name", secrets.token_hex(4), *named).strip()
