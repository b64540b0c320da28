"""The connection to an Asterisk: the only file that opens a socket.

``Session`` is one logged-in connection: actions out, answers matched by ActionID, events handed on as they are
parsed. ``Link`` keeps the two sessions of one PBX alive for ever: one for events and lists, one for actions,
since an action may block its session (on a leg whose channel is locked: measured).

All of a chunk is handled in ``data_received``, synchronously and in stream order. Asterisk closes a session
whose reader is slow (``writetimeout``, 100 ms by default), so a callback must be short: what has to be bounded
or slowed down comes after the model, never before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import random
import secrets
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from ami import actions
from ami.actions import Action
from ami.address import Address
from ami.errors import (
    LINK_CODES,
    ActionRefused,
    ActionTimedOut,
    AmiError,
    ConnectionLost,
    IncompleteMessage,
    LoginRefused,
    NoGreeting,
    NotConnected,
    ProtocolError,
    ShutDown,
    Silent,
    TooManyPending,
    Unreachable,
)
from ami.protocol import Message, Protocol

log = logging.getLogger(__name__)

_X509_HOSTNAME_MISMATCH, _X509_IP_MISMATCH = 62, 64  # OpenSSL's X509_V_ERR_…, which Python does not name

ACTION_TIMEOUT = 3.0  # seconds; a real answer takes under 1 ms, 0.2 s under overload (measured)
LIST_TIMEOUT = 10.0  # seconds; 5,000 channels are listed in well under 3
# A PBX that answers nothing must not make us remember without end: 3 s of 300 actions a second.
MAX_PENDING = 1_000
# Ten times the largest PBX tried (4,000 channels on two cores); more items are a peer gone mad.
MAX_LIST_ITEMS = 50_000
# Items are bounded together too, since one may be as long as a message: so many channels are half of this.
MAX_LIST_BYTES = 64 * 1024 * 1024
_LIST_SIGN = b"~"


@dataclass(frozen=True, slots=True)
class Timing:
    """All intervals, in seconds. The defaults are the product's; tests shorten them."""

    connect: float = 3.0  # TCP, and TLS when asked for
    greeting: float = 3.0  # a stopped Asterisk accepts the connection at once and never greets (measured)
    login: float = 5.0  # challenge and login together
    ping: float = 2.0
    dead_after: float = 6.0  # silence: three Pings unanswered
    booted: float = 10.0  # FullyBooted comes only to accounts that read class system: then go on without
    refused_retry: float = 30.0  # each refused login is a line in Asterisk's security log, and may ban us
    backoff_base: float = 0.2  # full jitter: 0 … min(backoff_cap, backoff_base * 2**n)
    backoff_cap: float = 5.0
    stable_after: float = 10.0  # a link that was live for so long begins its back-off anew
    close: float = 0.5  # to flush the Logoff; then the socket is dropped


@dataclass(slots=True, eq=False)
class _Pending:
    """An action whose answer has not come yet; ``items`` is a list's, so far."""

    action: Action
    sent: float
    answer: asyncio.Future[Message] | None = None
    listed: asyncio.Future[list[Message]] | None = None
    on_complete: Callable[[list[Message]], None] | None = None
    items: list[Message] = field(default_factory=list)
    size: int = 0
    """Bytes of ``items``."""
    timer: asyncio.TimerHandle | None = None

    def fail(self, error: BaseException) -> None:
        if self.timer is not None:
            self.timer.cancel()
        for future in (self.answer, self.listed):
            if future is not None and not future.done():
                future.set_exception(error)
                # Read once here: a caller that posted and went away is no reason for a warning in the log.
                future.exception()


class Session(asyncio.Protocol):
    """One logged-in connection. Made by ``Session.open``.

    ``last_byte``: the loop's time when the last bytes came. ``rtt``: seconds that the last Ping took, or None.
    ``banner``: Asterisk's greeting. ``fully_booted``: set by the event of that name.
    ``shutdown_announced``: the event ``Shutdown`` has come.
    """

    def __init__(
        self,
        on_event: Callable[[Message], None] | None = None,
        on_lost: Callable[[AmiError], None] | None = None,
        on_bytes: Callable[[], None] | None = None,
        timing: Timing = Timing(),
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_event, self._on_lost, self._on_bytes = on_event, on_lost, on_bytes
        self._timing = timing
        self._wire = Protocol()
        self._transport: asyncio.Transport | None = None
        self._greeted: asyncio.Future[str] = self._loop.create_future()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._error: AmiError | None = None
        self._live = False  # from connection_made until the first reason to end it
        self._pending: dict[str, _Pending] = {}
        self._count = 0
        # Random, so that no text of a stranger can name a pending action. Lists have ids of their own kind:
        # an item that comes after its list was given up is known as one and never handed on as an event. They begin
        # with ~ to be told at a glance: hardly any event has one, and to look for a whole id was a tenth of all work.
        prefix = secrets.token_hex(6)
        self._action_prefix, self._list_prefix = f"{prefix}-a", f"~{prefix}-l"
        self.last_byte = self._loop.time()
        self.rtt: float | None = None
        self.fully_booted = asyncio.Event()
        self.shutdown_announced = False

    @classmethod
    async def open(
        cls,
        address: Address,
        *,
        events: str = "off",
        on_event: Callable[[Message], None] | None = None,
        on_lost: Callable[[AmiError], None] | None = None,
        on_bytes: Callable[[], None] | None = None,
        timing: Timing = Timing(),
    ) -> Session:
        """Connect, wait for the greeting, log in by MD5 challenge with ``events`` as the mask.

        ``on_event(message)`` gets every event, ``on_lost(error)`` is called once when the session ends otherwise
        than by ``close``, ``on_bytes()`` when bytes came, before they are parsed. All are called synchronously.
        Raises ``Unreachable``, ``NoGreeting``, ``LoginRefused``, ``ConnectionLost``, ``ProtocolError``.
        """
        session = cls(on_event, on_lost, on_bytes, timing)
        try:
            await session._connect(address)
            await session._log_in(address, events)
        except BaseException as error:
            session._on_lost = None  # the caller gets the error itself
            session.drop(error if isinstance(error, AmiError) else ConnectionLost("given up"))
            raise
        return session

    async def _connect(self, address: Address) -> None:
        where = f"{address.host} port {address.port}"
        try:
            tls = address.tls_context()
        except ValueError as error:
            raise Unreachable(str(error)) from error
        try:
            async with asyncio.timeout(self._timing.connect):
                await self._loop.create_connection(lambda: self, address.host, address.port, ssl=tls)
        except TimeoutError as error:
            raise Unreachable(f"no connection to {where} within {self._timing.connect:g} s") from error
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(_distrust(where, error)) from error
        except ssl.SSLError as error:
            raise Unreachable(f"no TLS with {where}, is it the port of tlsbindaddr? {error}") from error
        except OSError as error:
            raise Unreachable(str(error)) from error
        try:
            async with asyncio.timeout(self._timing.greeting):
                banner = await self._greeted
        except TimeoutError as error:
            raise NoGreeting(f"connected, but no greeting within {self._timing.greeting:g} s") from error
        if not banner.startswith("Asterisk Call Manager/"):
            raise NoGreeting(f"not an Asterisk manager: it greets with {banner[:80]!r}")

    async def _log_in(self, address: Address, events: str) -> None:
        try:
            async with asyncio.timeout(self._timing.login):
                answer = await self.post(actions.challenge(), self._timing.login)
                if answer.response == "Success":
                    text = answer.get("Challenge") + address.secret
                    key = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
                    login = actions.login_md5(address.user, key, events)
                    answer = await self.post(login, self._timing.login)
        except (TimeoutError, ActionTimedOut) as error:
            raise ActionTimedOut(f"no answer to the login within {self._timing.login:g} s") from error
        if answer.response != "Success":
            raise LoginRefused(answer.get("Message").rstrip() or "refused without a reason")

    # What the caller does with it.

    @property
    def banner(self) -> str:
        """Asterisk's greeting, e.g. ``Asterisk Call Manager/11.0.0``."""
        return self._wire.banner or ""

    @property
    def live(self) -> bool:
        """Whether an action can be sent now."""
        return self._live

    @property
    def pending(self) -> int:
        """How many actions wait for an answer."""
        return len(self._pending)

    @property
    def ends(self) -> tuple[str, str]:
        """The IP addresses of its connection: ours, and Asterisk's. Empty without one."""
        if self._transport is None:
            return "", ""
        ours, theirs = (self._transport.get_extra_info(end) for end in ("sockname", "peername"))
        return str(ours[0]), str(theirs[0])

    def post(self, action: Action, timeout: float = ACTION_TIMEOUT) -> asyncio.Future[Message]:
        """Send now: when this returns the bytes have been given to the socket, with no await between.

        The future resolves with the response, an ``Error`` too: the caller looks. It raises ``ActionTimedOut``
        after ``timeout`` seconds or ``ConnectionLost``. ``post`` itself raises ``NotConnected``,
        ``TooManyPending``, ``EncodingRefused``: then nothing was sent.
        """
        if action.is_list:
            raise ValueError(f"{action.name} is a list: use post_list")
        pending = _Pending(action, self._loop.time(), answer=(future := self._loop.create_future()))
        self._send(pending, self._action_prefix, timeout)
        return future

    async def send(self, action: Action, timeout: float = ACTION_TIMEOUT) -> Message:
        """``post``, and wait. Raises ``ActionRefused`` when Asterisk answers ``Error``."""
        response = await self.post(action, timeout)
        if response.response == "Error":
            raise ActionRefused(action.name, response)
        return response

    def post_list(
        self,
        action: Action,
        on_complete: Callable[[list[Message]], None] | None = None,
        timeout: float = LIST_TIMEOUT,
    ) -> asyncio.Future[list[Message]]:
        """Send a list action now, as ``post`` does; several may be under way at once.

        A list is atomic in the stream: no event lies between its items (measured, 43,932 lists). So
        ``on_complete(items)`` is called in stream order, when ``EventList: Complete`` is parsed and before any
        later event is handed on: there the model replaces its state. The future resolves with the same items;
        it raises ``ActionRefused``, ``ActionTimedOut``, ``ConnectionLost``, or what ``on_complete`` raised.
        """
        if not action.is_list:
            raise ValueError(f"{action.name} is not a list: use post")
        pending = _Pending(action, self._loop.time(), listed=(future := self._loop.create_future()))
        pending.on_complete = on_complete
        self._send(pending, self._list_prefix, timeout)
        return future

    async def list(
        self,
        action: Action,
        on_complete: Callable[[list[Message]], None] | None = None,
        timeout: float = LIST_TIMEOUT,
    ) -> list[Message]:
        """``post_list``, and wait for the items."""
        return await self.post_list(action, on_complete, timeout)

    async def ping(self, timeout: float = ACTION_TIMEOUT) -> float:
        """Seconds to Asterisk and back; also kept in ``rtt``."""
        sent = self._loop.time()
        await self.send(actions.ping(), timeout)
        return self.rtt if self.rtt is not None else self._loop.time() - sent

    async def close(self) -> None:
        """Log off if possible and end the session; nothing is called back any more."""
        self._on_lost = self._on_event = self._on_bytes = None
        transport = self._transport
        if transport is None:
            return
        if self._live:
            transport.write(actions.logoff().encode(f"{self._action_prefix}end"))
            self._end(ConnectionLost("closed by us"))
            transport.close()
        try:
            async with asyncio.timeout(self._timing.close):
                await asyncio.shield(self._gone)
        except TimeoutError:
            pass  # the peer does not read: the Logoff is stuck
        finally:
            transport.abort()

    def drop(self, error: AmiError) -> None:
        """End the session at once, without a word to Asterisk; whoever waits gets ``error``."""
        self._end(error)
        if self._transport is not None:
            self._transport.abort()

    # What the socket does.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._live = True
        self.last_byte = self._loop.time()
        if self._error is not None:  # dropped while it was being opened
            self._live = False
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._live:
            return
        self.last_byte = self._loop.time()
        if self._on_bytes is not None:
            try:
                self._on_bytes()
            except Exception:
                log.exception("on_bytes failed")
        try:
            messages = self._wire.feed(data)
            if self._wire.banner is not None and not self._greeted.done():
                self._greeted.set_result(self._wire.banner)
            for message in messages:
                if self._error is not None:  # a callback ended the session
                    return
                self._take(message)
        except ProtocolError as error:
            self.drop(error)

    def connection_lost(self, exc: Exception | None) -> None:
        detail = "" if exc is None else str(exc) or type(exc).__name__
        if self._live:
            try:
                self._wire.eof()
            except IncompleteMessage as error:
                detail = f"{error} ({detail})" if detail else str(error)
        self._end(ConnectionLost(detail or "Asterisk closed the connection"))
        if not self._gone.done():
            self._gone.set_result(None)

    def _send(self, pending: _Pending, prefix: str, timeout: float) -> None:
        if self._transport is None or not self._live or self._transport.is_closing():
            raise NotConnected("there is no live session")
        if len(self._pending) >= MAX_PENDING:
            raise TooManyPending(f"{MAX_PENDING} actions already wait for an answer")
        self._count += 1
        action_id = f"{prefix}{self._count}"
        data = pending.action.encode(action_id)
        self._pending[action_id] = pending
        pending.timer = self._loop.call_later(timeout, self._time_out, action_id, timeout)
        self._transport.write(data)

    def _time_out(self, action_id: str, timeout: float) -> None:
        pending = self._pending.pop(action_id)
        pending.fail(ActionTimedOut(f"{pending.action.name}: no answer within {timeout:g} s"))

    def _take(self, message: Message) -> None:
        if message.event:
            if message.raw.find(_LIST_SIGN) >= 0 and message.action_id.startswith(self._list_prefix):
                self._take_item(message)
                return
            if message.event == "FullyBooted":
                self.fully_booted.set()
            elif message.event == "Shutdown":
                self.shutdown_announced = True
            if self._on_event is not None:
                try:
                    self._on_event(message)
                except Exception:
                    log.exception("the handler of event %s failed", message.event)
        elif message.response:
            self._take_response(message)

    def _take_response(self, message: Message) -> None:
        action_id = message.action_id
        pending = self._pending.get(action_id)
        if pending is None:
            return  # timed out before, or an error without ActionID: its action will time out
        if pending.listed is not None:
            if message.response == "Error":
                del self._pending[action_id]
                self._finish_list(pending, message)
            return
        del self._pending[action_id]
        if pending.timer is not None:
            pending.timer.cancel()
        if pending.action.name == "Ping":
            self.rtt = self.last_byte - pending.sent
        if pending.answer is not None and not pending.answer.done():
            pending.answer.set_result(message)

    def _take_item(self, message: Message) -> None:
        pending = self._pending.get(message.action_id)
        if pending is None:
            return  # given up before
        if message.get("EventList").lower().startswith("complete"):
            del self._pending[message.action_id]
            self._finish_list(pending, None)
            return
        pending.size += len(message.raw)
        if len(pending.items) >= MAX_LIST_ITEMS:
            raise ProtocolError(f"{pending.action.name} has more than {MAX_LIST_ITEMS} items")
        if pending.size > MAX_LIST_BYTES:
            raise ProtocolError(f"{pending.action.name} has more than {MAX_LIST_BYTES} bytes")
        pending.items.append(message)

    def _finish_list(self, pending: _Pending, refusal: Message | None) -> None:
        if refusal is not None:
            error = ActionRefused(pending.action.name, refusal)
            if error.text not in pending.action.empty_errors:
                pending.fail(error)
                return
        if pending.timer is not None:
            pending.timer.cancel()
        if pending.on_complete is not None:
            try:
                pending.on_complete(pending.items)
            except Exception as error:
                log.exception("on_complete of %s failed", pending.action.name)
                pending.fail(error)
                return
        if pending.listed is not None and not pending.listed.done():
            pending.listed.set_result(pending.items)

    def _end(self, error: AmiError) -> None:
        """Once, at the first reason to end: whoever waits learns it. Sends nothing, closes nothing."""
        if self._error is not None:
            return
        if self.shutdown_announced and isinstance(error, ConnectionLost):
            error = ShutDown("Asterisk has shut down")
        self._error = error
        self._live = False
        if not self._greeted.done():
            self._greeted.set_exception(error)
            self._greeted.exception()
        waiting, self._pending = self._pending, {}
        for pending in waiting.values():
            pending.fail(error)
        if self._on_lost is not None:
            try:
                self._on_lost(error)
            except Exception:
                log.exception("on_lost failed")


Phase = Literal["connecting", "resyncing", "live", "down", "refused"]


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the link to a PBX stands. In ``live`` the data is true.

    ``code``: "" or one of ``LINK_CODES``; ``detail``: Asterisk's or the system's own words;
    ``since``: when the phase began, seconds of UTC (``time.time``).
    """

    phase: Phase
    code: str = ""
    detail: str = ""
    since: float = 0.0


class Link:
    """Keeps a PBX's two sessions alive for ever; see ``run``.

    ``on_event`` gets the events of the event session from its login on. ``resync(event_session)`` is awaited at
    every new login, to list what is true; when it returns the link is live. ``on_state`` hears every change.
    """

    def __init__(
        self,
        address: Address,
        *,
        events: str = "system,call,agent",
        on_event: Callable[[Message], None],
        resync: Callable[[Session], Awaitable[None]],
        on_state: Callable[[LinkState], None],
        timing: Timing = Timing(),
    ) -> None:
        self._address, self._mask, self._timing = address, events, timing
        self._on_event, self._resync, self._on_state = on_event, resync, on_state
        self._state = LinkState("connecting", since=time.time())
        self._events: Session | None = None
        self._actions: Session | None = None
        self._actions_lost = asyncio.Event()
        self._attempt = 0
        self._tasks: list[asyncio.Future[None]] = []

    @property
    def state(self) -> LinkState:
        """How it stands now."""
        return self._state

    @property
    def event_session(self) -> Session | None:
        """The session for lists, while the link is live or resyncing."""
        return self._events if self._events is not None and self._events.live else None

    @property
    def age(self) -> float | None:
        """Seconds since the last byte on the event session; it goes on rising while the link is down."""
        return None if self._events is None else asyncio.get_running_loop().time() - self._events.last_byte

    @property
    def rtt(self) -> float | None:
        """Seconds that the event session's last Ping took."""
        return None if self._events is None else self._events.rtt

    def post(self, action: Action, timeout: float = ACTION_TIMEOUT) -> asyncio.Future[Message]:
        """Send now, on the action session; see ``Session.post``. Raises ``NotConnected`` unless live."""
        if self._state.phase != "live" or self._actions is None:
            raise NotConnected(f"the link is {self._state.phase}")
        return self._actions.post(action, timeout)

    async def run(self) -> None:
        """Connect, resync, keep alive, and again, until cancelled; then both sessions are closed.

        A refused login or a missing right is tried again every ``timing.refused_retry`` seconds, everything
        else with full jitter. Until a login works the state stays ``down`` or ``refused``, with its reason.
        """
        self._tell()
        while True:
            try:
                await self._hold()
            except AmiError as error:
                self._fell(error)
            except Exception as error:
                log.exception("the link to %s failed by an error of ours", self._address.host)
                self._set("down", "lost", f"an error of the panel's own: {type(error).__name__}")
            finally:
                await self._let_go()
            await asyncio.sleep(self._pause())

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _pause(self) -> float:
        if self._state.phase == "refused":
            return self._timing.refused_retry
        # Full jitter: the panels of a farm must not come back in step. The exponent is bounded as floats end.
        ceiling = min(self._timing.backoff_cap, self._timing.backoff_base * 2.0 ** min(self._attempt, 30))
        self._attempt += 1
        return random.uniform(0, ceiling)

    async def _hold(self) -> None:
        """One life of the two sessions. Ends by raising the reason for its end."""
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()
        self._tasks = [lost]

        def on_lost(error: AmiError) -> None:
            if not lost.done():
                lost.set_exception(error)

        events = self._events = await Session.open(
            self._address, events=self._mask, on_event=self._on_event, on_lost=on_lost, timing=self._timing
        )
        await self._open_actions()
        self._tasks += map(
            loop.create_task, (self._watch_events(events), self._watch_actions(events), self._bring_up(events))
        )
        while True:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            # `lost` stands first: when the loss of the session made the others fail, it is the reason.
            for task in self._tasks:
                if task.done():
                    task.result()
            self._tasks = [task for task in self._tasks if not task.done()]

    async def _let_go(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        sessions = [session for session in (self._events, self._actions) if session is not None]
        await asyncio.gather(*(session.close() for session in sessions))

    async def _bring_up(self, events: Session) -> None:
        self._set("connecting")
        if self._mask != "off":  # else it would not be told
            try:
                async with asyncio.timeout(self._timing.booted):
                    await events.fully_booted.wait()
            except TimeoutError:
                log.info("no FullyBooted from %s: does the account read class system?", self._address.host)
        self._set("resyncing")
        await self._resync(events)
        self._set("live")
        # A link that falls again at once keeps backing off.
        await asyncio.sleep(self._timing.stable_after)
        self._attempt = 0

    async def _watch_events(self, events: Session) -> None:
        """Ping the event session, and end it when it has been silent for too long."""
        while (left := self._left(events)) > 0:
            _ping(events, self._timing)
            await asyncio.sleep(min(self._timing.ping, left))
        events.drop(Silent(f"not a byte for {self._timing.dead_after:g} s"))

    async def _watch_actions(self, events: Session) -> None:
        """Ping the action session; when it alone is lost or silent, replace it alone."""
        while True:
            session = self._actions
            assert session is not None
            _ping(session, self._timing)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timing.ping):
                    await self._actions_lost.wait()
            if session.live:
                # Only while the event session is heard: when both are silent the whole PBX is.
                heard = events.last_byte > session.last_byte + self._timing.ping
                if self._left(session) > 0 or not heard:
                    continue
                session.drop(Silent(f"not a byte for {self._timing.dead_after:g} s"))
            log.warning("the action session to %s is replaced", self._address.host)
            # When the PBX goes away both sessions end: leave the event session the time to say so.
            await asyncio.sleep(self._timing.backoff_base)
            await self._open_actions()

    async def _open_actions(self) -> None:
        self._actions_lost = asyncio.Event()
        self._actions = await Session.open(
            self._address, on_lost=lambda _: self._actions_lost.set(), timing=self._timing
        )

    def _left(self, session: Session) -> float:
        """Seconds until the session counts as dead."""
        return session.last_byte + self._timing.dead_after - self._now()

    def _fell(self, error: AmiError) -> None:
        if isinstance(error, LoginRefused | ActionRefused) and error.code in ("login_refused", "rights_missing"):
            self._set("refused", error.code, str(error))
        else:
            self._set("down", error.code if error.code in LINK_CODES else "lost", str(error))

    def _set(self, phase: Phase, code: str = "", detail: str = "") -> None:
        old = self._state
        if (old.phase, old.code, old.detail) == (phase, code, detail):
            return
        since = old.since if old.phase == phase else time.time()
        self._state = LinkState(phase, code, detail, since)
        self._tell()

    def _tell(self) -> None:
        try:
            self._on_state(self._state)
        except Exception:
            log.exception("on_state failed")


def _distrust(where: str, error: ssl.SSLCertVerificationError) -> str:
    """Why the certificate is not taken, and what to do: two mistakes make nearly all of these."""
    if error.verify_code in (_X509_HOSTNAME_MISMATCH, _X509_IP_MISMATCH):
        do = "use a name that is in it"
    else:
        do = "the file of an authority of your own is named by ?cafile="
    return f"the certificate of {where} is not trusted: {error.verify_message.rstrip('.')}; {do}"


def _ping(session: Session, timing: Timing) -> None:
    # Nobody waits for the answer: it counts as a byte heard, and sets the session's rtt.
    with contextlib.suppress(NotConnected):
        session.post(actions.ping(), timing.dead_after)
