"""What a page is told of an action's arguments: enough for a form, for whatever they are declared as."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from django.utils.translation import gettext_lazy, override
from pydantic import Field, StringConstraints

from floor import registry
from floor.registry import Action, Args, Asked, Plan


class OrderArgs(Args):
    number: Annotated[str, StringConstraints(pattern="^[0-9]+$", max_length=9), Asked("Number", format="number")]
    sort_of: Annotated[Literal["a", "b"], Asked(gettext_lazy("Reason"), choices={"b": gettext_lazy("Both")})] = "b"
    times: Annotated[int, Field(ge=2, le=5)] = 3
    at: int | None = None
    loud: bool
    party: str = Field("", json_schema_extra={"entity": "party"})


ORDER = Action(
    "calls.order", "call", "Order", lambda *_: Plan((), lambda pbx: True), OrderArgs, granted_by="calls.view"
)


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    monkeypatch.setitem(registry.ACTIONS, ORDER.verb, ORDER)
    with override("ru"):
        (order,) = [one for one in registry.described_for(frozenset({"calls.view"})) if one["verb"] == ORDER.verb]
    return {arg["name"]: arg for arg in order["args"]}


def test_each_is_told_in_the_order_of_its_declaration(described: dict[str, dict[str, Any]]) -> None:
    assert list(described) == list(OrderArgs.model_fields)


def test_a_text_has_its_limits(described: dict[str, dict[str, Any]]) -> None:
    assert described["number"] == {
        "name": "number",
        "label": "Number",
        "help": "",
        "type": "string",
        "required": True,
        "default": None,
        "choices": [],
        "pattern": "^[0-9]+$",
        "longest": 9,
        "format": "number",
        "own_phone": False,
        "entity": "",
    }


def test_choices_are_in_her_language_and_by_themselves_where_there_are_no_words(
    described: dict[str, dict[str, Any]],
) -> None:
    choice = described["sort_of"]
    assert (choice["type"], choice["default"], choice["label"]) == ("choice", "b", "Причина")
    assert choice["choices"] == [{"value": "a", "label": "a"}, {"value": "b", "label": "И то, и другое"}]


def test_what_nobody_has_put_into_words_is_asked_for_by_its_name(described: dict[str, dict[str, Any]]) -> None:
    times = described["times"]
    assert (times["label"], times["type"], times["default"]) == ("Times", "integer", 3)
    assert (times["least"], times["most"]) == (2, 5)


def test_what_may_be_nothing_is_asked_for_as_what_it_is_else(described: dict[str, dict[str, Any]]) -> None:
    assert (described["at"]["type"], described["at"]["required"]) == ("integer", False)


def test_a_yes_or_no_and_a_key(described: dict[str, dict[str, Any]]) -> None:
    assert (described["loud"]["type"], described["loud"]["required"]) == ("boolean", True)
    assert described["party"]["entity"] == "party"


def test_every_argument_that_a_page_asks_for_has_words_of_its_own() -> None:
    for action in registry.ACTIONS.values():
        for name, field in action.args.model_fields.items():
            asked = [one for one in field.metadata if isinstance(one, Asked)]
            key = isinstance(field.json_schema_extra, dict) and "entity" in field.json_schema_extra
            assert key or len(asked) == 1, f"{action.verb}: {name}"
