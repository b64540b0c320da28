"""What it costs to tell many browsers the same: the hub, Channels' documented way, and the floor below both; and the
hub where each browser has a part of the floor of her own.

200 browsers, 20 frames/s of 2 kB, the servers in turn, round after round, so that what else the machine does comes to
all of them. Cost is the server process's own time on a core (/proc/…/schedstat, all its threads) for each
message that arrived, whatever else runs. Then the hub again with a tenth of the browsers frozen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import report

ROOT = Path(__file__).resolve().parent.parent
MODES = ("hub", "parts", "group", "floor")
CLIENTS = 200
PER_S = 20
BYTES = 2_000
ROUNDS = 3
SECONDS = 4
WARM_UP_S = 1
SETTLE_S = 2.0
FROZEN_SHARE = 10  # one of so many
FROZEN_BYTES = 8_000
FROZEN_S = 10


class Process:
    """A child that takes orders by lines and answers each by one."""

    def __init__(self, module: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._name = " ".join((module, *arguments[:1]))
        self._popen = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.first = self._answer()

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(order) + "\n")
        self._popen.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            raise SystemExit(f"{self._name} ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def cpu_s(self) -> float:
        """Time that its threads were on a core. Threads that ended are lost: ours live as long as the process."""
        total = 0
        for task in Path(f"/proc/{self._popen.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    @property
    def memory_mb(self) -> float:
        """What is its own and nobody else's."""
        text = Path(f"/proc/{self._popen.pid}/smaps_rollup").read_text()
        kinds = ("Private_Clean:", "Private_Dirty:")
        return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(kinds)) / 1024

    def close(self) -> None:
        self._popen.kill()
        self._popen.wait()


@dataclass
class Cell:
    """One measurement."""

    us: float
    offered: int
    arrived: int
    p50_ms: float
    p99_ms: float
    client_us: float
    client_busy: float


class Server:
    """One of them, with its browsers."""

    def __init__(self, mode: str, clients: int, stack: ExitStack) -> None:
        self.mode = mode
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PHOENIX_")}
        kept.pop("DATABASE_URL", None)
        var = stack.enter_context(tempfile.TemporaryDirectory())
        env = {**kept, "PHOENIX_VAR": var, "PHOENIX_ENV_FILE": os.devnull, "PHOENIX_LOG_LEVEL": "warning"}
        self.process = Process("benchmarks.fanout_servers", mode, env=env)
        stack.callback(self.process.close)
        serving = self.process.first
        arguments = (str(serving["port"]), str(clients), *serving["cookies"])
        self.browsers = Process("benchmarks.fanout_clients", *arguments)
        stack.callback(self.browsers.close)
        self._clients = clients

    def run(self, seconds: float, size: int = BYTES, expected: int = 0) -> Cell:
        """Publish for so long, wait until nothing comes any more, and count."""
        expected = expected or self._clients
        frames = round(seconds * PER_S)
        self.browsers.ask(reset=True)
        cpu, client_cpu, began = self.process.cpu_s, self.browsers.cpu_s, time.monotonic()
        self.process.ask(frames=frames, per_s=PER_S, bytes=size)
        published = time.monotonic()
        found = self._quiet(frames * expected)
        busy = (self.browsers.cpu_s - client_cpu) / (published - began)
        arrived = max(1, found["received"])
        return Cell(
            us=(self.process.cpu_s - cpu) / arrived * 1e6,
            offered=frames * expected,
            arrived=found["received"],
            p50_ms=found["p50_ms"],
            p99_ms=found["p99_ms"],
            client_us=(self.browsers.cpu_s - client_cpu) / arrived * 1e6,
            client_busy=busy,
        )

    def _quiet(self, wanted: int) -> dict[str, Any]:
        """Until all has arrived, or nothing has for a while."""
        found = self.browsers.ask(report=True)
        changed = time.monotonic()
        while found["received"] < wanted and time.monotonic() - changed < SETTLE_S:
            time.sleep(0.2)
            before, found = found["received"], self.browsers.ask(report=True)
            if found["received"] != before:
                changed = time.monotonic()
        return found


@contextmanager
def servers(modes: tuple[str, ...], clients: int) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [Server(mode, clients, stack) for mode in modes]


def compare(clients: int, rounds: int, seconds: float) -> dict[str, Any]:
    """All in turn; the median round of each."""
    cells: dict[str, list[Cell]] = {mode: [] for mode in MODES}
    with servers(MODES, clients) as running:
        for server in running:
            server.run(WARM_UP_S)
        for number in range(rounds):
            for server in running:
                cell = server.run(seconds)
                cells[server.mode].append(cell)
                print(f"round {number} {server.mode}: {cell}", file=sys.stderr, flush=True)
    us = {mode: statistics.median(cell.us for cell in found) for mode, found in cells.items()}
    shares = {mode: [cell.us for cell in found] for mode, found in cells.items()}
    hub = cells["hub"]
    return {
        "us_per_message": us["hub"],
        "parts_us_per_message": us["parts"],
        "group_us_per_message": us["group"],
        "uvloop_us_per_message": us["floor"],
        "vs_group_send": statistics.median(a / b for a, b in zip(shares["hub"], shares["group"], strict=True)),
        "parts_vs_group_send": statistics.median(a / b for a, b in zip(shares["parts"], shares["group"], strict=True)),
        "parts_vs_whole": statistics.median(a / b for a, b in zip(shares["parts"], shares["hub"], strict=True)),
        "parts_lost": sum(cell.offered - cell.arrived for cell in cells["parts"]),
        "vs_uvloop_floor": statistics.median(a / b for a, b in zip(shares["hub"], shares["floor"], strict=True)),
        "lost": sum(cell.offered - cell.arrived for cell in hub),
        "delivered": sum(cell.arrived for cell in hub),
        "group_lost_share": sum(cell.offered - cell.arrived for cell in cells["group"])
        / sum(cell.offered for cell in cells["group"]),
        "hub_p50_ms": statistics.median(cell.p50_ms for cell in hub),
        "hub_p99_ms": statistics.median(cell.p99_ms for cell in hub),
        "group_p99_ms": statistics.median(cell.p99_ms for cell in cells["group"]),
        "client_us_per_message": statistics.median(cell.client_us for cell in hub),
        "client_busy": max(cell.client_busy for found in cells.values() for cell in found),
    }


def freeze(clients: int, seconds: float) -> dict[str, Any]:
    """The hub with a tenth of its browsers reading nothing: what it costs the others, and the memory."""
    frozen = clients // FROZEN_SHARE
    healthy = clients - frozen
    with servers(("hub",), clients) as (server,):
        server.run(seconds, FROZEN_BYTES)  # what it takes of memory for itself, it has taken then
        before = server.run(seconds, FROZEN_BYTES)
        memory = server.process.memory_mb
        server.browsers.ask(freeze=frozen)
        during = server.run(seconds, FROZEN_BYTES, healthy)
        growth = server.process.memory_mb - memory
        server.browsers.ask(thaw=True, reset=True)
        last, until = 0, time.monotonic() + 10
        while time.monotonic() < until:
            server.process.ask(frames=1, per_s=PER_S, bytes=BYTES)
            time.sleep(0.3)
            seqs = server.browsers.ask(report=True)["seqs"]
            last = max(seqs)
            if min(seqs) == last:
                break
        recovered = sum(seq == last for seq in seqs[:frozen])
    return {
        "frozen": frozen,
        "frozen_growth_mb_each": max(0.0, growth) / frozen,
        "frozen_recovered": recovered,
        "healthy_lost": during.offered - during.arrived,
        "healthy_p99_ratio": during.p99_ms / before.p99_ms,
        "healthy_p99_ms": during.p99_ms,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"browsers ({CLIENTS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of the servers in turn ({ROUNDS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"each ({SECONDS})")
    given = parser.parse_args()
    figures = compare(given.clients, given.rounds, given.seconds) | freeze(given.clients, FROZEN_S)
    report({**figures, "clients": given.clients, "per_s": PER_S, "bytes": BYTES}, "none", as_json=given.json)


if __name__ == "__main__":
    main()
