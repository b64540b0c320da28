"""How long a panel that comes, or comes back, shows nothing: from the connection to a picture of 5,000 channels.

A real Asterisk 22 with 2,500 standing Local channels, two halves each; a worker as the panel runs it, its lists read
twice and half a second of waiting for late events in it, as after each login. Each round is a new worker.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import time

from benchmarks.panel import django
from benchmarks.report import report
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk

CHANNELS = 5_000
ROUNDS = 5
MAX_CALLS = 20_000
AHEAD = 200
"""Originates under way at once: Asterisk takes a thread for each channel, and must get to start it."""


def configure(asterisk: Asterisk) -> None:
    """Let an Asterisk that does not run yet hold so many."""
    options = asterisk.run / "etc/asterisk.conf"
    options.write_text(re.sub(r"maxcalls = \d+", f"maxcalls = {MAX_CALLS}", options.read_text()))


def stand(checker: Checker, channels: int) -> None:
    """So many channels that stay: both halves of Local channels that do nothing."""
    for number in range(channels // 2):
        checker.originate("Local/506@from-internal/n", application="Wait", data="36000", channel_id=f"stay-{number}")
        if number % AHEAD == AHEAD - 1:
            checker.wait_quiet(0.3)
    checker.wait_channels(lambda rows: len(rows) >= channels, timeout=120)


async def once(url: str) -> tuple[float, float, int]:
    """Seconds from the beginning to the snapshot, CPU seconds of ours in them, and channels in the model."""
    from ami.address import Address
    from audit.trail import Trail
    from floor.frames import Beat, Frame, Snapshot
    from floor.worker import PbxConfig, PbxWorker

    class Sink:
        told = asyncio.Event()

        def snapshot(self, snapshot: Snapshot) -> None:
            self.told.set()

        def publish(self, frame: Frame) -> None:
            pass

        def beat(self, beat: Beat) -> None:
            pass

    sink = Sink()
    config = PbxConfig("lab", Address.parse(url), re.compile(r"^\d{2,6}$"), re.compile(r"^PJSIP/trunk"))
    worker = PbxWorker(config, sink, Trail())
    began, cpu = time.perf_counter(), time.process_time()
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(60):
        await sink.told.wait()
    took, busy = time.perf_counter() - began, time.process_time() - cpu
    held = len(worker.pbx.channels)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await worker.close()
    return took, busy, held


def measure(channels: int) -> tuple[dict[str, float | int | str], str]:
    django()
    asterisk = Asterisk("22")
    try:
        configure(asterisk)
        asterisk.start()
        with Checker(asterisk) as checker:
            stand(checker, channels)
            rounds = [asyncio.run(once(asterisk.ami_url("panel"))) for _ in range(ROUNDS)]
            listed = len(checker.channels())
        version = asterisk.cli("core show version").split()[1]
    finally:
        asterisk.stop()
    return {
        "resync_s": statistics.median(took for took, _, _ in rounds),
        "slowest_s": max(took for took, _, _ in rounds),
        "panel_cpu_s": statistics.median(busy for _, busy, _ in rounds),
        "channels": listed,
        "channels_missed": max(abs(listed - held) for _, _, held in rounds),
    }, version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--channels", type=int, default=CHANNELS, help=f"how many stand ({CHANNELS})")
    arguments = parser.parse_args()
    figures, version = measure(arguments.channels)
    report(figures, version, as_json=arguments.json)


if __name__ == "__main__":
    main()
