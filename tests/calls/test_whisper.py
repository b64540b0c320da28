"""Whisper: to somebody of our own side, never to the customer, and by a right of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from tests.calls.stage import Desk
from tests.live.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True)


async def test_the_agent_alone_hears_her(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.whisper")
    leg = desk.sent["ChannelId"]
    assert leg.startswith("phx-whisper-")
    assert (desk.sent["Application"], desk.sent["Data"]) == ("ChanSpy", "b,qudwES"), "of two internal ones, the callee"
    assert desk.sent["CallerID"] == '"Phoenix-whispers" <101>'
    desk.answered()
    desk.starts(leg)
    assert (await desk.last())["outcome"] == "done"
    (spy,) = desk.scene.pbx.entities()["spy"].values()
    assert spy["mode"] == "whisper"


async def test_the_agent_who_called_out_is_the_one(desk_of: Callable[..., Desk], sue: User) -> None:
    scene = Scene()
    scene.ring("a", "t", ("101", "trunk"))
    scene.answer("a", "t")
    desk = desk_of(sue, scene)
    assert await desk.refused("calls.whisper", args={"party": "lab/t"}) == "not_now"
    await desk.click("calls.whisper")
    assert desk.sent["Data"] == "a,qudwES"


async def test_two_strangers_cannot_be_whispered_to(desk_of: Callable[..., Desk], sue: User) -> None:
    scene = Scene()
    scene.ring("a", "t", ("trunk-in", "trunk-out"))
    scene.answer("a", "t")
    desk = desk_of(sue, scene)
    assert await desk.refused("calls.whisper") == "not_now"
    assert (await desk.click("calls.listen"))["type"] == "ack", "they can be listened to"


async def test_a_call_that_does_not_talk(desk: Desk) -> None:
    assert await desk.refused("calls.whisper") == "not_now"


async def test_an_outsider_rings_nobody(desk_of: Callable[..., Desk], charlie: User) -> None:
    await charlie.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    desk = desk_of(charlie)
    desk.talk()
    assert await desk.refused("calls.whisper") == "no_right"


async def test_who_may_listen_may_not_whisper(desk_of: Callable[..., Desk], charlie: User) -> None:
    await charlie.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    rights = [one async for one in Permission.objects.filter(codename__in=("listen", "everywhere"))]
    rights.append(await Permission.objects.aget(codename="view", content_type__app_label="calls"))
    await charlie.user_permissions.aadd(*rights)
    desk = desk_of(charlie)
    desk.talk()
    assert await desk.refused("calls.whisper") == "no_right"
    assert (await desk.click("calls.listen"))["type"] == "ack"
