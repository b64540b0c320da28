"""Counts sign-ins per name and per address, so that passwords can't be tried by the thousand.

Counted before the password is checked: a hundred attempts at once are a hundred attempts. The counts live in Django's
default cache; with several web processes each has its own unless that cache is shared.

And lets only a few passwords of this process be checked at a time (`turn`): hashing is made to cost memory and time,
and whoever knows the address of the page can ask for it, from as many addresses as he has.
"""

import contextlib
import hashlib
import ipaddress
import threading
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import cache

from accounts.hashers import THREADS

WINDOW = 300  # seconds; a count ends so long after its first attempt
PER_NAME = 5  # attempts for one name from one address
PER_ADDRESS = 50  # attempts from one address for all names: one password against every name, but also a whole office

CHECKS = THREADS  # passwords that are checked at the same time
WAITING = 20  # further ones that may wait for their turn: at 20 ms each, well under a second
PATIENCE = 5.0  # seconds that one of them waits; only a database that hangs makes it so long
LONGEST_NAME = 256  # signs that are looked at; no account's name has more than 150


@dataclass(frozen=True, slots=True)
class Attempt:
    name_key: str
    address_key: str
    wait: int  # seconds; 0: go on


def attempt(username: str, address: str) -> Attempt:
    """Counts one attempt; `wait` says for how long it is refused."""
    network = _network(address)
    name_key = _key("name", _same(username), network)
    address_key = _key("address", network)
    waits = [_count(name_key, PER_NAME), _count(address_key, PER_ADDRESS)]
    return Attempt(name_key, address_key, max(waits))


class Failures:
    """What failed from one address, of a kind that is counted only then (`what` names it): a token that is none."""

    def __init__(self, what: str, address: str) -> None:
        self._key = _key(what, _network(address))

    @property
    def wait(self) -> int:
        """Seconds for which more is refused; 0: go on."""
        return _wait(self._key) if int(cache.get(self._key, 0)) > PER_ADDRESS else 0

    def count(self) -> int:
        """One more; `wait` after it."""
        return _count(self._key, PER_ADDRESS)


def succeeded(done: Attempt) -> None:
    """The right password: nothing is held against this name from here, and the address gets its attempt back."""
    cache.delete(done.name_key)
    with contextlib.suppress(ValueError):  # it has ended meanwhile
        cache.decr(done.address_key)


def unchecked(done: Attempt) -> None:
    """Nobody looked at the password: it was no guess, and counts for nothing."""
    for key in (done.name_key, done.address_key):
        with contextlib.suppress(ValueError):
            cache.decr(key)


class Turns:
    """Lets `at_once` in, keeps `waiting` more at the door for at most `patience` seconds, sends the others away."""

    def __init__(self, at_once: int, waiting: int, patience: float) -> None:
        self._inside = threading.BoundedSemaphore(at_once)
        self._here = threading.BoundedSemaphore(at_once + waiting)
        self._patience = patience

    @contextlib.contextmanager
    def turn(self) -> Iterator[bool]:
        """True: go on. False: too many are here, and nothing was waited for, or the wait was in vain."""
        if not self._here.acquire(blocking=False):
            yield False
            return
        try:
            if not self._inside.acquire(timeout=self._patience):
                yield False
                return
            try:
                yield True
            finally:
                self._inside.release()
        finally:
            self._here.release()


turns = Turns(CHECKS, WAITING, PATIENCE)


def _same(username: str) -> str:
    """One text for all spellings that sign in to one account: the form too turns `ａdmin` into `admin` (NFKC).

    Cut first: sorting the accents of a name of a million would take minutes.
    """
    return unicodedata.normalize("NFKC", username[:LONGEST_NAME]).strip().casefold()


def _count(key: str, most: int) -> int:
    # Two entries with one life: when it ends (a counter can't carry it), and how many.
    cache.add(f"{key}:end", time.time() + WINDOW, WINDOW)
    cache.add(key, 0, WINDOW)
    try:
        count = cache.incr(key)
    except ValueError:  # ended between the two lines
        return 0
    return 0 if count <= most else _wait(key)


def _wait(key: str) -> int:
    """Seconds until a count ends."""
    now = time.time()
    return max(1, round(float(cache.get(f"{key}:end", now)) - now))


def _network(address: str) -> str:
    """An IPv6 customer has 2**64 addresses: they count as one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def _key(*parts: str) -> str:
    """Names are typed by strangers: of any length and any signs. The hash is a key that every cache takes."""
    return "signin:" + hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
