"""A listening lasts as long as its owner may: judged on the live model, ended in the same look."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Protected, Team, User
from audit.models import Entry
from floor.lease import Lease
from tests.calls.stage import Desk
from tests.conftest import member
from tests.live.test_spies import listed

pytestmark = pytest.mark.django_db(transaction=True)

OURS = "phx-listen-1"


class Listening:
    """201 (``a``) talks with 101 (``b``), whom Lea's phone 900 hears, by the panel's doing."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.scene = desk, desk.scene
        self.lease = Lease(self.scene.pbx, desk.link, desk.trail)  # type: ignore[arg-type]

    async def begin(self, leg: str = OURS, *, known: bool = True) -> None:
        self.desk.talk()
        if known:
            self.scene.pbx.own.expect(leg, self.desk.user.pk, "Lea", self.scene.now)
        self.scene.new(leg, "PJSIP/900-0000000c", "up")
        self.scene.event("ChanSpyStart", SpyerUniqueid=leg, SpyeeUniqueid="b")
        await self.look()

    async def look(self) -> list[str]:
        """The owners are read, and the model looked at; what was hung up."""
        self.scene.look()
        await self.lease.read()
        self.scene.settled()
        self.lease.act()
        await self.lease.finish()
        return self.desk.link.channels

    @property
    def ending(self) -> str:
        return str(next(iter(self.scene.pbx.entities()["spy"].values()))["ending"])

    def joined(self, number: str) -> None:
        """The caller gives 101 to another extension."""
        self.scene.hangup("a")
        self.scene.new("c", f"PJSIP/{number}-0000000d", "up")
        self.scene.enter("c", "br")


@pytest.fixture
async def listening(desk_of: Callable[..., Desk]) -> Listening:
    def lea() -> User:
        user = member("Lea", "Team lead")
        user.phones.create(pbx="lab", dial_string="PJSIP/900")
        team = Team.objects.create(name="Tens")
        team.members.add(user)
        for name in ("10?", "20?"):
            team.rules.create(aspect="extension", name=name)
        return user

    return Listening(desk_of(await sync_to_async(lea)()))


async def test_the_look_that_sees_a_stranger_tells_it_and_hangs_up(listening: Listening) -> None:
    await listening.begin()
    assert (listening.ending, await listening.look()) == ("", [])
    listening.joined("901")
    listening.scene.later(0.5)
    changes = listening.scene.look()
    assert changes.up["spy"][f"lab/{OURS}"]["ending"] == "scope_lost", "in the same frame"
    listening.lease.act()
    listening.lease.act()
    assert listening.desk.link.channels == [OURS], "once, and no other leg"
    await listening.lease.finish()
    entries = [entry async for entry in Entry.objects.order_by("id")]
    assert [(entry.kind, entry.verb, entry.code) for entry in entries] == [
        ("intent", "calls.stop", ""),
        ("outcome", "calls.stop", "scope_lost"),
    ]
    assert entries[0].user_id is None
    assert entries[0].target_words.startswith("900 Lea (listen) → ")


async def test_one_of_her_own_may_come(listening: Listening) -> None:
    await listening.begin()
    listening.joined("102")
    assert await listening.look() == []


async def test_who_sits_in_the_same_room_is_heard_too(listening: Listening) -> None:
    room = {"BridgeType": "base", "BridgeTechnology": "softmix", "BridgeCreator": "ConfBridge", "BridgeName": "801"}
    await listening.begin()
    scene = listening.scene
    scene.leave("b", "br")
    scene.hangup("a")
    scene.enter("b", "room", **room)
    scene.event("ConfbridgeJoin", Conference="801", BridgeUniqueid="room", **scene.snapshot("b"))
    assert await listening.look() == []
    scene.new("c", "PJSIP/901-0000000d", "up")
    scene.enter("c", "room", **room)
    scene.event("ConfbridgeJoin", Conference="801", BridgeUniqueid="room", **scene.snapshot("c"))
    assert await listening.look() == [OURS]


async def test_the_right_is_that_of_its_mode(listening: Listening) -> None:
    """She may listen, and not whisper."""
    await listening.begin("phx-whisper-1")
    assert listening.ending == "no_right"


async def test_what_her_phones_keys_can_turn_to_needs_all_three(listening: Listening) -> None:
    await listening.begin("phx-listen-keys-1")
    assert listening.ending == "no_right"


@pytest.mark.parametrize("known", [True, False])
async def test_her_account_is_closed(listening: Listening, known: bool) -> None:
    """Also where the panel has been restarted, and only the phone says whose it is."""
    await listening.begin(known=known)
    assert await listening.look() == []
    await User.objects.aupdate(is_active=False)
    assert await listening.look() == [OURS]
    assert listening.ending == "no_right"


async def test_a_phone_of_two_may_listen_if_one_of_them_may(listening: Listening) -> None:
    """Which of the two it is, nobody knows after a restart."""
    other = await sync_to_async(member)("Ann", "Agent")
    await other.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    await listening.begin(known=False)
    assert await listening.look() == []
    await listening.desk.user.groups.aclear()
    assert await listening.look() == [OURS]


async def test_protected_by_now(listening: Listening) -> None:
    await listening.begin()
    await Protected.objects.acreate(extension="101")
    assert await listening.look() == [OURS]
    assert listening.ending == "protected"


async def test_what_is_nobodys_here_is_left_alone(listening: Listening) -> None:
    """Another panel on the same PBX, or a script, had it made: its phone is none that we know."""
    await User.objects.aupdate(is_active=False)
    await listening.desk.user.phones.all().adelete()
    await listening.begin(known=False)
    assert await listening.look() == []


async def test_a_phone_that_dialled_it_itself_is_its_pbxs_affair(listening: Listening) -> None:
    await User.objects.aupdate(is_active=False)
    await listening.begin("d", known=False)
    listed(listening.scene, "d")
    assert await listening.look() == []


async def test_a_target_that_stays_on_no_call_is_out_of_scope(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a moment it may be, as within a transfer; then nobody can say who is heard."""
    await listening.begin()
    monkeypatch.setattr(listening.scene.pbx.calls, "get", lambda call_id: None)
    assert await listening.look() == []
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 5)
    assert await listening.look() == [OURS]


async def test_without_a_database_all_stays_as_it_was_read(listening: Listening) -> None:
    await listening.begin()
    await sync_to_async(listening.desk.trail.close)()
    assert await listening.look() == []
    listening.joined("901")
    assert await listening.look() == [OURS], "nobody needs to write for something to be taken away"


async def test_it_can_be_ended_at_any_moment(listening: Listening) -> None:
    """Also in the very turn in which there is something to read (`asyncio.wait_for` of 3.11 would go on)."""
    await listening.begin()
    renewing = asyncio.create_task(listening.lease.renew(lambda: None))
    await asyncio.sleep(0.01)
    listening.lease._unread.set()
    renewing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(renewing, 5)
