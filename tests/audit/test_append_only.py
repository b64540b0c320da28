"""Nothing changes what is written: not the model, not the query set, not plain SQL."""

import importlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from audit.models import AppendOnly, Entry

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


def entry(bob: User) -> Entry:
    written = Entry(kind="intent", command="a" * 32, user=bob, user_name="Bob", source="page", verb="calls.hangup")
    written.save()
    return written


WAYS: dict[str, Callable[[Entry], object]] = {
    "save": lambda e: e.save(),
    "save of a fetched one": lambda e: Entry.objects.get(pk=e.pk).save(),
    "save with update_fields": lambda e: e.save(update_fields=["verb"]),
    "delete": lambda e: e.delete(),
    "update": lambda e: Entry.objects.update(verb="x"),
    "filtered update": lambda e: Entry.objects.filter(pk=e.pk).update(verb="x"),
    "filtered delete": lambda e: Entry.objects.filter(pk=e.pk).delete(),
    "all().delete": lambda e: Entry.objects.all().delete(),
    "base manager": lambda e: Entry._base_manager.all().delete(),
    "raw delete": lambda e: Entry.objects.all()._raw_delete("default"),
    "bulk_update": lambda e: Entry.objects.bulk_update([e], ["verb"]),
    "update_or_create": lambda e: Entry.objects.update_or_create({"verb": "x"}, pk=e.pk),
    "bulk_create over it": lambda e: Entry.objects.bulk_create(
        [Entry(pk=e.pk)], update_conflicts=True, update_fields=["verb"], unique_fields=["id"]
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_refused(way: str, bob: User) -> None:
    written = entry(bob)
    with pytest.raises(AppendOnly):
        WAYS[way](written)
    stored = Entry.objects.get()
    assert (stored.verb, stored.command) == ("calls.hangup", "a" * 32)


def test_a_new_entry_does_not_replace_one_with_its_number(bob: User) -> None:
    written = entry(bob)
    Entry(pk=written.pk, kind="denied", command="b" * 32, user_name="x", source="page", verb="x").save()
    assert [*Entry.objects.values_list("command", flat=True)] == ["a" * 32, "b" * 32]


def refused(*statements: str) -> None:
    for statement in statements:
        with (
            pytest.raises(DatabaseError, match="only ever added"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    stored = Entry.objects.get()
    assert (stored.verb, stored.command) == ("calls.hangup", "a" * 32)


def test_plain_sql_cannot_change_it_either(bob: User) -> None:
    entry(bob)
    refused("UPDATE audit_entry SET verb = 'x'")


def test_plain_sql_cannot_remove_it(bob: User) -> None:
    """With the trigger that the tests' database goes without; it goes again with this test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(importlib.import_module("audit.migrations.0005_sealed").FLUSH[connection.vendor])
    entry(bob)
    refused("DELETE FROM audit_entry")
    if connection.vendor == "postgresql":
        connection.check_constraints()  # PostgreSQL refuses to truncate what it has yet to check, for its own reason
        refused("TRUNCATE audit_entry")


REPLACE = (
    "INSERT OR REPLACE INTO audit_entry"
    " (id, at, kind, command, user_name, source, address, verb, pbx, target_kind, target_key, target_words, args,"
    " outcome, code, detail, before, mac)"
    " SELECT {id}, at, kind, command, 'Mallory', source, address, 'x', pbx, target_kind, target_key, target_words,"
    " args, outcome, code, detail, before, mac FROM audit_entry"
)


def test_plain_sql_cannot_replace_it(bob: User) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has INSERT OR REPLACE; PostgreSQL's ON CONFLICT DO UPDATE is an update")
    entry(bob)
    refused(REPLACE.format(id="id"), REPLACE.format(id="NULL"))


def test_a_panel_is_set_up_with_all_of_it(tmp_path: Path) -> None:
    """The database as users have it: nothing of the tests' own has touched it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")} | {
        "DJANGO_SETTINGS_MODULE": "phoenix_panel.settings",
        "PHOENIX_VAR": str(tmp_path),
        "PHOENIX_ENV_FILE": os.devnull,
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    database = sqlite3.connect(tmp_path / "phoenix.sqlite3")
    database.execute(
        "INSERT INTO audit_entry (at, kind, command, user_name, source, address, verb, pbx, target_kind, target_key,"
        " target_words, args, outcome, code, detail, before, mac)"
        " VALUES ('2026-01-01', 'intent', 'c', 'Bob', 'page', '', 'v', '', '', '', '', '{}', '', '', '', x'', x'')"
    )
    database.commit()
    for statement in (
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET verb = 'x'",
        REPLACE.format(id="id"),
        REPLACE.format(id="NULL"),
    ):
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            database.execute(statement)
        database.rollback()
    assert database.execute("SELECT user_name FROM audit_entry").fetchall() == [("Bob",)]
    database.close()
