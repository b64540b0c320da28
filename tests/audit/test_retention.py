"""What is old goes, what is held stays, and what is left still verifies."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from audit import heads, monitoring, retention
from audit.models import Entry, Listening
from audit.record import Began, Ended, What, Who
from audit.trail import intent, kept, outcome
from audit.verify import verify
from tests.audit.tampering import sql, undone

pytestmark = pytest.mark.django_db(transaction=True)
SHELL = Who(None, "root", "shell")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    settings.PHOENIX_AUDIT_HEADS = tmp_path / "heads.jsonl"
    yield tmp_path / "heads.jsonl"
    heads.pen().flush()


def act(user: User, number: int, days: int, monkeypatch: pytest.MonkeyPatch, key: str = "lab/1") -> None:
    """An action so many days ago, with its outcome."""
    who = Who(user.pk, user.name, "page")
    what = What(f"{number:032x}", "calls.hangup", "lab", "call", key)
    with monkeypatch.context() as patch:
        patch.setattr(Entry._meta.get_field("at"), "_get_default", lambda: timezone.now() - days * DAY)
        intent(who, what)
        outcome(who, what, "done")


@pytest.fixture
def log(bob: User, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries 1 to 20 are too old, 21 to 30 are not."""
    for number in range(10):
        act(alice if number in (3, 4) else bob, number, 500 - number, monkeypatch, f"lab/{number}")
    for number in range(10, 15):
        act(bob, number, 20 - number, monkeypatch)


def test_nothing_is_removed_unless_asked(log: None, notes: Path) -> None:
    out = StringIO()
    call_command("audit", "purge", stdout=out)
    assert "20 entries are older than 400 days; 0 older ones are held." in out.getvalue()
    assert Entry.objects.count() == 30


def test_what_is_left_verifies(log: None, notes: Path) -> None:
    heads.pen().flush()
    call_command("audit", "purge", "--yes", stdout=StringIO())
    assert [*Entry.objects.values_list("id", flat=True)] == [*range(21, 33)]
    report = verify(notes)
    assert (report.problems, report.purged, report.entries) == ([], 20, 12)
    assert [*Entry.objects.filter(verb="audit.purge").values_list("outcome", "args__entries")] == [
        ("", 20),
        ("done", 20),
    ]
    call_command("audit", "purge", "--yes", stdout=StringIO())
    assert Entry.objects.count() == 12  # nothing was old: nothing was written


def test_segments(log: None, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SEGMENT", 8)
    assert [*retention.purge(SHELL, 20)] == [8, 8, 4]
    report = verify(notes)
    assert (report.problems, report.purged, report.first) == ([], 20, 21)


def test_what_is_held_stays_and_verifies(log: None, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SEGMENT", 5)
    person = retention.hold(SHELL, person="alice", call="", since=None, until=None, reason="a complaint")
    retention.hold(SHELL, person="", call="lab/0", since=None, until=None, reason="court")
    first = Entry.objects.get(pk=19).at
    retention.hold(SHELL, person="bob", call="", since=first, until=first + DAY / 2, reason="a day")
    call_command("audit", "purge", "--yes", stdout=StringIO())
    assert [*Entry.objects.filter(id__lte=20).values_list("id", flat=True)] == [1, 2, 7, 8, 9, 10, 19, 20]
    assert verify(notes).problems == []
    for tamper in (
        "UPDATE audit_entry SET verb = 'x' WHERE id = 8",
        "DELETE FROM audit_entry WHERE id = 9",
        "DELETE FROM audit_entry WHERE id <= 20",
    ):
        with undone():
            sql(tamper)
            assert {problem.kind for problem in verify(notes).problems} & {"changed", "held"}, tamper
    retention.release(SHELL, person, "settled")
    call_command("audit", "purge", "--yes", stdout=StringIO())
    assert [*Entry.objects.filter(id__lte=20).values_list("id", flat=True)] == [1, 2, 19, 20]
    assert verify(notes).problems == []
    assert {one.person for one in retention.holds()} == {"", "bob"}


@contextmanager
def as_users_have_it() -> Iterator[None]:
    """With the trigger that the tests' database goes without (on PostgreSQL, that is another one's)."""
    if connection.vendor == "sqlite":
        sql(importlib.import_module("audit.migrations.0005_sealed").FLUSH["sqlite"])
    yield
    if connection.vendor == "sqlite":
        sql("DROP TRIGGER audit_entry_no_delete")


def test_the_database_lets_a_purge_through_and_nothing_else(log: None, notes: Path) -> None:
    with as_users_have_it():
        assert sum(retention.purge(SHELL, 20)) == 20
        for number in (21, 31, 32):
            with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
                sql("DELETE FROM audit_entry WHERE id = %s", number)
        with transaction.atomic():
            kept(SHELL, What("", "audit.purge", target_key="25"))
            with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
                sql("DELETE FROM audit_entry WHERE id = 26")
            transaction.set_rollback(True)
    assert verify(notes).problems == []


def test_a_listening_goes_with_its_entries(bob: User, notes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = (datetime.now(UTC) - 500 * DAY).timestamp()
    with monkeypatch.context() as patch:
        patch.setattr(Entry._meta.get_field("at"), "_get_default", lambda: timezone.now() - 500 * DAY)
        for id_ in ("a" * 32, "b" * 32):
            monitoring.write(
                Began(
                    id_, Who(bob.pk, "Bob", "page"), "lab", "", "900", "201", "", (), id_[0], "listen", False, "", old
                )
            )
            monitoring.write(Ended(id_, "stopped", old + 5))
    intent(Who(bob.pk, "Bob", "page"), What("", "calls.view"))
    retention.hold(SHELL, person="", call="b", since=None, until=None, reason="court")
    call_command("audit", "purge", "--yes", stdout=StringIO())
    assert [*Listening.objects.values_list("command", flat=True)] == ["b" * 32]
    assert verify(notes).problems == []


def test_a_hold_says_why_and_of_what() -> None:
    with pytest.raises(CommandError, match="needs a reason"):
        call_command("audit", "hold", "--call", "lab/1")
    with pytest.raises(CommandError, match="no user nobody"):
        call_command("audit", "hold", "--person", "nobody", "--reason", "x")
    with pytest.raises(CommandError, match="no such hold"):
        call_command("audit", "release", "f" * 32, "--reason", "x")
    out = StringIO()
    call_command("audit", "hold", "--call", "lab/1", "--since", "2026-03-01", "--reason", "court", stdout=out)
    id_ = out.getvalue().strip()
    out = StringIO()
    call_command("audit", "hold", stdout=out)
    assert out.getvalue().strip() == f"{id_} call=lab/1 since=2026-03-01T00:00:00+00:00 reason=court"
