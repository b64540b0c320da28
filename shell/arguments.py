"""An action's arguments as options of the command line, made from its declaration and from nothing else."""

from __future__ import annotations

import argparse
import types
from collections.abc import Iterable
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from floor.registry import Action

_DEST: Final = "argument_"
"""What the options' names begin with inside: one of an action's may be called as one of ours."""

TYPES: Final = {int: "NUMBER", float: "NUMBER", str: "TEXT"}


def subcommands(actions: Iterable[Action], taken: Iterable[str]) -> dict[str, list[str]]:
    """Verb → the subcommands that are it: its last word alone where no other has that, and the whole of it."""
    verbs = [action.verb for action in actions]
    shorts = [*taken, *(_short(verb) for verb in verbs)]
    return {verb: [_short(verb), verb] if shorts.count(_short(verb)) == 1 else [verb] for verb in verbs}


def shared(actions: Iterable[Action], taken: Iterable[str]) -> dict[str, list[str]]:
    """Last words that several verbs have, and so none is called by: which those are."""
    found: dict[str, list[str]] = {}
    for action in actions:
        found.setdefault(_short(action.verb), []).append(action.verb)
    return {short: verbs for short, verbs in found.items() if len(verbs) > 1 and short not in taken}


def add(parser: argparse.ArgumentParser, action: Action) -> None:
    """Let the parser take them."""
    for name, field in action.args.model_fields.items():
        option = "--" + name.replace("_", "-")
        if option in parser._option_string_actions:
            option = f"--{_short(action.verb)}-{option[2:]}"
        parser.add_argument(
            option,
            dest=_DEST + name,
            required=field.is_required(),
            help=(field.description or "").replace("%", "%%"),
            **_taking(field),
        )


def given(action: Action, options: dict[str, Any]) -> dict[str, Any]:
    """Those that were given. Raises ``ValueError`` in one line, naming the option that is wrong."""
    args = {name: options[_DEST + name] for name in action.args.model_fields if options.get(_DEST + name) is not None}
    try:
        model = action.args.model_validate(args)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"--{where.replace('_', '-')}: {first['msg']}" if where else first["msg"]) from None
    return model.model_dump(mode="json", exclude_unset=True)


def _short(verb: str) -> str:
    return verb.rpartition(".")[2].replace("_", "-")


def _taking(field: FieldInfo) -> dict[str, Any]:
    """What argparse needs to know; that a value fits is for the declaration to say."""
    kind = _plain(field.annotation)
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction, "default": None}
    if get_origin(kind) is Literal:
        return {"choices": [str(choice) for choice in get_args(kind)]}
    if get_origin(kind) in (list, tuple, set, frozenset):
        return {"nargs": "+", "metavar": "TEXT"}
    return {"metavar": TYPES.get(kind, "TEXT")}


def _plain(annotation: Any) -> Any:
    """Without what makes it optional."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else str
    return annotation
