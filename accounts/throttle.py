"""Counts sign-ins per name and per address, so that passwords can't be tried by the thousand.

Counted before the password is checked: a hundred attempts at once are a hundred attempts. The counts live in Django's
default cache; with several web processes each has its own unless that cache is shared.
"""

import contextlib
import hashlib
import ipaddress
import time
from dataclasses import dataclass

from django.core.cache import cache

WINDOW = 300  # seconds; a count ends so long after its first attempt
PER_NAME = 5  # attempts for one name from one address
PER_ADDRESS = 50  # attempts from one address for all names: one password against every name, but also a whole office


@dataclass(frozen=True, slots=True)
class Attempt:
    name_key: str
    address_key: str
    wait: int  # seconds; 0: go on


def attempt(username: str, address: str) -> Attempt:
    """Counts one attempt; `wait` says for how long it is refused."""
    network = _network(address)
    name_key = _key("name", username.casefold(), network)
    address_key = _key("address", network)
    waits = [_count(name_key, PER_NAME), _count(address_key, PER_ADDRESS)]
    return Attempt(name_key, address_key, max(waits))


def succeeded(done: Attempt) -> None:
    """The right password: nothing is held against this name from here, and the address gets its attempt back."""
    cache.delete(done.name_key)
    with contextlib.suppress(ValueError):  # it has ended meanwhile
        cache.decr(done.address_key)


def _count(key: str, most: int) -> int:
    now = time.time()
    end = now + WINDOW
    # Two entries with one life: when it ends (a counter can't carry it), and how many.
    cache.add(f"{key}:end", end, WINDOW)
    cache.add(key, 0, WINDOW)
    try:
        count = cache.incr(key)
    except ValueError:  # ended between the two lines
        return 0
    if count <= most:
        return 0
    return max(1, round(float(cache.get(f"{key}:end", end)) - now))


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
