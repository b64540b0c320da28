"""How soon a listening ends when whom it hears is taken out of its owner's scope, or she may no longer listen.

Two phones talk, a team lead listens at the agent's leg from her desk phone. Then the customer's phone transfers the
agent (blind, attended), or another AMI client redirects him to somebody outside her scope, into a room where that one
is, or where he comes to; or something is taken from her. From the moment before the deed, so that phones and Asterisk
have their share in it, to the BYE at her phone.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time
from typing import Any

from benchmarks.report import percentile, report
from tests.lab.install import VERSIONS
from tests.lab.instance import Asterisk

RUNS = 200
"""Moves; a tenth as often something is taken from her."""


def set_up() -> Any:
    """A database of our own, as the tests have it, with the team lead in it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from tests.asterisk.leases import lead

    return lead()


async def run(asterisk: Asterisk, runs: int, owner: Any) -> dict[str, list[float]]:
    """Milliseconds by what was done."""
    from tests.asterisk.leases import MOVES, TAKEN, Leases, give_back

    took: dict[str, list[float]] = {}
    async with Leases(asterisk, owner) as leases:
        for number in range(runs):
            move = MOVES[number % len(MOVES)]
            seconds = await leases.ended(await leases.listening(), getattr(leases, move))
            took.setdefault(move, []).append(seconds * 1000)
            await leases.clear()
        for number in range(max(len(TAKEN), runs // 10)):
            what = [*TAKEN][number % len(TAKEN)]
            ear = await leases.listening()
            began = time.monotonic()
            await TAKEN[what](owner)
            await asyncio.to_thread(ear.wait_ended)
            took.setdefault(f"taken_{what}", []).append((time.monotonic() - began) * 1000)
            await give_back(owner)
            await leases.clear()
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--asterisk", choices=VERSIONS, default="22", help="which Asterisk (22)")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"how many moves ({RUNS})")
    arguments = parser.parse_args()
    owner = set_up()
    logging.disable(logging.WARNING)
    with Asterisk(arguments.asterisk) as asterisk:
        took = asyncio.run(run(asterisk, arguments.runs, owner))
        version = asterisk.cli("core show version").split()[1]
    moved = [ms for what, all_ in took.items() if not what.startswith("taken_") for ms in all_]
    taken = [ms for what, all_ in took.items() if what.startswith("taken_") for ms in all_]
    figures: dict[str, Any] = {
        "runs": len(moved),
        "moved_ms_p50": percentile(moved, 0.5),
        "moved_ms_p99": percentile(moved, 0.99),
        **{f"{what}_ms_max": max(all_) for what, all_ in took.items()},
        "taken_ms_p99": percentile(taken, 0.99),
    }
    report(figures, version, as_json=arguments.json)
    return 1 if figures["moved_ms_p99"] > 1_000 or figures["taken_ms_p99"] > 2_000 else 0


if __name__ == "__main__":
    sys.exit(main())
