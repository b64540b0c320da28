"""How every benchmark ends: one flat JSON object on the last line, or the same as a table."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of the values do not exceed: nearest rank."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def report(figures: Mapping[str, float | int | str], asterisk: str, *, as_json: bool) -> None:
    """Print the figures, with what they were measured on."""
    whole = {
        **{name: round(value, 2) if isinstance(value, float) else value for name, value in figures.items()},
        "asterisk": asterisk,
        "python": platform.python_version(),
        "cores": os.cpu_count() or 0,
    }
    if as_json:
        print(json.dumps(whole))
        return
    width = max(map(len, whole))
    for name, value in whole.items():
        print(f"{name:<{width}}  {value}")
