"""A listening ends when whom it hears leaves its owner's scope, wherever he is taken, or when she may no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from asgiref.sync import sync_to_async

from audit.models import Entry, Listening
from tests.asterisk.desk import Desk
from tests.asterisk.leases import AGENT, BOSS, CUSTOMER, MOVES, SECOND, TAKEN, Leases, deactivate, lead
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]


@pytest.fixture
async def leases(asterisk: Asterisk, db: None) -> AsyncIterator[Leases]:
    async with Leases(asterisk, await sync_to_async(lead)()) as leases:
        yield leases


async def written(leases: Leases) -> list[tuple[str, str, str]]:
    await leases.desk.worker.lease.finish()  # type: ignore[union-attr]
    entries = Entry.objects.filter(verb="calls.stop").order_by("id")
    return [(entry.kind, entry.outcome, entry.code) async for entry in entries]


async def test_it_does_not_follow_its_target_out_of_scope(leases: Leases) -> None:
    for move in MOVES:
        ear = await leases.listening()
        await leases.ended(ear, getattr(leases, move))
        await leases.desk.page.until(lambda: not leases.desk.page.spies)
        assert (await written(leases))[-2:] == [("intent", "", ""), ("outcome", "done", "scope_lost")], move
        await leases.clear()
    assert len(await written(leases)) == 2 * len(MOVES)
    await leases.desk.worker.monitor.finish()  # type: ignore[union-attr]
    assert await Listening.objects.filter(why="scope").acount() == len(MOVES)


async def test_it_follows_its_target_within_scope(leases: Leases) -> None:
    """To a second agent, by each way; she hears both, and nothing was ended."""
    for move in (leases.blind, leases.attended, leases.redirect):
        ear = await leases.listening()
        heard = leases.heard
        await asyncio.to_thread(move, SECOND)
        await asyncio.to_thread(leases._phones[SECOND].wait_incoming)

        def together(heard: str = heard) -> bool:
            page = leases.desk.page
            calls = page.calls("talking").values()
            numbers = {page.entities["party"][key]["number"] for call in calls for key in call["parties"]}
            return numbers == {AGENT, SECOND} and [spy["party"] for spy in page.spies.values()] == [f"lab/{heard}"]

        await leases.desk.page.until(together)
        await leases.desk.worker.lease.read()  # type: ignore[union-attr]
        assert leases.spy["ending"] == ""
        assert ear.state.value == "up"
        await leases.clear()
    assert await written(leases) == []


@pytest.mark.parametrize("what", TAKEN)
async def test_it_ends_with_what_she_had_it_by(asterisk22: Asterisk, db: None, what: str) -> None:
    code = {"role": "no_right", "account": "no_right", "protected": "protected"}.get(what, "scope_lost")
    owner = await sync_to_async(lead)()
    async with Leases(asterisk22, owner) as leases:
        ear = await leases.listening()
        await TAKEN[what](owner)
        await asyncio.to_thread(ear.wait_ended)
        assert (await written(leases))[-1] == ("outcome", "done", code)
        assert leases.outgoing.state.value == "up", "whom it heard talks on"


async def test_signing_out_ends_no_listening_at_a_desk_phone(asterisk22: Asterisk, db: None) -> None:
    from django.contrib.sessions.models import Session

    owner = await sync_to_async(lead)()
    async with Leases(asterisk22, owner) as leases:
        ear = await leases.listening()
        await Session.objects.all().adelete()
        await leases.desk.worker.lease.read()  # type: ignore[union-attr]
        leases.desk.worker._look()
        assert leases.spy["ending"] == ""
        assert ear.state.value == "up"


async def test_a_new_panel_knows_whose_it_is_by_her_phone(
    asterisk: Asterisk, phones: Callable[..., Phone], db: None
) -> None:
    """The panel was restarted while she listened, and her account was closed meanwhile."""
    owner = await sync_to_async(lead)()
    agent, customer, own = (phones(asterisk, extension) for extension in (AGENT, CUSTOMER, "900"))
    phones(asterisk, BOSS)
    async with Desk(asterisk, user_id=owner.pk) as desk:
        await desk.live()
        await asyncio.to_thread(lambda: customer.call(AGENT).wait_up())
        await asyncio.to_thread(lambda: agent.wait_incoming().wait_up())
        await desk.page.until(lambda: desk.page.calls("talking"))
        (key,) = desk.page.calls("talking")
        assert (await desk.click("calls.listen", key, owner.pk))["outcome"] == "done"
        ear = await asyncio.to_thread(lambda: own.wait_incoming().wait_up())
    async with Desk(asterisk, user_id=owner.pk) as newcomer:
        await newcomer.live()
        await newcomer.page.until(lambda: newcomer.page.spies)
        await newcomer.worker.lease.read()  # type: ignore[union-attr]
        newcomer.worker._look()
        (spy,) = newcomer.page.spies.values()
        assert (spy["user_id"], spy["ending"]) == (0, "")
        await deactivate(owner)
        await asyncio.to_thread(ear.wait_ended)
