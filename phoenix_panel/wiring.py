"""The one running panel of this process, put together from the settings: a hub, and a worker for each PBX."""

from __future__ import annotations

import asyncio
import logging
import re

from django.conf import settings

from ami.client import Address
from audit.trail import Trail
from demo.running import Demo
from floor import hub
from floor.worker import PbxConfig, PbxWorker
from phoenix_panel.pbxs import DEMO

log = logging.getLogger(__name__)

# The demo has its own numbers, whatever the settings say of the PBXs beside it.
DEMO_EXTENSIONS = re.compile(r"^\d{4}$")
DEMO_TRUNKS = re.compile(r"^PJSIP/trunk-")

RETRY_MS = 1_000
"""When browsers may come back after a stop in good order; each adds its own jitter."""


def pbx_configs(demo: Demo | None = None) -> list[PbxConfig]:
    """The PBXs that the settings name, and the demo. Their addresses were checked when the settings were read."""
    extensions = re.compile(settings.PHOENIX_EXTENSIONS)
    trunks = re.compile(settings.PHOENIX_TRUNKS)
    found = [PbxConfig(name, Address.parse(url), extensions, trunks) for name, url in settings.PHOENIX_PBXS.items()]
    if demo is not None:
        found.append(PbxConfig(DEMO, Address.parse(demo.url), DEMO_EXTENSIONS, DEMO_TRUNKS))
    return found


class Panel:
    """Workers and hub on the running loop. ``start`` once, ``stop`` once."""

    def __init__(self) -> None:
        self.trail = Trail()
        self.hub = hub.current()
        self.demo = Demo() if settings.PHOENIX_DEMO else None
        self.workers = [PbxWorker(config, self.hub, self.trail) for config in pbx_configs(self.demo)]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self.hub.pump(), name="hub.pump")]
        if self.demo is not None:
            # Its port listens already: a worker that is quicker waits for the greeting.
            self._tasks.append(asyncio.create_task(self._start_demo(self.demo), name="demo"))
        self._tasks += [asyncio.create_task(worker.run(), name=f"worker.{worker.name}") for worker in self.workers]

    @staticmethod
    async def _start_demo(demo: Demo) -> None:
        try:
            await demo.start()
        except Exception:  # the page says that it is not reached; the log says why
            log.exception("the demo PBX could not be started")

    async def stop(self) -> None:
        """Say bye to the browsers, close the sessions with the PBXs, write what is known."""
        self.hub.bye(RETRY_MS)
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks[1:], return_exceptions=True)
        for worker in self.workers:
            await worker.close()
        if self.demo is not None:
            await self.demo.stop()
        self._tasks[0].cancel()
        await asyncio.gather(self._tasks[0], return_exceptions=True)
        self.trail.close()
