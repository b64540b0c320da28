"""`manage.py permissions`: the whole set as a file; the same file again changes nothing."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from accounts.models import Protected, User
from accounts.rights import RIGHTS
from audit.models import Entry
from people import state
from tests.people.stage import Company


def run(*words: str) -> str:
    out = StringIO()
    call_command("permissions", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(company: Company, tmp_path: Path) -> Path:
    Protected.objects.create(pbx="office", extension="100", note="Директор")
    path = tmp_path / "permissions.json"
    path.write_text(run("export"), encoding="utf-8")
    return path


def edit(file: Path, **changed: Any) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    whole |= changed
    file.write_text(json.dumps(whole), encoding="utf-8")
    return whole


def test_what_was_exported_changes_nothing(file: Path) -> None:
    assert run("diff", str(file), "--check") == ""
    assert run("apply", str(file)) == ""
    assert run("export") == file.read_text(encoding="utf-8")
    assert "Директор" in file.read_text(encoding="utf-8")
    assert not Entry.objects.exists()


def test_it_is_shown_then_done(file: Path, company: Company) -> None:
    whole = json.loads(file.read_text(encoding="utf-8"))
    del whole["roles"]["Listening"], whole["teams"]["Support"]
    whole["roles"]["Night"] = {"rights": ["calls.view"], "members": ["ann"]}
    whole["roles"]["Agent"]["rights"].append("queues.view")
    whole["roles"]["Agent"]["second_factor"] = True
    whole["teams"]["Sales"]["members"].remove("ann")
    whole["teams"]["Sales"]["rules"].append({"aspect": "conference", "name": "8*"})
    edit(file, **whole | {"protected": []})
    lines = [
        "~ role Agent: rights + queues.view",
        "~ role Agent: second_factor no → yes",
        "- role Listening: rights calls.barge calls.listen calls.view",
        "+ role Night: rights calls.view",
        "~ team Sales: rules + conference 8* on *",
        "- team Support: rules queue support on office",
        "- protected 100 (office): note Директор",
        "~ person ann: roles + Night",
        "~ person ann: teams - Sales",
    ]
    before = state.read()
    with pytest.raises(SystemExit) as left:
        run("diff", str(file), "--check")
    assert left.value.code == 1
    assert run("diff", str(file)).splitlines() == lines
    assert state.read() == before
    assert run("apply", str(file)).splitlines() == lines
    assert set(company.ann.groups.values_list("name", flat=True)) == {"Agent", "Night"}
    assert run("diff", str(file), "--check") == ""
    assert set(Entry.objects.values_list("verb", "source")) == {("permissions.apply", "shell")}
    assert Entry.objects.count() == 7


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"roles": {}}, "Admin, Agent, Auditor"),
        ({"teams": {"X": {"members": ["nobody"]}}}, "there is no user nobody"),
        ({"teams": {"X": {"rules": [{"aspect": "trunk"}]}}}, "teams → X → rules → 0 → aspect"),
        ({"teams": {"X": {"rules": [{"aspect": "queue", "name": "*a*b*c*"}]}}}, "team X"),
        ({"teams": {"X": {}, "x": {}}}, "team x"),
        ({"protected": [{"extension": "1\n2"}]}, "protected"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_done(changed: dict[str, Any], words: str, file: Path) -> None:
    edit(file, **changed)
    before = state.read()
    with pytest.raises(CommandError, match=words):
        run("apply", str(file))
    assert state.read() == before


def test_a_right_that_is_none(file: Path) -> None:
    whole = json.loads(file.read_text(encoding="utf-8"))
    whole["roles"]["Agent"]["rights"].append("calls.everything")
    edit(file, **whole)
    with pytest.raises(CommandError, match=r"role Agent: .*calls\.everything"):
        run("apply", str(file))


def test_no_file_removes_the_last_administrator(file: Path, company: Company) -> None:
    whole = json.loads(file.read_text(encoding="utf-8"))
    whole["roles"]["Admin"]["members"] = []
    whole["roles"]["Managing"]["members"] = []
    edit(file, **whole)
    with pytest.raises(CommandError, match="Nobody would be left"):
        run("apply", str(file))
    assert company.alice.groups.exists()
    assert Entry.objects.get().code == "last_admin"


def test_what_is_no_file(tmp_path: Path, db: None) -> None:
    for path, text in (("absent", None), ("latin", b"\xff"), ("text", b"hello")):
        if text is not None:
            (tmp_path / path).write_bytes(text)
        with pytest.raises(CommandError):
            run("apply", str(tmp_path / path))


def test_a_new_panel_takes_a_file(db: None, tmp_path: Path) -> None:
    """Nobody is there yet, so nobody is the last one."""
    User.objects.all().delete()
    path = tmp_path / "x.json"
    path.write_text(run("export"), encoding="utf-8")
    whole = json.loads(path.read_text(encoding="utf-8"))
    whole["teams"]["Sales"] = {"rules": [{"aspect": "queue", "name": "sales"}]}
    edit(path, **whole)
    run("apply", str(path))
    assert Group.objects.get(name="Admin").permissions.count() == len(RIGHTS)
    assert json.loads(run("export"))["teams"]["Sales"]["rules"] == [{"aspect": "queue", "pbx": "*", "name": "sales"}]
