"""What the whole way from bytes to picture costs, and what the picture weighs.

The bytes are ≥ 20 MB that a real Asterisk 22 sent (see ``benchmarks.recording``), all event classes. They go through
the client's parser into the live model, and every 50 events the model says what is different: a PBX at ten calls a
second sends a thousand events a second, and the worker tells twenty times a second. All events on the wire count,
wanted or not. Each round is a process of its own: a parser that has seen the lines before would only look them up.

The weight is that of 5,000 live channels, 2,500 calls of two phones each, told by the demo PBX's events (which are
Asterisk's, byte for byte): all that the model holds once they are told and the messages are gone, the phones' devices
and hints too.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import re
import statistics
import subprocess
import sys
import time
import tracemalloc
import uuid
from pathlib import Path

from ami import protocol
from ami.protocol import Message, Protocol
from benchmarks.recording import recording
from benchmarks.report import report
from demo.events import Event
from demo.pbx import Pbx as DemoPbx
from live.pbx import Pbx

CHUNK = 64 * 1024
EVENT_S = 0.001
TICK_EVENTS = 50
ROUNDS = 5
CALLS = 2500
DAWN = 1_800_000_000.0
ROOT = Path(__file__).resolve().parent.parent


def model() -> Pbx:
    pbx = Pbx("lab", re.compile(r"^\d{2,6}$"), re.compile(r"^PJSIP/trunk"))
    pbx.settled = True
    return pbx


def one_round(path: Path) -> tuple[int, float]:
    """Events on the wire, and CPU seconds that they took from bytes to picture."""
    data = path.read_bytes()
    wire, pbx = Protocol(), model()
    events, since, now = 0, 0, DAWN
    began = time.process_time()
    for start in range(0, len(data), CHUNK):
        for message in wire.feed(data[start : start + CHUNK]):
            if message.event:
                events += 1
                now += EVENT_S
                pbx.apply(message, now)
            if events - since >= TICK_EVENTS:
                since = events
                pbx.changes(now)
    pbx.changes(now)
    took = time.process_time() - began
    return events - _listed(data), took


def _listed(data: bytes) -> int:
    """Items of lists are answers, not events."""
    blocks = (block for block in data.split(b"\r\n\r\n") if block.lstrip(b"\r\n").startswith(b"Event: "))
    return sum(b"\r\nActionID: " in block and b"\r\nPrivilege: " not in block for block in blocks)


class _Never:
    def cancel(self) -> None:
        pass


def busy() -> list[bytes]:
    """The bytes by which 2,500 calls of two are told, from the first ring to the talk."""
    said: list[Event] = []
    for number in range(CALLS):
        # A switch for each call: one of 5,000 phones would look at all of them at each step.
        born = DAWN + number  # a second of its own, and so Uniqueids of its own
        pbx = DemoPbx(said.append, itertools.repeat(born).__next__, lambda _, __: _Never(), lambda: str(uuid.uuid4()))
        caller, callee = str(10_000 + 2 * number), str(10_001 + 2 * number)
        for exten in (caller, callee):
            pbx.lines.add_phone(exten, f"Agent {exten}")
        pbx.incoming(f"PJSIP/{caller}", caller, f"Agent {caller}", callee)
        pbx.answer(next(channel for channel in pbx.channels.values() if channel.caller is not None))
    return [event.encode() for event in said]


def weight() -> dict[str, float]:
    """Bytes a channel, and where they were allocated."""
    blocks = [block.removesuffix(b"\r\n\r\n") for block in busy()]
    protocol._known.clear()
    gc.collect()
    tracemalloc.start()
    pbx, now = model(), DAWN
    for block in blocks:
        pbx.apply(Message(block), now)
    now += 1.0  # nothing is half done any more
    pbx.changes(now)
    protocol._known.clear()  # the parser's own, and bounded
    gc.collect()
    held = tracemalloc.take_snapshot()
    tracemalloc.stop()
    channels = len(pbx.channels)
    sizes: dict[str, float] = {}
    for found in held.statistics("filename"):
        where = Path(found.traceback[0].filename)
        # A dataclass's __init__ is compiled from a string: channels, calls, bridges themselves.
        name = f"{where.parent.name}_{where.stem}" if where.is_relative_to(ROOT) else "objects"
        sizes[f"bytes_by_{name}"] = sizes.get(f"bytes_by_{name}", 0.0) + found.size / channels
    total = sum(sizes.values())
    return {
        "bytes_per_channel": total,
        "channels": channels,
        **{name: size for name, size in sizes.items() if size > 1},
    }


def measure() -> tuple[dict[str, float | int | str], str]:
    path, version = recording()
    rounds = []
    for _ in range(ROUNDS):
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.model", "--round", str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        events, took = json.loads(ran.stdout)
        rounds.append(events / took)
    figures: dict[str, float | int | str] = {
        "wire_events_per_cpu_s": round(statistics.median(rounds)),
        "slowest_round": round(min(rounds)),
        "fastest_round": round(max(rounds)),
        "events": events,
        "megabytes": path.stat().st_size / 1e6,
        **weight(),
    }
    return figures, version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--round", type=Path, help="one round over a recording: [events, CPU seconds]")
    arguments = parser.parse_args()
    if arguments.round:
        print(json.dumps(one_round(arguments.round)))
        return
    figures, version = measure()
    report(figures, version, as_json=arguments.json)


if __name__ == "__main__":
    main()
