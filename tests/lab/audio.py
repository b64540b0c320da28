"""Sound as numbers: tones, G.711 µ-law, and how loud a note is in what was heard. 8,000 samples a second."""

from __future__ import annotations

import time
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

RATE = 8000
FULL_SCALE = 32768.0

# What a level is when there is nothing at all, so that a comparison never meets minus infinity.
NOTHING_DBFS = -120.0
# Quieter than this is silence: the lab's tones arrive between -15 and -8, µ-law's own noise far below.
AUDIBLE_DBFS = -45.0

TONE_AMPLITUDE = 9000

Samples: TypeAlias = npt.NDArray[np.int16]


def tone(hz: float, seconds: float = 1.0) -> Samples:
    """A sine of `hz`. One second of a whole-numbered frequency can be repeated without a click; 0 is silence."""
    time = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(np.round(TONE_AMPLITUDE * np.sin(2 * np.pi * hz * time)), np.int16)


def _ulaw_table() -> Samples:
    """The sample that each µ-law byte stands for (ITU-T G.711)."""
    inverted = ~np.arange(256) & 0xFF
    magnitude = ((((inverted & 0x0F) << 3) + 132) << ((inverted >> 4) & 7)) - 132
    return np.asarray(np.where(inverted & 0x80, -magnitude, magnitude), np.int16)


_FROM_ULAW = _ulaw_table()


def decode_ulaw(data: bytes) -> Samples:
    """µ-law bytes to samples."""
    return _FROM_ULAW[np.frombuffer(data, np.uint8)]


def encode_ulaw(samples: Samples) -> bytes:
    """Samples to the nearest µ-law bytes."""
    # Sorted by value, neighbours' midpoints are the borders between one byte and the next.
    order = np.argsort(_FROM_ULAW, kind="stable")
    values = _FROM_ULAW[order].astype(np.float64)
    borders = (values[1:] + values[:-1]) / 2
    return order[np.searchsorted(borders, samples)].astype(np.uint8).tobytes()


def take_wav(path: Path, timeout: float = 5.0) -> Sound:
    """What is in a mono WAV file of 16 bits, which is deleted. Asterisk writes its head and its end when it closes it,
    and tells nobody: it is looked for until then."""
    deadline = time.monotonic() + timeout
    while not (data := _frames(path)):
        assert time.monotonic() < deadline, f"{path} has not become a recording"
        time.sleep(0.02)
    path.unlink()
    return Sound(np.frombuffer(data, "<i2").astype(np.int16))


def _frames(path: Path) -> bytes:
    try:
        with wave.open(str(path), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
            return file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return b""


def write_wav(path: Path, samples: Samples) -> None:
    """Write a mono WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())


@dataclass(frozen=True)
class Sound:
    """A stretch of what was heard."""

    samples: Samples

    @property
    def seconds(self) -> float:
        """How long it is, counted in samples that arrived."""
        return len(self.samples) / RATE

    def level(self) -> float:
        """Loudness of everything in it (root mean square), in dB below a full-scale sine."""
        if not len(self.samples):
            return NOTHING_DBFS
        mean_square = float(np.mean(np.square(self.samples / FULL_SCALE)))
        return _db(np.sqrt(2 * mean_square))

    def power(self, hz: float) -> float:
        """How loud the note `hz` is in it, in dB below a full-scale sine."""
        return self.spectrum(hz)[hz]

    def spectrum(self, *hz: float) -> dict[float, float]:
        """How loud each of these notes is, in dB below a full-scale sine; -120 for what is not there.

        Listen for half a second at least: in t seconds, notes less than about 8/t Hz apart run into each other.
        """
        if len(self.samples) < RATE // 20:
            return dict.fromkeys(hz, NOTHING_DBFS)
        # Hann: its side lobes fall fast enough that a loud note does not fill in for its neighbours.
        window = np.hanning(len(self.samples))
        amplitude = np.abs(np.fft.rfft(self.samples * window)) / (window.sum() / 2) / FULL_SCALE
        return {note: _db(self._peak(amplitude, note)) for note in hz}

    def _peak(self, amplitude: npt.NDArray[np.float64], hz: float) -> float:
        middle = round(hz * len(self.samples) / RATE)
        return float(amplitude[max(0, middle - 2) : middle + 3].max())

    def notes(self, among: Iterable[float]) -> set[float]:
        """Those of the notes that can be heard in it."""
        return {note for note, level in self.spectrum(*among).items() if level > AUDIBLE_DBFS}

    def is_silent(self) -> bool:
        """Whether nothing can be heard, which includes that nothing arrived."""
        return self.level() < AUDIBLE_DBFS


def _db(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-6)))
