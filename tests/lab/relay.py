"""A wire with a witness: passes AMI bytes on, and notes which actions a client sent, and when."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from types import TracebackType
from typing import Self

from tests.lab.instance import HOST, Asterisk

ACTION = re.compile(rb"^Action: (\w+)\r$", re.MULTILINE)


class Relay:
    """Stands before one Asterisk's manager port. Use as a context manager."""

    def __init__(self, asterisk: Asterisk) -> None:
        self._asterisk = asterisk
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

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="lab-relay", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                pbx = socket.create_connection((HOST, self._asterisk.ami_port))
                self._sockets += [client, pbx]
                for source, target, noted in ((client, pbx, True), (pbx, client, False)):
                    threading.Thread(target=self._pass, args=(source, target, noted), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, noted: bool) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if noted:
                    *whole, rest = (rest + data).split(b"\r\n\r\n")
                    for text in whole:
                        self.sent += [(time.monotonic(), name.decode()) for name in ACTION.findall(text + b"\r\n")]
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)
