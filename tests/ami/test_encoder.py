from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ami import EncodingRefused, encode

# Every text, and twice as often the ones that break things.
HOSTILE = ["\r\n", "\n", "\r", "\0", "\x7f", "\x1b", "a\r\n\r\nAction: Hangup\r\nChannel: /.*/", "\ud800", "x" * 1001]
texts = st.text(st.characters(exclude_categories=()), max_size=80) | st.sampled_from(HOSTILE)
keys = st.from_regex(r"\A[A-Za-z][A-Za-z0-9-]{0,20}\Z") | texts


def lines_as_asterisk_reads(data: bytes) -> list[bytes]:
    """To Asterisk a bare LF ends a line as well, and a NUL ends a value: so neither may be there."""
    assert data.endswith(b"\r\n\r\n")
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", data)
    lines = data[:-4].split(b"\n")
    assert all(line.endswith(b"\r") for line in lines[:-1])
    return [line.removesuffix(b"\r") for line in lines]


@given(keys, st.lists(st.tuples(keys, texts), max_size=6))
@example("Ping", [("ActionID\n", "1")])
@example("Ping\n", [])
@example("Ping", [("A", "é" * 499)])
def test_exactly_one_action_or_a_refusal_that_names_the_field(name: str, headers: list[tuple[str, str]]) -> None:
    refused = None
    try:
        data = encode(name, headers)
    except EncodingRefused as error:
        refused = error
    if refused is not None:
        sent = [key for key, _ in headers]
        assert refused.field in {"Action", *sent, *(ascii(key[:40]) for key in sent)}
        assert str(refused).startswith(refused.field + ": ")
        return
    lines = lines_as_asterisk_reads(data)
    assert lines == [f"Action: {name}".encode(), *(f"{key}: {value}".encode() for key, value in headers)]
    assert all(0 < len(line) <= 1000 for line in lines)


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_refusal_names_the_field_and_never_shows_the_value(bad: str) -> None:
    with pytest.raises(EncodingRefused) as caught:
        encode("Login", [("Username", "u"), ("Secret", f"hunter2{bad}")])
    assert caught.value.field == "Secret"
    assert "hunter2" not in str(caught.value)


def test_a_line_of_1000_bytes_passes_one_more_does_not() -> None:
    assert encode("X", [("Channel", "x" * 991)])
    with pytest.raises(EncodingRefused, match="Channel: is longer than 1000 bytes"):
        encode("X", [("Channel", "x" * 992)])


def test_120_headers_pass_one_more_does_not() -> None:
    assert encode("X", [("A", "b")] * 119)
    with pytest.raises(EncodingRefused, match="past 120 headers"):
        encode("X", [("A", "b")] * 120)


@pytest.mark.parametrize("key", ["", "A B", "A:", "-A", "1A", "Ä", "A\n", "A\r\nB"])
def test_keys_and_names(key: str) -> None:
    with pytest.raises(EncodingRefused):
        encode("X", [(key, "v")])
    with pytest.raises(EncodingRefused, match=r"^Action: "):
        encode(key, [])


def test_what_is_harmless_passes() -> None:
    value = 'PJSIP/101-0000008c,quES;1 "Zoë" <900> 😀 \u2028\x85'
    assert lines_as_asterisk_reads(encode("X", [("Data", value)]))[1] == f"Data: {value}".encode()
