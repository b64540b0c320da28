"""SIP over UDP: one phone's socket, with transactions (retransmission, matching of answers)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

from tests.lab.sip import Headers, Message

Address: TypeAlias = tuple[str, int]

# RFC 3261's T1 and its 64 × T1: the first repetition, and when to give up.
FIRST_REPETITION = 0.5
LONGEST_REPETITION = 4.0
GIVE_UP = 32.0
# How long an INVITE may ring once the other side has said that it is working on it.
RINGING = 180.0


class NoAnswer(Exception):
    """The other side did not answer a request in time."""


class SipSocket(asyncio.DatagramProtocol):
    """Sends requests and answers, repeats what was lost, hands new requests to `on_request`."""

    def __init__(self, peer: Address, on_request: Callable[[Message], None]) -> None:
        """`peer` is the PBX. `on_request` is called once per request, in the loop's thread."""
        self.peer = peer
        self._on_request = on_request
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[tuple[str, str], asyncio.Queue[Message]] = {}
        # Answers already given, by transaction, for requests that come twice.
        self._given: dict[tuple[str, str], bytes] = {}
        self._unacknowledged: dict[tuple[str, int], asyncio.Task[None]] = {}
        self.address: Address = ("", 0)

    async def open(self, host: str, port: int = 0) -> None:
        """Bind to this port of `host`, or to a free one."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self.address = self._transport.get_extra_info("sockname")

    def close(self) -> None:
        """Close the socket and stop repeating."""
        for task in self._unacknowledged.values():
            task.cancel()
        if self._transport:
            self._transport.close()

    def send(self, message: Message) -> bytes:
        """Send once, expecting nothing. Returns what was sent."""
        data = message.render()
        self._send(data)
        return data

    async def exchange(
        self, request: Message, on_provisional: Callable[[Message], None] | None = None, timeout: float = GIVE_UP
    ) -> Message:
        """Send a request, repeating it until it is answered, and return the final answer.

        `on_provisional` is called with each answer below 200. A refused INVITE is acknowledged here; an accepted
        one is the caller's to acknowledge. Raises NoAnswer after `timeout` seconds without any word.
        """
        key = (request.branch, request.method)
        answers = self._waiting[key] = asyncio.Queue()
        repeating = asyncio.ensure_future(self._repeat(request.render()))
        try:
            async with asyncio.timeout(timeout) as deadline:
                while True:
                    answer = await answers.get()
                    if answer.status >= 200:
                        break
                    repeating.cancel()
                    deadline.reschedule(asyncio.get_running_loop().time() + RINGING)
                    if on_provisional:
                        on_provisional(answer)
        except TimeoutError as error:
            raise NoAnswer(f"{request.method} was not answered in {timeout:.0f} s") from error
        finally:
            repeating.cancel()
            del self._waiting[key]
        if request.method == "INVITE" and answer.status >= 300:
            self.send(_acknowledge_refusal(request, answer))
        return answer

    def respond(self, request: Message, status: int, extra: Headers, *, tag: str = "", body: str = "") -> None:
        """Answer a request; an accepted INVITE is repeated until it is acknowledged."""
        data = self.send(Message.response(request, status, extra, tag=tag, body=body))
        self._given[request.branch, request.method] = data
        if request.method == "INVITE" and 200 <= status < 300:
            key = (request.get("call-id"), request.sequence)
            self._unacknowledged[key] = asyncio.ensure_future(self._repeat(data, at_once=False))

    async def settled(self, call_id: str) -> None:
        """Wait until an INVITE that we accepted in this call is acknowledged: none may be sent before."""
        waiting = [task for (call, _), task in self._unacknowledged.items() if call == call_id]
        if waiting:
            # Cancelled by the acknowledgement, or done when we gave up repeating.
            await asyncio.wait(waiting)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Sort what arrives: answers to who waits for them, requests onwards unless they are repetitions."""
        with contextlib.suppress(ValueError, IndexError):
            message = Message.parse(data)
            if message.status:
                self._answered(message)
            elif message.method == "ACK":
                self._acknowledged(message)
            else:
                self._requested(message)

    def _answered(self, answer: Message) -> None:
        waiting = self._waiting.get((answer.branch, answer.method))
        if waiting:
            waiting.put_nowait(answer)

    def _acknowledged(self, acknowledgement: Message) -> None:
        repeating = self._unacknowledged.pop((acknowledgement.get("call-id"), acknowledgement.sequence), None)
        if repeating:
            repeating.cancel()

    def _requested(self, request: Message) -> None:
        given = self._given.get((request.branch, request.method))
        if given:
            self._send(given)
        else:
            self._on_request(request)

    async def _repeat(self, data: bytes, *, at_once: bool = True) -> None:
        if at_once:
            self._send(data)
        interval = FIRST_REPETITION
        for _ in range(10):
            await asyncio.sleep(interval)
            self._send(data)
            interval = min(2 * interval, LONGEST_REPETITION)

    def _send(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(data, self.peer)


def _acknowledge_refusal(invite: Message, answer: Message) -> Message:
    """The ACK of a refused INVITE belongs to the same transaction: same branch, same target."""
    uri = invite.start.split()[1]
    headers = [("Via", invite.get("via")), ("Max-Forwards", "70"), ("From", invite.get("from"))]
    headers += [("To", answer.get("to")), ("Call-ID", invite.get("call-id"))]
    return Message.request("ACK", uri, [*headers, ("CSeq", f"{invite.sequence} ACK")])
