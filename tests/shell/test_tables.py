"""Tables of strangers' names, and options made from declarations."""

from __future__ import annotations

import argparse
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from floor.registry import Action, Plan
from live.changes import Entities, Fields
from shell import arguments, tables, words
from shell.tables import LOOKS


def parties(*names: str, phase: str = "talking") -> Entities:
    call: Fields = {"phase": phase, "since": 0, "started": 0, "approx": False, "queue": "", "room": "", "slot": ""}
    keys = [f"lab/{number}" for number, _ in enumerate(names)]
    return {
        "call": {"lab/c": {**call, "parties": keys}},
        "party": {key: {"number": "", "name": name} for key, name in zip(keys, names, strict=True)},
    }


@pytest.mark.parametrize("sign", ["\x1b[2J", "\x9b2J", "\r", "\n", "\x07", "\u202e", "\u2028", "\x00"])
def test_a_strangers_name_tells_the_terminal_nothing(sign: str) -> None:
    table = tables.text(LOOKS["calls"], parties(f"Mal{sign}lory", "Bob"), 0)
    assert sign not in table.replace("\n", "", 1)
    assert table.count("\n") == 1
    assert "Mal\ufffd" in table
    assert sign not in words.printable(f"x{sign}")


def test_wide_and_combining_signs_keep_the_columns() -> None:
    entities = parties("田中", "x")
    entities["call"]["lab/d"] = {**entities["call"]["lab/c"], "parties": ["lab/e"]}
    entities["party"]["lab/e"] = {"number": "", "name": "e\u0301va"}
    _, first, second = tables.text(LOOKS["calls"], entities, 0).splitlines()
    assert tables._width(first[: first.index(" c")]) >= tables._width("talking  0:00  田中 → x")
    columns = {tables._width(line[: -len(identity)]) for line, identity in ((first, "c"), (second, "d"))}
    assert len(columns) == 1


def test_a_name_is_not_longer_than_a_line() -> None:
    assert max(map(len, tables.text(LOOKS["calls"], parties("x" * 500), 0).splitlines())) < 100


@pytest.mark.parametrize(
    ("milliseconds", "approx", "said"),
    [(0, False, "0:00"), (61_500, False, "1:01"), (3_600_000, True, "≥1:00:00"), (-5_000, False, "0:00")],
)
def test_how_long(milliseconds: int, approx: bool, said: str) -> None:
    entities = parties("x")
    entities["call"]["lab/c"]["approx"] = approx
    assert tables.text(LOOKS["calls"], entities, milliseconds).splitlines()[1].split()[1] == said


def test_a_call_that_has_ended_is_not_shown() -> None:
    assert tables.text(LOOKS["calls"], parties("x", phase="ended"), 0) == "no calls"


# --- options


class Args(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(pattern=r"^\d+$", description="whom to call")]
    penalty: Annotated[int, Field(ge=0, le=10)] = 0
    ring_in_use: bool = False
    mode: Literal["in", "out"] = "in"
    json_: str | None = None
    pbx: str = ""


def action(verb: str) -> Action:
    return Action(verb, "call", "Do", lambda pbx, found, args, user: Plan((), lambda pbx: True), args=Args)


def parse(*words_: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument("--pbx")
    arguments.add(parser, action("calls.do"))
    return vars(parser.parse_args(words_))


def test_an_option_for_each_argument() -> None:
    options = parse("--number", "5", "--penalty", "3", "--ring-in-use", "--mode", "out")
    given = arguments.given(action("calls.do"), options)
    assert given == {"number": "5", "penalty": 3, "ring_in_use": True, "mode": "out"}


def test_what_is_not_said_is_left_to_the_declaration() -> None:
    assert arguments.given(action("calls.do"), parse("--number", "5")) == {"number": "5"}
    assert arguments.given(action("calls.do"), parse("--number", "5", "--no-ring-in-use"))["ring_in_use"] is False


def test_an_argument_that_is_called_as_an_option_of_ours() -> None:
    options = parse("--number", "5", "--pbx", "lab", "--do-pbx", "hers")
    assert options["pbx"] == "lab"
    assert arguments.given(action("calls.do"), options)["pbx"] == "hers"


@pytest.mark.parametrize(
    ("said", "words_"),
    [
        ("--penalty", ("--number", "5", "--penalty", "11")),
        ("--number", ("--number", "x")),
        ("--penalty", ("--number", "5", "--penalty", "x")),
    ],
)
def test_a_wrong_value_names_its_option(said: str, words_: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        arguments.given(action("calls.do"), parse(*words_))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("words_", [("--penalty", "1"), ("--number", "5", "--mode", "sideways")])
def test_what_argparse_itself_refuses(words_: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((argparse.ArgumentError, SystemExit)):
        parse(*words_)


def test_a_verbs_last_word_is_a_subcommand_where_it_is_the_only_one() -> None:
    names = arguments.subcommands(
        map(action, ["calls.mute", "rooms.mute", "calls.end", "rooms.calls"]), taken=["calls"]
    )
    several = arguments.shared(map(action, ["calls.mute", "rooms.mute", "calls.end"]), taken=["calls"])
    assert several == {"mute": ["calls.mute", "rooms.mute"]}
    assert names == {
        "calls.mute": ["calls.mute"],
        "rooms.mute": ["rooms.mute"],
        "calls.end": ["end", "calls.end"],
        "rooms.calls": ["rooms.calls"],
    }
