"""A real Redis of the tests' own: Debian's program, a folder in /tmp, a free loopback port. To be killed, frozen …"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from floor.carrier import Bus

CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
START_S = 10.0


class RedisServer:
    """One server that keeps nothing unless told: restarted, it is empty."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="phx-redis-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "no",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            [self._program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + START_S
        # Without redis-py's own retries, which would return a second late.
        with Redis(port=self.port, retry=Retry(NoBackoff(), 0)) as client:
            while True:
                try:
                    client.ping()
                    return
                except RedisError:
                    assert time.monotonic() < until, "redis-server did not start"
                    time.sleep(0.01)  # its port is not open yet; nothing to wait on but time

    def kill(self) -> None:
        """At once, as a power cut does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """It answers nothing any more, and its connections stand."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def save(self) -> None:
        """Put what is in it on the disk: from there the next start takes it."""
        self.client().save()

    def listeners(self, channel: str) -> int:
        answer: Any = self.client().pubsub_numsub(channel)
        return int(answer[0][1])

    def client(self) -> Redis:
        """A client that is not ours, to look and to meddle."""
        return Redis(port=self.port, decode_responses=True)

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for what raises no event of its own."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def redis_program() -> str:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        reason = "NOT TESTED over Redis: there is no redis-server (`make test` installs it)"
        if CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return program


@pytest.fixture
def redis_server(redis_program: str) -> Iterator[RedisServer]:
    """A server of this test's own, empty and running."""
    server = RedisServer(redis_program)
    server.start()
    yield server
    server.close()


@pytest.fixture
def over_redis(redis_server: RedisServer, settings: object) -> Callable[[], Bus]:
    """Settings of this process as PHOENIX_REDIS makes them; call it for the bus."""
    from phoenix_panel.settings import SECRET_KEY

    bus = Bus(redis_server.url)
    settings.PHOENIX_REDIS, settings.PHOENIX_REDIS_PREFIX = bus.url, bus.prefix  # type: ignore[attr-defined]
    settings.CHANNEL_LAYERS = {  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [{"address": bus.url, "socket_timeout": None}],
                "symmetric_encryption_keys": [SECRET_KEY],
            },
        }
    }
    return lambda: bus
