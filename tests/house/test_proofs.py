"""Every action of the registry has a test that proves it on real Asterisks, or says why a version has it not."""

from __future__ import annotations

import ast
from pathlib import Path

from floor import registry
from tests.lab import fixtures
from tests.lab.install import VERSIONS

PROOFS = Path(__file__).resolve().parents[1] / "asterisk"


def marked() -> dict[str, set[str]]:
    """Verb → the versions on which a test is to prove it, or to show that it is lacking there."""
    found: dict[str, set[str]] = {}
    for path in PROOFS.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                continue
            arguments = {argument.arg for argument in node.args.args}
            both = "asterisk" in arguments
            versions = {version for version in VERSIONS if both or f"asterisk{version}" in arguments}
            for verb in _proves(node):
                found.setdefault(verb, set()).update(versions)
    return found


def _proves(node: ast.AsyncFunctionDef | ast.FunctionDef) -> list[str]:
    marks = [one for one in node.decorator_list if isinstance(one, ast.Call)]
    marks = [one for one in marks if ast.unparse(one.func) == "pytest.mark.proves"]
    return [ast.literal_eval(argument) for one in marks for argument in one.args]


def test_every_action_is_proved_on_both() -> None:
    assert marked() == {verb: set(VERSIONS) for verb in registry.ACTIONS}


class Report:
    """A test's report, as far as it is read."""

    def __init__(self, *told: tuple[str, str, str]) -> None:
        self.user_properties = [(fixtures.PROVES, one) for one in told]


def test_the_last_line_counts_what_no_failure_takes_back() -> None:
    lacks = "it lets him stand"
    passed = [
        Report(("22", "calls.listen", ""), ("22", "calls.stop", "")),
        Report(("22", "calls.listen", "")),
        Report(("22", "queues.first", "")),
        Report(("16", "calls.stop", "")),
        Report(("16", "queues.first", lacks)),
        Report(),
    ]
    stats = {"passed": passed, "failed": [Report(("22", "calls.stop", ""))], "error": [Report()]}
    assert fixtures.proofs(stats) == [
        "queues.first is not on 16: it lets him stand",
        "2 actions proved on 22, 1 on 16",
    ]
    assert fixtures.proofs({"passed": [Report()]}) == []
