"""A fault in `decide()` is found: 95 % of all small ones, by its own tests and by the rows written by hand."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import accounts.permissions
from tests.accounts import test_rows
from tests.accounts.mutants import mutants, survives

HERE = Path(__file__).parent
SOURCE = Path(accounts.permissions.__file__)
TESTS = [
    (HERE / "test_rows.py", {"day": test_rows.day}),
    (HERE / "test_permissions.py", {}),
]

# Faults that change nothing that anybody could see.
EQUIVALENT: frozenset[str] = frozenset()


@pytest.mark.prove
def test_faults_in_decide_are_found() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert survives("accounts.permissions", ast.parse(source), TESTS), "as it is, all pass"
    whole = [(what, tree) for what, tree in mutants(source) if what not in EQUIVALENT]
    survivors = [what for what, tree in whole if survives("accounts.permissions", tree, TESTS)]
    killed = len(whole) - len(survivors)
    print(f"{killed} of {len(whole)} mutants killed; survivors:", *survivors, sep="\n  ", file=sys.stderr)
    assert len(whole) >= 100
    assert killed >= 0.95 * len(whole), survivors
