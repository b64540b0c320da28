"""The beep as bytes: against the tests' own µ-law, which was not made with it."""

import numpy as np

from listening import beep
from tests.lab.audio import RATE, Sound, decode_ulaw


def test_ulaw_is_that_of_the_standard() -> None:
    codes = [code for code in range(256) if code != 0x7F]  # it is a second zero
    values = decode_ulaw(bytes(codes))
    assert [beep.ulaw(int(value)) for value in values] == codes
    told = decode_ulaw(bytes(beep.ulaw(sample) for sample in range(-32_768, 32_768)))
    assert (np.diff(told) >= 0).all(), "louder is never quieter"


def test_one_note_without_a_click() -> None:
    sound = Sound(decode_ulaw(beep.BEEP))
    assert len(sound.samples) == beep.BEEP_S * RATE
    levels = sound.spectrum(beep.HZ, 440, 880, 2_100)
    assert levels.pop(beep.HZ) - max(levels.values()) > 40
    assert abs(int(sound.samples[-1])) < beep.AMPLITUDE


def test_packets_follow_each_other_and_come_round() -> None:
    sent = [*beep.packets(0xFFFE, 0xFFFFFFFF, 7)]
    assert b"".join(packet[12:] for packet in sent) == beep.BEEP
    assert all(beep.is_ulaw(packet) for packet in sent)
    assert [int.from_bytes(packet[2:4], "big") for packet in sent][:4] == [0xFFFE, 0xFFFF, 0, 1]
    assert int.from_bytes(sent[1][4:8], "big") == beep.PACKET - 1
    assert [packet[1] >> 7 for packet in sent] == [1, *[0] * (len(sent) - 1)]


def test_what_else_may_come_to_the_port() -> None:
    assert not beep.is_ulaw(b"")
    assert not beep.is_ulaw(b"GET / HTTP/1.1\r\n")
    assert not beep.is_ulaw(bytes((0x80, 8)) + bytes(160))  # A-law
    assert not beep.is_ulaw(bytes((0x80, 0)) + bytes(10))  # nothing in it
