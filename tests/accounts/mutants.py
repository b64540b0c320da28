"""Small faults put into a module's source, one at a time; and a test module run against each, in this process."""

from __future__ import annotations

import ast
import copy
import itertools
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

_COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_BINARY: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
_CALLED: Final = {"any": "all", "all": "any", "fullmatch": "match"}


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Each fault's place and what it is, and the module with it."""
    tree = ast.parse(source)
    said = {id(node) for root in ast.walk(tree) for part in _types(root) for node in ast.walk(part)}
    for index, node in enumerate(ast.walk(tree)):
        if id(node) in said:
            continue
        for what, change in _faults(node):
            other = copy.deepcopy(tree)
            change(next(itertools.islice(ast.walk(other), index, None)))
            line = getattr(node, "lineno", 0)
            yield f"{line}: {what}: {ast.unparse(node)[:70]}", ast.fix_missing_locations(other)


def _types(node: ast.AST) -> Iterator[ast.AST]:
    """What is for the type checker, and how a class is made: nothing is decided there."""
    match node:
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            yield node
        case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
            yield annotation
        case ast.FunctionDef(returns=returns, decorator_list=decorators):
            yield from (part for part in (returns, *decorators) if part is not None)
        case ast.ClassDef(decorator_list=decorators):
            yield from decorators


def _faults(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], object]]]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARE:
            yield "compares otherwise", lambda other: other.ops.__setitem__(0, _COMPARE[type(other.ops[0])]())
        case ast.BoolOp(op=op, values=values):
            swapped = ast.Or if isinstance(op, ast.And) else ast.And
            yield "and/or", lambda other: setattr(other, "op", swapped())
            for place in range(len(values)):
                yield f"without part {place}", lambda other, place=place: other.values.pop(place)  # type: ignore[misc]
        case ast.UnaryOp(op=ast.Not()):
            yield "not not", lambda other: setattr(other, "operand", ast.UnaryOp(ast.Not(), other.operand))
        case ast.BinOp(op=op) if type(op) in _BINARY:
            yield "operator", lambda other: setattr(other, "op", _BINARY[type(other.op)]())
        case ast.Constant(value=bool(value)):
            yield "true/false", lambda other: setattr(other, "value", not value)
        case ast.Constant(value=int(number)):
            yield "number", lambda other: setattr(other, "value", number + 1)
        case ast.Constant(value=str(text)) if "\n" not in text and " " not in text:
            yield "text", lambda other: setattr(other, "value", text + "x")
        case ast.Return(value=ast.expr()):
            yield "returns nothing", lambda other: setattr(other, "value", ast.Constant(None))
        case ast.IfExp():
            yield "other branch", lambda other: setattr(other, "test", ast.UnaryOp(ast.Not(), other.test))
        case ast.Name(id=name) if name in _CALLED:
            yield "any/all", lambda other: setattr(other, "id", _CALLED[name])
        case ast.Attribute(attr=name) if name in _CALLED:
            yield "matches less", lambda other: setattr(other, "attr", _CALLED[name])
        case ast.If(body=[ast.Return()]):
            yield "never", lambda other: setattr(other, "test", ast.Constant(False))


def survives(name: str, mutant: ast.Module, tests: list[tuple[Path, dict[str, Any]]]) -> bool:
    """Whether all test functions pass with this module in place of the one that is called ``name``. Each file comes
    with what of its names is to be as it was, since it costs time and has no part in it."""
    real = sys.modules[name]
    module = types.ModuleType(name)
    module.__dict__["__file__"] = real.__file__
    sys.modules[name] = module
    try:
        exec(compile(mutant, "mutant", "exec"), module.__dict__)
        for path, kept in tests:
            _run(path, kept)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001  # whatever it dies of
        return False
    finally:
        sys.modules[name] = real
    return True


def _run(path: Path, kept: dict[str, Any]) -> None:
    space: dict[str, Any] = {"__name__": path.stem}
    exec(_compiled(path), space)
    space.update(kept)
    for name, test in [*space.items()]:
        if name.startswith("test_"):
            for arguments in _arguments(test):
                test(**arguments)


_known: dict[Path, types.CodeType] = {}


def _compiled(path: Path) -> types.CodeType:
    if path not in _known:
        _known[path] = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    return _known[path]


def _arguments(test: Callable[..., object]) -> Iterator[dict[str, Any]]:
    """What its ``parametrize`` marks call it with."""
    sets: list[list[dict[str, Any]]] = []
    for mark in getattr(test, "pytestmark", []):
        names = mark.args[0] if isinstance(mark.args[0], tuple) else (mark.args[0],)
        sets.append([dict(zip(names, row if len(names) > 1 else (row,), strict=True)) for row in mark.args[1]])
    for chosen in itertools.product(*sets):
        yield {name: value for one in chosen for name, value in one.items()}
