"""The link cut at every byte of five actions, from the first one sent to the last one of the answer: is "done" so?

A real Asterisk; hang up, mute, pause, park and transfer, each by a panel of its own behind a relay that cuts all its
connections at one byte. When it is back and has read its lists, its answer is compared with Asterisk's own lists.
``unproved_done``: it said done, and it was not. ``denied_done``: it said refused, and it was done. What it said and
what was so is counted as ``outcomes``: ``unknown-done`` is what no list tells of.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from typing import Any

from benchmarks.report import report
from tests.asterisk.cuts import Cuts
from tests.lab.install import VERSIONS
from tests.lab.instance import Asterisk

SHOWN = 5
"""Untrue answers told in words."""


def figures(cuts: Cuts) -> dict[str, Any]:
    """All that is to be said of it."""
    said = {f"{told}-{'done' if done else 'not'}": count for (told, done), count in sorted(cuts.outcomes.items())}
    return {
        "offsets": sum(cuts.offsets.values()),
        "unproved_done": len(cuts.unproved),
        "denied_done": len(cuts.denied),
        "outcomes": " ".join(f"{name}:{count}" for name, count in said.items()),
        "offsets_of": " ".join(f"{verb}:{count}" for verb, count in sorted(cuts.offsets.items())),
        "first": " | ".join([*cuts.unproved, *cuts.denied][:SHOWN]),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--asterisk", choices=VERSIONS, default="22", help="which Asterisk (22)")
    parser.add_argument("--every", type=int, default=1, help="only one in so many bytes (1)")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)  # each cut is one
    with Asterisk(arguments.asterisk) as asterisk:
        cuts = Cuts(asterisk, every=arguments.every, chatty=True)
        asyncio.run(cuts.run())
        version = asterisk.cli("core show version").split()[1]
    said = figures(cuts)
    report(said, version, as_json=arguments.json)
    return 1 if said["unproved_done"] or said["denied_done"] else 0


if __name__ == "__main__":
    sys.exit(main())
