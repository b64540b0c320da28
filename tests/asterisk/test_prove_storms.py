"""The long proof: storm after storm, each with the link cut three times, and the model equals Asterisk's list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import ami
from floor import worker as workers
from tests.asterisk.desk import Desk
from tests.asterisk.test_model import PHONES
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone
from tests.lab.storm import Storm

pytestmark = [pytest.mark.asterisk, pytest.mark.prove, pytest.mark.django_db(transaction=True)]

CUTS = 3


@pytest.mark.parametrize("seed", range(1, 7))
async def test_a_storm_with_cuts(
    asterisk: Asterisk, phones: Callable[..., Phone], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(workers, "RECONCILE_S", 1e6)
    monkeypatch.setattr(workers, "UNTOLD_S", 1e6)
    called = [phones(asterisk, extension, answer=0.3) for extension in PHONES]
    async with Desk(asterisk) as desk, Storm(asterisk, seed=seed, calls=200, phones=called) as storm:
        await desk.live()
        running = asyncio.create_task(storm.run())
        for cut in range(1, CUTS + 1):
            seq = desk.worker.seq
            await desk.page.until(lambda seq=seq: desk.worker.seq > seq + 20)
            session = desk.worker.link.event_session
            assert session is not None
            session.drop(ami.ConnectionLost("cut by the test"))
            await desk.page.until(lambda cut=cut: desk.page.snapshots == cut + 1)
        await running
        rows = await storm.quiet()
        assert await desk.equals(rows) == []
        assert desk.room_differences(*await desk.rooms(asterisk)) == []
        assert desk.worker.pbx.unknown == 0
