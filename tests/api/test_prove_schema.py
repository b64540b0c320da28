"""What OpenAPI says holds: thousands of requests, right, wrong and absurd, against a running panel on the demo PBX."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.stage import Caller, new_token
from tests.browser.running import ROOT, Panel

TOKENS = 45
"""Each may ask five times a second; a user may have 50."""


MAKE = f"""
from accounts import tokens
from accounts.models import User
from accounts.snapshots import snapshot_of
bob = User.objects.get(username="bob")
print(*(tokens.make(bob, "prove", snapshot_of(bob).rights, 1)[1] for _ in range({TOKENS})))
"""


def run(panel: Panel, tokens: list[str], examples: int, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PHOENIX_")}
    environment |= {
        "PHOENIX_TOKENS": " ".join(tokens),
        "SCHEMATHESIS_HOOKS": "tests.api.schema_hooks",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
    }
    (folder / "openapi.json").write_text(json.dumps(Caller(panel, tokens[0]).ask("GET", "openapi.json")[1]))
    words = ["run", "openapi.json", "--url", panel.url]
    words += ["--checks", "all", "--max-examples", str(examples), "--continue-on-failure", "--warnings", "off"]
    return subprocess.run(
        [str(Path(sys.executable).parent / "schemathesis"), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )


@pytest.mark.parametrize("examples", [3, pytest.param(60, marks=[pytest.mark.prove, pytest.mark.timeout(600)])])
def test_the_schema_holds(panel: Panel, examples: int, tmp_path: Path) -> None:
    tokens = panel.manage("shell", "-v0", "-c", MAKE).split()
    assert len(tokens) == TOKENS
    done = run(panel, tokens, examples, tmp_path)
    panel.manage("apitoken", "revoke", "--user", "bob")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    tried = re.search(r"(\d+) generated", done.stdout)
    assert tried is not None, done.stdout
    print(f"{tried[1]} requests")
    assert "Traceback" not in panel.log
    for token in tokens:
        assert token not in panel.log


def test_its_premise(panel: Panel) -> None:
    """The panel has something to be asked about."""
    caller = Caller(panel, new_token(panel, "bob"))
    found = caller.until("state", lambda told: told["pbxs"] and told["pbxs"][0]["up"].get("call"))
    assert json.dumps(found).startswith('{"demo/')
