"""A queue of hers answers for its members on the calls that it gave them, and for nobody who comes after them: on real
Asterisks, for a member that is a phone and for one that a piece of dialplan leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from accounts.permissions import Rule, Scope, UserSnapshot, decide
from accounts.rights import ROLES
from floor import registry
from tests.asterisk.desk import Desk
from tests.asterisk.test_queues import up
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

MakePhone = Callable[..., Phone]


def listens(desk: Desk, queue: str) -> str:
    """What a lead of this queue and of the extension 201, who calls it, is answered for the only call that goes on."""
    (key,) = (key for key, call in desk.page.calls().items() if call["phase"] != "ended")
    found = registry.KINDS["call"].find(desk.worker.pbx, key.partition("/")[2])
    rules = frozenset({Rule("queue", "*", queue), Rule("extension", "*", "201")})
    lead = UserSnapshot(1, "Dana", True, ROLES["Team lead"], scope=Scope(rules))
    assert found is not None
    decision = decide(lead, "calls.listen", found.target("call", "lab"))
    return "yes" if decision.allowed else decision.code


@pytest.mark.parametrize(("queue", "number", "agent"), [("sales", "600", "101"), ("support", "601", "104")])
async def test_a_member_is_vouched_for_and_who_gets_the_call_from_him_is_not(
    asterisk: Asterisk, phones: MakePhone, queue: str, number: str, agent: str
) -> None:
    answers, third = phones(asterisk, agent), phones(asterisk, "109")
    async with Desk(asterisk) as desk:
        await desk.live()
        await up(phones(asterisk, "201"), number)
        await desk.page.until(lambda: desk.page.calls("waiting"))
        assert listens(desk, queue) == "yes"
        taken = await asyncio.to_thread(lambda: answers.wait_incoming().answer().wait_up())
        await desk.page.until(lambda: desk.page.calls("talking"))
        assert listens(desk, queue) == "yes"
        assert listens(desk, "vip") == "scope", "another queue answers for nobody here"
        taken.refer("109")
        await asyncio.to_thread(lambda: third.wait_incoming().answer().wait_up())
        await asyncio.to_thread(taken.wait_ended)
        await desk.page.until(lambda: "109" in {p["number"] for p in desk.page.entities["party"].values()})
        await desk.page.until(lambda: desk.page.calls("talking"))
        assert listens(desk, queue) == "scope", "109 is no member"
