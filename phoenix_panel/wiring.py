"""What runs in this process, put together from the settings.

The whole panel: a hub, and a worker for each PBX. Or, over Redis: a hub that reads what workers elsewhere tell
(``Panel(web=True)``), and one PBX's worker that tells it (``Post``).
"""

from __future__ import annotations

import asyncio
import logging
import re

from django.conf import settings

from ami.address import Address
from audit import heads
from audit.trail import Trail
from demo.running import Demo
from floor import hub
from floor.carrier import ERRORS, Bus, Carrier, Reader
from floor.guard import guard
from floor.worker import PbxConfig, PbxWorker
from live.manners import Manners
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
    manners: dict[str, Manners] = settings.PHOENIX_MANNERS
    recorders = {name: Address.parse(url) for name, url in settings.PHOENIX_RECORDERS.items()}
    found = [
        PbxConfig(name, Address.parse(url), extensions, trunks, manners[name], recorders.get(name))
        for name, url in settings.PHOENIX_PBXS.items()
    ]
    if demo is not None:
        address = Address.parse(demo.url)  # its account may do all that there is to do, recording too
        found.append(PbxConfig(DEMO, address, DEMO_EXTENSIONS, DEMO_TRUNKS, manners[DEMO], recorder=address))
    return found


def bus() -> Bus:
    return Bus(settings.PHOENIX_REDIS, settings.PHOENIX_REDIS_PREFIX)


class Panel:
    """Workers and hub on the running loop; with ``web``, the hub alone, fed by workers elsewhere. ``start`` once,
    ``stop`` once."""

    def __init__(self, *, web: bool = False) -> None:
        self.trail = Trail()
        self.hub = hub.current()
        self.reader = Reader(bus(), self.hub) if web else None
        self.demo = Demo() if settings.PHOENIX_DEMO and not web else None
        self.workers = (
            []
            if web
            else [PbxWorker(config, self.hub, self.trail, witness=self.trail) for config in pbx_configs(self.demo)]
        )
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self.hub.pump(), name="hub.pump")]
        self._tasks.append(asyncio.create_task(guard(self.hub), name="guard"))
        if self.reader is not None:
            quieten_the_layer()
            self._tasks.append(asyncio.create_task(self.reader.run(), name="reader"))
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
        await _end(*self._tasks[1:])
        for worker in self.workers:
            await worker.close()
        if self.demo is not None:
            await self.demo.stop()
        await _end(self._tasks[0])
        self.trail.close()
        heads.pen().flush()


class Post:
    """One PBX's worker in a process of its own, which tells hubs elsewhere."""

    def __init__(self, config: PbxConfig) -> None:
        self.trail = Trail()
        self.carrier = Carrier(bus())
        self.worker = PbxWorker(config, self.carrier, self.trail, witness=self.trail)

    async def run(self) -> None:
        """Until cancelled; then the session with the PBX is closed, and what is known is written and told."""
        quieten_the_layer()
        carrying = asyncio.create_task(self.carrier.run(), name="carrier")
        working = asyncio.create_task(self.worker.run(), name=f"worker.{self.worker.name}")
        try:
            await asyncio.gather(carrying, working)
        finally:
            await _end(working)
            await self.worker.close()
            await _end(carrying)
            await self.carrier.close()
            self.trail.close()
            heads.pen().flush()


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def quieten_the_layer() -> None:
    """While Redis is away, channels_redis logs a traceback every second. The carrier and the reader say it once."""
    logging.getLogger("channels_redis.pubsub").addFilter(_not_about_redis_being_away)


def _not_about_redis_being_away(record: logging.LogRecord) -> bool:
    return record.exc_info is None or not isinstance(record.exc_info[1], ERRORS)
