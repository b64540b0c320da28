"""What the audit holds against, and costs: tampering, a kill -9, a million entries.

The tampering is that of the tests (tests/audit/tampering.py), on a log of its own. The kill is a real one: the panel's
dispatcher in a process that dies between the intent and the outcome. The million entries are two for each action, on
SQLite as the panel sets it up; the pages are asked for by the view's own code, through Django's test client.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import report

ENTRIES = 1_000_000
APPENDS = 400
ROUNDS = 5
ROOT = Path(__file__).resolve().parent.parent

DIES = """
import asyncio, django, os, signal, sys
django.setup()
from audit.record import What, Who
from audit.trail import Trail

async def main():
    await Trail().begin(Who(None, "root", "shell"), What(sys.argv[1], "calls.hangup", "lab", "call", "lab/1"), "")
    print("begun", flush=True)  # here the action goes out
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def set_up(folder: str) -> None:
    os.environ.update(
        DJANGO_SETTINGS_MODULE="phoenix_panel.settings",
        PHOENIX_VAR=folder,
        PHOENIX_ENV_FILE=os.devnull,
        PHOENIX_HOSTS="testserver",
        PHOENIX_LOG_LEVEL="warning",
    )
    os.environ.pop("DATABASE_URL", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def appends() -> float:
    """What an entry costs, as a multiple of the same row in a table without chain, notes and indexes: durable inserts
    of both in turn, medians."""
    from django.db import connection, transaction

    from audit.models import Entry
    from tests.audit.tampering import sql

    sql("CREATE TABLE unchained AS SELECT * FROM audit_entry WHERE 0")
    fields = [field for field in Entry._meta.concrete_fields if not field.primary_key]
    names, marks = ", ".join(str(field.column) for field in fields), ", ".join(["%s"] * len(fields))
    taken: dict[str, list[float]] = {"chained": [], "unchained": []}
    for _ in range(APPENDS):
        one = Entry(
            kind="outcome",
            command=secrets.token_hex(16),
            user_name="Bob",
            source="page",
            verb="calls.hangup",
            target_words="101 Anna → 102",
            outcome="done",
        )
        began = time.perf_counter()
        with transaction.atomic():
            values = [field.get_db_prep_save(getattr(one, field.attname), connection) for field in fields]
            sql(f"INSERT INTO unchained ({names}) VALUES ({marks})", *values)
        between = time.perf_counter()
        one.save()
        taken["unchained"].append(between - began)
        taken["chained"].append(time.perf_counter() - between)
    return statistics.median(taken["chained"]) / statistics.median(taken["unchained"])


def append_ms() -> float:
    """One durable entry, median."""
    from audit.record import What, Who
    from audit.trail import intent

    taken = []
    for _ in range(APPENDS):
        began = time.perf_counter()
        intent(Who(None, "root", "shell"), What(secrets.token_hex(16), "calls.hangup", "lab", "call", "lab/1"))
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def killed() -> str:
    """What is known of an action whose process died between the intent and the outcome."""
    from audit.trail import find

    command = secrets.token_hex(16)
    died = subprocess.run([sys.executable, "-c", DIES, command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert died.stdout == "begun\n"
    record = find(command)
    if record is None:
        return "missing"
    return record.outcome or "unknown"


def tampered(notes: Path) -> tuple[int, int]:
    """Ways tried, and found."""
    from django.db import connection

    from audit import heads, monitoring
    from audit.record import Began, Who
    from audit.verify import verify
    from tests.audit.tampering import TAMPERS, fill, undone

    who = Who(None, "102", "desk")
    monitoring.write(Began("c" * 32, who, "lab", "PJSIP/102", "102", "201", "", (), "lab/1", "listen", False, "", 1.5))
    fill(500)
    heads.pen().flush()
    last = _last()
    assert verify(notes).whole
    found = 0
    for name, (do, kind) in TAMPERS.items():
        with undone():
            do(last)
            kinds = {problem.kind for problem in verify(notes).problems}
        found += kind in kinds
        if kind not in kinds:
            print(f"not found: {name}: {kinds}", file=sys.stderr)
    assert verify(notes).whole
    connection.close()
    return len(TAMPERS), found


def _last() -> int:
    from audit.models import Entry

    return Entry.objects.order_by("-id").values_list("id", flat=True)[0]


def pages(user: Any) -> dict[str, float]:
    """How long each page takes, beside the first: medians of rounds in turn."""
    from django.test import Client

    from audit.models import Entry

    client = Client()
    client.force_login(user)
    last = _last()
    day = Entry.objects.get(pk=last).at.date()
    asked = {
        "first": "",
        "middle": f"?before={last // 2}",
        "oldest": "?before=120",
        "person": "?person=Rare",
        "person_middle": f"?person=Often&before={last // 2}",
        "kind": "?kind=sign",
        "verb": "?verb=calls.barge",
        "target": "?target=lab/1795412884.77",
        "denied": "?kind=denied",
        "date": f"?since={day}&until={day}",
        "search": "?q=found+by+nobody",
    }
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(ROUNDS + 1):
        for name, query in asked.items():
            began = time.perf_counter()
            response = client.get(f"/audit/actions/{query}")
            assert response.status_code == 200
            taken[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values[1:]) for name, values in taken.items()}
    first = medians["first"]
    return {"page_first_ms": first * 1000} | {
        f"page_{name}_vs_first": value / first for name, value in medians.items() if name != "first"
    }


def grow(entries: int, user: Any) -> None:
    """So many entries: mostly one user's, some of all that a filter looks for."""
    from accounts.models import User
    from audit.models import Entry
    from audit.record import Who
    from audit.trail import signed
    from tests.audit.tampering import fill

    often = User.objects.create(username="often", display_name="Often")
    rare = User.objects.create(username="rare", display_name="Rare")
    fill(20, user=rare, user_name="Rare", verb="calls.barge")
    signed(Who(rare.pk, "Rare", "page"), "sign.in")
    while (missing := entries - Entry.objects.count()) > 0:
        fill(min(5_000, (missing + 1) // 2), user=often, user_name="Often")


def timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def measure(entries: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        set_up(folder)
        from django.contrib.auth.models import Group

        from accounts.models import User
        from audit import heads
        from audit.verify import verify

        notes = Path(folder) / "audit-heads.jsonl"
        ann = User.objects.create(username="ann")
        ann.groups.add(Group.objects.get(name="Auditor"))
        figures: dict[str, Any] = {"kill9": killed(), "append_vs_unchained": appends(), "append_ms_p50": append_ms()}
        figures["tampers_tried"], figures["tampers_found"] = tampered(notes)
        print("growing", file=sys.stderr, flush=True)
        grow(entries, ann)
        print("verifying", file=sys.stderr, flush=True)
        figures["verify_s"] = timed(lambda: _whole(verify(notes)))
        figures["entries"] = _last()
        figures["append_at_end_ms_p50"] = append_ms()
        figures |= pages(ann)
        heads.pen().flush()
    return figures


def _whole(found: Any) -> None:
    assert found.whole, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--entries", type=int, default=ENTRIES, help=f"entries in the log ({ENTRIES})")
    arguments = parser.parse_args()
    report(measure(arguments.entries), "none", as_json=arguments.json)


if __name__ == "__main__":
    main()
