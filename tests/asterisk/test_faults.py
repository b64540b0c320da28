"""Wrong host, wrong secret, missing rights, a PBX that goes away in mid-flight: the page is told which, all heals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from accounts.models import User
from audit.models import Entry
from tests.asterisk.desk import Desk
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("url", "phase", "code"),
    [
        ("ami://panel:panel-secret@127.0.0.1:1", "down", "unreachable"),
        ("ami://panel:wrong@127.0.0.1:{port}", "refused", "login_refused"),
        ("ami://nobody:panel-secret@127.0.0.1:{port}", "refused", "login_refused"),
        ("ami://readonly:readonly-secret@127.0.0.1:{port}", "refused", "rights_missing"),
        ("ami://panel:panel-secret@127.0.0.1:{sip}", "down", "unreachable"),
    ],
)
async def test_what_is_wrong_is_said(asterisk22: Asterisk, url: str, phase: str, code: str) -> None:
    address = url.format(port=asterisk22.ami_port, sip=asterisk22.sip_address()[1])
    async with Desk(asterisk22, url=address) as desk:
        await desk.page.until(lambda: desk.page.link.get("code") == code)
        assert desk.page.link["phase"] == phase
        assert desk.page.link["detail"], "with Asterisk's or the system's own words"
        assert "secret" not in desk.page.link["detail"]
        assert "wrong" not in desk.page.link["detail"]


async def test_an_account_that_may_not_hear_of_calls_is_told_so(
    asterisk22: Asterisk, phones: Callable[..., Phone]
) -> None:
    """It logs in and lists like any other; only that no event comes. Without this, the page would say `live`."""
    phones(asterisk22, "101")
    customer = phones(asterisk22, "201")
    async with Desk(asterisk22, account="deaf") as desk:
        await desk.live()
        await asyncio.to_thread(lambda: customer.call("101").wait_up())
        await desk.page.until(lambda: desk.page.link["code"] == "rights_missing")
        assert "read = " in desk.page.link["detail"]


async def test_a_frozen_pbx_is_told_from_a_quiet_one_and_heals(asterisk22: Asterisk) -> None:
    async with Desk(asterisk22) as desk:
        await desk.live()
        asterisk22.freeze()
        await desk.page.until(lambda: desk.page.link["phase"] != "live")
        assert desk.page.link["code"] == "silent"
        await desk.page.until(lambda: desk.page.link["code"] == "no_greeting")
        asterisk22.thaw()
        await desk.page.until(lambda: desk.page.link["phase"] == "live")


async def test_a_killed_pbx_leaves_no_ghost(asterisk22: Asterisk, phones: Callable[..., Phone]) -> None:
    agent, customer = phones(asterisk22, "101"), phones(asterisk22, "201")
    async with Desk(asterisk22) as desk:
        await desk.live()
        await asyncio.to_thread(lambda: customer.call("101").wait_up())
        await desk.page.until(lambda: desk.page.calls("talking"))
        await asyncio.to_thread(asterisk22.kill)
        await desk.page.until(lambda: desk.page.link["phase"] == "down")
        assert desk.page.calls("talking"), "the last known picture stays, greyed"
        await asyncio.to_thread(asterisk22.start)
        await desk.page.until(lambda: desk.page.link["phase"] == "live")
        assert not desk.page.calls("talking")
        assert await desk.equals(await desk.checked(asterisk22)) == []
    await asyncio.to_thread(agent.hangup)


async def test_a_restart_is_announced(asterisk22: Asterisk) -> None:
    async with Desk(asterisk22) as desk:
        await desk.live()
        epoch = desk.page.epoch
        await asyncio.to_thread(asterisk22.restart)
        await desk.page.until(lambda: desk.page.link["phase"] == "live" and desk.page.epoch > epoch)
        assert "shutting_down" in {link["code"] for link in desk.page.links}


async def test_a_click_while_frozen_is_unknown_never_done_and_settles(
    asterisk22: Asterisk, phones: Callable[..., Phone], bob: User
) -> None:
    agent, customer = phones(asterisk22, "101"), phones(asterisk22, "201")
    async with Desk(asterisk22, user_id=bob.pk) as desk:
        await desk.live()
        await asyncio.to_thread(lambda: customer.call("101").wait_up())
        await desk.page.until(lambda: desk.page.calls("talking"))
        (key,) = desk.page.calls()
        asterisk22.freeze()
        answer = await desk.click("calls.hangup", key, bob.pk)
        assert (answer["outcome"], answer["code"]) == ("unknown", "not_proved")
        asterisk22.thaw()
        await desk.page.until(lambda: len(desk.page.results) == 2)
        # Frozen, Asterisk takes the old click when it thaws: the list after the reconnect proves what became of it.
        assert desk.page.results[-1]["outcome"] == "done"
        assert await desk.checked(asterisk22) == []
    outcomes = [entry.outcome async for entry in Entry.objects.order_by("id")]
    assert outcomes == ["", "unknown", "done"]
    await asyncio.to_thread(agent.hangup)


async def test_injection_reaches_nothing(asterisk22: Asterisk, phones: Callable[..., Phone], bob: User) -> None:
    """A forged key with CR LF, a regular expression, another's channel name: refused, and nothing is hung up."""
    phones(asterisk22, "101")
    customer = phones(asterisk22, "201")
    async with Desk(asterisk22, user_id=bob.pk) as desk:
        await desk.live()
        call = await asyncio.to_thread(lambda: customer.call("101").wait_up())
        await desk.page.until(lambda: desk.page.calls("talking"))
        (party, *_) = desk.page.entities["party"].values()
        for key in ("lab//.*/", "lab/x\r\nAction: Hangup\r\nChannel: /.*/", f"lab/{party['channel']}", "lab/all"):
            answer = await desk.click("calls.hangup", key, bob.pk)
            assert (answer["outcome"], answer["code"]) == ("refused", "gone")
        assert len(await desk.checked(asterisk22)) == 2
        await asyncio.to_thread(call.hangup)
