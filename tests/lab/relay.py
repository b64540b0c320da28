"""A wire with a witness: passes AMI bytes on, and notes which actions a client sent, and when."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.instance import HOST, Asterisk

ACTION = re.compile(rb"^Action: (\w+)\r$", re.MULTILINE)


class Relay:
    """Stands before one Asterisk's manager port. Use as a context manager."""

    def __init__(self, asterisk: Asterisk, trace: Path | None = None) -> None:
        """With `trace` all that Asterisk says is written there, a file for each connection."""
        self._asterisk = asterisk
        self._trace = trace
        self._server = socket.create_server((HOST, 0))
        self._sockets: list[socket.socket] = []
        self.sent: list[tuple[float, str]] = []
        """(seconds of the monotonic clock, name of the action), in order."""

    def url(self, user: str = "panel") -> str:
        """As `Asterisk.ami_url`, through here."""
        return self._asterisk.ami_url(user).replace(f":{self._asterisk.ami_port}", f":{self._server.getsockname()[1]}")

    def since(self, seconds: float) -> set[str]:
        """The actions that were sent in the last so many seconds."""
        return {name for at, name in self.sent if at > time.monotonic() - seconds}

    def cut(self) -> None:
        """End all connections that go through here; new ones may come."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="lab-relay", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            for number in itertools.count():
                client, _ = self._server.accept()
                pbx = socket.create_connection((HOST, self._asterisk.ami_port))
                self._sockets += [client, pbx]
                threading.Thread(target=self._pass, args=(client, pbx, self._noted()), daemon=True).start()
                threading.Thread(target=self._pass, args=(pbx, client, self._written(number)), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, note: Callable[[bytes], object]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                note(data)
                self._hand_on(source, target, data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _hand_on(self, source: socket.socket, target: socket.socket, data: bytes) -> None:
        target.sendall(data)

    def _noted(self) -> Callable[[bytes], object]:
        rest = b""

        def note(data: bytes) -> None:
            nonlocal rest
            *whole, rest = (rest + data).split(b"\r\n\r\n")
            names = [name.decode() for text in whole for name in ACTION.findall(text + b"\r\n")]
            self.sent += [(time.monotonic(), name) for name in names]

        return note

    def _written(self, number: int) -> Callable[[bytes], object]:
        if self._trace is None:
            return lambda data: None
        return self._trace.with_suffix(f".{number}.ami").open("wb", buffering=0).write


class Scissors(Relay):
    """A relay that cuts the whole link at one byte: of an action on its way, or of the answer to it."""

    def __init__(self, asterisk: Asterisk) -> None:
        super().__init__(asterisk)
        self._lock = threading.Lock()
        self._action = b""
        self._cut_at: tuple[str, int] = ("", 0)
        self._client: socket.socket | None = None
        self.cuts = 0
        self.passed = {"sent": 0, "answered": 0}
        """Bytes since the action's first one, each way on its session."""

    def arm(self, action: str, way: str = "", offset: int = 0) -> None:
        """Count from the next action of this name on, and with a `way` ("sent", "answered") cut after so many."""
        with self._lock:
            self._action, self._cut_at, self._client = f"Action: {action}\r\n".encode(), (way, offset), None
            self.passed = {"sent": 0, "answered": 0}

    def _hand_on(self, source: socket.socket, target: socket.socket, data: bytes) -> None:
        with self._lock:
            if self._client is None and self._action and self._action in data:
                self._client = source
            way = {source: "sent", target: "answered"}.get(self._client, "") if self._client else ""
            room = self._cut_at[1] - self.passed[way] if way == self._cut_at[0] and way else len(data) + 1
            if way:
                self.passed[way] += min(len(data), room)
            if room > len(data):
                target.sendall(data)
                return
            target.sendall(data[:room])
            self._action, self._client = b"", None
            self.cuts += 1
        self.cut()
