"""Asks a PBX's worker, from a web process, whether somebody could do something now."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import orjson

from accounts.permissions import UserSnapshot
from floor import asking, hub
from floor.asking import Facts
from floor.hub import Watcher
from floor.lenses import View
from floor.registry import Action


class Ear:
    """A connection that listens for one result."""

    def __init__(self) -> None:
        self.result: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def deliver(self, text: str) -> None:
        message = orjson.loads(text)
        if message["type"] == "result" and not self.result.done():
            self.result.set_result(message)

    def close_with(self, code: int) -> None:
        pass


async def ask(action: Action, pbx: str, text: str, user: UserSnapshot) -> Facts:
    """What is to be known of it; ``text``: its key, with or without the PBX's name, or what people call it. Where
    nobody can say, only the ``state`` is told: why."""
    question = {
        "id": secrets.token_hex(16),
        "user_id": user.id,
        "verb": action.verb,
        "target": {"kind": action.target, "key": text},
        "ask": asking.question(user),
    }
    ear, here = Ear(), hub.current()
    watcher = Watcher(ear, View(frozenset()), user.id)  # of the whole: who asks sees to what she is told of it
    try:
        await here.command(watcher, question, pbx)
        said = await ear.result
    finally:
        here.leave(watcher)
    return asking.read(said["facts"]) if said["outcome"] == "done" else Facts(state=said["code"])
