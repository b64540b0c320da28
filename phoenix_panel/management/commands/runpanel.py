"""Serve browsers and PBXs on one event loop: Daphne, one worker for each PBX, the in-memory channel layer.

With ``--web``, browsers alone: workers elsewhere (``runpbx``) tell this process over Redis what is true.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts import firstrun
from audit import chain
from phoenix_panel.environment import is_loopback

log = logging.getLogger(__name__)

BACKLOG = 2048
"""Connections that may wait to be accepted. With Twisted's 50, 1,000 browsers that come back at once need 13 s."""

HANDSHAKE_S = 60
"""A thousand browsers that come back at once are let in one by one; with Daphne's 5 s, one of a thousand got in."""

FRAME_BYTES = 64 * 1024
"""A page's longest message is a few hundred bytes; Daphne limits inbound frames by this."""

MESSAGE_BYTES = 32 * 1024 * 1024
"""Autobahn holds what we send to this limit too, and a snapshot of 5,000 calls has 6 MB. What comes in is limited by
the frame's size, and by the consumer."""


class Command(BaseCommand):
    help = "Runs the whole panel in one process; with --web, a process that serves browsers only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", default=8000, type=int, help="port to listen on (8000); 0: a free one")
        parser.add_argument("--web", action="store_true", help="serve browsers only; needs PHOENIX_REDIS, and runpbx")

    def handle(self, *args: Any, **options: Any) -> None:
        _fits(web=options["web"])
        sealing()
        # It first: it imports Daphne, which installs Twisted's asyncio reactor.
        from phoenix_panel.server import Server  # isort: skip
        from twisted.internet import defer, reactor

        from phoenix_panel.asgi import application
        from phoenix_panel.wiring import Panel

        host, port = options["host"], options["port"]
        first = firstrun.code()  # before the loop runs, on which nobody may wait for the database
        panel: Panel | None = None

        def start() -> None:
            nonlocal panel
            panel = Panel(web=options["web"])
            panel.start()

        def stop() -> Any:
            if panel is None:
                return None
            return defer.Deferred.fromCoroutine(_awaited(panel.stop()))

        def ready() -> None:
            given = server.listening_addresses[0][1]
            addresses = "  ".join(urls(host, given, settings.ALLOWED_HOSTS))
            self.stdout.write(f"Phoenix Panel: {addresses}   (Ctrl-C stops it)")
            if first:
                path = reverse("setup", args=[first])
                self.stdout.write(f"Nobody has an account yet. Make the first: {addresses.split()[0]}{path[1:]}")
            self.stdout.flush()
            if others_are_refused(host, settings.ALLOWED_HOSTS):
                name = "name.or.address" if is_everywhere(host) else host
                self.stderr.write(
                    "Browsers on other machines get 400 Bad Request: name what they reach the panel by, "
                    f"PHOENIX_HOSTS={name}"
                )

        # Not callWhenRunning: that is before asyncio's loop runs, where no task can be made.
        reactor.callLater(0, start)
        reactor.addSystemEventTrigger("before", "shutdown", stop)
        escaped = host.strip("[]").replace(":", r"\:")
        server = Server(
            application=application,
            endpoints=[f"tcp:port={port}:interface={escaped}:backlog={BACKLOG}"],
            websocket_timeout=-1,  # a wallboard is looked at for days; who signs out is closed by us
            websocket_connect_timeout=HANDSHAKE_S,
            websocket_handshake_timeout=HANDSHAKE_S,
            websocket_max_message_size=MESSAGE_BYTES,
            websocket_max_frame_size=FRAME_BYTES,
            ready_callable=ready,
            server_name="phoenix-panel",
            verbosity=0,
        )
        server.run()
        if server.abort_start:
            raise CommandError(
                f"port {port} of {host} can't be had: is the panel running already? Try PORT={port + 1}."
            )


def urls(host: str, port: int, allowed: Sequence[str]) -> list[str]:
    """Addresses that a browser can open when the panel listens on ``host`` and answers to ``allowed``."""
    names = [host]
    if is_everywhere(host):
        here = [name for name in ("127.0.0.1", "localhost", "[::1]") if name in allowed][:1]
        names = here + [name.removeprefix(".") for name in allowed if name != "*" and not is_loopback(name)]
        names = names or [host]
    return [f"http://{f'[{bare}]' if ':' in bare else bare}:{port}/" for bare in (name.strip("[]") for name in names)]


def others_are_refused(host: str, allowed: Sequence[str]) -> bool:
    """It listens for other machines, and answers to no name that they could use."""
    return not is_loopback(host) and "*" not in allowed and all(is_loopback(name) for name in allowed)


def is_everywhere(host: str) -> bool:
    """All addresses of this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return not host


def sealing() -> None:
    """Without the audit's key every action would be refused: say it before anybody tries."""
    try:
        chain.key()
    except chain.KeyMissing as error:
        raise CommandError(str(error)) from None


def _fits(*, web: bool) -> None:
    """``--web`` and PHOENIX_REDIS belong together.

    The whole panel would start its own workers beside those that the others use, and each command would come to both.
    """
    if web and not settings.PHOENIX_REDIS:
        raise CommandError("--web needs PHOENIX_REDIS, as in redis://127.0.0.1:6379: see docs/scaling.md.")
    if not web and settings.PHOENIX_REDIS:
        raise CommandError(
            "PHOENIX_REDIS is set, so the panel runs in several processes: start runpanel --web, and runpbx NAME for "
            "each PBX. Without PHOENIX_REDIS, runpanel is all of it."
        )


async def _awaited(coroutine: Any) -> None:
    """Run an asyncio coroutine to its end inside Twisted's shutdown, which waits for the Deferred."""
    import asyncio

    from twisted.internet import defer

    await defer.Deferred.fromFuture(asyncio.ensure_future(coroutine))
