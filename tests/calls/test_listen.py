"""Listen: what is sent, when it is refused, what proves it and what says that it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from audit.models import Entry
from floor import dispatch
from live.manners import Manners
from tests.calls.stage import Desk
from tests.conftest import member
from tests.live.scene import Scene
from tests.live.test_spies import listed

pytestmark = pytest.mark.django_db(transaction=True)


async def test_her_phone_is_rung_to_hear_exactly_one_leg(desk: Desk) -> None:
    desk.talk()
    answer = await desk.click("calls.listen")
    assert answer["type"] == "ack"
    assert answer["patience_ms"] == 18_000, "15 s of ringing, and 3"
    leg = desk.sent["ChannelId"]
    assert desk.sent == {
        "Action": "Originate",
        "Channel": "PJSIP/900",
        "Application": "ChanSpy",
        "Data": "b,qudES",
        "CallerID": '"Phoenix-Spy" <101>',
        "Timeout": "15000",
        "ChannelId": leg,
        "Async": "true",
    }
    assert leg.startswith("phx-listen-")
    assert len(desk.link.posted) == 1


async def test_two_clicks_are_two_ids(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    first = desk.sent["ChannelId"]
    await desk.click("calls.listen")
    assert desk.sent["ChannelId"] != first


async def test_what_her_phone_shows_and_how_long_it_rings_can_be_set(desk: Desk) -> None:
    desk.scene.pbx.manners = Manners(listen="Ear", ring_s=5)
    desk.talk()
    assert (await desk.click("calls.listen"))["patience_ms"] == 8_000
    assert (desk.sent["CallerID"], desk.sent["Timeout"]) == ('"Ear" <101>', "5000")


async def test_done_when_it_has_begun_and_not_before(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    desk.link.answer(0, "Success", "Originate successfully queued")
    leg = desk.answered()
    desk.later()
    assert (await desk.last())["type"] == "ack", "an answered phone proves nothing"
    desk.starts(leg)
    assert (await desk.last())["outcome"] == "done"
    (spy,) = desk.scene.pbx.entities()["spy"].values()
    assert (spy["user"], spy["user_id"], spy["mode"], spy["call"]) == ("Sue", desk.user.pk, "listen", "lab/a")
    entries = [(e.kind, e.verb, e.outcome, e.target_words) async for e in Entry.objects.order_by("id")]
    assert entries == [
        ("intent", "calls.listen", "", "201 Name 201 → 101 Name 101"),
        ("outcome", "calls.listen", "done", "201 Name 201 → 101 Name 101"),
    ]


async def test_begun_and_over_within_one_look_is_done(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.answered()
    desk.scene.event("ChanSpyStart", SpyerUniqueid=leg, SpyeeUniqueid="b")
    desk.scene.event("ChanSpyStop", SpyerUniqueid=leg, SpyeeUniqueid="b")
    desk.scene.hangup(leg)
    desk.later()
    assert (await desk.last())["outcome"] == "done"


async def test_the_internal_partys_leg_is_heard(desk_of: Callable[..., Desk], sue: User) -> None:
    """An agent calls out: the callee is a stranger, the leg is the agent's all the same."""
    scene = Scene()
    scene.ring("a", "t", ("101", "trunk"))
    scene.answer("a", "t")
    desk = desk_of(sue, scene)
    await desk.click("calls.listen")
    assert desk.sent["Data"] == "a,qudES"


async def test_she_may_choose_the_party(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen", args={"party": "lab/a"})
    assert desk.sent["Data"] == "a,qudES"
    assert await desk.refused("calls.listen", args={"party": "lab/nobody"}) == "not_now"


async def test_strangers_choose_no_sign_of_what_her_phone_shows(desk_of: Callable[..., Desk], sue: User) -> None:
    scene = Scene()
    scene.ring("t", "u", ("trunk-1", "trunk-2"))
    scene.names["u"] = 'PJSIP/trunk"><-0000u'
    scene.state("u", "ringing")
    scene.answer("t", "u")
    desk = desk_of(sue, scene)
    await desk.click("calls.listen", key="lab/t")
    assert desk.sent["CallerID"] == '"Phoenix-Spy" <>'


@pytest.mark.parametrize("args", [{"party": 3}, {"who": "lab/a"}, {"party": "x" * 300}, {"application": "System"}])
async def test_other_arguments_are_no_words_of_ours(desk: Desk, args: dict[str, object]) -> None:
    desk.talk()
    assert await desk.refused("calls.listen", args=args) == "bad_command"


async def test_a_call_that_does_not_talk(desk: Desk) -> None:
    assert await desk.refused("calls.listen") == "not_now"
    desk.talk()
    desk.scene.event("Hold", **desk.scene.snapshot("b"))
    desk.look()
    assert (await desk.click("calls.listen"))["type"] == "ack", "on hold it is a conversation still"


async def test_without_a_phone(desk: Desk) -> None:
    desk.talk()
    await desk.user.phones.all().adelete()
    await desk.user.phones.acreate(pbx="office", dial_string="PJSIP/900")
    assert await desk.refused("calls.listen") == "no_phone"


@pytest.mark.parametrize("role", ["", "Agent", "Team lead", "Auditor"])
async def test_an_outsider_rings_nobody(desk_of: Callable[..., Desk], role: str) -> None:
    outsider = await sync_to_async(member)("Charlie", role)
    await outsider.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    desk = desk_of(outsider)
    desk.talk()
    # A team lead without a team may listen, to nobody: it is to her as if nobody talked.
    assert await desk.refused("calls.listen") == ("gone" if role == "Team lead" else "no_right")


# --- what goes wrong at her phone: as measured on 16 and 22


async def test_not_answered(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.rings()
    desk.not_made(3)
    desk.scene.hangup(leg, 19, "User alerting, no answer")
    desk.look()
    answer = await desk.last()
    assert (answer["outcome"], answer["code"]) == ("refused", "no_answer")


@pytest.mark.parametrize(("cause", "text"), [(17, "User busy"), (21, "Call Rejected")])
@pytest.mark.parametrize("first", ["response", "hangup"])
async def test_busy_in_either_order(desk: Desk, cause: int, text: str, first: str) -> None:
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.rings()
    if first == "response":
        desk.not_made(0)
        assert (await desk.last())["type"] == "ack", "the cause is not known yet"
        desk.scene.hangup(leg, cause, text)
        desk.look()
    else:
        desk.scene.hangup(leg, cause, text)
        desk.look()
        desk.not_made(0, leg)
    answer = await desk.last()
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", "phone_busy", text)


async def test_not_registered(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    desk.not_made(0)
    desk.later()
    assert (await desk.last())["code"] == "phone_unreachable"


async def test_another_cause_is_told_in_asterisks_words(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.rings()
    desk.scene.hangup(leg, 38, "Network out of order")
    desk.not_made(0, leg)
    answer = await desk.last()
    assert (answer["code"], answer["detail"]) == ("asterisk", "Network out of order")


async def test_answered_when_the_call_was_over(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.answered()
    desk.scene.hangup(leg, 0, "Unknown")
    desk.look()
    assert (await desk.last())["type"] == "ack", "its start may be behind its end"
    desk.later()
    answer = await desk.last()
    assert (answer["outcome"], answer["code"]) == ("refused", "too_late")


@pytest.mark.parametrize("answered", [False, True])
async def test_a_call_that_is_another_by_the_time_she_answers(desk: Desk, answered: bool) -> None:
    """The agent is put through to somebody else while her phone rings: that is not what she clicked on."""
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.answered() if answered else desk.rings()
    desk.scene.new("c", "PJSIP/103-0000000c", "up")
    for uniqueid in ("a", "b"):
        desk.scene.leave(uniqueid, "br")
    desk.scene.enter("c", "br2")
    desk.scene.enter("b", "br2")
    if answered:
        desk.starts(leg)
        assert (await desk.last())["type"] == "ack", "what it hears is not told yet: not done"
    desk.later()
    answer = await desk.last()
    assert (answer["outcome"], answer["code"]) == ("refused", "changed")
    assert (desk.sent["Action"], desk.sent["Channel"]) == ("Hangup", leg)


async def test_a_call_that_was_held_meanwhile_is_the_same(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.answered()
    desk.scene.event("Hold", **desk.scene.snapshot("b"))
    desk.starts(leg)
    assert (await desk.last())["outcome"] == "done"
    assert len(desk.link.posted) == 1


async def test_asterisk_says_no_at_once(desk: Desk) -> None:
    desk.talk()
    await desk.click("calls.listen")
    desk.link.answer(0, "Error", "Permission denied")
    await asyncio.sleep(0)
    answer = await desk.last()
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", "asterisk", "Permission denied")


async def test_no_news_is_unknown_and_a_list_may_settle_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link broke while her phone rang: after it is back, the list shows the leg that listens."""
    monkeypatch.setattr(dispatch._Underway, "patience", 0.0)
    desk.talk()
    await desk.click("calls.listen")
    await asyncio.sleep(0.01)
    answer = await desk.last()
    assert (answer["outcome"], answer["code"]) == ("unknown", "not_proved")
    leg = desk.sent["ChannelId"]
    desk.scene.new(leg, "PJSIP/900-000000ff", "up")
    listed(desk.scene, leg, "b,qudES")
    desk.look()
    assert (await desk.last())["outcome"] == "done"
