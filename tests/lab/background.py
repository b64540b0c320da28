"""One asyncio loop in a thread, so that phones live on while a test waits, in synchronous tests too."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """The loop, and a condition that is told whenever something has changed in it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._changed = threading.Condition()
        threading.Thread(target=self.loop.run_forever, name="lab-phones", daemon=True).start()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float = 40.0) -> T:
        """Run a coroutine in the loop and return what it returns. Not to be called from the loop's own thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def changed(self) -> None:
        """Wake everybody who waits for a change."""
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[], object], timeout: float) -> bool:
        """Wait until `condition()` holds; returns whether it did within `timeout` seconds."""
        with self._changed:
            return bool(self._changed.wait_for(condition, timeout))


@functools.cache
def background() -> Background:
    """The one loop of this process."""
    return Background()
