"""One PBX's worker as a process of its own: a channels worker whose one application is the PBX.

The pages are served by ``runpanel --web`` processes, which are told over Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any, ClassVar

from channels.management.commands import runworker
from channels.worker import Worker
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from floor.hub import worker_channel
from floor.worker import PbxConfig
from phoenix_panel.management.commands.runpanel import sealing


class PbxProcess(Worker):  # type: ignore[misc]  # channels has no types
    """Runs from the start, not from the first message on; a message that goes wrong takes nothing with it; SIGTERM and
    SIGINT end it in good order. (Channels' own worker has none of the three.)"""

    config: ClassVar[PbxConfig]

    async def handle(self) -> None:
        from phoenix_panel.wiring import Post

        loop = asyncio.get_running_loop()
        running = asyncio.ensure_future(Post(self.config).run())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, running.cancel)
        print(f"Phoenix Panel: the worker of {self.config.name} runs   (Ctrl-C stops it)", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await running


class Command(runworker.Command):  # type: ignore[misc]  # channels has no types
    help = "Runs the worker of one PBX, for runpanel --web processes; needs PHOENIX_REDIS."
    worker_class = PbxProcess

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the PBX's name: office for PHOENIX_PBX_OFFICE, pbx for PHOENIX_PBX")

    def handle(self, *args: Any, **options: Any) -> None:
        from phoenix_panel.wiring import pbx_configs

        if not settings.PHOENIX_REDIS:
            raise CommandError("runpbx needs PHOENIX_REDIS, as in redis://127.0.0.1:6379: see docs/scaling.md.")
        configs = {config.name: config for config in pbx_configs()}
        if options["name"] not in configs:
            known = ", ".join(configs) or "none: set PHOENIX_PBX or PHOENIX_PBX_<NAME>"
            raise CommandError(f"no PBX is called {options['name']}. There is: {known}.")
        sealing()
        PbxProcess.config = configs[options["name"]]
        super().handle(*args, **{**options, "channels": [worker_channel(options["name"])]})
