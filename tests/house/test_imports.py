"""Imports go one way (docs: the layout), read from the source itself; what is pure stays pure."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Each package, and what of ours it may import. Whoever adds a package adds its line.
MAY: dict[str, set[str]] = {
    "ami": set(),
    "accounts": set(),
    "live": {"ami"},
    "audit": {"accounts"},
    "demo": {"ami"},
    "floor": {"ami", "live", "accounts", "audit"},
    "calls": {"ami", "live", "floor", "accounts", "audit"},
    "conferences": {"ami", "live", "floor", "accounts", "audit"},
    "queues": {"ami", "live", "floor", "accounts", "audit"},
    "listening": {"ami", "live", "floor", "accounts", "audit"},
    "switchboard": {"ami", "live", "floor", "accounts", "audit"},
    "shell": {"ami", "live", "floor", "accounts", "audit", "switchboard"},
    "people": {"accounts", "audit", "floor"},
    "api": {"ami", "live", "floor", "accounts", "audit", "calls", "conferences", "queues", "listening"},
}
MAY["phoenix_panel"] = set(MAY)
NOT_SHIPPED = {"tests", "tools", "benchmarks"}

# No I/O, no clock: time and bytes come in as arguments.
IMPURE = {"asyncio", "socket", "ssl", "selectors", "threading", "time", "django", "channels", "daphne", "twisted"}
PURE = ["ami/protocol.py", "ami/actions", "accounts/permissions.py", "live", "people/power.py"]
# What a script can use (switchboard). A test of its own runs it with Django out of reach.
NO_DJANGO = ["ami", "live", "demo", "switchboard", "accounts/permissions.py", "audit/record.py", "floor/dispatch.py"]
NO_DJANGO += ["floor/frames.py", "floor/lease.py", "floor/registry.py", "floor/worker.py", "floor/asking.py"]
NO_DJANGO += ["floor/targets.py"]


def sources(where: str) -> list[Path]:
    path = ROOT / where
    return [path] if path.suffix == ".py" else sorted(path.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The first names of all that a file imports, in functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(path.relative_to(ROOT).parts[0] if node.level else (node.module or "").partition(".")[0])
    return names


def packages() -> list[str]:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    return sorted(found - NOT_SHIPPED)


def test_every_package_has_its_line() -> None:
    assert set(packages()) <= set(MAY)
    assert {"ami", "live", "floor", "calls", "accounts", "audit", "phoenix_panel"} <= set(packages())


@pytest.mark.parametrize("package", packages())
def test_imports_go_one_way(package: str) -> None:
    others = (set(MAY) | NOT_SHIPPED) - {package}
    for path in sources(package):
        wrong = (imported(path) & others) - MAY[package]
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("where", NO_DJANGO)
def test_no_django(where: str) -> None:
    for path in sources(where):
        assert not imported(path) & {"django", "channels"}, path.relative_to(ROOT)


@pytest.mark.parametrize("where", PURE)
def test_pure(where: str) -> None:
    for path in sources(where):
        assert not imported(path) & IMPURE, path.relative_to(ROOT)
        waits = [
            n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.AsyncFunctionDef)
        ]
        assert not waits, path.relative_to(ROOT)
