"""A number that is none, or that nobody can mean, is no error: it is as if nothing had been said."""

from __future__ import annotations

import re

import pytest

from ami.protocol import Message
from live.channels import list_duration
from live.numbers import number
from live.pbx import Pbx
from live.resync import STEPS
from tests.live.recorded import TRUNKS, recording
from tests.live.scene import EXTENSIONS

HUGE = b"9" * 5000
"""More digits than Python turns into a number."""


def swollen(message: Message) -> Message:
    """The same, with each number in it swollen."""
    return Message(re.sub(rb"(?<=: )-?\d+(?=\r\n|$|:\d\d:\d\d)", HUGE, message.raw))


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("17", 17), ("1795412884", 1795412884), ("", 5), ("-1", 5), ("1.5", 5), ("x", 5), ("9" * 13, 5)],
)
def test_what_is_a_number(text: str, value: int) -> None:
    assert number(text, 5) == value


def test_how_long_a_list_says_that_it_lasts() -> None:
    assert list_duration("123:45:06") == 445506
    assert list_duration(f"{HUGE.decode()}:00:00") == 0


@pytest.mark.parametrize("name", ["freepbx22", "freepbx16"])
def test_no_event_and_no_list_has_a_number_that_is_an_error(name: str) -> None:
    pbx, day = Pbx("lab", EXTENSIONS, TRUNKS), recording(name)
    for at, event in day.events:
        pbx.apply(event, at)
        pbx.apply(swollen(event), at)
    pbx.changes(at)
    assert pbx.queues.members, "there was something to read"
    for items in day.lists("truth").values():
        for step in STEPS:
            step.replace(pbx, [swollen(item) for item in items], at)
    pbx.changes(at)
