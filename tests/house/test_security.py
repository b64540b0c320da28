"""docs/security.md names the tests that hold each row: they are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[a-z_/]+\.py)(?:::(\w+))?`", TEXT)))
ROWS = [
    line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| what is tried", "|--"))
]


def test_every_row_has_a_test() -> None:
    assert len(ROWS) > 15
    assert [row for row in ROWS if "`tests/" not in row] == []
    rows = re.findall(r"^\| (W\d+) ", TEXT, re.MULTILINE)
    assert rows == [f"W{number}" for number in (*range(1, 11), *range(13, 20))]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_it_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    tests = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert name in tests if name else any(test.startswith("test_") for test in tests)
