"""Personal tokens for the API: made, known again, revoked. Sync ORM; in async code on a thread.

A token is `phx_<8 signs>_<43 signs>`, the last ones 256 random bits. Only its SHA-256 is kept: nobody tries 2**256, so
a slow hash would cost us and no attacker.
"""

import contextlib
import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from accounts import throttle
from accounts.models import Token, User
from accounts.permissions import UserSnapshot
from accounts.rights import RIGHTS
from accounts.snapshots import user_snapshot

FORM: Final = re.compile(r"phx_[a-z0-9]{8}_[A-Za-z0-9_-]{43}")
LONGEST_DAYS: Final = 365
MOST: Final = 50  # of one user that are good at the same time; a script that makes them in a loop is stopped

USED_EVERY: Final = timedelta(minutes=10)
"""How coarse `last_used` is: a write for each request would make the audit wait for the disk."""

KNOWN: Final = 1_000


class Unfit(Exception):
    """A token that can't be made so: `args[0]` is `rights`, `days`, `name` or `many`."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who comes with a token. `user.rights` are those that it grants and that she has at this moment."""

    user: UserSnapshot
    token_id: int
    name: str
    granted: frozenset[str]
    """What it grants, whether she has it now or not."""
    expires: datetime

    @property
    def key(self) -> str:
        return key_of(self.token_id)

    @property
    def words(self) -> str:
        """Who it is, for the audit: her, and which of her programs."""
        return f"{self.user.name} ({self.name})"


@dataclass(frozen=True, slots=True)
class TooMany:
    """So much was tried from there that only tokens that were good before are looked at. `wait`: seconds."""

    wait: int


def key_of(token_id: int) -> str:
    """What stands for a session's key where somebody came with a token; a session's has no colon."""
    return f"token:{token_id}"


def make(user: User, name: str, rights: frozenset[str], days: int) -> tuple[Token, str]:
    """A new token, and its secret, which is not to be had again."""
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise Unfit("name")
    if not 1 <= days <= LONGEST_DAYS:
        raise Unfit("days")
    now = user_snapshot(user.pk)  # not the caller's: Django caches permissions on an instance
    if not rights or now is None or not rights <= now.rights:
        raise Unfit("rights")
    if good().filter(user=user).count() >= MOST:
        raise Unfit("many")
    hint = "phx_" + "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(8))
    secret = f"{hint}_{secrets.token_urlsafe(32)}"
    expires = timezone.now() + timedelta(days=days)
    token = Token.objects.create(
        user=user, name=name, digest=_digest(secret), hint=hint, rights=sorted(rights), expires=expires
    )
    return token, secret


def good() -> QuerySet[Token]:
    """Those that are neither revoked nor expired, of active users."""
    return Token.objects.filter(revoked=None, expires__gt=timezone.now(), user__is_active=True)


def burn(text: str) -> bool:
    """Ends every token that is found in a text where none may be, such as a URL: logs and histories keep those. True
    if there was anything like one."""
    seen = FORM.findall(text)
    if seen:
        Token.objects.filter(digest__in=map(_digest, seen), revoked=None).update(revoked=timezone.now())
    return bool(seen)


def bearer(secret: str, address: str) -> Bearer | TooMany | None:
    """Who it is that comes with this token from this address; None for whatever is wrong with it.

    Failures count by address, as failed sign-ins do. An office whose one script fails for ever must not lock out its
    others: from there only tokens that were good here before are looked at.
    """
    digest = _digest(secret)
    failed = throttle.Failures("token", address)
    if failed.wait and digest not in _known:
        return TooMany(failed.wait)
    token = good().filter(digest=digest).first() if FORM.fullmatch(secret) else None
    if token is None:
        _known.drop(digest)
        wait = failed.count()
        return TooMany(wait) if wait else None
    _known.add(digest)
    now = timezone.now()
    if token.last_used is None or now - token.last_used >= USED_EVERY:
        with contextlib.suppress(DatabaseError):  # a database that is busy writing: the request needs no write
            Token.objects.filter(pk=token.pk).update(last_used=now)
    granted = frozenset(token.rights) & RIGHTS.keys()
    user = user_snapshot(token.user_id)
    if user is None or not user.active:  # she has yet to set up the second factor that she must have
        return None
    return Bearer(
        user=user.limited(granted),
        token_id=token.pk,
        name=token.name,
        granted=granted,
        expires=token.expires,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class _Known:
    """The digests of tokens that were good lately, in this process."""

    def __init__(self) -> None:
        self._digests: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, digest: str) -> bool:
        return digest in self._digests

    def add(self, digest: str) -> None:
        with self._lock:
            self._digests[digest] = None
            self._digests.move_to_end(digest)
            while len(self._digests) > KNOWN:
                self._digests.popitem(last=False)

    def drop(self, digest: str) -> None:
        with self._lock:
            self._digests.pop(digest, None)


_known = _Known()
