"""An action that blocks its session on a real Asterisk: the session is replaced alone, the action ends unknown."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from ami import Action, Address, ConnectionLost, Link, NotConnected, Session, Timing, actions
from tests.lab.checker import Checker
from tests.lab.instance import HOST, Asterisk

pytestmark = pytest.mark.asterisk

# Long enough for a machine under load, short enough for a test.
TIMING = Timing(ping=0.2, dead_after=1.5)


@asynccontextmanager
async def linked(asterisk: Asterisk) -> AsyncIterator[tuple[Link, list[str]]]:
    """A live link, and all that it told of its state."""
    phases: list[str] = []
    live = asyncio.Event()

    async def resync(session: Session) -> None:
        await session.list(actions.core_show_channels())

    def told(state: object) -> None:
        phases.append(link.state.phase)
        if link.state.phase == "live":
            live.set()

    link = Link(
        Address.parse(asterisk.ami_url()), on_event=lambda message: None, resync=resync, on_state=told, timing=TIMING
    )
    running = asyncio.create_task(link.run())
    try:
        await live.wait()
        yield link, phases
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def ends_unknown_and_the_next_is_served(link: Link, phases: list[str], blocking: Action) -> None:
    events = link.event_session
    with pytest.raises(ConnectionLost) as caught:
        await until_it_is_not_answered(link, blocking)
    assert caught.value.code == "silent"
    assert await answered(link) == "Success"
    assert link.event_session is events
    assert phases == ["connecting", "resyncing", "live"]


async def until_it_is_not_answered(link: Link, blocking: Action) -> None:
    """The first may come before the channel's own thread has begun to read."""
    while True:
        await link.post(blocking, timeout=60)


async def answered(link: Link) -> str:
    """What the new session says, as soon as there is one. (Not asked for a channel: to find one by its Uniqueid,
    Asterisk locks them all in turn, the held one too.)"""
    while True:
        try:
            return (await link.post(actions.core_settings())).response
        except NotConnected:
            await asyncio.sleep(0)  # it is being opened


async def test_an_originate_that_waits_for_its_answer(asterisk: Asterisk) -> None:
    # None of our builders makes it: without Async the session serves nothing until somebody answers, here nobody.
    headers = {"Channel": "Local/508@from-internal", "Application": "Wait", "Data": "1", "Timeout": "60000"}
    async with linked(asterisk) as (link, phases):
        await ends_unknown_and_the_next_is_served(
            link, phases, Action("Originate", tuple(headers.items()), mutating=True)
        )


async def test_a_key_on_a_leg_that_holds_its_lock(asterisk22: Asterisk, checkers: Callable[..., Checker]) -> None:
    """Asterisk reads AudioSocket with the channel locked: half a frame, and whoever wants that channel waits."""
    legs: list[asyncio.StreamWriter] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        legs.append(writer)

    server = await asyncio.start_server(accept, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    checker = checkers(asterisk22)
    try:
        leg = f"AudioSocket/{HOST}:{port}/{uuid.uuid4()}"
        await asyncio.to_thread(checker.originate, leg, application="Wait", data="600", channel_id="held")
        await asyncio.to_thread(checker.wait_event, "OriginateResponse", Uniqueid="held", Response="Success")
        legs[0].write(b"\x10")  # of three bytes that say kind and length
        async with linked(asterisk22) as (link, phases):
            await ends_unknown_and_the_next_is_served(link, phases, actions.play_dtmf("held", "5"))
    finally:
        for writer in legs:
            writer.close()
        server.close()
