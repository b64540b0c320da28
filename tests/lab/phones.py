"""Real SIP phones: they register, call, answer, hold, and hear.

    with Phone(asterisk.sip_address(), "101", hz=440) as agent, Phone(asterisk.sip_address(), "201", hz=880) as who:
        call = who.call("101")
        call.wait_up()
        assert call.heard(0.5).power(440) > -20

Every method is synchronous and waits for what it says; from an async test use `await asyncio.to_thread(call.wait_up)`.
The phones themselves live in a loop of their own, in the background.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tests.lab import sip
from tests.lab.audio import Sound
from tests.lab.background import background
from tests.lab.configuration import password as usual_password
from tests.lab.rtp import RtpStream
from tests.lab.sip import Headers, Message
from tests.lab.sip_socket import Address, NoAnswer, SipSocket

WAIT = 10.0
REGISTRATION_SECONDS = 3600
# What we look at when asked whether a note is being heard now: long enough to tell notes apart.
WINDOW = 0.3
METHODS = "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, INFO, UPDATE"


class PhoneError(Exception):
    """The phone could not do what was asked, or what was waited for did not come."""


class State(enum.Enum):
    """Where a call is."""

    CALLING = "calling"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"


class Call:
    """One call of one phone."""

    def __init__(self, phone: Phone, call_id: str, *, incoming: bool) -> None:
        """Made by the phone; not to be made by tests."""
        self.phone = phone
        self.incoming = incoming
        self.state = State.RINGING if incoming else State.CALLING
        # The final SIP status of the INVITE: 200 answered, 486 busy, 487 cancelled …
        self.status: int | None = None
        self.remote_name = ""
        self.remote_number = ""
        self.audio = RtpStream(phone.hz, background().changed)
        self.on_hold = False
        self._id = call_id
        self._tag = sip.new_token()
        self._sequence = random.randint(1, 9999)
        self._session_version = 1
        self._port = 0
        self._invite: Message | None = None
        self._local = self._remote = self._target = ""
        self._given_up = False

    def __repr__(self) -> str:
        return f"<Call of {self.phone.extension}, {self.state.value}, status {self.status}>"

    # What tests ask for.

    def wait_ringing(self, timeout: float = WAIT) -> Self:
        """Wait until the far end rings (or is up already). Raises PhoneError."""
        return self._wait(lambda: self.state is not State.CALLING, "ring", timeout, unless_ended=True)

    def wait_up(self, timeout: float = WAIT) -> Self:
        """Wait until the call is answered. Raises PhoneError when it ends instead, or in time does neither."""
        return self._wait(lambda: self.state in (State.UP, State.ENDED), "come up", timeout, unless_ended=True)

    def wait_ended(self, timeout: float = WAIT) -> Self:
        """Wait until the call is over. Raises PhoneError."""
        return self._wait(lambda: self.state is State.ENDED, "end", timeout)

    def answer(self) -> Self:
        """Pick up an incoming call."""
        background().run(self._answer())
        return self

    def reject(self, status: int = 486) -> None:
        """Refuse an incoming call that rings."""
        background().run(self._refuse(status))

    def hangup(self) -> None:
        """End the call, whatever its state: cancel, refuse or hang up. Does nothing when it is over."""
        background().run(self._hangup())

    def hold(self) -> None:
        """Put the other side on hold: it hears music, we neither speak nor hear.

        Not in the very moment of the answer: Asterisk loses a hold that comes before the two are bridged. Wait
        until the other side is heard, as people do.
        """
        background().run(self._reinvite("sendonly"))

    def unhold(self) -> None:
        """Take the other side back."""
        background().run(self._reinvite("sendrecv"))

    def refer(self, number: str) -> None:
        """Transfer the other side blindly, as the phone's transfer key does."""
        background().run(self._refer(number))

    def refer_to(self, other: Call) -> None:
        """Transfer the other side to whom we have on our second line, as the phone's attended transfer does."""
        replaced = f"{other._id};to-tag={sip.tag_of(other._remote)};from-tag={other._tag}"
        background().run(self._refer(sip.user_of(other._remote), f"?Replaces={quote(replaced, safe='')}"))

    def say(self, hz: float) -> None:
        """Say another note; 0 is silence."""
        background().loop.call_soon_threadsafe(self.audio.say, hz)

    def press(self, digits: str) -> None:
        """Press keys; returns at once."""
        background().loop.call_soon_threadsafe(self.audio.press, digits)

    def wait_keys(self, digits: str, timeout: float = WAIT) -> Self:
        """Wait until these keys have come, as the last ones. Raises PhoneError."""
        return self._wait(lambda: self.audio.digits.endswith(digits), f"the keys {digits}", timeout)

    def heard(self, seconds: float) -> Sound:
        """Listen for so many seconds from now and return what was heard."""
        began = time.monotonic()
        time.sleep(seconds)
        return self.audio.heard(began)

    def wait_tone(self, hz: float, timeout: float = WAIT) -> Sound:
        """Wait until the note `hz` is heard. Raises PhoneError, saying what is heard instead."""
        self._wait(lambda: self._recent().notes([hz]), f"bring {hz:.0f} Hz", timeout)
        return self._recent()

    def wait_silent(self, seconds: float = 0.3, timeout: float = WAIT) -> Self:
        """Wait until nothing has been heard for so many seconds. Raises PhoneError."""
        deadline = time.monotonic() + timeout
        while (remaining := seconds - self.silent_for()) > 0:
            # Silence raises no event: the earliest moment at which it can be long enough is known, though.
            if time.monotonic() + remaining > deadline:
                raise PhoneError(f"{self!r} is not silent within {timeout:.1f} s")
            time.sleep(remaining)
        return self

    def silent_for(self) -> float:
        """Seconds since the last audible packet arrived."""
        return time.monotonic() - self.audio.last_audible

    # From here on everything runs in the background loop.

    def _recent(self) -> Sound:
        return self.audio.heard(time.monotonic() - WINDOW)

    def _wait(self, condition: Callable[[], object], what: str, timeout: float, *, unless_ended: bool = False) -> Self:
        came = background().wait_for(condition, timeout)
        if not came or (unless_ended and self.state is State.ENDED):
            raise PhoneError(f"{self!r} did not {what} within {timeout:.1f} s")
        return self

    def _become(self, state: State) -> None:
        self.state = state
        if state is State.UP:
            self.audio.start()
        elif state is State.ENDED:
            self.audio.close()
            self.phone.forget(self)
        background().changed()

    async def open(self) -> None:
        """Open the audio socket."""
        self._port = await self.audio.open(self.phone.host)

    async def dial(self, number: str, name: str) -> None:
        """Dial `number`; returns when the call is answered or refused."""
        domain = "{}:{}".format(*self.phone.line.peer)
        uri = f"sip:{number}@{domain}"
        self._local = sip.address(f"sip:{self.phone.number}@{domain}", name, self._tag)
        self._remote, self._target = f"<{uri}>", uri
        try:
            answer = await self._send_invite("sendrecv", self._progress)
        except NoAnswer:
            self._become(State.ENDED)
            return
        self.status = answer.status
        if answer.status != 200:
            self._become(State.ENDED)
        else:
            self._become(State.UP)
            if self._given_up:
                # The cancellation crossed the answer.
                await self._hangup()

    def _progress(self, answer: Message) -> None:
        if answer.status in (180, 183) and self.state is State.CALLING:
            self._become(State.RINGING)

    async def _send_invite(self, direction: str, progress: Callable[[Message], None] | None = None) -> Message:
        """Invite or re-invite, with authentication, and acknowledge an acceptance."""
        answer = await self._request("INVITE", body=self._session(direction), progress=progress)
        if answer.status == 200:
            self._remote = answer.get("to")
            self._target = sip.uri_of(answer.get("contact")) or self._target
            self.audio.remote = sip.session_address(answer.body) or self.audio.remote
            self.phone.line.send(self._message("ACK"))
        return answer

    async def _request(
        self,
        method: str,
        extra: Headers | None = None,
        body: str = "",
        progress: Callable[[Message], None] | None = None,
    ) -> Message:
        self._sequence += 1
        request = self._message(method, extra, body)
        if method == "INVITE":
            self._invite = request
        answer = await self.phone.line.exchange(request, progress)
        if answer.status not in (401, 407):
            return answer
        uri = request.start.split()[1]
        proof = sip.authorization(answer, method, uri, self.phone.extension, self.phone.password)
        self._sequence += 1
        request = self._message(method, [*(extra or []), proof], body)
        if method == "INVITE":
            self._invite = request
        return await self.phone.line.exchange(request, progress)

    def _message(self, method: str, extra: Headers | None = None, body: str = "") -> Message:
        headers = self.phone.headers(self._local, self._remote, self._id, f"{self._sequence} {method}")
        return Message.request(method, self._target, headers + (extra or []), body)

    def _session(self, direction: str) -> str:
        self._session_version += 1
        return sip.session(self.phone.host, self._port, self._session_version, direction)

    async def ring(self, invite: Message) -> None:
        """Take an incoming call: ring, and answer or refuse as the phone is set."""
        self._invite = invite
        self._local = invite.get("to") + f";tag={self._tag}"
        self._remote = invite.get("from")
        self._target = sip.uri_of(invite.get("contact"))
        self.remote_name, self.remote_number = sip.name_of(self._remote), sip.user_of(self._remote)
        await self.open()
        self.audio.remote = sip.session_address(invite.body)
        if self.phone.reject:
            await self._refuse(self.phone.reject)
            return
        self._respond(invite, 180)
        background().changed()
        if self.phone.answer is not None:
            self.phone.start(self._answer(self.phone.answer))

    async def _answer(self, after: float = 0.0) -> None:
        await asyncio.sleep(after)
        if self.state is State.RINGING and self.incoming and self._invite:
            self.status = 200
            self._respond(self._invite, 200, self._session("sendrecv"))
            self._become(State.UP)

    async def _refuse(self, status: int) -> None:
        if self.state is State.RINGING and self.incoming and self._invite:
            self.status = status
            self._respond(self._invite, status)
            self._become(State.ENDED)

    def _respond(self, request: Message, status: int, body: str = "") -> None:
        self.phone.respond(request, status, self._tag, body)

    async def _hangup(self) -> None:
        if self.state is State.ENDED:
            return
        if self.state is State.UP:
            self._become(State.ENDED)
            await self._request("BYE")
        elif self.incoming:
            await self._refuse(486)
        elif self._invite:
            self._given_up = True
            await self._cancel(self._invite)

    async def _cancel(self, invite: Message) -> None:
        """Give up a call that is not answered; it ends when the INVITE is answered with 487."""
        kept = [(name, value) for name, value in invite.headers if name in ("Via", "From", "To", "Call-ID")]
        uri = invite.start.split()[1]
        headers = [*kept, ("Max-Forwards", "70"), ("CSeq", f"{invite.sequence} CANCEL")]
        await self.phone.line.exchange(Message.request("CANCEL", uri, headers))

    async def _reinvite(self, direction: str) -> None:
        await self.phone.line.settled(self._id)
        for _ in range(5):
            answer = await self._send_invite(direction)
            if answer.status != 491:
                break
            # Both sides re-invited at once; RFC 3261 has us wait a random while.
            await asyncio.sleep(random.uniform(0.05, 0.3))
        if answer.status != 200:
            raise PhoneError(f"{self!r}: the re-INVITE was answered {answer.status}")
        self.on_hold = direction == "sendonly"
        self.audio.sending = not self.on_hold

    async def _refer(self, number: str, headers: str = "") -> None:
        to = f"<sip:{number}@{self.phone.line.peer[0]}:{self.phone.line.peer[1]}{headers}>"
        answer = await self._request("REFER", [("Refer-To", to), ("Referred-By", self.phone.contact)])
        if answer.status != 202:
            raise PhoneError(f"{self!r}: REFER was answered {answer.status}")

    def requested(self, request: Message) -> None:
        """A request of the PBX within this call."""
        if request.method == "INVITE":
            self._reinvited(request)
        elif request.method == "BYE":
            self._respond(request, 200)
            self._become(State.ENDED)
        elif request.method == "CANCEL":
            self._respond(request, 200)
            if self.state is State.RINGING and self._invite:
                self.status = 487
                self._respond(self._invite, 487)
                self._become(State.ENDED)
        elif request.method == "UPDATE" and request.body:
            self._reinvited(request)
        else:
            self._respond(request, 200)
            if request.method == "NOTIFY" and request.body.startswith("SIP/2.0 200"):
                # The transfer that we asked for is done; the PBX leaves it to the phone to say goodbye.
                self.phone.start(self._hangup())

    def _reinvited(self, request: Message) -> None:
        if self.state is not State.UP:
            self._respond(request, 491)
            return
        self.audio.remote = sip.session_address(request.body) or self.audio.remote
        theirs = sip.session_direction(request.body)
        mirrored = {"sendonly": "recvonly", "inactive": "inactive"}
        ours = mirrored.get(theirs, "sendonly" if self.on_hold else "sendrecv")
        self._respond(request, 200, self._session(ours))


class Phone:
    """One SIP phone, registered as long as it is open."""

    def __init__(
        self,
        pbx: Address,
        extension: str,
        *,
        hz: float = 440.0,
        answer: float | None = 0.2,
        reject: int | None = None,
        name: str = "",
        number: str = "",
        password: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        register: bool = True,
    ) -> None:
        """Open the phone and register it.

        `hz` is the note that it says. `answer` is after how many seconds it picks up, None for never (then
        `Call.answer` does it); `reject` is the SIP status with which it refuses every call instead. `name` is
        the caller's name that it gives when calling, any text but line ends; `number` the number it gives
        (`extension` if empty). A phone at the trunk's far end has `host="127.0.0.9", register=False`, and
        `port=asterisk.ports.trunk` if it is to be called.
        Raises PhoneError when the PBX refuses the registration, NoAnswer when it says nothing.
        """
        self.extension = extension
        self.hz = hz
        self.answer = answer
        self.reject = reject
        self.name = name
        self.number = number or extension
        self.password = password or usual_password(extension)
        self.host = host
        self.calls: list[Call] = []
        self.line = SipSocket(pbx, self._requested)
        self._by_id: dict[str, Call] = {}
        self._untaken: list[Call] = []
        self._registered = False
        self._tasks: set[asyncio.Task[None]] = set()
        background().run(self._open(port, register=register))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def contact(self) -> str:
        """Where this phone is reached."""
        host, port = self.line.address
        return f"<sip:{self.extension}@{host}:{port}>"

    def call(self, number: str, *, name: str | None = None) -> Call:
        """Dial; returns at once, `Call.wait_up` waits. `name` overrides the phone's own for this call."""
        return background().run(self._call(number, self.name if name is None else name))

    def wait_incoming(self, timeout: float = WAIT) -> Call:
        """The next incoming call that is alive and was not returned before. Raises PhoneError."""
        found: list[Call] = []

        def take() -> bool:
            found[:] = [call for call in self._untaken if call.state is not State.ENDED]
            return bool(found)

        if not background().wait_for(take, timeout):
            raise PhoneError(f"phone {self.extension} was not called within {timeout:.1f} s")
        self._untaken.remove(found[0])
        return found[0]

    def register(self) -> None:
        """Register (again), as after a loss of the PBX's memory. Raises PhoneError or NoAnswer."""
        background().run(self._register(REGISTRATION_SECONDS))

    def hangup(self) -> None:
        """End all its calls."""
        for call in list(self.calls):
            call.hangup()

    def close(self) -> None:
        """End all its calls, unregister, close. Never raises: the PBX may be gone already."""
        background().run(self._close())

    # From here on everything runs in the background loop.

    async def _open(self, port: int, *, register: bool) -> None:
        await self.line.open(self.host, port)
        if register:
            try:
                await self._register(REGISTRATION_SECONDS)
            except BaseException:
                self.line.close()
                raise

    async def _register(self, seconds: int) -> None:
        domain = "sip:{}:{}".format(*self.line.peer)
        own = "sip:{}@{}:{}".format(self.extension, *self.line.peer)
        call_id, extra = sip.new_token(), [("Expires", str(seconds))]
        for sequence in (1, 2):
            local = sip.address(own, tag=sip.new_token())
            headers = self.headers(local, f"<{own}>", call_id, f"{sequence} REGISTER")
            answer = await self.line.exchange(Message.request("REGISTER", domain, headers + extra), timeout=5)
            if answer.status != 401:
                break
            extra.append(sip.authorization(answer, "REGISTER", domain, self.extension, self.password))
        if answer.status != 200:
            raise PhoneError(f"phone {self.extension} may not register: {answer.start}")
        self._registered = seconds > 0

    async def _call(self, number: str, name: str) -> Call:
        call = self._new_call(sip.new_token(), incoming=False)
        await call.open()
        self.start(call.dial(number, name))
        return call

    def _new_call(self, call_id: str, *, incoming: bool) -> Call:
        call = self._by_id[call_id] = Call(self, call_id, incoming=incoming)
        self.calls.append(call)
        return call

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Let a coroutine run by itself in the background loop until the phone closes."""
        # The loop itself keeps only weak references to tasks.
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def headers(self, local: str, remote: str, call_id: str, sequence: str) -> Headers:
        """The headers of every request; `local` and `remote` are the From and the To."""
        host, port = self.line.address
        return [
            ("Via", f"SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{sip.new_token()}"),
            ("Max-Forwards", "70"),
            ("From", local),
            ("To", remote),
            ("Call-ID", call_id),
            ("CSeq", sequence),
            ("Contact", self.contact),
            ("Allow", METHODS),
            ("User-Agent", "phoenix-lab-phone"),
        ]

    def respond(self, request: Message, status: int, tag: str = "", body: str = "") -> None:
        """Answer a request of the PBX."""
        self.line.respond(request, status, [("Contact", self.contact), ("Allow", METHODS)], tag=tag, body=body)

    def forget(self, call: Call) -> None:
        """A call is over."""
        if call in self.calls:
            self.calls.remove(call)

    def _requested(self, request: Message) -> None:
        call = self._by_id.get(request.get("call-id"))
        if call:
            call.requested(request)
        elif request.method == "INVITE":
            self.line.respond(request, 100, [])
            call = self._new_call(request.get("call-id"), incoming=True)
            self._untaken.append(call)
            self.start(call.ring(request))
        elif request.method in ("OPTIONS", "NOTIFY", "INFO", "MESSAGE"):
            self.respond(request, 200, sip.new_token())
        else:
            self.respond(request, 481 if request.method in ("BYE", "CANCEL") else 405, sip.new_token())

    async def _close(self) -> None:
        for call in list(self.calls):
            await _quietly(call._hangup())
        if self._registered:
            await _quietly(self._register(0))
        for call in list(self.calls):
            call.audio.close()
        for task in list(self._tasks):
            task.cancel()
        self.line.close()


async def _quietly(farewell: Coroutine[Any, Any, None]) -> None:
    """Say goodbye, and do not mind if nobody is there any more."""
    with contextlib.suppress(NoAnswer, PhoneError, TimeoutError):
        await asyncio.wait_for(farewell, timeout=1.0)
