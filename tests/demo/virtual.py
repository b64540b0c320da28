"""A demo PBX in a time of its own: hours pass in a second, and everything said is kept."""

from __future__ import annotations

import heapq
import itertools
import random
import uuid
from collections.abc import Callable

from demo.events import Event
from demo.pbx import Pbx
from demo.scenario import Scenario

DAWN = 1_800_000_000.0


class _Timer:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class Virtual:
    """Its clock stands still between ``pass_`` and ``pass_``."""

    def __init__(self, seed: int) -> None:
        self.now = DAWN
        self.said: list[Event] = []
        self._due: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        tokens = random.Random(seed)
        self.pbx = Pbx(
            self.said.append, lambda: self.now, self._later, lambda: str(uuid.UUID(int=tokens.getrandbits(128)))
        )
        self.scenario = Scenario(self.pbx, seed)
        self.scenario.open()
        self.scenario.start()

    def _later(self, seconds: float, call: Callable[[], None]) -> _Timer:
        timer = _Timer(call)
        heapq.heappush(self._due, (self.now + seconds, next(self._order), timer))
        return timer

    def pass_(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, timer = heapq.heappop(self._due)
            if timer.call is not None:
                timer.call()
        self.now = until
