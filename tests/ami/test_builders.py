"""Whatever a text holds, there is exactly one action on the wire, or a refusal that names AMI's header."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ami import Action, EncodingRefused
from tests.ami.builders import HEADERS, PAYLOADS, SAFE, TEXTS, build
from tests.ami.test_encoder import HOSTILE, lines_as_asterisk_reads

Text = tuple[Callable[..., Action], str]
texts = st.text(st.characters(exclude_categories=()), max_size=120) | st.sampled_from(PAYLOADS)


def holds(builder: Callable[..., Action], name: str, value: str) -> bool:
    """Whether it passed; and then it is the one action that it is without it, header by header."""
    safe = build(builder)
    refused = None
    try:
        action = build(builder, **{name: value})
        data = action.encode("id-1")
    except EncodingRefused as error:
        refused = error
    if refused is not None:
        assert isinstance(refused, ValueError)
        assert refused.field in HEADERS[name]
        assert str(refused).startswith(f"{refused.field}: ")
        return False
    lines = lines_as_asterisk_reads(data)
    assert lines[:2] == [f"Action: {safe.name}".encode(), b"ActionID: id-1"]
    sent = [line.partition(b": ")[0].decode() for line in lines[2:]]
    known = [key for key, _ in safe.headers]
    # Left empty, an optional one is not sent at all.
    assert sent == known or (value == "" and sent == [key for key in known if key not in HEADERS[name]])
    changed = {key for key, one in action.headers if (key, one) not in safe.headers}
    assert changed <= HEADERS[name]
    return True


def test_every_parameter_is_known() -> None:
    assert {name for _, name in TEXTS} == set(HEADERS)


@pytest.mark.parametrize(("builder", "name"), [pytest.param(*one, id=f"{one[0].__name__}-{one[1]}") for one in TEXTS])
def test_every_text_of_every_builder(builder: Callable[..., Action], name: str) -> None:
    assert holds(builder, name, SAFE[name])
    for payload in PAYLOADS:
        holds(builder, name, payload)
    for bad in HOSTILE:
        assert not holds(builder, name, f"1{bad}2")


@settings(max_examples=1000, deadline=None)  # how long one takes on a busy machine proves nothing
@given(st.sampled_from(TEXTS), texts, texts)
@example(TEXTS[0], "", "\ufeff")
def test_one_action_or_a_refusal(one: Text, before: str, after: str) -> None:
    builder, name = one
    holds(builder, name, before + str(SAFE[name]) + after)
    holds(builder, name, before)
