"""The chain: a log as it was written verifies; whatever somebody without the key does to it is found, and where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from audit import chain, heads, monitoring
from audit.models import Entry, Listening
from audit.record import Began, Ended, What, Who
from audit.trail import changed, intent, outcome
from audit.verify import Report, verify
from tests.audit.tampering import TAMPERS, fill, sql, undone

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
SHELL = Who(None, "root", "shell")


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, settings: LazySettings) -> Iterator[Path]:
    settings.PHOENIX_AUDIT_HEADS = tmp_path / "heads.jsonl"
    yield tmp_path / "heads.jsonl"
    heads.pen().flush()  # its timer too


@pytest.fixture
def log(bob: User) -> None:
    """A hundred entries and one listening."""
    who = Who(bob.pk, "Bob", "page")
    monitoring.write(
        Began("c" * 32, who, "lab", "PJSIP/900", "900 Bob", "201", "Maria", (), "lab/1", "listen", False, "", 1.5)
    )
    monitoring.write(Ended("c" * 32, "stopped", 9.25))
    fill(49, user=bob)


def look(notes: Path) -> Report:
    return verify(notes)


def test_what_was_written_is_whole(log: None, notes: Path) -> None:
    report = look(notes)
    assert (report.problems, report.entries, report.first, report.last) == ([], 100, 1, 100)
    assert report.head == bytes(Entry.objects.get(pk=100).mac).hex()
    assert report.notes


@pytest.mark.parametrize("tamper", TAMPERS)
def test_tampering_is_found(tamper: str, log: None, notes: Path) -> None:
    do, kind = TAMPERS[tamper]
    with undone():
        do(100)
        report = look(notes)
        assert kind in {problem.kind for problem in report.problems}, report
    assert look(notes).whole


def test_where_is_said(log: None, notes: Path) -> None:
    with undone():
        sql("UPDATE audit_entry SET verb = 'x' WHERE id IN (20, 21, 40)")
        sql("DELETE FROM audit_entry WHERE id BETWEEN 60 AND 62")
        sql("DELETE FROM audit_entry WHERE id > 90")
        found = [str(problem) for problem in look(notes).problems]
    assert found[:3] == ["changed: entries 20 to 21", "changed: entry 40", "missing: entries 60 to 62"]
    assert found[3].startswith("cut off: entries 91 to 100 (there on 20")


def test_what_was_put_in_is_told_from_what_was_changed(log: None, notes: Path) -> None:
    """A number that was never used: before the chain, entries of PostgreSQL had gaps between them."""
    with undone():
        for number in range(100, 50, -1):
            sql("UPDATE audit_entry SET id = id + 1 WHERE id = %s", number)
        # As if the numbers had always been so: each under the right key.
        before = bytes(Entry.objects.get(pk=50).mac)
        for values in Entry.objects.filter(id__gt=50).order_by("id").values_list(*chain.FIELDS):
            mac = chain.mac(chain.key(), before, values)
            sql("UPDATE audit_entry SET before = %s, mac = %s WHERE id = %s", before, mac, values[0])
            before = mac
        assert not verify(None).problems
        names = ", ".join(name for name in chain.FIELDS if name != "id")
        sql(
            f"INSERT INTO audit_entry (id, before, mac, {names})"
            f" SELECT 51, mac, before, {names} FROM audit_entry WHERE id = 50"
        )
        assert [str(problem) for problem in verify(None).problems] == ["inserted: entry 51"]


def test_a_note_that_is_not_ours_is_told(log: None, notes: Path) -> None:
    heads.pen().flush()
    lines = notes.read_text().splitlines()
    head = json.loads(lines[-1])
    notes.write_text("\n".join([json.dumps({**head, "id": 50}), "half a li"]) + "\n")
    kinds = [problem.kind for problem in look(notes).problems]
    assert kinds == ["note", "note"]


def test_a_head_from_the_log_elsewhere_is_enough(log: None) -> None:
    """Who has the machine too may remove the notes, and not what another machine has."""
    known = (100, bytes(Entry.objects.get(pk=100).mac).hex())
    assert not verify(None, [known]).problems
    with undone():
        sql("DELETE FROM audit_entry WHERE id > 99")
        assert verify(None).whole
        assert [problem.kind for problem in verify(None, [known]).problems] == ["cut off"]


def test_a_line_every_hundred_entries_and_one_at_the_end(notes: Path, bob: User) -> None:
    for _ in range(60):
        intent(Who(bob.pk, "Bob", "page"), What("", "calls.view"))
    assert not notes.exists()
    for _ in range(60):
        intent(Who(bob.pk, "Bob", "page"), What("", "calls.view"))
    heads.pen().flush()
    heads.pen().flush()
    assert [json.loads(line)["id"] for line in notes.read_text().splitlines()] == [100, 120]
    assert look(notes).whole


def test_a_transaction_that_fails_leaves_no_gap_and_no_note(notes: Path, bob: User) -> None:
    who = Who(bob.pk, "Bob", "page")
    intent(who, What("a" * 32, "calls.view"))
    with undone():
        intent(who, What("b" * 32, "calls.view"))
    intent(who, What("c" * 32, "calls.view"))
    assert [*Entry.objects.values_list("id", flat=True)] == [1, 2]
    assert look(notes).whole


def test_a_setting_is_written_with_what_it_was_and_what_it_is(bob: User, notes: Path) -> None:
    what = What("", "users.change", target_kind="user", target_key="charlie")
    changed(Who(bob.pk, "Bob", "page"), what, {"role": "Agent", "name": "C", "n": 1.5}, {"role": "Admin", "name": "C"})
    changed(Who(bob.pk, "Bob", "page"), what, {"role": "Agent"}, {"role": "Agent"})
    entry = Entry.objects.get()
    assert (entry.kind, entry.verb, entry.target_key) == ("changed", "users.change", "charlie")
    assert entry.args == {"before": {"role": "Agent", "n": "1.5"}, "after": {"role": "Admin"}}
    assert look(notes).whole


def test_nothing_that_a_program_sends_breaks_the_chain(bob: User, notes: Path) -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    args = {"big": 10**40, "fraction": 1e300, "nan": float("nan"), "deep": deep, "text": "\ud800\0", "set": {"b", "a"}}
    intent(Who(bob.pk, "Bob", "api"), What("a" * 32, "calls.call", args=args))
    outcome(Who(bob.pk, "Bob", "api"), What("a" * 32, "calls.call", args=args), "refused", "bad_command")
    assert look(notes).whole


def test_the_command_says_it_and_its_exit_code_too(log: None, notes: Path) -> None:
    out = StringIO()
    call_command("audit", "verify", "--json", stdout=out)
    assert json.loads(out.getvalue())["whole"] is True
    with undone():
        sql("DELETE FROM audit_entry WHERE id = 5")
        out = StringIO()
        with pytest.raises(SystemExit, match="1"):
            call_command("audit", "verify", stdout=out)
        assert "missing: entry 5" in out.getvalue()


def test_entries_without_their_key_stop_it(tmp_path: Path) -> None:
    """As a machine would have it that got the database and not the key."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_URL", "PHX"))
    } | {
        "DJANGO_SETTINGS_MODULE": "phoenix_panel.settings",
        "PHOENIX_VAR": str(tmp_path),
        "PHOENIX_ENV_FILE": os.devnull,
    }

    def manage(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    manage("migrate", "-v0")
    manage("audit", "hold", "--person", "", "--call", "lab/1", "--reason", "court")
    assert (tmp_path / "audit_key").stat().st_mode & 0o777 == 0o600
    assert "It is whole." in manage("audit", "verify")
    (tmp_path / "audit_key").unlink()
    for arguments in (("audit", "verify"), ("runpanel", "--port", "0")):
        said = manage(*arguments, code=1)
        assert "audit_key is gone" in said
        assert "Traceback" not in said
    assert not (tmp_path / "audit_key").exists()
    environment["PHOENIX_AUDIT_KEY"] = "another one, of at least 32 characters"
    assert "changed: entry 1" in manage("audit", "verify", code=1)


def test_a_database_of_before_is_taken_in(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")} | {
        "DJANGO_SETTINGS_MODULE": "phoenix_panel.settings",
        "PHOENIX_VAR": str(tmp_path),
        "PHOENIX_ENV_FILE": os.devnull,
    }

    def manage(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    import sqlite3

    manage("migrate", "-v0", "audit", "0003")
    database = sqlite3.connect(tmp_path / "phoenix.sqlite3")
    for number in (1, 2, 5):
        database.execute(
            "INSERT INTO audit_entry (id, at, kind, command, user_name, source, address, verb, pbx, target_kind,"
            " target_key, target_words, args, outcome, code, detail) VALUES (?, '2026-01-01 10:00:00.5', 'intent', ?,"
            " 'Bob', 'page', '', 'v', '', '', '', '', '{\"b\": 1.50, \"a\": \"я\"}', '', '', '')",
            (number, f"{number:032x}"),
        )
    database.commit()
    manage("migrate", "-v0")
    assert "4 entries, 1 to 6" in manage("audit", "verify")
    adopted = database.execute("SELECT verb, args FROM audit_entry WHERE id = 6").fetchone()
    assert adopted == ("audit.adopted", '{"entries": 3, "last": 5}')
    for statement in ("DELETE FROM audit_entry WHERE id = 1", "UPDATE audit_entry SET verb = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            database.execute(statement)
    database.close()


def test_two_processes_write_one_chain(bob: User, notes: Path) -> None:
    """Threads with connections of their own, as processes have: the database serialises them, not we."""
    from concurrent.futures import ThreadPoolExecutor

    def write(number: int) -> None:
        intent(Who(bob.pk, "Bob", "page"), What(f"{number:032x}", "calls.view"))
        connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(80)))
    report = look(notes)
    assert (report.problems, report.last) == ([], 80)
    assert Listening.objects.count() == 0
