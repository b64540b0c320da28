"""What a request to a page means for the audit: who it is, and how often the same has to be written."""

from typing import Final

from django.core.cache import cache
from django.http import HttpRequest

from accounts.models import User
from accounts.views import remote_address
from audit.record import Who

WINDOW: Final = 600
"""Seconds in which the same is counted together."""


def who(request: HttpRequest, user: User | None = None) -> Who:
    """Who asks by this request; `user` where that is not (yet, or any more) the one signed in."""
    user = user or (request.user if isinstance(request.user, User) else None)
    address = remote_address(request)
    return Who(user.pk, user.name, "page", address) if user is not None else Who(None, "", "page", address)


def times(*what: object) -> int:
    """How often this came, in ten minutes, if that is to be written: the 1st, 2nd, 4th, 8th … time; else 0. A stranger
    who tries a thousand times leaves ten entries, and the last one says how many he was at."""
    key = "audit:" + ":".join(str(part).encode().hex() for part in what)[:200]
    cache.add(key, 0, WINDOW)
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out between the two
        count = 1
    return count if count & (count - 1) == 0 else 0
