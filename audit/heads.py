"""Where the chain ended, noted outside the database: without it, what is cut off at the end is never missed.

The last entry of all is in one small file, written over with each (`NOW`); and every so often a line goes to the end
of another, and into the log, which belongs on another machine (docs/audit.md). A line is sealed with the chain's key
and holds the seal of the line before it.
"""

import atexit
import contextlib
import fcntl
import functools
import hmac
import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from audit import chain

log = logging.getLogger(__name__)

EVERY_S: Final = 60.0
"""How long an entry may wait to be noted in the log; until then, and for this machine, `NOW` knows of it."""

EVERY: Final = 100
"""Entries, after which a line is written earlier."""

NOW: Final = ".now"

LONGEST: Final = 512
"""Bytes of a line, and more: it has three times 64 digits, a number and a time."""


@dataclass(frozen=True, slots=True)
class Head:
    """At this time, the last entry had this number and this MAC (hex)."""

    at: str
    id: int
    mac: str
    prev: str
    """The seal of the line before, "" for the first."""
    seal: str

    @classmethod
    def read(cls, line: str) -> "Head":
        """ValueError: it is none."""
        try:
            found = json.loads(line)
            return cls(str(found["at"]), int(found["id"]), str(found["mac"]), str(found["prev"]), str(found["seal"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no head: {error}") from None

    @property
    def line(self) -> str:
        return json.dumps({"at": self.at, "id": self.id, "mac": self.mac, "prev": self.prev, "seal": self.seal})

    def sound(self, secret: bytes) -> bool:
        return hmac.compare_digest(self.seal, _seal(secret, self.at, self.id, self.mac, self.prev))


def _seal(secret: bytes, at: str, number: int, mac: str, prev: str) -> str:
    return chain.sealed(secret, b"head", json.dumps([at, number, mac, prev]).encode())


def _head(number: int, mac: str, prev: str) -> Head:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Head(at, number, mac, prev, _seal(chain.key(), at, number, mac, prev))


class Heads:
    """This process's pen for the notes. Several processes may write to the same files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = path.with_name(path.name + NOW)
        self._lock = threading.Lock()
        self._last: tuple[int, bytes] | None = None
        """Added by this process, and in no line yet."""
        self._since = 0
        self._timer: threading.Timer | None = None

    def wrote(self, number: int, mac: bytes) -> None:
        """An entry is committed. Never raises: the entry is there, whatever becomes of its note."""
        with self._lock:
            self._last = (number, mac)
            self._since += 1
            full = self._since >= EVERY
            if not full and self._timer is None:
                self._timer = threading.Timer(EVERY_S, self.flush)
                self._timer.daemon = True
                self._timer.start()
        try:
            with _locked(self.now) as file:
                known = _last_line(file)
                if known is None or known.id < number:
                    os.pwrite(file, f"{_head(number, mac.hex(), '').line:<{LONGEST - 1}}\n".encode(), 0)
        except (OSError, chain.KeyMissing) as error:
            log.error("the audit's head could not be noted: %s", error)
        if full:
            self.flush()

    def flush(self, level: int = logging.INFO) -> None:
        """Write a line for what was added since the last one, and say it in the log at this level."""
        with self._lock:
            last, self._last, self._since = self._last, None, 0
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if last is None:
            return
        number, mac = last
        try:
            with _locked(self.path) as file:
                known = _last_line(file)
                if known is not None and known.id >= number:
                    return  # another process was later, and quicker
                head = _head(number, mac.hex(), known.seal if known is not None else "")
                end = os.lseek(file, 0, os.SEEK_END)
                whole = end == 0 or os.pread(file, 1, end - 1) == b"\n"
                os.write(file, f"{'' if whole else chr(10)}{head.line}\n".encode())
                os.fsync(file)
        except (OSError, chain.KeyMissing) as error:
            log.error("the audit's head could not be noted: %s", error)
            return
        log.log(level, "audit head %d %s", number, mac.hex())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _last_line(file: int) -> Head | None:
    size = os.fstat(file).st_size
    text = os.pread(file, LONGEST, max(0, size - LONGEST)).decode("ascii", "replace").rstrip()
    with contextlib.suppress(ValueError):
        return Head.read(text.rpartition("\n")[2])
    return None  # nothing, or half a line that a power cut left


def read(path: Path) -> Iterator[Head | str]:
    """The notes in their order, the newest of all last; for a line that is none, what is wrong."""
    for name in (path, path.with_name(path.name + NOW)):
        with contextlib.suppress(FileNotFoundError), name.open(encoding="ascii", errors="replace") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield Head.read(line)
                except ValueError:
                    yield f"{name.name}:{number}"


@functools.cache
def _pen(path: str) -> Heads:
    heads = Heads(Path(path))
    # A command of the shell ends: its log is the terminal of who gave it.
    atexit.register(heads.flush, logging.DEBUG)
    return heads


def pen() -> Heads:
    return _pen(str(settings.PHOENIX_AUDIT_HEADS))
