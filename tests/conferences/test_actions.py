"""What each action sends and what proves it; and that nobody does any of it without its right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission

from accounts.models import User
from ami.protocol import Message
from audit.models import Entry
from audit.trail import Trail
from floor import registry
from floor.dispatch import Dispatcher
from live.resync import Step
from tests.floor.stage import FakeLink, command
from tests.live.test_conferences import Conference, listed_rooms

pytestmark = pytest.mark.django_db(transaction=True)

EPOCH = 5
ON_PARTICIPANTS = ("conferences.mute", "conferences.unmute", "conferences.kick")
ON_ROOMS = ("conferences.lock", "conferences.unlock")
VERBS = (*ON_PARTICIPANTS, *ON_ROOMS)
RIGHT_OF = {verb: verb.replace(".un", ".") for verb in VERBS}


class Desk:
    """A dispatcher over a conference of two, and what it answers. Lists are answered by ``locked``."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.scene = Conference()
        self.scene.arrive("a", "101")
        self.scene.arrive("b", "201")
        self.scene.settled()
        self.link = FakeLink()
        self.trail = Trail()
        self.answers: list[dict[str, Any]] = []
        self.read: list[str] = []
        self.locked = "No"
        self.dispatcher = Dispatcher(
            self.scene.pbx,
            self.link,  # type: ignore[arg-type]
            self.trail,
            self._reply,
            lambda: EPOCH,
            self._read,
        )
        self.ids = 0

    async def _reply(self, channel: str, message: dict[str, Any]) -> None:
        self.answers.append(message)

    async def _read(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            self.read.append(step.action.name)
            step.replace(self.scene.pbx, self.lists(), self.scene.now)
        self.dispatcher.look()

    def lists(self) -> list[Message]:
        return listed_rooms(r801=self.locked)

    async def run(self, verb: str, **changed: Any) -> dict[str, Any]:
        """One command on participant a or on the room; its last answer so far."""
        self.ids += 1
        kind = registry.ACTIONS[verb].target
        key = "lab/a" if kind == "participant" else "lab/801"
        rev = self.scene.pbx.entities()[kind][key]["rev"]
        target = {"kind": kind, "key": key, "rev": rev}
        await self.dispatcher.run(command(self.ids, self.user.pk, verb, target, EPOCH, **changed))
        return await self.settle()

    async def settle(self) -> dict[str, Any]:
        await asyncio.sleep(0)  # the link's answers are told by call_soon
        while self.dispatcher._tasks:
            await asyncio.gather(*self.dispatcher._tasks)
        return self.answers[-1]

    @property
    def sent(self) -> list[tuple[str, dict[str, str]]]:
        return [(action.name, dict(action.headers)) for action, _ in self.link.posted]


@pytest.fixture
async def desk(bob: User) -> AsyncIterator[Desk]:
    desk = Desk(bob)
    yield desk
    await desk.dispatcher.finish()
    await sync_to_async(desk.trail.close)()


@pytest.mark.parametrize(
    ("verb", "action"),
    [
        ("conferences.mute", "ConfbridgeMute"),
        ("conferences.unmute", "ConfbridgeUnmute"),
        ("conferences.kick", "ConfbridgeKick"),
    ],
)
async def test_a_participant_is_named_whole_and_from_the_model(desk: Desk, verb: str, action: str) -> None:
    await desk.run(verb)
    assert desk.sent == [(action, {"Conference": "801", "Channel": "PJSIP/101-0000008a"})]


@pytest.mark.parametrize("verb", ON_PARTICIPANTS)
async def test_a_name_that_is_the_beginning_of_anothers_reaches_nobody(desk: Desk, verb: str) -> None:
    desk.scene.new("x", "PJSIP/101-0000008a1", "up")
    answer = await desk.run(verb)
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", "ambiguous", "PJSIP/101-0000008a")
    assert desk.sent == []


async def test_mute_is_done_when_its_event_says_so(desk: Desk) -> None:
    assert (await desk.run("conferences.mute"))["type"] == "ack"
    desk.link.answer(0, "Success", "User muted")
    assert (await desk.settle())["type"] == "ack", "Success proves nothing"
    desk.scene.confbridge("Mute", "b")
    desk.dispatcher.look()
    assert (await desk.settle())["type"] == "ack", "somebody else's"
    desk.scene.confbridge("Mute", "a")
    desk.dispatcher.look()
    assert (await desk.settle())["outcome"] == "done"
    await desk.run("conferences.unmute")
    desk.scene.confbridge("Unmute", "a")
    desk.dispatcher.look()
    assert (await desk.settle())["outcome"] == "done"
    assert desk.read == []


async def test_mute_of_who_left_is_not_done(desk: Desk) -> None:
    await desk.run("conferences.mute")
    desk.scene.confbridge("Leave", "a")
    desk.scene.confbridge("Join", "a", "802", Admin="No", Muted="Yes")
    desk.dispatcher.look()
    assert (await desk.settle())["type"] == "ack"
    desk.link.answer(0, "Error", "No Channel by that name found in Conference.")
    answer = await desk.settle()
    assert (answer["outcome"], answer["code"]) == ("refused", "asterisk")


async def test_kick_is_done_when_the_participant_is_out(desk: Desk) -> None:
    await desk.run("conferences.kick")
    desk.link.answer(0, "Success", "User kicked")
    assert (await desk.settle())["type"] == "ack"
    desk.scene.confbridge("Leave", "a")
    desk.dispatcher.look()
    assert (await desk.settle())["outcome"] == "done"
    words = [entry.target_words async for entry in Entry.objects.filter(kind="intent")]
    assert words == ["101 Name 101 (801)"]


@pytest.mark.parametrize(("verb", "locked"), [("conferences.lock", "Yes"), ("conferences.unlock", "No")])
async def test_a_lock_is_proved_by_a_list_read_after_the_answer(desk: Desk, verb: str, locked: str) -> None:
    desk.locked = "No" if locked == "Yes" else "Yes"
    await desk._read(registry.ACTIONS[verb].plan(*_arguments(desk, verb)).reread)
    desk.read.clear()
    await desk.run(verb)
    assert desk.read == [], "not before Asterisk has answered"
    desk.locked = locked
    desk.link.answer(0, "Success", "Conference locked")
    assert (await desk.settle())["outcome"] == "done"
    assert desk.read == ["ConfbridgeListRooms"]


async def test_what_was_known_before_proves_no_lock(desk: Desk) -> None:
    desk.scene.pbx.conferences.replace_rooms(listed_rooms(r801="Yes"), desk.scene.now)
    await desk.run("conferences.lock")
    desk.dispatcher.look()
    assert (await desk.settle())["type"] == "ack"


async def test_a_lock_that_the_list_does_not_show_is_not_done(desk: Desk) -> None:
    await desk.run("conferences.lock")
    desk.link.answer(0, "Success", "Conference locked")
    assert (await desk.settle())["type"] == "ack"
    assert desk.read == ["ConfbridgeListRooms"]


async def test_a_refused_lock_is_refused(desk: Desk) -> None:
    await desk.run("conferences.lock")
    desk.link.answer(0, "Error", "No active conferences.")
    answer = await desk.settle()
    assert (answer["outcome"], answer["detail"]) == ("refused", "No active conferences.")


def _arguments(desk: Desk, verb: str) -> tuple[Any, ...]:
    found = registry.KINDS["room"].find(desk.scene.pbx, "801")
    assert found is not None
    return desk.scene.pbx, found, registry.NoArgs(), None


# --- who may not


@pytest.mark.parametrize("verb", VERBS)
async def test_an_outsider_does_none_of_it(desk: Desk, charlie: User, verb: str) -> None:
    answer = await desk.run(verb, user_id=charlie.pk)
    assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
    assert desk.sent == []


@pytest.mark.parametrize("verb", VERBS)
async def test_each_right_reaches_its_own_verbs_and_no_other(desk: Desk, charlie: User, verb: str) -> None:
    def grant(*rights: str) -> None:
        codenames = [right.partition(".")[2] for right in rights]
        conferences = Permission.objects.filter(content_type__app_label="conferences", codename__in=codenames)
        charlie.user_permissions.set([*conferences, Permission.objects.get(codename="everywhere")])

    await sync_to_async(grant)(*{*RIGHT_OF.values(), "conferences.view"} - {RIGHT_OF[verb]})
    assert (await desk.run(verb, user_id=charlie.pk))["code"] == "no_right"
    await sync_to_async(grant)(RIGHT_OF[verb])
    assert (await desk.run(verb, user_id=charlie.pk))["code"] == "gone", "nor on what she may not see"
    await sync_to_async(grant)(RIGHT_OF[verb], "conferences.view")
    assert (await desk.run(verb, user_id=charlie.pk))["type"] == "ack"


@pytest.mark.parametrize(
    ("verb", "target", "code"),
    [
        ("conferences.kick", {"kind": "participant", "key": "lab/all", "rev": 1}, "gone"),
        ("conferences.mute", {"kind": "participant", "key": "lab/PJSIP/101-0000008a", "rev": 1}, "gone"),
        ("conferences.mute", {"kind": "participant", "key": "lab/a", "rev": 99}, "changed"),
        ("conferences.mute", {"kind": "call", "key": "lab/a", "rev": 1}, "bad_command"),
        ("conferences.lock", {"kind": "participant", "key": "lab/a", "rev": 1}, "bad_command"),
        ("conferences.lock", {"kind": "room", "key": "lab/802", "rev": 1}, "gone"),
        ("conferences.lock", {"kind": "room", "key": "lab/", "rev": 1}, "gone"),
    ],
)
async def test_what_is_not_so_is_refused(desk: Desk, verb: str, target: dict[str, Any], code: str) -> None:
    answer = await desk.run(verb, target=target)
    assert (answer["outcome"], answer["code"]) == ("refused", code)
    assert desk.sent == []


async def test_a_name_that_is_a_prefix_is_never_sent(desk: Desk) -> None:
    """Should Asterisk ever say such a name itself: it could be another's beginning."""
    desk.scene.names["a"] = "PJSIP/101"
    desk.scene.event("NewCallerid", **desk.scene.snapshot("a"))
    desk.scene.look()
    answer = await desk.run("conferences.kick")
    assert (answer["outcome"], answer["code"]) == ("refused", "bad_command")
    assert desk.sent == []


async def test_a_room_that_changed_under_the_finger_is_looked_at_again(desk: Desk) -> None:
    old = desk.scene.rooms["lab/801"]["rev"]
    desk.scene.confbridge("Leave", "b")
    desk.scene.look()
    answer = await desk.run("conferences.lock", target={"kind": "room", "key": "lab/801", "rev": old})
    assert answer["code"] == "changed"


def test_our_own_side_is_what_a_scope_is_about() -> None:
    scene = Conference()
    scene.arrive("a", "101")
    scene.arrive("b", "trunk")
    room, outside = (
        registry.KINDS[kind].find(scene.pbx, key) for kind, key in (("room", "801"), ("participant", "b"))
    )
    assert room is not None
    assert outside is not None
    assert (room.side.numbers, room.acted) == (("101",), ("101",))
    assert (outside.side.numbers, outside.acted, outside.side.room) == ((), (), "801")
