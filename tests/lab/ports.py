"""Blocks of loopback ports, so that any number of labs can run at once, in any number of processes.

Ports are taken below the range from which the kernel gives ports to outgoing connections: an instance that is
killed and started again must find its own ports free.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
from dataclasses import dataclass
from pathlib import Path

FIRST = 20000
BLOCK = 600
BLOCKS = 20
RTP_OFFSET = 100
RTP_PORTS = 500


class NoPorts(Exception):
    """Every block is in use."""


@dataclass(frozen=True)
class Ports:
    """The ports of one instance. `lock` is held by this process as long as the block is its own."""

    base: int
    lock: int

    @property
    def ami(self) -> int:
        """TCP, the manager interface."""
        return self.base

    @property
    def http(self) -> int:
        """TCP, the web server (when it is on)."""
        return self.base + 1

    @property
    def sip(self) -> int:
        """UDP, chan_pjsip."""
        return self.base + 2

    @property
    def chan_sip(self) -> int:
        """UDP, the old chan_sip of Asterisk 16."""
        return self.base + 3

    @property
    def trunk(self) -> int:
        """UDP at 127.0.0.9: where the far end of the trunk is expected."""
        return self.base + 4

    @property
    def ami_tls(self) -> int:
        """TCP, the manager interface by TLS."""
        return self.base + 5

    @property
    def iax(self) -> int:
        """UDP, chan_iax2 (where it is loaded)."""
        return self.base + 6

    @property
    def rtp(self) -> tuple[int, int]:
        """First and last UDP port of the audio."""
        return self.base + RTP_OFFSET, self.base + RTP_OFFSET + RTP_PORTS - 1

    def release(self) -> None:
        """Give the block back. May be called twice."""
        with contextlib.suppress(OSError):
            os.close(self.lock)


def reserve(folder: Path) -> Ports:
    """A free block; its lock file lies in `folder`. Raises NoPorts."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in random.sample(range(BLOCKS), BLOCKS):
        lock = os.open(folder / f"{number}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        ports = Ports(FIRST + number * BLOCK, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        if _all_free(ports):
            return ports
        os.close(lock)
    raise NoPorts(f"all {BLOCKS} blocks of ports from {FIRST} are in use")


def _all_free(ports: Ports) -> bool:
    wanted = [
        (socket.SOCK_STREAM, ports.ami),
        (socket.SOCK_STREAM, ports.http),
        (socket.SOCK_STREAM, ports.ami_tls),
        (socket.SOCK_DGRAM, ports.sip),
        (socket.SOCK_DGRAM, ports.chan_sip),
        (socket.SOCK_DGRAM, ports.iax),
    ]
    return all(_free(kind, port) for kind, port in wanted)


def _free(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind is socket.SOCK_STREAM:
            # Connections of the block's last owner may linger; they do not hinder a listener.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
