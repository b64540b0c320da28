"""Coverage-guided fuzz of the protocol by atheris (libFuzzer): ``python -m tests.ami.fuzz FOLDER -max_total_time=60``.

FOLDER holds the inputs to begin with, and gets what is found. An input: how many cuts, where (two bytes each), and
the stream.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["ami.protocol"]):
    from ami import protocol as wire

from tests.ami.cutting import GREETING, SMALL_CAPS, outcome

MOST_CUTS = 8


def test_one_input(data: bytes) -> None:
    """The same however it is cut, also when each byte comes alone; anything else is a find."""
    number = min(data[0] % (MOST_CUTS + 1), (len(data) - 1) // 2) if data else 0
    cuts = [int.from_bytes(data[1 + 2 * i : 3 + 2 * i], "big") for i in range(number)]
    stream = GREETING + data[1 + 2 * number :]
    whole = outcome(stream)
    assert outcome(stream, cuts) == whole
    assert outcome(stream, range(len(stream))) == whole


if __name__ == "__main__":
    for name, value in SMALL_CAPS.items():
        setattr(wire, name, value)
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
