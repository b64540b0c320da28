"""A dispatcher over a scene, as a PBX's worker has it, and what it answers: for the actions of live calls."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import ami
from accounts.models import User
from audit.trail import Trail
from floor.dispatch import Dispatcher
from live.ownlegs import GRACE_S
from tests.floor.stage import FakeLink
from tests.live.scene import Scene

EPOCH = 5


class Desk:
    """201 (``a``) rings 101 (``b``); what happens next the test says."""

    def __init__(self, user: User, scene: Scene | None = None) -> None:
        self.user = user
        self.scene = scene or Scene()
        if scene is None:
            self.scene.ring()
        self.look()
        self.link = FakeLink()
        self.trail = Trail()
        self.answers: list[dict[str, Any]] = []
        self.dispatcher = Dispatcher(self.scene.pbx, self.link, self.trail, self._reply, lambda: EPOCH)  # type: ignore[arg-type]

    async def _reply(self, channel: str, message: dict[str, Any]) -> None:
        self.answers.append(message)

    def talk(self) -> None:
        self.scene.answer()
        self.look()

    def look(self) -> None:
        """A tick of the worker."""
        self.scene.look()
        if hasattr(self, "dispatcher"):
            self.dispatcher.look()

    async def click(self, verb: str, key: str = "lab/a", **changed: Any) -> dict[str, Any]:
        """One command, up to its first answers; the last of them."""
        kind = "spy" if verb == "calls.stop" else "call"
        entity = self.scene.pbx.entities().get(kind, {}).get(key, {})
        command = {
            "id": secrets.token_hex(16),
            "user_id": self.user.pk,
            "user_name": "whoever",
            "verb": verb,
            "target": {"kind": kind, "key": key, "rev": entity.get("rev", 0)},
            "args": {},
            "epoch": EPOCH,
            "at": time.time(),
            "source": "page",
            "address": "127.0.0.1",
            "reply_to": "web.x",
            **changed,
        }
        await self.dispatcher.run(command)
        return await self.last()

    async def last(self) -> dict[str, Any]:
        """The last answer, when all that are on their way have come."""
        while self.dispatcher._tasks:
            await asyncio.gather(*self.dispatcher._tasks)
        return self.answers[-1]

    async def refused(self, verb: str, key: str = "lab/a", **changed: Any) -> str:
        """The code with which it is refused; nothing may have been sent."""
        before = len(self.link.posted)
        answer = await self.click(verb, key, **changed)
        assert answer.get("outcome") == "refused", answer
        assert len(self.link.posted) == before
        return str(answer["code"])

    @property
    def sent(self) -> dict[str, str]:
        """The headers of the action that was sent last."""
        action: ami.Action = self.link.posted[-1][0]
        return {"Action": action.name, **dict(action.headers)}

    # --- what the phone that is rung does

    def rings(self) -> str:
        """The leg that was asked for comes to be, and rings; its Uniqueid."""
        leg = self.sent["ChannelId"]
        self.scene.new(leg, f"{self.sent['Channel']}-000000ff")
        self.scene.state(leg, "ringing")
        self.look()
        return leg

    def answered(self) -> str:
        leg = self.rings()
        self.scene.state(leg, "up")
        self.scene.event("OriginateResponse", Response="Success", Reason=4, Uniqueid=leg)
        self.look()
        return leg

    def not_made(self, reason: int, leg: str = "") -> None:
        self.scene.event(
            "OriginateResponse", Response="Failure", Reason=reason, Uniqueid=leg or self.sent["ChannelId"]
        )
        self.look()

    def starts(self, leg: str, spyee: str = "b") -> None:
        self.scene.event("ChanSpyStart", SpyerUniqueid=leg, SpyeeUniqueid=spyee)
        self.look()

    def later(self) -> None:
        """Nothing more comes for a while."""
        self.scene.later(GRACE_S + 0.1)
        self.look()
