"""A module that is read again says so, as an event like any other."""

from __future__ import annotations

import asyncio

import pytest

from ami import Address, Message, Session
from tests.lab.instance import Asterisk

pytestmark = pytest.mark.asterisk


async def test_reload_reaches_the_handler(asterisk: Asterisk) -> None:
    seen: asyncio.Queue[Message] = asyncio.Queue()

    def keep(message: Message) -> None:
        if message.event == "Reload":
            seen.put_nowait(message)

    session = await Session.open(Address.parse(asterisk.ami_url()), events="system,call,agent", on_event=keep)
    for command, module in (("module reload app_queue.so", "app_queue.so"), ("core reload", "All")):
        await asyncio.to_thread(asterisk.cli, command)
        message = await seen.get()
        assert (message.get("Module"), message.get("Status")) == (module, "0")
    assert session.live
    await session.close()
