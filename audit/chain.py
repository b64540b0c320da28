"""One chain over all entries: each carries a MAC over itself and the MAC of the entry before it.

    mac = HMAC-SHA256(key, before + canonical bytes of the entry)

The key lies outside the database, so that somebody with every right there can't make a MAC: what he changes, puts in,
copies or moves doesn't fit its own, and what he takes out leaves a gap. What he cuts off at the end, only a note of
the head elsewhere tells: `audit.heads`.
"""

import functools
import hmac
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from audit import keyfile

if TYPE_CHECKING:
    from audit.models import Entry

START: Final = bytes(32)
"""What the first entry has before it."""

FIELDS: Final = (
    "id",
    "at",
    "kind",
    "command",
    "user_id",
    "user_name",
    "source",
    "address",
    "verb",
    "pbx",
    "target_kind",
    "target_key",
    "target_words",
    "args",
    "outcome",
    "code",
    "detail",
)
"""Of an entry, what its MAC is over, in this order. A new column needs a new `_FORM` and its own order of fields."""

_FORM: Final = 1

LOCK: Final = 0x70686F656E6978  # "phoenix": no other advisory lock of this database has this number

SHORTEST_KEY: Final = 32  # characters; 512 random bits in base64 have 86


class KeyMissing(ImproperlyConfigured):
    """There are entries, and not the key that they were written with."""


def canonical(values: Iterable[Any]) -> bytes:
    """The bytes that a MAC is over: of `FIELDS`, as they are read from the database. One spelling for one entry."""
    return orjson.dumps([_FORM, *values], option=orjson.OPT_SORT_KEYS)


def mac(secret: bytes, before: bytes, values: Iterable[Any]) -> bytes:
    return hmac.digest(secret, before + canonical(values), "sha256")


def sealed(secret: bytes, what: bytes, text: bytes) -> str:
    """A MAC for what is no entry, 64 hex digits. `what` keeps one kind from passing for another."""
    return hmac.digest(secret, what + b"\0" + text, "sha256").hex()


def key() -> bytes:
    """The chain's key: of PHOENIX_AUDIT_KEY, else of its file, which is made for a log that is still empty.

    KeyMissing says what to do when the file is gone and there are entries.
    """
    given: str = settings.PHOENIX_AUDIT_KEY or _read(Path(settings.PHOENIX_AUDIT_KEY_PATH))
    if len(given) < SHORTEST_KEY:
        raise KeyMissing(f"the audit's key has fewer than {SHORTEST_KEY} characters.")
    return given.encode()


@functools.cache
def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    except (OSError, UnicodeDecodeError) as error:
        raise KeyMissing(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None
    from audit.models import Entry

    if Entry.objects.exclude(mac=b"").exists():
        raise KeyMissing(
            f"{path} is gone, and the audit has entries that were written with it. Put it back (from the backup, or "
            "from the machine that has it), or name it by PHOENIX_AUDIT_KEY_FILE."
        )
    keyfile.make(path)
    return path.read_text(encoding="ascii").strip()


def lock(using: str) -> None:
    """Inside a transaction: nobody else adds an entry before it ends. On SQLite that is so anyway, since it began
    IMMEDIATE. What is long goes before, not after."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def head(using: str) -> tuple[int, bytes]:
    """Number and MAC of the last entry; (0, START) if there is none."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT id, mac FROM audit_entry ORDER BY id DESC LIMIT 1")
        row = cursor.fetchone()
    return (int(row[0]), bytes(row[1])) if row else (0, START)


def link(entries: Iterable["Entry"], using: str) -> tuple[int, bytes]:
    """Give new entries their numbers and their places in the chain, under the lock; the head that they make.

    Numbers have no gaps: not a sequence's, which loses those of transactions that failed.
    """
    secret = key()
    lock(using)
    number, last = head(using)
    for entry in entries:
        number += 1
        entry.id, entry.before = number, last
        # As the database gives it back: tuples are lists there, keys are text.
        entry.args = json.loads(json.dumps(entry.args))
        last = entry.mac = mac(secret, last, [getattr(entry, name) for name in FIELDS])
    return number, last
