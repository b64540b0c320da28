"""Does the panel say what is? A tempest on a real Asterisk, its link cut at times, all lists compared when it is calm.

Beside a worker as the panel runs it stands another AMI client that is not ours. Between a login and the next the panel
reads no list: what it knows it knows from events, and the wire is watched for that. At each point every field of every
row of Asterisk's lists is compared with what the frames told a page; a field that no event carries (they are named) is
compared when the panel has read its lists again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report import report
from tests.lab.install import VERSIONS
from tests.lab.instance import Asterisk

if TYPE_CHECKING:
    from tests.asterisk.exactness import Exactness

POINTS_PER_MINUTE = 4
CUTS_PER_MINUTE = 1
SHOWN = 5
"""Differences told in words."""


def set_up() -> None:
    """A database of our own, as the tests have it: the worker's audit trail wants one."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


async def run(asterisk: Asterisk, seed: int, minutes: float, trace: Path | None) -> Exactness:
    from tests.asterisk.exactness import Exactness

    points, cuts = max(1, round(minutes * POINTS_PER_MINUTE)), round(minutes * CUTS_PER_MINUTE)
    async with Exactness(asterisk, seed, points, cuts, trace=trace, chatty=True) as exactness:
        await exactness.run()
    return exactness


def figures(run: Exactness) -> dict[str, Any]:
    """All that is to be said of a run."""
    from tests.asterisk.differences import EXCLUDED, UNCOMPARED

    return {
        "points": run.done,
        "reconnects": run.reconnects,
        "differences": len(run.findings.differences),
        "ghosts": len(run.findings.ghosts),
        "unknown": run.unknown,
        "drift": run.drift,
        "rows": run.rows,
        "compared": len(run.compared),
        "compared_fields": "; ".join(sorted(run.compared)),
        "after_reread_fields": "; ".join(sorted(run.reread)),
        "excluded_fields": "; ".join(f"{name}.{header}" for name, fields in EXCLUDED.items() for header in fields),
        "uncompared": "; ".join(f"{field}: {why}" for field, why in UNCOMPARED.items()),
        "deeds": " ".join(f"{kind}:{number}" for kind, number in sorted(run.tempest.done.items())),
        "refused": sum(run.tempest.refused.values()),
        "lag_s": max((lag for _, lag in run.lags), default=0.0),
        "catch_up_s_worst": run.catch_up,
        "events": sum(run.tempest.happened.values()),
        "first": " | ".join([*run.findings.differences, *run.findings.ghosts][:SHOWN]),
    }


def failed(said: Mapping[str, Any]) -> bool:
    """Whether anything was untrue, or had to be read to be known."""
    return any(said[wrong] for wrong in ("differences", "ghosts", "unknown", "drift"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--asterisk", choices=VERSIONS, default="22", help="which Asterisk (22)")
    parser.add_argument("--minutes", type=float, default=10, help="how long, about (10)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed is the same plan (1)")
    parser.add_argument("--trace", type=Path, help="write all that Asterisk tells the panel to TRACE.n.ami")
    arguments = parser.parse_args()
    set_up()
    with Asterisk(arguments.asterisk) as asterisk:
        done = asyncio.run(run(asterisk, arguments.seed, arguments.minutes, arguments.trace))
        version = asterisk.cli("core show version").split()[1]
    said = {"seed": arguments.seed, "minutes": arguments.minutes, **figures(done)}
    report(said, version, as_json=arguments.json)
    return int(failed(said))


if __name__ == "__main__":
    sys.exit(main())
