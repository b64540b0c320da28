"""What somebody with every right in the database, and without the key, can do to the log; with plain SQL."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction

from audit import chain
from audit.models import Entry
from audit.record import What, Who
from audit.trail import intent, outcome
from audit.verify import KeptDigest

COLUMNS: Final = (*chain.FIELDS, "before", "mac")
TRIGGERS: Final = ("append_only", "no_delete", "no_replace", "no_truncate")


def fill(commands: int, **who: Any) -> None:
    """So many actions with their outcomes, quickly."""
    entries = []
    for number in range(commands):
        common: dict[str, Any] = {
            "command": secrets.token_hex(16),
            "user_name": "Bob",
            "source": "page",
            "address": "192.0.2.1",
            "verb": "calls.hangup",
            "pbx": "lab",
            "target_kind": "call",
            "target_key": f"lab/1795412884.{number}",
            "target_words": "101 Anna → 102 Борис",
            **who,
        }
        entries.append(Entry(kind="intent", args={"n": number, "ü": ["я", None, True]}, **common))
        entries.append(Entry(kind="outcome", outcome="done", **common))
    Entry.objects.bulk_create(entries, batch_size=500)


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside, triggers and all, is as if it had not been."""
    with transaction.atomic():
        for name in TRIGGERS:
            on = " ON audit_entry" if connection.vendor == "postgresql" else ""
            sql(f"DROP TRIGGER IF EXISTS audit_entry_{name}{on}")
        yield
        transaction.set_rollback(True)


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []


def _copy(source: int, to: int, **changed: Any) -> None:
    """Put the row `source` at the number `to`, with these columns changed, by SQL alone."""
    names = ", ".join(COLUMNS)
    wanted = ", ".join("%s" if name in changed or name == "id" else name for name in COLUMNS)
    values = [{"id": to, **changed}[name] for name in COLUMNS if name in changed or name == "id"]
    sql(f"INSERT INTO audit_entry ({names}) SELECT {wanted} FROM audit_entry WHERE id = %s", *values, source)


def _move(number: int, to: int) -> None:
    sql("UPDATE audit_entry SET id = %s WHERE id = %s", to, number)


def _swap(a: int, b: int) -> None:
    _move(a, -1)
    _move(b, a)
    _move(-1, b)


def _shift(after: int) -> None:
    """Close the gap that a deletion left."""
    for (number,) in sql("SELECT id FROM audit_entry WHERE id > %s ORDER BY id", after):
        _move(number, number - 1)


def _reseal(first: int) -> None:
    """MACs from here on, under a key of the attacker's own."""
    before = bytes(sql("SELECT before FROM audit_entry WHERE id = %s", first)[0][0])
    for values in Entry.objects.filter(id__gte=first).order_by("id").values_list(*chain.FIELDS):
        mac = chain.mac(b"a key of his own, long enough to be one", before, values)
        sql("UPDATE audit_entry SET before = %s, mac = %s WHERE id = %s", before, mac, values[0])
        before = mac


def _another_story(last: int) -> None:
    """Put back an older copy of the database, and let the panel go on from it."""
    sql("DELETE FROM audit_entry WHERE id > %s", last - 10)
    who, what = Who(None, "Eve", "shell"), What(secrets.token_hex(16), "calls.hangup")
    for _ in range(12):
        intent(who, What(secrets.token_hex(16), "calls.hangup"))
    outcome(who, what, "done")


def _false_purge(last: int) -> None:
    mac = bytes(sql("SELECT mac FROM audit_entry WHERE id = 20")[0][0]).hex()
    args = json.dumps({"to": 20, "mac": mac, "entries": 20, "kept": 0, "kept_digest": KeptDigest().hex})
    _copy(last, last + 1, kind="keeping", verb="audit.purge", outcome="", target_key="20", args=args)
    sql("DELETE FROM audit_entry WHERE id <= 20")


def _edit(column: str, value: Any) -> Callable[[int], object]:
    return lambda last: sql(f"UPDATE audit_entry SET {column} = %s WHERE id = %s", value, last // 2)


def _close_the_gap(last: int) -> None:
    sql("DELETE FROM audit_entry WHERE id = %s", last - 5)
    _shift(last - 5)


def _put_over(last: int) -> None:
    sql("DELETE FROM audit_entry WHERE id = 8")
    _copy(12, 8)


def _rewrite(last: int) -> None:
    _edit("verb", "x")(last)
    _reseal(last // 2)


TAMPERS: Final[dict[str, tuple[Callable[[int], object], str]]] = {
    "what was done edited": (_edit("verb", "calls.view"), "changed"),
    "who did it edited": (_edit("user_name", "Alice"), "changed"),
    "how it ended edited": (_edit("outcome", "refused"), "changed"),
    "its details edited": (_edit("args", '{"n": 1}'), "changed"),
    "its time edited": (
        lambda last: _edit("at", Entry.objects.get(pk=last // 2).at + timedelta(microseconds=1))(last),
        "changed",
    ),
    "its MAC edited too": (_edit("mac", secrets.token_bytes(32)), "changed"),
    "one deleted": (lambda last: sql("DELETE FROM audit_entry WHERE id = %s", last // 2), "missing"),
    "the first deleted": (lambda last: sql("DELETE FROM audit_entry WHERE id = 1"), "missing"),
    "many deleted": (lambda last: sql("DELETE FROM audit_entry WHERE id BETWEEN 10 AND 30"), "missing"),
    "one deleted and the gap closed": (_close_the_gap, "changed"),
    "the last deleted": (lambda last: sql("DELETE FROM audit_entry WHERE id = %s", last), "cut off"),
    "the end deleted": (lambda last: sql("DELETE FROM audit_entry WHERE id > %s", last // 2), "cut off"),
    "all deleted": (lambda last: sql("DELETE FROM audit_entry"), "cut off"),
    "two swapped": (lambda last: _swap(5, 9), "copied"),
    "neighbours swapped": (lambda last: _swap(6, 7), "copied"),
    "one copied to the end": (lambda last: _copy(8, last + 1), "copied"),
    "one put over another": (_put_over, "copied"),
    "one made up at the end": (
        lambda last: _copy(
            last, last + 1, verb="calls.barge", before=Entry.objects.get(pk=last).mac, mac=secrets.token_bytes(32)
        ),
        "changed",
    ),
    "rewritten from one on": (_rewrite, "changed"),
    "rewritten from the start": (lambda last: _reseal(1), "changed"),
    "an older copy put back and gone on with": (_another_story, "rewritten"),
    "a purge made up": (_false_purge, "missing"),
    "the table of listenings edited": (
        lambda last: sql("UPDATE audit_listening SET user_name = 'Alice', user_id = NULL"),
        "monitoring",
    ),
    "a listening deleted from its table": (lambda last: sql("DELETE FROM audit_listening"), "monitoring"),
}
