"""``manage.py pbx``: what is true on a PBX, as tables or JSON, and every action, from a shell."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
UNKNOWN: Final = 3
NO_LINK: Final = 4
"""Exit codes. 2 is argparse's own."""

EXITS: Final = {"done": DONE, "refused": REFUSED, "unknown": UNKNOWN}
