"""A plain AMI connection that writes down what it is sent, header by header, by whichever PBX."""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from ami.protocol import Protocol

WAIT = 10.0
MASK = "system,call,agent"
"""The classes that the panel itself asks for at login."""


class TapError(Exception):
    """An answer or an event did not come."""


class Seen(NamedTuple):
    """One message, its headers in the order in which they came."""

    headers: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        return self.headers[0][1]

    @property
    def is_event(self) -> bool:
        return self.headers[0][0] == "Event"

    def get(self, key: str) -> str:
        return next((value for name, value in self.headers if name == key), "")

    def keys(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.headers)


class Tap:
    """One logged-in session. ``seen`` grows by itself."""

    def __init__(self, port: int, user: str = "admin", secret: str = "admin-secret", mask: str = MASK) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT)
        self._socket.settimeout(None)
        self._wire = Protocol()
        self._news = threading.Condition()
        self._numbers = itertools.count(1)
        self.seen: list[Seen] = []
        self.received = bytearray()
        """Every byte that came, the greeting first."""
        self.open = True
        threading.Thread(target=self._read, name="tap", daemon=True).start()
        challenge = self.ask("Challenge", AuthType="MD5").get("Challenge")
        key = hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
        self.login = self.ask("Login", AuthType="MD5", Username=user, Key=key, Events=mask)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    @property
    def banner(self) -> str:
        return self._wire.banner or ""

    def ask(self, action: str, **headers: str) -> Seen:
        """Send an action; its response, whatever it is."""
        number = self.send(action, **headers)
        return self.wait(lambda one: not one.is_event and one.get("ActionID") == number, f"an answer to {action}")

    def list(self, action: str, *, id: str = "", **headers: str) -> list[Seen]:
        """Send a list action; the response and all that came with its ActionID, which is ``id`` or any."""
        number = self.send(action, id, **headers)
        answer = self.wait(lambda one: not one.is_event and one.get("ActionID") == number, f"an answer to {action}")
        if answer.get("Response") == "Error":
            return [answer]
        self.wait(
            lambda one: one.get("ActionID") == number and one.get("EventList").lower() == "complete",
            f"end of {action}",
        )
        return [one for one in self.seen if one.get("ActionID") == number]

    def send(self, action: str, id: str = "", **headers: str) -> str:
        number = id or f"tap-{next(self._numbers)}"
        lines = [f"Action: {action}", f"ActionID: {number}", *(f"{key}: {value}" for key, value in headers.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return number

    def raw(self, text: str) -> None:
        self._socket.sendall(text.encode())

    def event(self, name: str, since: int = 0, timeout: float = WAIT, **values: str) -> Seen:
        """The first event of this name from ``since`` on, with these values; waits for it."""
        return self.wait(
            lambda one: one.is_event and one.name == name and all(one.get(k) == v for k, v in values.items()),
            f"{name} {values}",
            since,
            timeout,
        )

    def wait(self, fits: Callable[[Seen], bool], what: str, since: int = 0, timeout: float = WAIT) -> Seen:
        found: list[Seen] = []

        def look() -> bool:
            found[:] = [one for one in self.seen[since:] if fits(one)][:1]
            return bool(found) or not self.open

        with self._news:
            self._news.wait_for(look, timeout)
        if not found:
            raise TapError(f"waited {timeout:.0f} s for {what}; the last: {[one.name for one in self.seen[-12:]]}")
        return found[0]

    def quiet(self, seconds: float) -> None:
        """Wait until nothing has come for so long."""
        with self._news:
            while self._news.wait(seconds):
                pass

    def _read(self) -> None:
        try:
            while data := self._socket.recv(65536):
                messages = [Seen(tuple(message.items())) for message in self._wire.feed(data)]
                with self._news:
                    self.received += data
                    self.seen += messages
                    self._news.notify_all()
        except OSError:
            pass
        with self._news:
            self.open = False
            self._news.notify_all()
