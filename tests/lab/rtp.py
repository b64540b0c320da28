"""A phone's audio: says a tone in 20 ms packets of µ-law, keeps what it hears with the time of arrival."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.lab.audio import AUDIBLE_DBFS, FULL_SCALE, RATE, Sound, decode_ulaw, encode_ulaw, tone

PACKET_SECONDS = 0.02
PACKET_SAMPLES = round(RATE * PACKET_SECONDS)
ULAW, TELEPHONE_EVENT = 0, 101
DIGITS = "0123456789*#ABCD"
# Ten minutes: more than any test listens, and an end for a phone that is left alone.
KEPT_PACKETS = 30_000
AUDIBLE_PEAK = FULL_SCALE * 10 ** (AUDIBLE_DBFS / 20)


class RtpStream(asyncio.DatagramProtocol):
    """One call's audio socket. All times are `time.monotonic()`."""

    def __init__(self, hz: float, on_heard: Callable[[], None]) -> None:
        """Says the note `hz` (0 = silence) once started; `on_heard` is called after each packet that arrives."""
        self.remote: tuple[str, int] | None = None
        self.sending = True
        self.last_audible = 0.0
        self.digits = ""
        self._on_heard = on_heard
        self._packets: deque[tuple[float, bytes]] = deque(maxlen=KEPT_PACKETS)
        self._pacing: asyncio.Task[None] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(30)
        self._source = random.getrandbits(32)
        self._digits_to_send: deque[str] = deque()
        self._last_event = -1
        self.say(hz)

    async def open(self, host: str) -> int:
        """Bind to a free port of `host` and return it."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def start(self) -> None:
        """Begin to speak."""
        if self._pacing is None:
            self._pacing = asyncio.ensure_future(self._pace())

    def close(self) -> None:
        """Fall silent; what was heard stays."""
        if self._pacing:
            self._pacing.cancel()
        if self._transport:
            self._transport.close()

    def say(self, hz: float) -> None:
        """Say another note from the next packet on."""
        self._second = encode_ulaw(tone(hz))
        self._position = 0

    def press(self, digits: str) -> None:
        """Send keys (RFC 4733), one after the other."""
        self._digits_to_send.extend(digits)

    def heard(self, since: float, until: float | None = None) -> Sound:
        """What arrived between two moments."""
        end = time.monotonic() if until is None else until
        data = b"".join(packet for at, packet in list(self._packets) if since <= at <= end)
        return Sound(decode_ulaw(data))

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Keep a packet of audio, note a key."""
        if len(data) <= 12:
            return
        kind, payload = data[1] & 0x7F, data[12:]
        if kind == ULAW:
            self._keep(payload)
        elif kind == TELEPHONE_EVENT:
            self._note_key(int.from_bytes(data[4:8], "big"), payload[0])
        self._on_heard()

    def _keep(self, payload: bytes) -> None:
        now = time.monotonic()
        self._packets.append((now, payload))
        if np.abs(decode_ulaw(payload)).max() > AUDIBLE_PEAK:
            self.last_audible = now

    def _note_key(self, timestamp: int, event: int) -> None:
        # One press is many packets with one timestamp.
        if timestamp != self._last_event and event < len(DIGITS):
            self._last_event = timestamp
            self.digits += DIGITS[event]

    async def _pace(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._digits_to_send:
                due += await self._send_key(DIGITS.index(self._digits_to_send.popleft()))
            if self.remote and self.sending:
                self._send(ULAW, self._second[self._position : self._position + PACKET_SAMPLES])
            self._position = (self._position + PACKET_SAMPLES) % RATE
            self._timestamp += PACKET_SAMPLES
            due += PACKET_SECONDS
            if due < loop.time() - 0.5:
                # We were held up for long; catching up would be a burst.
                due = loop.time()
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _send_key(self, event: int) -> float:
        """Send one key as eight packets, the last three marked as its end. Returns the seconds it took."""
        begun = self._timestamp
        for number in range(1, 9):
            end = 0x80 if number > 5 else 0
            payload = struct.pack("!BBH", event, end | 10, min(number, 6) * PACKET_SAMPLES)
            self._send(TELEPHONE_EVENT, payload, timestamp=begun, marker=number == 1)
            await asyncio.sleep(PACKET_SECONDS)
        self._timestamp += 8 * PACKET_SAMPLES
        return 8 * PACKET_SECONDS

    def _send(self, kind: int, payload: bytes, *, timestamp: int | None = None, marker: bool = False) -> None:
        if not self._transport or not self.remote or self._transport.is_closing():
            return
        at = (self._timestamp if timestamp is None else timestamp) & 0xFFFFFFFF
        head = struct.pack("!BBHII", 0x80, kind | marker << 7, self._sequence & 0xFFFF, at, self._source)
        self._transport.sendto(head + payload, self.remote)
        self._sequence += 1
