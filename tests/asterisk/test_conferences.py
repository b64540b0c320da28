"""One click each on a real room, with phones that each say a note of their own: what the others hear proves it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from accounts.models import User
from floor import worker as workers
from tests.asterisk.desk import Desk
from tests.asterisk.test_calling import records
from tests.lab.audio import Sound, take_wav
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone, PhoneError

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

ANNA, BORIS, LISTENER = 440, 620, 0
APART_DB = 20
ROOM = "lab/801"


class Room:
    """Anna and Boris talk, somebody listens: phones in room 801, and a desk that looks."""

    def __init__(self, asterisk: Asterisk, desk: Desk, user: User) -> None:
        self.asterisk, self.desk, self.user = asterisk, desk, user
        self.anna: Call
        self.boris: Call
        self.listener: Call

    @property
    def room(self) -> dict[str, Any]:
        return self.desk.page.entities.get("room", {}).get(ROOM, {})

    def seat(self, number: str) -> tuple[str, dict[str, Any]]:
        return next(((key, seat) for key, seat in self.seats.items() if seat["number"] == number), ("", {}))

    @property
    def seats(self) -> dict[str, dict[str, Any]]:
        """Key → participant, as the page has them."""
        return self.desk.page.entities.get("participant", {})

    async def click(self, verb: str, key: str, **args: Any) -> dict[str, Any]:
        return await self.desk.click(verb, key, self.user.pk, args=args)

    async def done(self, verb: str, key: str, **args: Any) -> None:
        answer = await self.click(verb, key, **args)
        assert (answer["outcome"], answer["code"]) == ("done", ""), answer

    async def heard(self, wanted: int, unwanted: int) -> Sound:
        """What the listener hears once it is so: the one note, and the other at least 20 dB below."""

        def listen() -> Sound:
            self.listener.wait_tone(wanted)
            for _ in range(4):
                sound = self.listener.heard(0.5)
                levels = sound.spectrum(wanted, unwanted)
                if levels[wanted] - levels[unwanted] >= APART_DB:
                    return sound
            raise AssertionError(f"{wanted} Hz is not {APART_DB} dB over {unwanted} Hz: {levels}")

        return await asyncio.to_thread(listen)

    async def hears_both(self) -> None:
        def listen() -> None:
            self.listener.wait_tone(ANNA)
            self.listener.wait_tone(BORIS)

        await asyncio.to_thread(listen)

    async def members(self) -> set[str]:
        """Numbers in the room by Asterisk's own list."""
        _, members = await self.desk.rooms(self.asterisk)
        return {row["CallerIDNum"] for row in members.get("801", [])}


Enter = Callable[[Desk], Awaitable[Room]]


@pytest.fixture
def enter(asterisk: Asterisk, phones: Callable[..., Phone], bob: User) -> Enter:
    """Put the three into the room, in front of this desk."""

    async def make(desk: Desk) -> Room:
        room = Room(asterisk, desk, bob)
        await desk.live()

        def call() -> None:
            room.anna = phones(asterisk, "101", hz=ANNA).call("801").wait_up()
            room.boris = phones(asterisk, "102", hz=BORIS).call("801").wait_up()
            room.listener = phones(asterisk, "201", hz=LISTENER).call("801").wait_up()

        await asyncio.to_thread(call)
        await desk.page.until(lambda: len(room.room.get("participants", [])) == 3)
        return room

    return make


@pytest.mark.proves("conferences.mute", "conferences.unmute")
async def test_mute_takes_the_tone_out_of_the_room_and_unmute_brings_it_back(
    asterisk: Asterisk, bob: User, enter: Enter
) -> None:
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        await room.hears_both()
        anna, seat = room.seat("101")
        await desk.page.until(lambda: seat["talking"])
        await room.done("conferences.mute", anna)
        assert seat["muted"] is True
        await room.heard(BORIS, unwanted=ANNA)
        await desk.page.until(lambda: not seat["talking"])
        assert [one["number"] for one in room.seats.values() if one["muted"]] == ["101"], "nobody else"
        await room.done("conferences.unmute", anna)
        await room.hears_both()
        await desk.page.until(lambda: seat["talking"] and not seat["muted"])
        # A key of her own phone is an event as well.
        room.anna.press("1")
        await desk.page.until(lambda: seat["muted"])
        assert desk.room_differences(*await desk.rooms(asterisk)) == []


@pytest.mark.proves("conferences.kick")
async def test_removed_is_out_and_the_others_stay(asterisk: Asterisk, bob: User, enter: Enter) -> None:
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        await room.hears_both()
        anna, _ = room.seat("101")
        before = room.room["rev"]
        await room.done("conferences.kick", anna)
        assert room.seat("101") == ("", {})
        assert room.room["rev"] > before
        await asyncio.to_thread(room.anna.wait_ended)
        assert await room.members() == {"102", "201"}
        await room.heard(BORIS, unwanted=ANNA)
        answer = await room.click("conferences.kick", anna)
        assert (answer["outcome"], answer["code"]) == ("refused", "gone")
        assert desk.room_differences(*await desk.rooms(asterisk)) == []


@pytest.mark.proves("conferences.lock", "conferences.unlock")
async def test_locked_lets_nobody_in_until_unlocked(
    asterisk: Asterisk, bob: User, enter: Enter, phones: Callable[..., Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "UNTOLD_S", 1e6)  # what shows the lock is the re-read after the click
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        newcomer = await asyncio.to_thread(phones, asterisk, "202", hz=880)
        await room.done("conferences.lock", ROOM)
        assert room.room["locked"]
        refused = newcomer.call("801")
        await asyncio.to_thread(refused.wait_ended)
        assert await room.members() == {"101", "102", "201"}
        assert not room.seat("202")[0]
        await room.done("conferences.unlock", ROOM)
        assert not room.room["locked"]
        await asyncio.to_thread(lambda: newcomer.call("801").wait_up())
        await desk.page.until(lambda: room.seat("202")[0])
        assert await room.members() == {"101", "102", "201", "202"}
        await asyncio.to_thread(room.listener.wait_tone, 880)


@pytest.mark.proves("conferences.mute_others", "conferences.unmute_others")
async def test_all_but_admins_are_muted_and_heard_again(asterisk: Asterisk, bob: User, enter: Enter) -> None:
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        room.boris.hangup()
        room.boris = await asyncio.to_thread(lambda: room.boris.phone.call("88801").wait_up())
        await desk.page.until(lambda: room.seat("102")[1].get("admin"))
        await room.hears_both()
        await room.done("conferences.mute_others", ROOM)
        assert {one["number"]: one["muted"] for one in room.seats.values()} == {"101": True, "102": False, "201": True}
        await room.heard(BORIS, unwanted=ANNA)
        await room.done("conferences.unmute_others", ROOM)
        assert not any(one["muted"] for one in room.seats.values())
        await room.hears_both()
        _, members = await desk.rooms(asterisk)
        assert {row["Muted"] for row in members["801"]} == {"No"}


@pytest.mark.proves("conferences.kick_all")
async def test_all_are_removed_and_the_room_is_no_more(
    asterisk: Asterisk, bob: User, enter: Enter, phones: Callable[..., Phone]
) -> None:
    other = await asyncio.to_thread(lambda: phones(asterisk, "202").call("802").wait_up())
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        await room.done("conferences.kick_all", ROOM)
        for call in (room.anna, room.boris, room.listener):
            await asyncio.to_thread(call.wait_ended)
        await desk.page.until(lambda: not room.room)
        assert {row["Conference"] for row in (await desk.rooms(asterisk))[0]} == {"802"}, "the other room stays"
        with pytest.raises(PhoneError):
            other.wait_ended(0.5)
        answer = await room.click("conferences.kick_all", ROOM)
        assert (answer["outcome"], answer["code"]) == ("refused", "gone")


@pytest.mark.proves("conferences.invite")
async def test_whoever_is_invited_is_heard_in_the_room(
    asterisk: Asterisk, bob: User, enter: Enter, phones: Callable[..., Phone]
) -> None:
    """An extension of ours, and her own phone; a phone that does not answer is told as that."""
    await bob.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        for number, hz, args in (("103", 880, {"extension": "103"}), ("900", 1320, {})):
            answer = await room.click("conferences.invite", ROOM, **args)
            assert (answer["outcome"], answer["code"]) == ("refused", "phone_unreachable")
            phone = await asyncio.to_thread(phones, asterisk, number, hz=hz)
            await room.done("conferences.invite", ROOM, **args)
            guest = await asyncio.to_thread(phone.wait_incoming)
            assert (guest.remote_name, guest.remote_number) == ("Phoenix-call", "801")
            seat = room.seat(number)[1]
            _, members = await desk.rooms(asterisk)
            assert seat["channel"] in {row["Channel"] for row in members["801"]}
            await asyncio.to_thread(room.listener.wait_tone, hz)
            await asyncio.to_thread(guest.wait_tone, ANNA)
            await asyncio.to_thread(guest.hangup)
            await desk.page.until(lambda number=number: not room.seat(number)[0])
        answer = await room.click("conferences.invite", ROOM, extension="444")
        assert (answer["outcome"], answer["code"]) == ("refused", "no_extension")


@pytest.mark.proves("conferences.video")
async def test_one_whom_all_are_shown(asterisk: Asterisk, bob: User, enter: Enter) -> None:
    """Of the second click no event tells, since nothing changes: the bridges' list proves it."""
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        anna, boris = room.seat("101")[0], room.seat("102")[0]
        for key in (anna, anna, boris):
            await room.done("conferences.video", key)
            # Its frame may follow the answer by a tick.
            await desk.page.until(lambda key=key: [one for one in room.seats if room.seats[one]["video"]] == [key])
            assert desk.room_differences(*await desk.rooms(asterisk)) == []
        await room.done("conferences.kick", boris)
        answer = await room.click("conferences.video", boris)
        assert (answer["outcome"], answer["code"]) == ("refused", "gone")


async def test_an_outsider_chooses_nobody(asterisk: Asterisk, bob: User, charlie: User, enter: Enter) -> None:
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        answer = await desk.click("conferences.video", room.seat("101")[0], charlie.pk)
        assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
        assert not any(seat["video"] for seat in room.seats.values())


@pytest.mark.proves("conferences.record", "conferences.stop_record")
async def test_a_recording_has_what_was_said(asterisk: Asterisk, bob: User, enter: Enter) -> None:
    """Shown as events tell, and the two notes are in the file that Asterisk has named."""
    async with Desk(asterisk, user_id=bob.pk, records=True) as desk:
        room = await enter(desk)
        await records(desk)
        await room.hears_both()
        await room.done("conferences.record", ROOM)
        assert room.room["recording"]
        await asyncio.to_thread(room.listener.heard, 1.0)  # what is said now is recorded
        await room.done("conferences.stop_record", ROOM)
        assert not room.room["recording"]
        (file,) = (asterisk.run / "spool" / "monitor").glob("confbridge-801-*.wav")
        levels = (await asyncio.to_thread(take_wav, file)).spectrum(ANNA, BORIS, 880)
        assert min(levels[ANNA], levels[BORIS]) - levels[880] >= APART_DB, levels
        assert desk.room_differences(*await desk.rooms(asterisk)) == []


async def test_a_room_is_not_recorded_without_its_account(asterisk: Asterisk, bob: User, enter: Enter) -> None:
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        answer = await room.click("conferences.record", ROOM)
        assert (answer["outcome"], answer["code"]) == ("refused", "no_recording")


async def test_a_lock_by_the_console_shows_by_a_re_read(
    asterisk: Asterisk, bob: User, enter: Enter, phones: Callable[..., Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No event tells of it; nor of who is marked."""
    monkeypatch.setattr(workers, "UNTOLD_S", 0.5)
    async with Desk(asterisk, user_id=bob.pk) as desk:
        room = await enter(desk)
        for command, locked in (("lock", True), ("unlock", False)):
            await asyncio.to_thread(asterisk.cli, f"confbridge {command} 801")
            await desk.page.until(lambda locked=locked: room.room["locked"] is locked, 5)
        room.boris.hangup()
        room.boris = room.boris.phone.call("88801")
        await desk.page.until(lambda: room.seat("102")[1].get("marked"), 5)
        assert room.seat("102")[1]["admin"] is True
        # Who waits for a marked one, and that he came, is told by no event either.
        phones(asterisk, "103", answer=0.1)
        with Checker(asterisk) as checker:
            data = "803,default_bridge,waiting_user,default_menu"
            await asyncio.to_thread(lambda: checker.originate("PJSIP/103", application="ConfBridge", data=data))
        await desk.page.until(lambda: room.seat("103")[1].get("waiting"), 5)
        await asyncio.to_thread(lambda: phones(asterisk, "104").call("88803").wait_up())
        await desk.page.until(lambda: room.seat("103")[1].get("waiting") is False, 5)
        assert desk.room_differences(*await desk.rooms(asterisk)) == []


async def test_rooms_from_before_the_panel_came(asterisk: Asterisk, bob: User, phones: Callable[..., Phone]) -> None:
    """All of it by lists, and that it is recorded, which no list says, by counting who is in the bridge."""
    await asyncio.to_thread(lambda: phones(asterisk, "101", hz=ANNA).call("801").wait_up())
    await asyncio.to_thread(lambda: phones(asterisk, "102", hz=BORIS).call("88801").wait_up())
    await asyncio.to_thread(lambda: phones(asterisk, "103").call("802").wait_up())
    with Checker(asterisk) as checker:
        await asyncio.to_thread(checker.wait_channels, lambda rows: len(rows) == 3)
        await asyncio.to_thread(lambda: checker.action("ConfbridgeStartRecord", Conference="801"))
        await asyncio.to_thread(lambda: checker.action("ConfbridgeLock", Conference="801"))
    async with Desk(asterisk, user_id=bob.pk) as desk:
        await desk.live()
        rooms = {room["name"]: room for room in desk.page.entities["room"].values()}
        assert {name: (room["recording"], room["locked"]) for name, room in rooms.items()} == {
            "801": (True, True),
            "802": (False, False),
        }
        assert desk.room_differences(*await desk.rooms(asterisk)) == []


async def test_an_outsider_does_none_of_it(asterisk22: Asterisk, phones: Callable[..., Phone], charlie: User) -> None:
    call = await asyncio.to_thread(lambda: phones(asterisk22, "101", hz=ANNA).call("801").wait_up())
    async with Desk(asterisk22, user_id=charlie.pk) as desk:
        await desk.live()
        (key,) = desk.page.entities["participant"]
        for verb in ("mute", "unmute", "kick"):
            answer = await desk.click(f"conferences.{verb}", key, charlie.pk)
            assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
        for verb in ("lock", "unlock"):
            answer = await desk.click(f"conferences.{verb}", ROOM, charlie.pk)
            assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
        with pytest.raises(PhoneError):
            call.wait_ended(0.5)
        rooms, members = await desk.rooms(asterisk22)
        assert (rooms[0]["Locked"], members["801"][0]["Muted"]) == ("No", "No")
