"""Nothing changes what is written: not the model, not the query set, not plain SQL."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from audit.models import AppendOnly, Entry

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
    with pytest.raises(DatabaseError), transaction.atomic():
        Entry(pk=written.pk, kind="denied", command="b" * 32, user_name="x", source="page", verb="x").save()
    assert Entry.objects.get().command == "a" * 32


def test_plain_sql_cannot_change_it_either(bob: User) -> None:
    entry(bob)
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_entry SET verb = 'x'")
    if connection.vendor == "postgresql":  # SQLite: see the migration
        with (
            pytest.raises(DatabaseError, match="only ever added"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM audit_entry")
    assert Entry.objects.get().verb == "calls.hangup"
