"""Sessions and links against a scripted manager on loopback. Nothing sleeps: every wait is for something told."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import ami
from ami import (
    Action,
    ActionRefused,
    ActionTimedOut,
    Address,
    AmiError,
    ConnectionLost,
    EncodingRefused,
    Link,
    LinkState,
    LoginRefused,
    Message,
    NoGreeting,
    NotConnected,
    ProtocolError,
    Session,
    Timing,
    TooManyPending,
    Unreachable,
    actions,
)
from ami import client as client_module
from tests.ami.peer import GREETING, Connection, Headers, Peer, block, listing
from tests.lab import certificates

FAST = Timing(
    connect=1.0,
    greeting=0.05,
    login=0.05,
    ping=0.02,
    dead_after=0.1,
    booted=0.05,
    refused_retry=0.02,
    backoff_base=0.002,
    backoff_cap=0.02,
    stable_after=0.5,
)
CALM = replace(FAST, greeting=3.0, login=5.0, ping=2.0, dead_after=6.0, booted=3.0)


def event(name: str, *lines: str) -> bytes:
    return block(f"Event: {name}", "Privilege: call,all", *lines)


class Told:
    """What came back, in order; a test waits until it holds what it wants."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._changed = asyncio.Event()

    def add(self, what: str) -> None:
        self.all.append(what)
        self._changed.set()

    def event(self, message: Message) -> None:
        self.add(message.event)

    def state(self, state: LinkState) -> None:
        self.add(f"{state.phase}/{state.code}")

    def lost(self, error: AmiError) -> None:
        self.add(f"lost {error.code} {error}")

    async def until(self, what: str, times: int = 1) -> None:
        while sum(re.fullmatch(what, one) is not None for one in self.all) < times:
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def session_to(
    address: Address, told: Told | None = None, timing: Timing = CALM, events: str = "call"
) -> AsyncIterator[Session]:
    told = told or Told()
    session = await Session.open(address, events=events, on_event=told.event, on_lost=told.lost, timing=timing)
    try:
        yield session
    finally:
        await session.close()


# Opening.


async def test_login(peer: Peer, address: Address) -> None:
    told = Told()
    async with session_to(address, told, events="system,call") as session:
        await told.until("FullyBooted")
        assert session.banner == "Asterisk Call Manager/11.0.0"
        assert session.live
        assert session.fully_booted.is_set()
        (connection,) = peer.connections
        assert connection.mask == "system,call"
        assert connection.names() == ["Challenge", "Login"]
        assert peer.secret not in repr(connection.actions)
        assert 0 < await session.ping() < 1
        assert session.rtt is not None
    await peer.until(connection.ended.is_set)
    assert connection.names()[-1] == "Logoff"
    assert not session.live


async def test_connect_of_ten_lines(peer: Peer) -> None:
    session = await ami.connect(f"ami://panel:s3cr3t%2F%3F%23@127.0.0.1:{peer.port}")
    channels = await session.list(actions.core_show_channels())
    assert [channel.get("Uniqueid") for channel in channels] == ["1.1", "1.2"]
    await session.close()


@pytest.mark.parametrize("greeting", [b"", b"Asterisk Call Man"])
async def test_no_greeting(peer: Peer, address: Address, greeting: bytes) -> None:
    peer.greeting = greeting
    with pytest.raises(NoGreeting, match="no greeting within"):
        await Session.open(address, timing=FAST)


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ready\n"])
async def test_another_service_greets(peer: Peer, address: Address, greeting: bytes) -> None:
    peer.greeting = greeting
    with pytest.raises(NoGreeting, match="not an Asterisk manager"):
        await Session.open(address, timing=CALM)


async def test_unreachable(unused_tcp_port: int) -> None:
    with pytest.raises(Unreachable, match="Connect call failed") as caught:
        await Session.open(Address("127.0.0.1", unused_tcp_port, "u", "s"))
    assert caught.value.code == "unreachable"


async def test_a_connection_that_never_comes() -> None:
    with socket.socket() as full:
        # A listener whose queue is full drops further handshakes.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), pytest.raises(Unreachable, match=r"within 0\.05 s"):
            await Session.open(Address("127.0.0.1", port, "u", "s"), timing=replace(FAST, connect=0.05))


async def test_wrong_secret(peer: Peer, address: Address, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(LoginRefused, match="Authentication failed") as caught:
        await Session.open(replace(address, secret="wrong-one"), timing=CALM)
    assert (caught.value.code, caught.value.reason) == ("login_refused", "Authentication failed")
    assert "wrong-one" not in f"{caught.value!r} {caplog.text}"
    await peer.until(peer.connections[0].ended.is_set)


@pytest.mark.parametrize("name", ["Challenge", "Login"])
async def test_login_while_shutting_down(peer: Peer, address: Address, name: str) -> None:
    peer.answers[name] = lambda c, a: c.answer(a, "Error", "Message: Asterisk is shutting down")
    with pytest.raises(LoginRefused) as caught:
        await Session.open(address, timing=CALM)
    assert caught.value.code == "shutting_down"


@pytest.mark.parametrize("name", ["Challenge", "Login"])
async def test_login_without_an_answer(peer: Peer, address: Address, name: str) -> None:
    peer.answers[name] = Connection.silent
    with pytest.raises(ActionTimedOut, match="login"):
        await Session.open(address, timing=FAST)
    await peer.until(peer.connections[0].ended.is_set)


async def test_closed_instead_of_a_login(peer: Peer, address: Address) -> None:
    peer.answers["Challenge"] = lambda c, a: c.writer.close()
    with pytest.raises(ConnectionLost, match="closed the connection"):
        await Session.open(address, timing=CALM)


# Actions.


async def test_error_is_returned_by_post_and_raised_by_send(address: Address) -> None:
    async with session_to(address) as session:
        response = await session.post(actions.hangup("1.1"))
        assert (response.response, response.get("Message")) == ("Error", "No such channel")
        with pytest.raises(ActionRefused, match="Hangup: No such channel") as caught:
            await session.send(actions.hangup("1.1"))
        assert caught.value.code == "action_refused"
        assert caught.value.response.get("Message") == "No such channel"


async def test_missing_right(peer: Peer, address: Address) -> None:
    peer.answers["CoreStatus"] = lambda c, a: c.answer(a, "Error", "Message: Permission denied")
    async with session_to(address) as session:
        with pytest.raises(ActionRefused) as caught:
            await session.send(actions.core_status())
        assert (caught.value.code, caught.value.action) == ("rights_missing", "CoreStatus")


async def test_post_has_sent_when_it_returns(peer: Peer, address: Address) -> None:
    session = await Session.open(address, timing=CALM)
    answer = session.post(actions.hangup("1.1"))
    session.drop(ConnectionLost("by the test"))  # no await between: what was not written would be lost
    await peer.until(lambda: "Hangup" in peer.connections[0].names())
    with pytest.raises(ConnectionLost, match="by the test"):
        await answer
    with pytest.raises(NotConnected):
        session.post(actions.ping())


async def test_a_refused_encoding_sends_nothing_and_leaves_nothing(peer: Peer, address: Address) -> None:
    async with session_to(address) as session:
        with pytest.raises(EncodingRefused, match=r"^Channel"):
            session.post(actions.hangup("1\r\n\r\nAction: Logoff"))
        assert session.pending == 0
        await session.ping()
        assert peer.connections[0].names() == ["Challenge", "Login", "Ping"]


async def test_answers_out_of_order_and_not_ours(peer: Peer, address: Address) -> None:
    held: list[Headers] = []

    def hold(connection: Connection, action: Headers) -> None:
        held.append(action)
        if len(held) == 2:
            connection.send(block("Response: Success", "ActionID: foreign", "N: x"))
            for number, one in reversed(list(enumerate(held))):
                connection.answer(one, "Success", f"N: {number}")

    peer.answers["CoreStatus"] = hold
    async with session_to(address) as session:
        first, second = session.post(actions.core_status()), session.post(actions.core_status())
        assert ((await first).get("N"), (await second).get("N")) == ("0", "1")


async def test_error_without_action_id_lets_the_action_time_out(peer: Peer, address: Address) -> None:
    error = block("Response: Error", "Message: Failed to parse message: line too long")
    peer.answers["CoreStatus"] = lambda c, a: c.send(error)
    async with session_to(address) as session:
        with pytest.raises(ActionTimedOut, match="CoreStatus"):
            await session.send(actions.core_status(), timeout=0.02)
        assert session.pending == 0
        await session.ping()


async def test_no_more_than_a_thousand_wait(peer: Peer, address: Address) -> None:
    peer.answers["CoreStatus"] = Connection.silent
    async with session_to(address) as session:
        answers = [session.post(actions.core_status(), timeout=0.05) for _ in range(client_module.MAX_PENDING)]
        with pytest.raises(TooManyPending):
            session.post(actions.ping())
        errors = await asyncio.gather(*answers, return_exceptions=True)
        assert {type(error) for error in errors} == {ActionTimedOut}
        assert session.pending == 0
        await session.ping()


async def test_ten_thousand_timeouts_leave_nothing(peer: Peer, address: Address) -> None:
    def forget(connection: Connection, action: Headers) -> None:
        connection.actions.clear()  # the peer remembers all that it got

    peer.answers["CoreStatus"] = peer.answers["CoreShowChannels"] = forget
    async with session_to(address) as session:

        async def a_thousand() -> int:
            actions_, lists = actions.core_status(), actions.core_show_channels()
            futures: list[asyncio.Future[Any]] = [session.post(actions_, 0.02) for _ in range(500)]
            futures += [session.post_list(lists, timeout=0.02) for _ in range(500)]
            errors = await asyncio.gather(*futures, return_exceptions=True)
            assert {type(error) for error in errors} == {ActionTimedOut}
            assert session.pending == 0
            del futures, errors
            await session.ping()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        await a_thousand()  # what is made once
        tracemalloc.start()
        try:
            first = await a_thousand()
            for _ in range(9):
                last = await a_thousand()
        finally:
            tracemalloc.stop()
        # Nine thousand more of them: a leak of one small object each would be 500 KB.
        assert last - first < 50_000


async def test_an_answer_to_nobody(peer: Peer, address: Address) -> None:
    async with session_to(address) as session:
        session.post(actions.ping()).cancel()
        await session.ping()
        assert session.pending == 0


# Lists.


async def test_a_list_is_atomic_in_the_stream(peer: Peer, address: Address) -> None:
    told = Told()

    def answer(connection: Connection, action: Headers) -> None:
        # One chunk: an event before the list, the list, events after it.
        channels = listing(action["ActionID"], "CoreShowChannel", "1.1", "1.2")
        connection.send(event("Newchannel") + channels + event("Hangup") + event("DialEnd"))

    peer.answers["CoreShowChannels"] = answer
    async with session_to(address, told) as session:
        items = await session.list(actions.core_show_channels(), lambda items: told.add(f"list of {len(items)}"))
        assert told.all == ["Newchannel", "list of 2", "Hangup", "DialEnd"]
        assert [(item.event, item.get("Uniqueid")) for item in items] == [
            ("CoreShowChannel", "1.1"),
            ("CoreShowChannel", "1.2"),
        ]


async def test_pipelined_lists(peer: Peer, address: Address) -> None:
    told = Told()
    async with session_to(address, told) as session:
        first = session.post_list(actions.core_show_channels(), lambda items: told.add("channels"))
        second = session.post_list(actions.bridge_list(), lambda items: told.add("bridges"))
        assert [len(items) for items in await asyncio.gather(first, second)] == [2, 1]
        assert told.all == ["channels", "bridges"]
        assert session.pending == 0


ROOMS = Action("ConfbridgeListRooms", is_list=True, empty_errors=("No active conferences.",))


@pytest.mark.parametrize("text", ["No active conferences.", "No active conferences.\n"])
async def test_an_error_that_means_an_empty_list(peer: Peer, address: Address, text: str) -> None:
    peer.answers["ConfbridgeListRooms"] = lambda c, a: c.answer(a, "Error", f"Message: {text}")
    got: list[list[Message]] = []
    async with session_to(address) as session:
        assert await session.list(ROOMS, got.append) == []
        assert got == [[]]


async def test_a_refused_list(peer: Peer, address: Address) -> None:
    peer.answers["ConfbridgeListRooms"] = lambda c, a: c.answer(a, "Error", "Message: Permission denied")
    got: list[list[Message]] = []
    async with session_to(address) as session:
        with pytest.raises(ActionRefused) as caught:
            await session.list(ROOMS, got.append)
        assert (caught.value.code, got, session.pending) == ("rights_missing", [], 0)


async def test_a_list_that_comes_too_late_is_no_event(peer: Peer, address: Address) -> None:
    told = Told()
    peer.answers["CoreShowChannels"] = Connection.silent
    async with session_to(address, told) as session:
        with pytest.raises(ActionTimedOut):
            await session.list(actions.core_show_channels(), timeout=0.02)
        (connection,) = peer.connections
        late = connection.actions[-1]
        assert late["Action"] == "CoreShowChannels"
        connection.send(listing(late["ActionID"], "CoreShowChannel", "1.1") + event("Hangup"))
        await told.until("Hangup")
        assert told.all == ["Hangup"]


async def test_events_of_an_action_that_is_no_list_are_events(peer: Peer, address: Address) -> None:
    def answer(connection: Connection, action: Headers) -> None:
        connection.answer(action, "Success")
        connection.send(event("OriginateResponse", f"ActionID: {action['ActionID']}", "Response: Failure"))

    peer.answers["Originate"] = answer
    told = Told()
    async with session_to(address, told) as session:
        await session.send(Action("Originate", (("Async", "true"),)))
        await told.until("OriginateResponse")


async def test_a_model_that_fails_at_a_list_fails_the_list(address: Address) -> None:
    def fail(items: list[Message]) -> None:
        raise KeyError("model")

    async with session_to(address) as session:
        with pytest.raises(KeyError, match="model"):
            await session.list(actions.core_show_channels(), fail)
        await session.ping()


async def test_lists_and_actions_are_told_apart(address: Address) -> None:
    async with session_to(address) as session:
        with pytest.raises(ValueError, match="post_list"):
            session.post(actions.bridge_list())
        with pytest.raises(ValueError, match="use post"):
            session.post_list(actions.ping())


async def test_a_list_without_end(peer: Peer, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_LIST_ITEMS", 1)
    async with session_to(address) as session:
        with pytest.raises(ProtocolError, match="more than 1 items"):
            await session.list(actions.core_show_channels())


async def test_a_list_of_too_many_bytes(peer: Peer, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_LIST_BYTES", 100)
    async with session_to(address) as session:
        with pytest.raises(ProtocolError, match="more than 100 bytes"):
            await session.list(actions.core_show_channels())
        assert session.pending == 0


# Losing it.


async def test_a_handler_that_fails_is_logged_and_survived(
    peer: Peer, address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()

    def handle(message: Message) -> None:
        told.event(message)
        if message.event == "Newchannel":
            raise RuntimeError("bug")

    def fail() -> None:
        raise RuntimeError("bug")

    session = await Session.open(address, events="call", on_event=handle, on_bytes=fail, timing=CALM)
    peer.connections[0].send(event("Newchannel") + event("Hangup"))
    await told.until("Hangup")
    await session.ping()
    await session.close()
    assert "the handler of event Newchannel failed" in caplog.text
    assert "on_bytes failed" in caplog.text


async def test_eof_inside_a_message(peer: Peer, address: Address) -> None:
    told = Told()
    peer.answers["CoreStatus"] = Connection.silent
    async with session_to(address, told) as session:
        answer = session.post(actions.core_status())
        peer.connections[0].send(b"Event: Newch")
        peer.connections[0].writer.close()
        with pytest.raises(ConnectionLost, match="inside a message"):
            await answer
        await told.until("lost lost .*inside a message.*")
        assert len(told.all) == 1
        assert (session.live, session.pending) == (False, 0)


async def test_what_breaks_the_protocol_ends_the_session(peer: Peer, address: Address) -> None:
    told = Told()
    async with session_to(address, told) as session:
        peer.connections[0].send(event("Hangup") + b"x" * 70_000)
        await told.until("lost malformed .*")
        assert not session.live


async def test_shutdown_is_the_reason_for_the_loss_after_it(peer: Peer, address: Address) -> None:
    told = Told()
    async with session_to(address, told, events="system") as session:
        peer.connections[0].send(event("Shutdown", "Shutdown: Cleanly", "Restart: True"))
        peer.connections[0].writer.close()
        await told.until("lost shutting_down .*")
        assert session.shutdown_announced


async def test_close_calls_nothing_back_and_fails_what_waits(peer: Peer, address: Address) -> None:
    told = Told()
    peer.answers["CoreStatus"] = Connection.silent
    async with session_to(address, told) as session:
        answer = session.post(actions.core_status())
        await session.close()
        with pytest.raises(ConnectionLost, match="closed by us"):
            await answer
        await session.close()
    assert told.all == []


async def test_close_does_not_wait_for_a_peer_that_does_not_read() -> None:
    peer = await Peer().start()
    session = await Session.open(
        Address("127.0.0.1", peer.port, peer.user, peer.secret), timing=replace(CALM, close=0.02)
    )
    (connection,) = peer.connections
    connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
    full = Action("CoreStatus", tuple(("Filler", "x" * 900) for _ in range(100)))
    assert session._transport is not None
    while session._transport.get_write_buffer_size() == 0:
        session.post(full)
    await session.close()
    assert session._transport.is_closing()
    await asyncio.wait_for(session._gone, 1)
    await peer.stop()


async def test_a_cancelled_open_leaves_nothing(peer: Peer, address: Address) -> None:
    peer.answers["Login"] = Connection.silent
    opening = asyncio.create_task(Session.open(address, timing=CALM))
    await peer.until(lambda: peer.connections and "Login" in peer.connections[0].names())
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    assert opening.cancelled()
    await peer.until(peer.connections[0].ended.is_set)


async def test_a_callback_that_ends_the_session_gets_nothing_more(peer: Peer, address: Address) -> None:
    told = Told()

    def lost(error: AmiError) -> None:
        told.lost(error)
        raise RuntimeError("bug")

    def handle(message: Message) -> None:
        told.event(message)
        session.drop(ConnectionLost("enough"))

    session = await Session.open(address, events="call", on_event=handle, on_lost=lost, timing=CALM)
    peer.connections[0].send(event("Newchannel") + event("Hangup"))
    await peer.until(peer.connections[0].ended.is_set)
    assert told.all == ["Newchannel", "lost lost enough"]


async def test_fragments(peer: Peer, address: Address) -> None:
    told = Told()
    async with session_to(address, told):
        (connection,) = peer.connections
        for byte in event("Newchannel", "CallerIDName: Zoë") + b"\r\n" + event("Hangup"):
            connection.send(bytes([byte]))
            await connection.writer.drain()
        await told.until("Hangup")
        assert told.all == ["Newchannel", "Hangup"]


# TLS.


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a certificate for localhost, and of its authority's; and of another authority."""
    folder = tmp_path_factory.mktemp("tls")
    certificates.write(folder)
    (folder / "other").mkdir()
    certificates.write(folder / "other")
    return folder


@pytest_asyncio.fixture
async def encrypted(pem: Path) -> AsyncIterator[Address]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem / certificates.SERVER)
    peer = await Peer().start(context)
    yield Address("localhost", peer.port, peer.user, peer.secret, tls=True, cafile=str(pem / certificates.AUTHORITY))
    await peer.stop()


async def test_tls(encrypted: Address, pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with session_to(encrypted) as session:
        await session.ping()
    # As everywhere in OpenSSL.
    monkeypatch.setenv("SSL_CERT_FILE", encrypted.cafile)
    async with session_to(replace(encrypted, cafile="")) as session:
        await session.ping()


@pytest.mark.parametrize("cafile", ["", f"other/{certificates.AUTHORITY}"])
async def test_tls_of_an_unknown_authority(encrypted: Address, pem: Path, cafile: str) -> None:
    with pytest.raises(Unreachable, match=r"not trusted: .*; the file of an authority of your own .* \?cafile="):
        await Session.open(replace(encrypted, cafile=str(pem / cafile) if cafile else ""))


async def test_tls_to_a_wrong_name(encrypted: Address) -> None:
    with pytest.raises(Unreachable, match=r"IP address mismatch.*'127\.0\.0\.1'; use a name that is in it"):
        await Session.open(replace(encrypted, host="127.0.0.1"))


async def test_tls_without_its_cafile(encrypted: Address) -> None:
    with pytest.raises(Unreachable, match="cafile: /no/such: No such file"):
        await Session.open(replace(encrypted, cafile="/no/such"))


async def test_tls_to_a_plain_manager(address: Address) -> None:
    with pytest.raises(Unreachable, match=r"no TLS with 127\.0\.0\.1 port .*tlsbindaddr"):
        await Session.open(replace(address, tls=True))


async def test_plaintext_to_a_tls_port(encrypted: Address) -> None:
    with pytest.raises(NoGreeting):
        await Session.open(replace(encrypted, tls=False, cafile=""), timing=FAST)


# The link.


class Running:
    """A link that runs, and what it tells."""

    def __init__(self, address: Address, timing: Timing, resync: Callable[[Session], Awaitable[None]] | None) -> None:
        self.states, self.events = Told(), Told()
        self.resyncs = 0
        self._resync = resync or self.list_channels
        self.link = Link(
            address, on_event=self.events.event, resync=self.resync, on_state=self.states.state, timing=timing
        )

    async def resync(self, session: Session) -> None:
        self.resyncs += 1
        await self._resync(session)

    async def list_channels(self, session: Session) -> None:
        await session.list(actions.core_show_channels())


@asynccontextmanager
async def running(
    address: Address, timing: Timing = FAST, resync: Callable[[Session], Awaitable[None]] | None = None
) -> AsyncIterator[Running]:
    run = Running(address, timing, resync)
    task = asyncio.create_task(run.link.run())
    try:
        yield run
        assert not task.done()  # it runs for ever
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_link_goes_live(peer: Peer, address: Address) -> None:
    async with running(address, CALM) as run:
        before = run.link.age
        assert before is None
        with pytest.raises(NotConnected, match="connecting"):
            run.link.post(actions.ping())
        await run.states.until("live/")
        assert run.states.all == ["connecting/", "resyncing/", "live/"]
        events, acts = peer.connections
        assert (events.mask, acts.mask) == ("system,call,agent", "off")
        response = await run.link.post(actions.hangup("1.1"))
        assert response.get("Message") == "No such channel"
        assert "Hangup" in acts.names()
        assert "CoreShowChannels" in events.names()
        events.send(event("Newchannel"))
        await run.events.until("Newchannel")
        assert run.link.age is not None
        assert run.link.age < 1
        assert run.link.event_session is not None
        assert run.link.state.since > 0
    await peer.until(events.ended.is_set)
    await peer.until(acts.ended.is_set)
    assert events.names()[-1] == acts.names()[-1] == "Logoff"
    with pytest.raises(NotConnected):
        run.link.post(actions.ping())


async def test_link_pings_both_sessions(peer: Peer, address: Address) -> None:
    async with running(address) as run:
        await run.states.until("live/")
        await peer.until(lambda: all(c.names().count("Ping") > 3 for c in peer.connections))
        assert run.states.all[-1] == "live/"
        assert run.link.rtt is not None
        assert len(peer.connections) == 2


async def test_link_comes_back(peer: Peer, address: Address) -> None:
    async with running(address) as run:
        for times in range(1, 4):
            await run.states.until("live/", times)
            peer.connections[-2].writer.close()
            await run.states.until("down/lost", times)
            assert run.link.event_session is None
        await run.states.until("live/", 4)
        assert run.resyncs == 4
        # The old pair is closed: nothing but the last two is left.
        await peer.until(lambda: sum(not c.ended.is_set() for c in peer.connections) == 2)


async def test_link_comes_back_when_the_pbx_was_away(peer: Peer, address: Address) -> None:
    async with running(address) as run:
        await run.states.until("live/")
        peer._server.close()
        for connection in peer.connections:
            connection.writer.close()
        await run.states.until("down/unreachable")
        assert "Connect call failed" in run.link.state.detail
        peer._server = await asyncio.start_server(peer._accept, "127.0.0.1", peer.port)
        await run.states.until("live/", 2)
        # One word for the whole outage, however many attempts it took.
        assert run.states.all.count("down/unreachable") == 1


async def test_link_finds_a_silent_pbx(peer: Peer, address: Address) -> None:
    async with running(address) as run:
        await run.states.until("live/")
        peer.answers["Ping"] = Connection.silent
        await run.states.until("down/silent")
        peer.answers["Ping"] = Connection.ping
        await run.states.until("live/", 2)
        assert "down/no_greeting" not in run.states.all


async def test_link_replaces_a_blocked_action_session_alone(peer: Peer, address: Address) -> None:
    async with running(address) as run:
        await run.states.until("live/")
        events, blocked = peer.connections
        answer = run.link.post(actions.ping(), timeout=60)
        await answer
        peer.answers["Ping"] = lambda c, a: None if c is blocked else c.ping(a)
        peer.answers["Hangup"] = lambda c, a: None if c is blocked else c.no_such_channel(a)
        answer = run.link.post(actions.hangup("1.1"), timeout=60)
        with pytest.raises(ConnectionLost) as caught:
            await answer
        assert caught.value.code == "silent"
        await peer.until(lambda: len(peer.connections) == 3 and "Ping" in peer.connections[2].names())
        assert (await run.link.post(actions.hangup("1.1"))).response == "Error"
        assert run.states.all == ["connecting/", "resyncing/", "live/"]
        assert not events.ended.is_set()


async def test_link_replaces_a_lost_action_session_alone(peer: Peer, address: Address) -> None:
    async with running(address, CALM) as run:
        await run.states.until("live/")
        peer.connections[1].writer.close()
        await peer.until(lambda: len(peer.connections) == 3 and "Ping" in peer.connections[2].names())
        assert run.states.all == ["connecting/", "resyncing/", "live/"]


async def test_link_refused_login(peer: Peer, address: Address) -> None:
    async with running(replace(address, secret="wrong-one")) as run:
        await run.states.until("refused/login_refused")
        assert run.link.state.detail == "Authentication failed"
        await peer.until(lambda: len(peer.connections) >= 3)
        assert run.states.all == ["connecting/", "refused/login_refused"]
        peer.secret = "wrong-one"
        await run.states.until("live/")


async def test_link_waits_long_after_a_refusal(peer: Peer, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    link = Running(replace(address, secret="wrong"), Timing(), None).link
    link._fell(LoginRefused("Authentication failed"))
    assert link._pause() == 30.0
    link._fell(LoginRefused("Asterisk is shutting down"))
    assert link.state.phase == "down"
    assert link._pause() <= 0.2
    for _ in range(2000):
        assert 0 <= link._pause() <= 5.0


async def test_link_missing_right(peer: Peer, address: Address) -> None:
    peer.answers["CoreShowChannels"] = lambda c, a: c.answer(a, "Error", "Message: Permission denied")
    async with running(address) as run:
        await run.states.until("refused/rights_missing")
        assert run.link.state.detail == "CoreShowChannels: Permission denied"
        peer.answers["CoreShowChannels"] = Connection.channels
        await run.states.until("live/")


async def test_link_shutdown(peer: Peer, address: Address) -> None:
    async with running(address) as run:
        await run.states.until("live/")
        peer.connections[0].send(event("Shutdown", "Shutdown: Cleanly", "Restart: True"))
        peer.connections[0].writer.close()
        await run.states.until("down/shutting_down")
        await run.states.until("live/", 2)


async def test_link_malformed(peer: Peer, address: Address) -> None:
    async with running(address) as run:
        await run.states.until("live/")
        peer.connections[0].send(b"x" * 70_000)
        await run.states.until("down/malformed")
        await run.states.until("live/", 2)


async def test_link_no_greeting(peer: Peer, address: Address) -> None:
    peer.greeting = b""
    async with running(address) as run:
        await run.states.until("down/no_greeting")
        peer.greeting = GREETING
        await run.states.until("live/")


async def test_link_without_fully_booted_goes_on(peer: Peer, address: Address) -> None:
    peer.booted = False
    async with running(address) as run:
        await run.states.until("live/")


async def test_link_that_hears_nothing_does_not_wait_for_fully_booted(peer: Peer, address: Address) -> None:
    """It would never come: a link that only acts would be useless for ``booted`` seconds after each login."""
    peer.booted = False
    states = Told()

    async def nothing(session: Session) -> None:
        pass

    link = Link(
        address,
        events="off",
        on_event=lambda message: None,
        resync=nothing,
        on_state=states.state,
        timing=replace(CALM, booted=3600.0),
    )
    task = asyncio.create_task(link.run())
    await states.until("live/")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_link_survives_our_own_errors(peer: Peer, address: Address, caplog: pytest.LogCaptureFixture) -> None:
    async def resync(session: Session) -> None:
        if len(peer.connections) < 5:
            raise ZeroDivisionError("bug")

    async with running(address, resync=resync) as run:
        await run.states.until("down/lost")
        assert "ZeroDivisionError" in run.link.state.detail
        await run.states.until("live/")
    assert "Traceback" in caplog.text


async def test_link_lost_during_the_resync(peer: Peer, address: Address) -> None:
    def cut(connection: Connection, action: Headers) -> None:
        connection.writer.close()
        peer.answers["CoreShowChannels"] = Connection.channels

    peer.answers["CoreShowChannels"] = cut
    async with running(address) as run:
        await run.states.until("live/")
        assert run.states.all[:3] == ["connecting/", "resyncing/", "down/lost"]


async def test_link_silent_during_the_resync(peer: Peer, address: Address) -> None:
    async def hang(session: Session) -> None:
        peer.answers["Ping"] = Connection.silent
        await asyncio.Event().wait()

    async with running(address, resync=hang) as run:
        await run.states.until("down/silent")
        assert "live/" not in run.states.all


async def test_a_listener_of_states_that_fails(peer: Peer, address: Address) -> None:
    seen = Told()

    def fail(state: LinkState) -> None:
        seen.state(state)
        raise RuntimeError("bug")

    run = Running(address, CALM, None)
    link = Link(address, on_event=run.events.event, resync=run.resync, on_state=fail, timing=CALM)
    task = asyncio.create_task(link.run())
    await seen.until("live/")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
