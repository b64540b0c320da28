"""Asterisk's own view, asked from outside: a small AMI client that shares nothing with the panel's.

What the panel shows is compared with what this says. Synchronous, one thread that reads; from an async test use
`await asyncio.to_thread(checker.channels)`.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import secrets
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeAlias

from tests.lab.configuration import ami_secret
from tests.lab.instance import HOST, Asterisk

# One message. A header that comes several times keeps all its values, joined by line ends.
Fields: TypeAlias = dict[str, str]
Rows: TypeAlias = list[Fields]
Members: TypeAlias = dict[str, list[str]]

WAIT = 10.0
KEPT_EVENTS = 20_000
# Errors by which Asterisk says that a list has nothing in it.
EMPTY_LISTS = ("No active conferences", "No dialplan hints", "No Conference by that name")


class CheckerError(Exception):
    """Asterisk refused, did not answer, or closed the connection."""


class Checker:
    """One AMI session."""

    def __init__(self, asterisk: Asterisk, user: str = "admin", events: str = "call") -> None:
        """Connect and log in; `events` are the classes to hear ("off" for none). Raises CheckerError, OSError."""
        self._socket = socket.create_connection((HOST, asterisk.ami_port), timeout=WAIT)
        self._socket.settimeout(None)
        # An OriginateResponse goes to every session, with its asker's ActionID: ours must be nobody else's.
        self._ids = f"lab-{secrets.token_hex(4)}"
        self._numbers = itertools.count(1)
        self._news = threading.Condition()
        self._open = True
        self._responses: dict[str, Fields] = {}
        self._items: dict[str, Rows] = {}
        self.events: deque[Fields] = deque(maxlen=KEPT_EVENTS)
        self.last_event = time.monotonic()
        """When an event last came, by the monotonic clock."""
        self._reader = threading.Thread(target=self._read, name="lab-checker", daemon=True)
        self._reader.start()
        try:
            self.action("Login", Username=user, Secret=ami_secret(user), Events=events)
        except CheckerError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def connected(self) -> bool:
        """Whether Asterisk has not closed the connection."""
        return self._open

    def close(self) -> None:
        """Close the connection. May be called twice."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def action(
        self, name: str, variables: Mapping[str, object] | None = None, timeout: float = WAIT, **headers: object
    ) -> Fields:
        """Send one action and return its response. Raises CheckerError when that is an error."""
        return self._demand(name, variables, timeout, headers)

    def _demand(
        self, name: str, variables: Mapping[str, object] | None, timeout: float, headers: Mapping[str, object]
    ) -> Fields:
        response = self._ask(name, variables, timeout, headers, self._next_id())
        if response.get("Response") == "Error":
            raise CheckerError(f"{name}: {response.get('Message')}")
        return response

    def list(self, name: str, timeout: float = WAIT, **headers: object) -> Rows:
        """The items of a list; [] also where Asterisk calls an empty list an error. Raises CheckerError."""
        action_id = self._next_id()
        # Known before the question is asked, so that the reader keeps the items apart from the events.
        items = self._items[action_id] = []
        try:
            response = self._ask(name, None, timeout, headers, action_id)
            if response.get("Response") == "Error":
                if response.get("Message", "").startswith(EMPTY_LISTS):
                    return []
                raise CheckerError(f"{name}: {response.get('Message')}")
            self._wait(
                lambda: bool(items) and items[-1].get("EventList", "").lower() == "complete",
                timeout,
                f"the end of {name}",
            )
        finally:
            del self._items[action_id]
        return items[:-1]

    def channels(self) -> Rows:
        """CoreShowChannels, as Asterisk lists them."""
        return self.list("CoreShowChannels")

    def bridges(self) -> Members:
        """Every bridge that has somebody in it: its id, and the Uniqueids of those in it, sorted."""
        found: Members = {}
        for channel in self.channels():
            if channel.get("BridgeId"):
                found.setdefault(channel["BridgeId"], []).append(channel["Uniqueid"])
        return {bridge: sorted(members) for bridge, members in found.items()}

    def originate(
        self,
        channel: str,
        *,
        application: str = "",
        data: str = "",
        exten: str = "",
        context: str = "from-internal",
        caller: str = "",
        variables: Mapping[str, object] | None = None,
        channel_id: str = "",
        timeout: float = 30.0,
    ) -> None:
        """Have `channel` called and connected to an application or an extension; returns at once (Async).

        `channel_id` becomes its Uniqueid; the second half of a Local channel gets it with `-2` at its end.
        """
        target = {"Application": application, "Data": data}
        if exten:
            target = {"Context": context, "Exten": exten, "Priority": "1"}
        identity = {"ChannelId": channel_id, "OtherChannelId": f"{channel_id}-2" if channel_id else ""}
        wanted = {"Channel": channel, "CallerID": caller, "Timeout": round(timeout * 1000), "Async": "true"}
        headers = {name: value for name, value in {**wanted, **target, **identity}.items() if value != ""}
        self._demand("Originate", variables, WAIT, headers)

    def hangup(self, channel: str) -> None:
        """Hang up a channel by its name or Uniqueid; one that is gone already does not matter."""
        with contextlib.suppress(CheckerError):
            self.action("Hangup", Channel=channel)

    def hangup_all(self, timeout: float = WAIT) -> None:
        """Hang up everything and wait until no channel is left. Raises CheckerError."""
        deadline = time.monotonic() + timeout
        while self.channels():
            if time.monotonic() > deadline:
                raise CheckerError(f"channels would not go: {[one['Channel'] for one in self.channels()]}")
            # A channel in the making may escape: hence again and again.
            for channel in self.channels():
                self.hangup(channel["Channel"])
            self._next_event(0.1)

    def wait_channels(self, condition: Callable[[Rows], object], timeout: float = WAIT) -> Rows:
        """Ask for the channels after each event until they satisfy `condition`; returns them. Raises CheckerError."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.channels()
            if condition(found):
                return found
            if time.monotonic() > deadline:
                names = [f"{one['Channel']} ({one.get('Application')})" for one in found]
                raise CheckerError(f"the channels did not become as expected: {names}")
            # Not every change raises an event that we hear: look again after a while in any case.
            self._next_event(0.25)

    def wait_event(self, name: str, timeout: float = WAIT, **matching: str) -> Fields:
        """The first event of this name, past or coming, whose headers are as given. Raises CheckerError."""
        wanted = {"Event": name, **matching}
        found: Rows = []

        def seen() -> bool:
            found[:] = [event for event in self.events if wanted.items() <= event.items()]
            return bool(found)

        self._wait(seen, timeout, f"event {wanted}")
        return found[0]

    def wait_quiet(self, seconds: float = 1.0, timeout: float = 60.0) -> None:
        """Wait until no event has come for so many seconds. Raises CheckerError."""
        deadline = time.monotonic() + timeout
        while (remaining := self.last_event + seconds - time.monotonic()) > 0:
            if time.monotonic() > deadline:
                raise CheckerError(f"no {seconds} s without an event in {timeout:.0f} s")
            time.sleep(remaining)

    def _next_id(self) -> str:
        return f"{self._ids}-{next(self._numbers)}"

    def _ask(
        self,
        name: str,
        variables: Mapping[str, object] | None,
        timeout: float,
        headers: Mapping[str, object],
        action_id: str,
    ) -> Fields:
        lines = [f"Action: {name}", f"ActionID: {action_id}"]
        lines += [f"{key}: {value}" for key, value in headers.items()]
        lines += [f"Variable: {key}={value}" for key, value in (variables or {}).items()]
        try:
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        except OSError as error:
            raise CheckerError(f"{name}: {error}") from error
        self._wait(lambda: action_id in self._responses, timeout, f"an answer to {name}")
        return self._responses.pop(action_id)

    def _wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        with self._news:
            self._news.wait_for(lambda: condition() or not self._open, timeout)
            if condition():
                return
        raise CheckerError(f"waited {timeout:.1f} s for {what}" if self._open else f"closed before {what}")

    def _next_event(self, timeout: float) -> None:
        before = self.last_event
        with self._news:
            self._news.wait_for(lambda: self.last_event != before or not self._open, timeout)

    def _read(self) -> None:
        buffer = b""
        try:
            while data := self._socket.recv(65536):
                buffer += data
                if b"\r\n\r\n" in buffer:
                    *whole, buffer = buffer.split(b"\r\n\r\n")
                    self._take([_parse(block) for block in whole])
        except OSError:
            pass
        with self._news:
            self._open = False
            self._news.notify_all()

    def _take(self, messages: Rows) -> None:
        with self._news:
            for message in messages:
                action_id = message.get("ActionID", "")
                if "Response" in message and "Event" not in message:
                    self._responses[action_id] = message
                elif action_id in self._items:
                    self._items[action_id].append(message)
                elif "Event" in message:
                    self.events.append(message)
                    self.last_event = time.monotonic()
            self._news.notify_all()


def unescape(value: str) -> str:
    r"""A name as Asterisk has it: AMI writes caller names as C would (`\"`, `\'`, `\\`, `\n` …)."""
    letters = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
    return re.sub(r"\\(.)", lambda match: letters.get(match[1], match[1]), value, flags=re.DOTALL)


def _parse(block: bytes) -> Fields:
    """One message. The banner and stray blank lines have no header, and are passed over."""
    fields: Fields = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields
