"""Pick up: at the leg that is rung, by the name that live state has, and only while it rings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import User
from tests.calls.stage import Desk
from tests.live.scene import Scene

pytestmark = pytest.mark.django_db(transaction=True)

RUNG = "PJSIP/101-0000000b"


@pytest.fixture
def ringing() -> Scene:
    scene = Scene()
    scene.new("a", "PJSIP/201-0000000a", "ring")
    scene.new("b", RUNG)
    scene.dial("a", "b")
    scene.state("b", "ringing")
    return scene


async def test_the_rung_leg_is_taken(desk_of: Callable[..., Desk], sue: User, ringing: Scene) -> None:
    desk = desk_of(sue, ringing)
    await desk.click("calls.pickup")
    leg = desk.answered()
    assert leg.startswith("phx-pickup-")
    assert (desk.sent["Application"], desk.sent["Data"]) == ("PickupChan", RUNG)
    assert desk.sent["CallerID"] == '"Phoenix-Pickup" <101>'
    desk.later()
    assert (await desk.last())["type"] == "ack"
    ringing.event("Pickup", **ringing.snapshot(leg), TargetUniqueid="b")
    desk.look()
    assert (await desk.last())["outcome"] == "done"


async def test_of_several_one_may_be_chosen(desk_of: Callable[..., Desk], sue: User, ringing: Scene) -> None:
    ringing.new("c", "PJSIP/102-0000000c")
    ringing.dial("a", "c")
    ringing.state("c", "ringing")
    desk = desk_of(sue, ringing)
    await desk.click("calls.pickup", args={"party": "lab/b"})
    assert desk.sent["Data"] == RUNG
    assert await desk.refused("calls.pickup", args={"party": "lab/a"}) == "not_now", "the caller is not rung"


async def test_a_waiting_caller_whose_agent_rings(desk_of: Callable[..., Desk], sue: User, ringing: Scene) -> None:
    ringing.event("QueueCallerJoin", **ringing.snapshot("a"), Queue="sales")
    desk = desk_of(sue, ringing)
    assert ringing.only()["phase"] == "waiting"
    assert (await desk.click("calls.pickup"))["type"] == "ack"


async def test_answered_by_another_meanwhile(desk_of: Callable[..., Desk], sue: User, ringing: Scene) -> None:
    desk = desk_of(sue, ringing)
    await desk.click("calls.pickup")
    leg = desk.answered()
    ringing.hangup(leg, 0, "Unknown")
    desk.later()
    answer = await desk.last()
    assert (answer["outcome"], answer["code"]) == ("refused", "too_late")


async def test_a_call_that_rings_nowhere(desk_of: Callable[..., Desk], sue: User, ringing: Scene) -> None:
    desk = desk_of(sue, ringing)
    desk.talk()
    assert await desk.refused("calls.pickup") == "not_now"


async def test_a_name_that_is_no_name_is_not_sent(desk_of: Callable[..., Desk], sue: User) -> None:
    """Names come from Asterisk, and still only what looks like one goes back to it."""
    scene = Scene()
    scene.new("a", "PJSIP/201-0000000a", "ring")
    scene.new("b", "PJSIP/101-0000000b&PJSIP/102-0000000c")
    scene.dial("a", "b")
    scene.state("b", "ringing")
    assert await desk_of(sue, scene).refused("calls.pickup") == "bad_command"


@pytest.mark.parametrize(("other", "sent"), [("DAHDI/1-10", False), ("dahdi/1-10", False), ("DAHDI/1-2", True)])
async def test_a_name_that_is_the_beginning_of_anothers(
    desk_of: Callable[..., Desk], sue: User, other: str, sent: bool
) -> None:
    """PickupChan is content with a beginning: it might pick up the other one."""
    scene = Scene()
    scene.new("a", "PJSIP/201-0000000a", "ring")
    scene.new("b", "DAHDI/1-1")
    scene.dial("a", "b")
    scene.state("b", "ringing")
    scene.new("x", other, "ring")
    desk = desk_of(sue, scene)
    if sent:
        await desk.click("calls.pickup")
        assert desk.sent["Data"] == "DAHDI/1-1"
    else:
        assert await desk.refused("calls.pickup") == "ambiguous"


async def test_an_outsider_rings_nobody(desk_of: Callable[..., Desk], charlie: User, ringing: Scene) -> None:
    await charlie.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    assert await desk_of(charlie, ringing).refused("calls.pickup") == "no_right"
