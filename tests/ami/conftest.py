from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from ami import Address
from tests.ami.peer import Peer


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    """A manager on loopback; at the end no task of ours may be left."""
    before = asyncio.all_tasks()
    server = await Peer().start()
    yield server
    await server.stop()
    left = {task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not task.done()}
    assert not left


@pytest_asyncio.fixture
async def address(peer: Peer) -> Address:
    return Address("127.0.0.1", peer.port, peer.user, peer.secret)
