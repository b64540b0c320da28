"""The demo PBX as a whole: switch, people and manager interface on the running loop."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import time
import uuid
from collections.abc import Callable
from typing import Final

from demo.pbx import Pbx
from demo.scenario import Scenario
from demo.server import HOST, USER, Server

NAME: Final = "demo"
"""What the panel calls this PBX."""


class Demo:
    """``start`` once, ``stop`` once. ``url`` is known from the beginning: the port is taken at once."""

    def __init__(self, seed: int = 1, speed: float = 1.0, secret: str = "") -> None:
        """``speed``: how many seconds pass for its people in one of ours. Raises ``OSError`` without a free port."""
        self._secret = secret or secrets.token_urlsafe(24)
        self._seed, self._speed = seed, speed
        self._socket = socket.create_server((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self.server = Server(self._secret)
        self._running = False

    @property
    def url(self) -> str:
        """How a panel is pointed at it."""
        return f"ami://{USER}:{self._secret}@{HOST}:{self.port}"

    async def start(self) -> None:
        """Open the manager interface and let people call."""
        self._running = True
        tokens = random.Random(self._seed)
        self.pbx = Pbx(self.server.emit, time.time, self._later, lambda: str(uuid.UUID(int=tokens.getrandbits(128))))
        self.server.pbx = self.pbx
        scenario = Scenario(self.pbx, self._seed)
        scenario.open()
        await self.server.start(self._socket)
        scenario.start()

    def freeze(self) -> None:
        """Nobody does anything any more by himself; sessions and actions go on."""
        self._running = False

    async def stop(self) -> None:
        """Nobody calls any more; sessions are closed."""
        self._running = False
        await self.server.stop()
        self._socket.close()

    def _later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        def unless_stopped() -> None:
            if self._running:
                call()

        return asyncio.get_running_loop().call_later(seconds / self._speed, unless_stopped)
