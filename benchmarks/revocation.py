"""How soon an open socket knows what was taken from its user, in a storm of frames, and what gets through until then.

`runpanel` in a process of its own on a real Asterisk; real sockets. For each of eleven causes some users, each of whom
sees one call by a team of her own. `revoke_ms`: from the commit (or the answer to the form) to the closing of the
socket, or to the frame that takes the call away. `frames_after`: frames that told of it more than 2 s after.
`acted_after`: commands sent at once after, which a moment ago were allowed, and were more than refused.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import percentile, report
from tests.browser.running import Panel
from tests.floor.revoking import CAUSES, WATCHED_S, Revoking, Taken
from tests.lab.install import VERSIONS
from tests.lab.instance import Asterisk

RUNS = 20


def figures(taken: list[Taken]) -> dict[str, Any]:
    """What never came counts as long as it was waited for."""
    took = [one.revoke_ms if one.revoke_ms is not None else WATCHED_S * 1000 for one in taken]
    of = {cause: [ms for ms, one in zip(took, taken, strict=True) if one.cause == cause] for cause in CAUSES}
    return {
        "causes": sum(bool(all_) for all_ in of.values()),
        "runs": len(taken),
        "revoke_ms_p50": percentile(took, 0.5),
        "revoke_ms_p99": percentile(took, 0.99),
        "frames_after": sum(one.frames_after for one in taken),
        "acted_after": sum(one.acted for one in taken),
        **{f"{cause.replace(' ', '_')}_ms_max": max(all_) for cause, all_ in of.items() if all_},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--asterisk", choices=VERSIONS, default="22", help="which Asterisk (22)")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each cause ({RUNS})")
    parser.add_argument("--cause", choices=CAUSES, action="append", help="this one alone")
    arguments = parser.parse_args()
    with Asterisk(arguments.asterisk) as asterisk, tempfile.TemporaryDirectory() as var:
        panel = Panel(Path(var), PHOENIX_PBX_LAB=asterisk.ami_url())
        panel.set_up()
        with panel:
            revoking = Revoking(panel, asterisk)
            with revoking.storm():
                taken = asyncio.run(revoking.run(tuple(arguments.cause or CAUSES), arguments.runs))
        version = asterisk.cli("core show version").split()[1]
    done = figures(taken)
    report(done, version, as_json=arguments.json)
    return 1 if done["frames_after"] or done["acted_after"] or done["revoke_ms_p99"] > 2_000 else 0


if __name__ == "__main__":
    sys.exit(main())
