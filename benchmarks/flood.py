"""The fastest stream that one real Asterisk emits here, and a worker that hears all of it.

For 60 s dialplan loops raise UserEvent, VarSet and Newexten as fast as the cores let them, under storms of calls; what
Asterisk could not say meanwhile it says afterwards, and that counts too. The worker's mask is ``on`` (the product's
leaves most of this out). Between it and Asterisk stands a bare reader, which only counts, and keeps what the worker
does not take yet. Twenty times a second an action raises a marker event; the lag is how much later than in the bare
reader it was through the worker's model (one machine, one clock); the worker's own lag is that without the time in
which it was ready to run and the system ran others. When all is said, the model must equal Asterisk's channels.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import contextlib
import dataclasses
import json
import operator
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.panel import django
from benchmarks.report import percentile, report
from tests.lab.checker import Checker, CheckerError
from tests.lab.instance import HOST, Asterisk
from tests.lab.storm import Storm

SECONDS = 60.0
LOOPS = 2
"""One for each core: more of them only wait for each other."""
NICE = 10
"""How much Asterisk stands back from the two that are measured. Otherwise its hundreds of threads take both cores, and
what is measured is when the system lets anybody else run: up to 1.6 s later, 5 ms of that the worker's own work."""
CALLS = 200
"""Of each storm, some 17 s long; two storms at a time."""
MARKERS_PER_S = 20
PATIENCE_S = 120.0
"""How long an answer may take: Asterisk says first what it has to say."""
SAMPLE_S = 0.005
QUIET_S = 2.0
"""Nothing has come for so long: all is told."""
MARKER = re.compile(rb"Sequence: (\d+)\r\n")
LONGEST = 4096  # bytes: no marker event is longer
ROOT = Path(__file__).resolve().parent.parent

LOOP = """
[flood]
exten => loop,1,Answer()
 same => n(again),UserEvent(Flood,Round: ${ROUND})
 same => n,Set(ROUND=${RAND(1,1000000)})
 same => n,Set(OTHER=${ROUND})
 same => n,Goto(again)
"""


class Counts:
    """What the bare reader has seen."""

    def __init__(self) -> None:
        self.seen: dict[int, float] = {}
        self.events = self.bytes = 0
        self.first = self.last = 0.0
        self._tail = b""

    def take(self, data: bytes) -> None:
        now = time.time()
        whole = self._tail + data
        # An end that lies across two pieces is in ``whole`` but in neither.
        self.events += whole.count(b"\r\n\r\n") - self._tail.count(b"\r\n\r\n")
        self.bytes += len(data)
        if b"UserEvent: Flood" in data:
            self.first, self.last = self.first or now, now
        if b"Sequence: " in whole:
            for found in MARKER.finditer(whole):
                self.seen.setdefault(int(found[1]), now)
        self._tail = whole[-LONGEST:]


class Far(asyncio.Protocol):
    """The side of Asterisk: counts what comes, and passes it on without ever waiting for who takes it."""

    def __init__(self, near: asyncio.Transport, counts: Counts) -> None:
        self._near, self._counts = near, counts

    def data_received(self, data: bytes) -> None:
        self._near.write(data)
        self._counts.take(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._near.close()


class Near(asyncio.Protocol):
    """The side of the worker."""

    def __init__(self, port: int, counts: Counts) -> None:
        self._port, self._counts = port, counts
        self._far: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._reaching = asyncio.ensure_future(self._reach(transport))

    async def _reach(self, near: asyncio.Transport) -> None:
        near.pause_reading()
        loop = asyncio.get_running_loop()
        self._far, _ = await loop.create_connection(lambda: Far(near, self._counts), HOST, self._port)
        near.resume_reading()

    def data_received(self, data: bytes) -> None:
        assert self._far is not None
        self._far.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._far is not None:
            self._far.close()


async def tap() -> None:
    """Serve before the port of which a line of input tells, until the next; then say what was counted.

    It keeps what the worker does not take yet: all of the worker's slowness is in the lag.
    """
    port, counts = int(sys.stdin.readline()), Counts()
    server = await asyncio.get_running_loop().create_server(lambda: Near(port, counts), HOST, 0)
    print(f"live {server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    told = {"events": counts.events, "bytes": counts.bytes, "seen": counts.seen}
    print(json.dumps({**told, "seconds": counts.last - counts.first}), flush=True)


def waited() -> float:
    """Seconds that the main thread of this process could have run and was not let, since its start (Linux)."""
    return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9


async def watch() -> None:
    """The worker of the URL of which a line of input tells. Another line is Asterisk's own list of channels, to
    compare with; then it says what it noted."""
    url = sys.stdin.readline().strip()
    django()
    from ami.protocol import Message
    from floor import worker as workers
    from tests.asterisk import desk as desks

    seen: dict[int, float] = {}
    events = 0

    class Worker(workers.PbxWorker):
        def __init__(self, config: workers.PbxConfig, *rest: Any) -> None:
            super().__init__(dataclasses.replace(config, events="on"), *rest)

        def _event(self, message: Message) -> None:
            nonlocal events
            events += 1
            super()._event(message)
            if message.event == "UserEvent" and (found := MARKER.search(message.raw + b"\r\n")):
                seen.setdefault(int(found[1]), time.time())
                waits.append((time.time(), waited()))

    waits: list[tuple[float, float]] = []

    async def sample() -> None:
        while True:
            waits.append((time.time(), waited()))
            await asyncio.sleep(SAMPLE_S)

    vars(workers)["RECONCILE_S"] = 1e6  # what the model knows it knows from events
    vars(desks)["PbxWorker"] = Worker
    async with desks.Desk(None, url=url) as desk:  # type: ignore[arg-type]  # with a url, it asks no Asterisk for its own
        page, hub = desk.page, desk.hub

        def rendered(text: str) -> None:
            """A page says what it has rendered; one that does not is sent nothing more after a while."""
            type(page).deliver(page, text)
            hub.seen(desk.watcher, "lab", page.epoch, page.seq)

        vars(page)["deliver"] = rendered
        await desk.live()
        print("live", flush=True)
        sampling = asyncio.create_task(sample())
        cpu = time.process_time()
        line = await asyncio.to_thread(sys.stdin.readline)
        order, heard = json.loads(line), -1
        # A list is ahead of its events, by a minute when Asterisk has too much to say.
        while heard != events or order["last"] not in seen:
            heard = events
            await asyncio.sleep(QUIET_S)
        busy = time.process_time() - cpu
        sampling.cancel()
        differences = desk.differences(order["rows"])
        phases = [link["phase"] for link in desk.page.links]
        print(
            json.dumps(
                {
                    "events": events,
                    "seen": seen,
                    "cpu_s": busy,
                    "waits": waits,
                    "differences": differences,
                    "disconnects": phases.count("live") - 1 + (phases[-1] != "live"),
                    "unknown": desk.worker.pbx.unknown,
                    "frames": desk.worker.seq,
                }
            ),
            flush=True,
        )


class Child:
    """This file, as a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "benchmarks.flood", *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        """What it says next. Raises ``RuntimeError`` if it has ended instead."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(("live", '{"events"')):  # all else is its log
                return line
        raise RuntimeError("a process of the benchmark ended without a word")

    def tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


class Markers:
    """Raises a marker event twenty times a second, from a session of its own."""

    def __init__(self, asterisk: Asterisk) -> None:
        self._checker = Checker(asterisk, events="off")
        self._going = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.raised = 0

    def _run(self) -> None:
        while not self._going.wait(1 / MARKERS_PER_S):
            self.raised += 1
            self._checker.action("UserEvent", None, PATIENCE_S, UserEvent="Marker", Sequence=self.raised)

    def __enter__(self) -> Markers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going.set()
        self._thread.join()
        self._checker.close()


@contextlib.contextmanager
def flooding(checker: Checker) -> Iterator[None]:
    for number in range(LOOPS):
        channel = f"flood-{number}"
        checker.originate("Local/506@from-internal/n", context="flood", exten="loop", channel_id=channel)
    yield
    for number in range(LOOPS):
        checker.action("Hangup", None, PATIENCE_S, Channel=f"flood-{number}")


async def storms(asterisk: Asterisk, seconds: float) -> None:
    """Calls and calls, for about so long."""
    until = time.monotonic() + seconds

    async def go(first: int) -> None:
        seed = first
        while time.monotonic() < until:
            seed += 2
            # Asterisk may be too busy even for a login: then it has enough to do.
            with contextlib.suppress(CheckerError):
                async with Storm(asterisk, seed=seed, calls=CALLS, standing=False) as storm:
                    await storm.run()

    await asyncio.gather(go(1), go(2))


def measure(seconds: float) -> tuple[dict[str, float | int | str], str]:
    with contextlib.ExitStack() as opened:
        reader, worker = Child("--tap"), Child("--worker")
        opened.callback(reader.end)
        opened.callback(worker.end)
        os.nice(NICE)  # Asterisk's, and ours: the two above keep their place
        asterisk = Asterisk("22")
        opened.callback(asterisk.stop)
        with (asterisk.run / "etc/extensions.conf").open("a") as extensions:
            extensions.write(LOOP)
        asterisk.start()
        # Where the system shares cores out by sessions first (autogroup), a process's own place counts only within.
        with contextlib.suppress(OSError):
            pid = (asterisk.run / "run/asterisk.pid").read_text().strip()
            Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
        version = asterisk.cli("core show version").split()[1]
        checker = opened.enter_context(Checker(asterisk, events="off"))
        reader.tell(str(asterisk.ami_port))
        port = reader.line().split()[1]
        worker.tell(asterisk.ami_url("admin").replace(f":{asterisk.ami_port}", f":{port}"))
        worker.line()
        with Markers(asterisk) as markers:
            with flooding(checker):
                asyncio.run(storms(asterisk, seconds))
            while rows := checker.list("CoreShowChannels", PATIENCE_S):
                time.sleep(0.5)  # they hang up in their own time
        worker.tell(json.dumps({"rows": rows, "last": markers.raised}))
        told: dict[str, Any] = json.loads(worker.line())
        reader.tell("end")
        counted: dict[str, Any] = json.loads(reader.line())
        raised = markers.raised
    spans = [(at, told["seen"][key]) for key, at in counted["seen"].items() if key in told["seen"]]
    lags = [(until - since) * 1000 for since, until in spans]
    own = [lag - 1000 * _kept_waiting(told["waits"], *span) for lag, span in zip(lags, spans, strict=True)]
    return {
        "events_per_s": round(counted["events"] / counted["seconds"]),
        "lag_ms_p50": percentile(lags, 0.5),
        "lag_ms_p99": percentile(lags, 0.99),
        "lag_ms_worst": max(lags),
        "own_lag_ms_p50": percentile(own, 0.5),
        "own_lag_ms_p99": percentile(own, 0.99),
        "own_lag_ms_worst": max(own),
        "disconnects": told["disconnects"],
        "differences": len(told["differences"]),
        "seconds": counted["seconds"],
        "events": counted["events"],
        "megabytes": counted["bytes"] / 1e6,
        "events_of_worker": told["events"],
        "worker_cpu_share": told["cpu_s"] / counted["seconds"],
        "frames": told["frames"],
        "unknown": told["unknown"],
        "markers": len(lags),
        "markers_raised": raised,
        "channels_at_the_end": len(rows),
    }, version


def _kept_waiting(waits: list[tuple[float, float]], since: float, until: float) -> float:
    """Seconds between the two in which the worker could have run and was not let."""
    first, last = (max(0, bisect.bisect(waits, at, key=operator.itemgetter(0)) - 1) for at in (since, until))
    return max(0.0, min(until - since, waits[last][1] - waits[first][1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"how long it lasts at least ({SECONDS:g})")
    parser.add_argument("--tap", action="store_true", help="be the bare reader")
    parser.add_argument("--worker", action="store_true", help="be the worker")
    arguments = parser.parse_args()
    if arguments.tap:
        asyncio.run(tap())
    elif arguments.worker:
        asyncio.run(watch())
    else:
        figures, version = measure(arguments.seconds)
        report(figures, version, as_json=arguments.json)


if __name__ == "__main__":
    main()
