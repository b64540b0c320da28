"""What Asterisk really sends: one AMI session whose bytes are kept as they come, from the greeting to the end.

    with Recorder(asterisk) as recorder:
        recorder.ask(b"Action: ConfbridgeListRooms\r\n\r\n", until=b"No active conferences")
        data = recorder.data()

It parses nothing, so that a parser can be held against it. Actions go out exactly as given, wrong ones too.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from tests.lab.configuration import ami_secret
from tests.lab.instance import HOST, Asterisk

WAIT = 10.0  # seconds


class Recorder:
    """One AMI session of ``user`` that hears ``events`` (all classes unless given)."""

    def __init__(self, asterisk: Asterisk, user: str = "admin", events: str = "on", buffer: int | None = None) -> None:
        """Connect and log in. ``buffer``: bytes that the kernel keeps for us while we do not read (its choice).

        Raises TimeoutError, OSError.
        """
        self._socket = socket.socket()
        if buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.connect((HOST, asterisk.ami_port))
        self._data = bytearray()
        self._news = threading.Condition()
        self._awake = threading.Event()
        self._awake.set()
        self._ended = False
        self._reader = threading.Thread(target=self._read, name="lab-recorder", daemon=True)
        self._reader.start()
        login = f"Action: Login\r\nUsername: {user}\r\nSecret: {ami_secret(user)}\r\nEvents: {events}\r\n\r\n"
        self.ask(login.encode(), until=b"Authentication accepted\r\n\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._data)

    def data(self) -> bytes:
        """All that has come so far."""
        with self._news:
            return bytes(self._data)

    def ask(self, action: bytes, until: bytes, timeout: float = WAIT) -> None:
        """Send these bytes, and wait until ``until`` has come after them. Raises TimeoutError, OSError."""
        start = len(self._data)
        self._socket.sendall(action)
        self.wait(until, start, timeout)

    def wait(self, marker: bytes, start: int = 0, timeout: float = WAIT) -> None:
        """Wait until ``marker`` has come, at or after ``start``. Raises TimeoutError."""
        with self._news:
            self._news.wait_for(lambda: self._data.find(marker, start) >= 0 or self._ended, timeout)
            if self._data.find(marker, start) < 0:
                raise TimeoutError(f"{marker!r} did not come; the last was {bytes(self._data[-300:])!r}")

    def wait_end(self, timeout: float = WAIT) -> bytes:
        """Wait until Asterisk has closed the session; all that came. Raises TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: self._ended, timeout):
                raise TimeoutError("Asterisk has not closed the session")
            return bytes(self._data)

    def sleep(self) -> None:
        """Read nothing more (what is under way may still come) until ``wake``."""
        self._awake.clear()

    def wake(self) -> None:
        """Read again."""
        self._awake.set()

    def close(self) -> None:
        """Close the connection. May be called twice."""
        self.wake()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._reader.join()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while self._awake.wait() and (data := self._socket.recv(65536)):
                with self._news:
                    self._data += data
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
