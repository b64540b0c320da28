"""Does a click ever reach another call? Many clicks on real calls that are transferred, hung up, bridged elsewhere, or
whose Asterisk is restarted, 0 to 50 ms before or after.

Two phones talk on each of four calls; a fifth is left alone, and a stranger's leg stands by each. Another AMI client
does to the calls what happens to them, and sees in Asterisk's own order what is done to whom. ``wrong_call_effects``:
effects on a leg that was not of the call that was clicked on, actions about a leg of which the panel had been told
that it was elsewhere, and clicks on a call of before a restart that were not refused after it. ``late_effects``: on a
leg of the call that was clicked on which Asterisk had just moved; the two crossed on the wire.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.report import report
from tests.lab.install import VERSIONS
from tests.lab.instance import Asterisk

if TYPE_CHECKING:
    from tests.asterisk.races import Races

RUNS = 1_000
SHOWN = 5
"""Wrong effects told in words."""


def set_up() -> int:
    """A database of our own, as the tests have it, with a supervisor in it; her id."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from tests.conftest import member

    user = member("Bob", "Supervisor")
    user.phones.create(pbx="lab", dial_string="PJSIP/900")
    return int(user.pk)


async def run(asterisk: Asterisk, runs: int, seed: int, user_id: int) -> Races:
    from tests.asterisk.races import Races

    async with Races(asterisk, seed, user_id, chatty=True) as races:
        await races.run(runs)
    return races


def figures(races: Races) -> dict[str, Any]:
    """All that is to be said of it."""
    return {
        "runs": races.runs,
        "wrong_call_effects": len(races.wrong),
        "effects": sum(races.effects.values()),
        "late_effects": sum(races.late.values()),
        "late": _said(races.late),
        "done_to": _said(races.effects),
        "answers": _said(races.answers),
        "names_used_again": races.reused,
        "first": " | ".join(races.wrong[:SHOWN]),
    }


def _said(counts: dict[str, int]) -> str:
    return " ".join(f"{name.replace(' ', '-')}:{number}" for name, number in sorted(counts.items()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--asterisk", choices=VERSIONS, default="22", help="which Asterisk (22)")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"how many clicks, at least ({RUNS})")
    parser.add_argument("--seed", type=int, default=1, help="the same seed is the same plan (1)")
    arguments = parser.parse_args()
    user_id = set_up()
    logging.disable(logging.WARNING)  # each restart is one
    with Asterisk(arguments.asterisk) as asterisk:
        done = figures(asyncio.run(run(asterisk, arguments.runs, arguments.seed, user_id)))
        version = asterisk.cli("core show version").split()[1]
    report({"seed": arguments.seed, **done}, version, as_json=arguments.json)
    return 1 if done["wrong_call_effects"] else 0


if __name__ == "__main__":
    sys.exit(main())
