"""Stop listening: her own with the right to begin it, another's with the right to hang up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission

from accounts.models import User
from audit.models import Entry
from tests.calls.stage import Desk
from tests.conftest import member

pytestmark = pytest.mark.django_db(transaction=True)


async def listening(desk: Desk) -> str:
    """She listens; the key of it."""
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.answered()
    desk.starts(leg)
    assert (await desk.last())["outcome"] == "done"
    return f"lab/{leg}"


async def only(user: User, *rights: str) -> User:
    """The user with just these rights of calls, on the whole floor."""
    await user.groups.aclear()
    await user.user_permissions.aset(
        [one async for one in Permission.objects.filter(codename__in=rights, content_type__app_label="calls")]
        + [await Permission.objects.aget(codename="everywhere")]
    )
    return user


async def test_the_leg_that_listens_is_hung_up_and_no_other(desk: Desk) -> None:
    key = await listening(desk)
    before = len(desk.link.posted)
    assert (await desk.click("calls.stop", key))["type"] == "ack"
    assert len(desk.link.posted) == before + 1
    leg = key.partition("/")[2]
    assert (desk.sent["Action"], desk.sent["Channel"]) == ("Hangup", leg)
    desk.scene.event("ChanSpyStop", SpyerUniqueid=leg, SpyeeUniqueid="b")
    desk.look()
    assert (await desk.last())["type"] == "ack", "the leg is there still"
    desk.scene.hangup(leg)
    desk.look()
    assert (await desk.last())["outcome"] == "done"
    entry = await Entry.objects.aget(kind="intent", verb="calls.stop")
    assert entry.target_words == "900 Sue (listen) → 101 Name 101"


async def test_her_own_with_the_right_to_listen_alone(desk: Desk) -> None:
    key = await listening(desk)
    await only(desk.user, "listen")
    assert (await desk.click("calls.stop", key))["type"] == "ack"


async def test_at_her_phone_though_nobody_remembers_who_began_it(desk: Desk) -> None:
    """The panel was restarted, or she dialled it herself."""
    desk.talk()
    desk.scene.new("d", "PJSIP/900-0000000d", "up")
    desk.starts("d")
    await only(desk.user, "listen")
    assert (await desk.click("calls.stop", "lab/d"))["type"] == "ack"


async def test_anothers_needs_the_right_to_hang_up(desk: Desk) -> None:
    key = await listening(desk)
    desk.user = await sync_to_async(member)("Dana", "Supervisor")
    await desk.user.phones.acreate(
        pbx="lab", dial_string="PJSIP/900"
    )  # the same phone: it is Sue's session all the same
    await only(desk.user, "view", "listen", "whisper", "pickup")
    assert await desk.refused("calls.stop", key) == "no_right"
    await only(desk.user, "hangup")
    assert await desk.refused("calls.stop", key) == "gone", "who may not see calls acts on none"
    await only(desk.user, "view", "hangup")
    assert (await desk.click("calls.stop", key))["type"] == "ack"


async def test_an_outsider_stops_nobody(desk: Desk, charlie: User) -> None:
    key = await listening(desk)
    desk.user = charlie
    assert await desk.refused("calls.stop", key) == "no_right"


@pytest.mark.parametrize("key", ["lab/b", "lab/a", "lab/nobody", "lab//.*/", "other/b"])
async def test_only_what_listens_can_be_stopped_so(desk: Desk, key: str) -> None:
    await listening(desk)
    assert await desk.refused("calls.stop", key) == "gone"


async def test_what_has_ended_is_gone(desk: Desk) -> None:
    key = await listening(desk)
    desk.scene.hangup(key.partition("/")[2])
    desk.look()
    await only(desk.user, "listen")
    assert await desk.refused("calls.stop", key) == "gone", "not no_right: it was hers"


async def test_what_went_on_to_another_leg_has_changed(desk: Desk) -> None:
    key = await listening(desk)
    target = {"kind": "spy", "key": key, "rev": 1}
    desk.starts(key.partition("/")[2], "a")
    assert await desk.refused("calls.stop", key, target=target) == "changed"


async def test_the_words_of_a_spy_are_for_its_kind_only(desk: Desk, desk_of: Callable[..., Desk]) -> None:
    key = await listening(desk)
    target = {"kind": "call", "key": key, "rev": 1}
    assert await desk.refused("calls.stop", target=target) == "bad_command"
