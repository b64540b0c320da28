"""What is taken from a user, and how soon her open socket knows: a running panel, a real Asterisk, a storm of frames.

Each of some users sees one call, by a team of her own. Then she signs out, or her session, password, account, role,
team, rule or token is another; at once she sends a command that a moment ago she was allowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.browser.running import ROOT, Panel
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone

CAUSES: Final = (
    "logout",
    "password",
    "session",
    "deactivated",
    "deleted",
    "role",
    "team",
    "rule",
    "protected",
    "token revoked",
    "token expired",
)

WITHIN_S: Final = 2.0
"""After that no frame may tell her of what she may not see."""

WATCHED_S: Final = 4.0
"""So long each is watched after the deed."""

ALLOWED: Final = "no_phone"
"""What `calls.listen` is refused with when she may: none of them has a phone."""

DENIED: Final = frozenset({"no_right", "gone", "scope", "protected", "audit_unavailable"})
"""The last: of somebody who is no more nothing can be written, so nothing is done."""


@dataclass(slots=True)
class Watching:
    """One user's socket, and what came by it. Times are seconds of UTC."""

    user: dict[str, Any]
    socket: ClientConnection
    call: str = ""
    rev: int = 0
    told: list[float] = field(default_factory=list)
    """When a frame told of the call."""
    frames: int = 0
    lost: float = 0.0
    """When it was told to be gone, or that the user may not do it any more."""
    closed: float = 0.0
    code: int = 0
    results: dict[str, str] = field(default_factory=dict)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        try:
            async for text in self.socket:
                await self._take(json.loads(text))
                self.moved.set()
        except ConnectionClosed:
            pass
        self.closed, self.code = time.time(), self.socket.close_code or 0
        self.moved.set()

    async def _take(self, message: dict[str, Any]) -> None:
        now = time.time()
        if message["type"] == "result":
            self.results[message["id"]] = message["code"]
        if message["type"] not in ("snapshot", "frame"):
            return
        calls = message["up"].get("call", {})
        if not self.call:
            self.call = next((key for key, call in calls.items() if call.get("phase") in ("talking", "hold")), "")
        fields = calls.get(self.call, {})
        self.rev = fields.get("rev", self.rev)
        if message["type"] == "frame":
            self.frames += 1
            await self.socket.send(
                json.dumps({"type": "seen", **{name: message[name] for name in ("pbx", "epoch", "seq")}})
            )
            gone = self.call in message["del"].get("call", [])
        else:
            gone = bool(self.call) and not fields
        if fields:
            self.told.append(now)
        if gone or "calls.listen" in fields.get("no", []):
            self.lost = self.lost or now

    async def until(self, condition: Any, seconds: float = 20.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self.moved.clear()
                await self.moved.wait()

    async def listen(self) -> str:
        """The code that her command is answered with; "" if the socket was closed instead."""
        id_ = secrets.token_hex(16)
        target = {"kind": "call", "key": self.call, "rev": self.rev}
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(json.dumps({"type": "cmd", "id": id_, "verb": "calls.listen", "target": target}))
            await self.until(lambda: id_ in self.results or self.closed)
        return self.results.get(id_, "")


@dataclass(slots=True)
class Taken:
    """What became of one user's socket."""

    cause: str
    revoke_ms: float | None
    """From when it was taken to the close, or to the frame that took the call away; None if neither came."""
    frames_after: int
    """Frames that told of the call later than that may be."""
    acted: bool
    """Her command was more than refused."""


class Revoking:
    """Use as a context manager; `panel` runs already, on `asterisk` as its PBX `lab`."""

    def __init__(self, panel: Panel, asterisk: Asterisk) -> None:
        self._panel, self._asterisk = panel, asterisk
        self._end = False

    @contextlib.contextmanager
    def storm(self) -> Iterator[None]:
        """One call of phones whose customer never leaves it alone, and others that come and go."""
        with contextlib.ExitStack() as stack:
            checker = stack.enter_context(Checker(self._asterisk))
            address = self._asterisk.sip_address("101")
            stack.enter_context(Phone(address, "101", answer=0.01))
            call = stack.enter_context(Phone(address, "201")).call("101").wait_up()
            hand = [sys.executable, "-m", "tests.floor.revoking_hand"]
            self._hand = stack.enter_context(
                subprocess.Popen(
                    hand,
                    cwd=ROOT,
                    env=self._panel._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            try:
                self._call, self._checker = call, checker
                yield
            finally:
                assert self._hand.stdin is not None
                self._hand.stdin.close()

    async def run(self, causes: tuple[str, ...], runs: int) -> list[Taken]:
        """Each cause so often, on as many users at once."""
        blowing = [asyncio.create_task(self._blow()), asyncio.create_task(self._hold(self._call))]
        try:
            return [one for cause in causes for one in await self._one(cause, runs)]
        finally:
            self._end = True
            await asyncio.gather(*blowing)

    async def _one(self, cause: str, runs: int) -> list[Taken]:
        users = await self._do("make", cause, runs)
        viewers = [await self._join(user) for user in users]
        readers = [asyncio.create_task(viewer.read()) for viewer in viewers]
        for viewer in viewers:
            await viewer.until(lambda viewer=viewer: viewer.call and viewer.frames > 2)
            if cause != "deleted":  # who has acted can't be deleted: the audit names her
                code = await self._listens(viewer)
                assert code == ALLOWED, code
        watched = []
        for viewer in viewers:
            at = self._sign_out(viewer) if cause == "logout" else await self._do("take", cause, viewer.user["id"])
            watched.append(asyncio.create_task(self._watch(cause, viewer, at)))
            if cause == "protected":  # that is everybody's
                await watched[-1]
                await self._do("give_back")
                await asyncio.sleep(0)
        taken = await asyncio.gather(*watched)
        for viewer in viewers:
            await viewer.socket.close()
        await asyncio.gather(*readers)
        return taken

    async def _listens(self, viewer: Watching) -> str:
        """The call changes all the time, and so its `rev` may be another when the command comes."""
        while (code := await viewer.listen()) == "changed":
            pass
        return code

    async def _watch(self, cause: str, viewer: Watching, at: float) -> Taken:
        code = await self._listens(viewer)
        with contextlib.suppress(TimeoutError):
            await viewer.until(lambda: viewer.closed or viewer.lost, WATCHED_S)
        if not viewer.closed and cause != "protected":
            await asyncio.sleep(max(0.0, at + WATCHED_S - time.time()))  # the absence of frames is no event
        ended = min((when for when in (viewer.closed, viewer.lost) if when), default=None)
        late = sum(when > at + WITHIN_S for when in viewer.told) if cause != "protected" else 0
        acted = bool(code) and code not in DENIED
        return Taken(cause, None if ended is None else (ended - at) * 1000, late, acted)

    async def _join(self, user: dict[str, Any]) -> Watching:
        if "token" in user:
            headers = {"Authorization": f"Bearer {user['token']}"}
        else:
            headers = {"Cookie": f"{user['cookie']}={user['session']}"}
        url = self._panel.url.replace("http", "ws") + "ws/panel/"
        origin = self._panel.url.rstrip("/")
        return Watching(user, await connect(url, additional_headers=headers, origin=origin, max_size=None))  # type: ignore[arg-type]

    def _sign_out(self, viewer: Watching) -> float:
        """By the button: a form, with its token."""
        user, token = viewer.user, secrets.token_hex(16)
        connection = http.client.HTTPConnection("127.0.0.1", self._panel.port, timeout=10)
        cookies = f"{user['cookie']}={user['session']}; csrf={token}"
        headers = {"Cookie": cookies, "X-CSRFToken": token, "Origin": self._panel.url.rstrip("/")}
        connection.request("POST", "/accounts/logout/", headers=headers)
        status = connection.getresponse().status
        connection.close()
        assert status == 302, status
        return time.time()

    async def _do(self, *order: Any) -> Any:
        def say() -> Any:
            assert self._hand.stdin is not None
            assert self._hand.stdout is not None
            self._hand.stdin.write(json.dumps(order) + "\n")
            self._hand.stdin.flush()
            return json.loads(self._hand.stdout.readline())

        return await asyncio.to_thread(say)

    async def _blow(self) -> None:
        """Some fifteen calls a second."""
        number = 0
        while not self._end:
            number += 1
            await asyncio.to_thread(
                self._checker.originate,
                "Local/506@from-internal/n",
                application="Wait",
                data="1",
                channel_id=f"blow-{os.getpid()}-{number}",
            )
            await asyncio.sleep(0.05)

    async def _hold(self, call: Call) -> None:
        """It is held and taken back, again and again: each is a frame about the one call."""
        while not self._end:
            for deed in (call.hold, call.unhold):
                await asyncio.to_thread(deed)
                await asyncio.sleep(0.05)
