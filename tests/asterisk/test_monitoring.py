"""Who listened to whom, on real Asterisks: from the panel and from a desk phone, ended in three ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from audit.models import Listening
from audit.verify import verify
from tests.asterisk.desk import Desk
from tests.asterisk.test_listening import AGENT, CUSTOMER, conversation, listening, sue
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

__all__ = ["sue"]  # a fixture


async def rows(count: int, ended: int) -> list[Listening]:
    """The listenings, once there are so many and so many of them are over."""
    async with asyncio.timeout(20):
        while True:
            found = [row async for row in Listening.objects.order_by("begun")]
            if (len(found), sum(bool(row.why) for row in found)) == (count, ended):
                return found
            await asyncio.sleep(0.05)  # it is written by a thread of the worker's: no event to wait for


async def test_from_the_panel_and_from_a_desk_phone(
    asterisk: Asterisk, phones: Callable[..., Phone], sue: User
) -> None:
    agent, customer = phones(asterisk, "101", hz=AGENT), phones(asterisk, "201", hz=CUSTOMER)
    supervisor, other = phones(asterisk, "900"), phones(asterisk, "102")
    async with Desk(asterisk, user_id=sue.pk, monitored=True) as desk:
        await desk.live()
        outgoing, _ = await conversation(agent, customer)
        key, _call = await listening(desk, sue, supervisor)
        (mine,) = await rows(1, 0)
        assert (mine.user_id, mine.source, mine.target, mine.mode) == (sue.pk, "page", "101", "listen")
        assert mine.phone.startswith("900")
        assert mine.others.startswith("201")
        assert (await desk.click("calls.stop", key, sue.pk, kind="spy"))["outcome"] == "done"
        (mine,) = await rows(1, 1)
        assert mine.why == "stopped"
        await asyncio.to_thread(other.call, "55101")
        _, theirs = await rows(2, 1)
        assert (theirs.user_id, theirs.source, theirs.target) == (None, "desk", "101")
        assert theirs.phone.startswith("102")
        await asyncio.to_thread(outgoing.hangup)
        _, theirs = await rows(2, 2)
        assert (theirs.why, theirs.until is None) == ("target", False)
    assert (await sync_to_async(verify)(None)).problems == []
