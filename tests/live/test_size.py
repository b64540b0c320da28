"""What a look costs grows with what there is, and no faster: the largest PBX must not freeze the panel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from tests.live.scene import Scene, message

SMALL, TIMES = 50, 4


def steps(do: Callable[[], object]) -> int:
    """How many instructions Python runs for this: the same on any machine."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def channels(number: int, application: str = "Wait") -> list[Any]:
    about = {"ChannelState": 6, "Application": application, "Duration": "00:00:10"}
    ids = [f"u{one}" for one in range(number)]
    return [message("Event", "CoreShowChannel", Channel=f"PJSIP/{uid}-1", Uniqueid=uid, **about) for uid in ids]


def test_a_reconcile_of_many_calls() -> None:
    def look(number: int) -> int:
        scene = Scene()
        for _ in "12":
            scene.pbx.replace_channels(channels(number), scene.now)
            cost = steps(scene.settled)
        assert len(scene.calls) == number
        return cost

    assert look(TIMES * SMALL) < 1.2 * TIMES * look(SMALL)


def test_a_queue_of_many_callers() -> None:
    def leave(number: int) -> int:
        scene = Scene()
        scene.pbx.replace_channels(channels(number, "Queue"), scene.now)
        for place in range(number):
            scene.event("QueueCallerJoin", Uniqueid=f"u{place}", Queue="sales", Position=place + 1)
        scene.settled()
        scene.event("QueueCallerLeave", Uniqueid="u0", Queue="sales")
        cost = steps(scene.settled)
        assert len(scene.pbx.entities()["waiting"]) == number - 1
        return cost

    assert leave(TIMES * SMALL) < 1.2 * TIMES * leave(SMALL)
