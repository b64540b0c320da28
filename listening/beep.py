"""The beep, as RTP packets of 20 ms in G.711 µ-law."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

RATE: Final = 8_000
"""Samples a second: telephony's."""

PACKET: Final = 160
"""Samples in 20 ms, Asterisk's own packets."""

HZ: Final = 1_400
"""What a recorder's warning tone has been since the FCC asked for one (1947): 1,400 Hz, a fifth of a second, every 15
seconds. Ears know it, and no voice is there for long."""

BEEP_S: Final = 0.2

AMPLITUDE: Final = 6_000
"""-15 dB below full scale: as loud as a voice, so that it is heard and hurts nobody."""

PCMU: Final = 0
"""RTP's payload type of µ-law."""


def ulaw(sample: int) -> int:
    """The byte that stands for a sample of 16 bits (ITU-T G.711)."""
    magnitude = min(abs(sample), 32_635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = magnitude >> (exponent + 3) & 0x0F
    return ~((0x80 if sample < 0 else 0) | exponent << 4 | mantissa) & 0xFF


BEEP: Final = bytes(
    ulaw(round(AMPLITUDE * math.sin(2 * math.pi * HZ * n / RATE))) for n in range(round(BEEP_S * RATE))
)


def is_ulaw(packet: bytes) -> bool:
    """Whether this is an RTP packet with µ-law in it."""
    return len(packet) > 12 and packet[0] >> 6 == 2 and packet[1] & 0x7F == PCMU


def packets(sequence: int, timestamp: int, source: int) -> Iterator[bytes]:
    """One beep. ``timestamp``: samples since the stream began; ``source``: RTP's SSRC."""
    for at in range(0, len(BEEP), PACKET):
        marker = 0x80 if at == 0 else 0  # a spurt begins
        yield b"".join(
            (
                bytes((0x80, marker | PCMU)),
                ((sequence + at // PACKET) & 0xFFFF).to_bytes(2, "big"),
                ((timestamp + at) & 0xFFFFFFFF).to_bytes(4, "big"),
                source.to_bytes(4, "big"),
                BEEP[at : at + PACKET],
            )
        )
