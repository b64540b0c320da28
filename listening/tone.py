"""A tone for all on a call while somebody listens: beeps that a leg of ours speaks into it.

The leg (``ami.actions.tone``) leads to a UDP port here; what is sent back there is heard on both sides. It is there
before anybody listens, and as long as anybody does. Where it can't be, nobody does: a listening that should be told by
a tone is refused before it begins, and ended where it has lost its tone.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from typing import Any, Final

import ami
from ami.client import Link
from floor.ringing import BEYOND_RING_S, named
from listening.beep import PACKET, RATE, is_ulaw, packets
from live import channels
from live.pbx import Pbx

log = logging.getLogger(__name__)

EVERY_S: Final = 15.0
"""Between two beeps, see ``beep.HZ``; the first comes when the listening begins."""

READY_S: Final = 2.0
"""How long such a leg may take: up, on the call, and heard here. 0.15 s measured on 16 and 22; the click that waits
for it lives 4 s."""

NO_TONE: Final = "no_tone"
"""The result's code."""

Why = tuple[str, str]
"""Code and detail, as a result has them."""


class _Ear(asyncio.DatagramProtocol):
    """The UDP port that one leg leads to. What comes there tells where to send, and is thrown away."""

    def __init__(self, pbx_host: str) -> None:
        self._pbx_host = pbx_host
        self.heard = asyncio.Event()
        self.peer: tuple[Any, ...] | None = None

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        # The PBX alone, and the first of its ports: whoever else writes here must not draw the tone to himself.
        if self.peer is None and addr[0] == self._pbx_host and is_ulaw(data):
            self.peer = addr
            self.heard.set()

    def error_received(self, exc: Exception) -> None:
        pass  # the leg is gone: Asterisk tells that


class _Leg:
    """The leg that speaks into one call, and its beeps."""

    def __init__(self, uniqueid: str) -> None:
        self.uniqueid = uniqueid
        """Of the leg that is listened to."""
        self.channel_id = named(channels.TONE)
        self.ear: _Ear | None = None
        self.transport: asyncio.DatagramTransport | None = None
        self.until = 0.0
        """Monotonic seconds: so long it is there without anybody listening, since a phone may be ringing for it."""
        self.ready: asyncio.Task[Why | None] | None = None
        self.stands = False
        self.listeners: frozenset[str] = frozenset()
        self.came = asyncio.Event()
        """Somebody listens who has not been told of yet."""
        self.moved = asyncio.Event()
        """The model moved."""
        self.speaking: asyncio.Task[None] | None = None

    async def speak(self) -> None:
        """A beep for whoever comes, and one from time to time while anybody is there."""
        sequence, began, source = secrets.randbits(15), time.monotonic(), secrets.randbits(32)
        while True:
            try:
                async with asyncio.timeout(EVERY_S):  # wait_for would miss a cancellation that comes with the event
                    await self.came.wait()
            except TimeoutError:
                if not self.listeners:
                    continue
            self.came.clear()
            at = time.monotonic()
            for number, packet in enumerate(packets(sequence, round((at - began) * RATE), source)):
                await asyncio.sleep(at + number * PACKET / RATE - time.monotonic())
                if self.transport is not None and self.ear is not None:
                    self.transport.sendto(packet, self.ear.peer)
                sequence += 1

    def over(self) -> None:
        self.stands = False
        self.moved.set()
        for task in (self.speaking, self.ready):
            if task is not None:
                task.cancel()
        if self.transport is not None:
            self.transport.close()


class Toner:
    """``floor.registry.Tones`` of one PBX."""

    def __init__(self, pbx: Pbx, link: Link, host: str = "") -> None:
        """``host``: IP address that the PBX reaches this machine at; "" for the one that the AMI connection has."""
        self._pbx, self._link, self._host = pbx, link, host
        self._legs: dict[str, _Leg] = {}
        self._restoring: dict[str, asyncio.Task[None]] = {}

    def stands(self, uniqueid: str) -> bool:
        leg = self._legs.get(uniqueid)
        return leg is not None and leg.stands

    async def begin(self, uniqueid: str) -> Why | None:
        leg = self._legs.get(uniqueid)
        if leg is None:
            leg = self._legs[uniqueid] = _Leg(uniqueid)
        leg.until = time.monotonic() + self._pbx.manners.ring_s + 2 * BEYOND_RING_S
        if leg.stands:
            return None
        ready = leg.ready = leg.ready or asyncio.create_task(self._raise(leg))
        # Two who click wait for one leg, and who waits no more must not end it.
        await asyncio.wait([ready])
        return (NO_TONE, "") if ready.cancelled() else ready.result()

    def look(self) -> None:
        wanted: dict[str, set[str]] = {}
        for spy in self._pbx.spies.spies.values():
            if spy.toned:
                wanted.setdefault(spy.spyee, set()).add(spy.spyer)
        for leg in [*self._legs.values()]:
            leg.moved.set()
            if leg.stands:
                self._follow(leg, frozenset(wanted.get(leg.uniqueid, ())))
        for uniqueid in wanted.keys() - self._legs.keys() - self._restoring.keys():
            self._restoring[uniqueid] = asyncio.create_task(self._restore(uniqueid))

    def close(self) -> None:
        """With this process its beeps end: so does what they tell of."""
        for spy in self._pbx.spies.spies.values():
            if spy.toned:
                self._hang_up(spy.spyer)
        for task in self._restoring.values():
            task.cancel()
        for leg in [*self._legs.values()]:
            self._end(leg)

    # --- one leg's life

    async def _raise(self, leg: _Leg) -> Why | None:
        try:
            why = await self._tried(leg)
        except (OSError, ami.AmiError) as error:
            why = NO_TONE, str(error)
        if why is None:
            leg.stands = True
            leg.speaking = asyncio.create_task(leg.speak())
            self.look()  # somebody may be listening already
        else:
            log.warning("%s: no tone can be given: %s", self._pbx.name, why[1])
            leg.ready = None  # it ends here, by itself
            self._end(leg)
        return why

    async def _tried(self, leg: _Leg) -> Why | None:
        session = self._link.event_session
        if session is None:
            return "link_down", ""
        ours, theirs = session.ends
        host = self._host or ours
        ear = leg.ear = _Ear(theirs)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        everywhere = "::" if family is socket.AF_INET6 else "0.0.0.0"  # `host` may be a translated one, not ours
        loop = asyncio.get_running_loop()
        leg.transport, _ = await loop.create_datagram_endpoint(lambda: ear, (everywhere, 0), family=family)
        port = leg.transport.get_extra_info("sockname")[1]
        self._pbx.own.expect(leg.channel_id, 0, "", time.time())
        answer = await self._link.post(ami.actions.tone(host, port, leg.uniqueid, channel_id=leg.channel_id))
        if answer.response == "Error":
            return NO_TONE, answer.text("Message").strip()
        try:
            async with asyncio.timeout(READY_S):
                if (why := await self._on_call(leg)) is not None:
                    return why
                await ear.heard.wait()
        except TimeoutError:
            return NO_TONE, f"no sound comes from {theirs} to {host}:{port} (UDP)"
        return None

    async def _on_call(self, leg: _Leg) -> Why | None:
        """Wait until the model shows it there, or shows why it never will be."""
        while True:
            own = self._pbx.own.get(leg.channel_id)
            if own is None or (own.failed and own.born):
                return "gone", ""  # it was up, and nobody to speak to
            if own.failed:
                return NO_TONE, "UnicastRTP cannot be had: is the module chan_rtp loaded?"
            if own.done:
                return None
            leg.moved.clear()
            await leg.moved.wait()

    def _follow(self, leg: _Leg, listeners: frozenset[str]) -> None:
        if listeners - leg.listeners:
            leg.came.set()
        leg.listeners = listeners
        if leg.channel_id not in self._pbx.channels or not (listeners or time.monotonic() < leg.until):
            self._end(leg)

    def _end(self, leg: _Leg) -> None:
        if self._legs.get(leg.uniqueid) is leg:
            del self._legs[leg.uniqueid]
        leg.over()
        self._hang_up(leg.channel_id)

    async def _restore(self, uniqueid: str) -> None:
        """Somebody listens, and the tone is not there: another panel's, or this one's before it was restarted, or it
        was hung up."""
        try:
            if await self.begin(uniqueid) is not None:
                for spy in [*self._pbx.spies.spies.values()]:
                    if spy.toned and spy.spyee == uniqueid:
                        self._hang_up(spy.spyer)
        finally:
            del self._restoring[uniqueid]

    def _hang_up(self, uniqueid: str) -> None:
        if uniqueid not in self._pbx.channels:
            return
        try:
            self._link.post(ami.actions.hangup(uniqueid)).add_done_callback(_looked_at)
        except ami.AmiError as error:
            log.warning("%s: a leg stays: %s", self._pbx.name, error)


def _looked_at(done: asyncio.Future[ami.Message]) -> None:
    if not done.cancelled():
        done.exception()
