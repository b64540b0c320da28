"""docs/rest.md is true: its examples are run, against a running panel on the demo PBX, and answer as it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from api.answers import REFUSED, STATUS
from floor.hub import UNSEEN_BYTES
from tests.api.stage import Caller, new_token
from tests.browser.running import ROOT, Panel

TEXT = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)

SAME = {"type", "verb", "outcome", "code", "kind", "pbx"}
"""Whose values the examples mean; of all others only the type."""


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    running = Panel(tmp_path_factory.mktemp("docs"), PHOENIX_DEMO="1")
    running.set_up()
    running.user("supervisor", "Supervisor")
    with running:
        caller = Caller(running, new_token(running, "supervisor"))
        caller.until("state?kind=call", lambda told: told["pbxs"] and told["pbxs"][0]["up"].get("call"))
        yield running


def run(panel: Panel, *scripts: str) -> list[str]:
    """One shell for all, as a reader has; what each of them printed."""
    whole = "\n".join(["set -eu", *(f"{script}\necho; echo '----'" for script in scripts)])
    whole = whole.replace("http://127.0.0.1:8000", panel.url.rstrip("/"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**panel._environment, "PATH": path}
    done = subprocess.run(
        ["bash", "-c", whole], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [said.strip() for said in done.stdout.split("----\n")[:-1]]


def alike(example: Any, told: Any, where: str = "") -> None:
    """All that the example shows is there, in its type; where it means the value, with that value."""
    assert type(told) is type(example) or {type(told), type(example)} <= {int, float}, f"{where}: {told!r}"
    if isinstance(example, dict):
        keyed = any("/" in key for key in example)
        for key, value in example.items():
            found = next(iter(told), None) if keyed else key  # a key of an entity: any will do
            assert found in told, f"{where}: {key} is missing in {told}"
            alike(value, told[found], f"{where}.{key}")
    elif isinstance(example, list) and example and told:
        alike(example[0], told[0], f"{where}[0]")
    elif where.rpartition(".")[2] in SAME and isinstance(example, str):
        assert example == told or "[" in where, f"{where}: {told}"


def test_the_examples(panel: Panel) -> None:
    scripts, answers = [], []
    for (language, text), (next_language, next_text) in pairwise(BLOCKS):
        if language == "sh":
            assert next_language == "json", "each is followed by its answer"
            scripts.append(text)
            answers.append(json.loads(next_text))
    assert len(scripts) == 5
    for script, example, said in zip(scripts, answers, run(panel, *scripts), strict=True):
        told = json.loads(said)
        alike(example, told)
        if told.get("type") == "result":
            assert told["outcome"] == example["outcome"], script


def test_the_stream(panel: Panel) -> None:
    (script,) = [text for language, text in BLOCKS if language == "python"]
    token = new_token(panel, "supervisor", "calls.view", "floor.everywhere")
    said = run(panel, f"export PANEL=http://127.0.0.1:8000 TOKEN={token}\npython - <<'END'\n{script}END")
    assert re.search(r"^demo/\S+ (talking|ringing|waiting|menu|conference|ended|hold|None)", said[0], re.MULTILINE)


def test_the_tables() -> None:
    rows = dict(re.findall(r"^\| (\d+) \| `(done|pending|unknown)`", TEXT, re.MULTILINE))
    assert {outcome: int(status) for status, outcome in rows.items()} == STATUS
    said = {
        code: int(status)
        for status, codes in re.findall(r"^\| (\d+) \| `refused` \| (.*?) \|$", TEXT, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert {code: status for code, status in said.items() if status != 409} == REFUSED
    assert f"{UNSEEN_BYTES // 1024} KiB" in TEXT
