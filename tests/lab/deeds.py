"""What a tempest does to a PBX, one coroutine each: calls, queues, transfers, parking, rooms, members, reloads.

Each takes its chances from a generator of its own, so that what is planned does not depend on what else happens; whom
it does it to depends on who is there. A deed that finds nobody, or is refused, raises `CheckerError` or `PhoneError`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tests.lab.checker import WAIT, Checker, CheckerError, Fields, Rows
from tests.lab.configuration import CHAN_SIP_PEERS
from tests.lab.phones import Call, Phone, PhoneError, State

T = TypeVar("T")

FOR_EVER = 36_000
LOCAL = "Local/wait@storm-caller/n"

AGENTS = ("101", "102", "103", "104", "105")
CUSTOMERS = ("201", "202", "203", "204", "205", "206", *CHAN_SIP_PEERS[:2])
"""The last two are chan_sip's, and there on Asterisk 16 only."""
TRUNK = "trunk"
CALLERS = (*CUSTOMERS, TRUNK)
BUSY, DEAF = "106", "107"
PHONES: Mapping[str, dict[str, Any]] = {
    **{extension: {"answer": 0.3} for extension in AGENTS + CUSTOMERS},
    BUSY: {"reject": 486},
    DEAF: {"answer": None},
    TRUNK: {"host": "127.0.0.9", "register": False, "number": "+4930123456", "name": "Zoë <ACME>"},
}
"""The phones of a tempest, and how each is set."""

ROOMS = ("801", "802", "803")
USERS = ("default_user",) * 4 + ("admin_user", "muted_user", "waiting_user")
ANSWERING = ("502", "504", "506")
"""Extensions that answer at once, and stay."""

MOST = 24
"""Callers of Local calls beyond which no deed adds one that stays."""

DYNAMIC = tuple(f"Local/{number}@storm-agent/n" for number in range(21, 27))
SERVED = ("storm", "support", "sales")
DEVICES = ("Custom:dnd", "Custom:night", "Custom:storm01")
STATES = ("NOT_INUSE", "INUSE", "BUSY", "UNAVAILABLE", "RINGING", "ONHOLD")
LISTENING = (
    ("phx-listen-", "quES"),
    ("phx-whisper-", "quwES"),
    ("", "quES"),
    ("", "quwES"),
    ("", "quBES"),
)
"""How the Uniqueid of a leg that listens begins (the panel's say what they are for), and what ChanSpy is told."""
REASONS = ("lunch", "Meeting: 3 pm", "пауза", "")
RELOADS = (
    "module reload app_queue.so",
    "dialplan reload",
    "module reload res_pjsip.so",
    "module reload app_confbridge.so",
    "module reload res_parking.so",
    "module reload features",
    "manager reload",
)


class Deeds:
    """All of them, over one instance, with these phones."""

    def __init__(self, checker: Checker, phones: Mapping[str, Phone], name: str) -> None:
        """`name` begins the Uniqueids of the Local calls."""
        self._checker = checker
        self._phones = phones
        self._name = name
        self._count = 0
        self._taken: set[str] = set()
        # Of our own: phones that wait must not keep anybody else's threads.
        self._threads = ThreadPoolExecutor(24, thread_name_prefix="lab-deeds")

    def close(self) -> None:
        """No deed may be under way any more."""
        self._threads.shutdown()

    async def do(self, kind: str, chance: random.Random) -> None:
        """Do the deed of this name. Raises CheckerError or PhoneError when it can't be done now."""
        await getattr(self, f"_{kind}")(chance)

    async def thin(self, chance: random.Random, most: int) -> None:
        """Hang up calls until not many more than `most` channels are left."""
        rows = await self._channels()
        while len(rows) > most:
            victim = rows.pop(chance.randrange(len(rows)))
            await self._run(self._checker.hangup, victim["Channel"])
            rows = rows[2:]  # it takes others with it: how many, the next burst finds out

    # --- calls

    async def _local_call(self, chance: random.Random) -> None:
        await self._call("dial", ring=chance.uniform(0.1, 1), talk=chance.uniform(0.3, 3))

    async def _local_call_stands(self, chance: random.Random) -> None:
        await self._room_for_one()
        await self._call("dial", ring=chance.uniform(0.1, 1), talk=FOR_EVER)

    async def _no_answer(self, chance: random.Random) -> None:
        await self._call("dial", ring=FOR_EVER, patience=chance.randint(1, 2))

    async def _phone_call(self, chance: random.Random) -> None:
        with self._idle_pair(chance) as (caller, callee):
            call = await self._up(caller, callee.extension)
            await asyncio.sleep(chance.uniform(0.3, 3))
            ending = call if chance.random() < 0.5 else next((one for one in callee.calls), call)
            await self._run(ending.hangup)

    async def _phone_call_stands(self, chance: random.Random) -> None:
        with self._idle_pair(chance) as (caller, callee):
            await self._up(caller, callee.extension)

    async def _busy(self, chance: random.Random) -> None:
        with self._idle(chance, CUSTOMERS) as caller:
            call = await self._run(caller.call, BUSY)
            await self._run(call.wait_ended, 3.0)

    async def _rings_on(self, chance: random.Random) -> None:
        """It rings still when the burst is over: for 30 s, or 60."""
        if chance.random() < 0.5:
            await self._call("dial", ring=FOR_EVER)
            return
        with self._idle(chance, CUSTOMERS) as caller:
            call = await self._run(caller.call, DEAF)
            await self._run(call.wait_ringing, 3.0)

    async def _cancelled(self, chance: random.Random) -> None:
        with self._idle(chance, CUSTOMERS) as caller:
            call = await self._run(caller.call, DEAF)
            await self._run(call.wait_ringing, 3.0)
            await asyncio.sleep(chance.uniform(0.2, 1))
            await self._run(call.hangup)

    async def _hold(self, chance: random.Random) -> None:
        call = self._one(chance, [call for call in self._talking() if not call.on_hold])
        # Asterisk loses a hold that comes before the two are bridged; once it is in a list, they are.
        await self._bridged(call.phone.extension)
        await self._run(call.hold)

    async def _unhold(self, chance: random.Random) -> None:
        await self._run(self._one(chance, [call for call in self._talking() if call.on_hold]).unhold)

    async def _phone_hangs_up(self, chance: random.Random) -> None:
        await self._run(self._one(chance, self._talking()).hangup)

    async def _hang_up(self, chance: random.Random) -> None:
        await self._run(self._checker.hangup, self._one(chance, await self._channels())["Channel"])

    async def _pick_up(self, chance: random.Random) -> None:
        with self._idle(chance, CUSTOMERS) as caller:
            call = await self._run(caller.call, DEAF)
            await self._run(call.wait_ringing, 3.0)
            rung = self._one(
                chance, [row for row in await self._channels() if row["Channel"].startswith(f"PJSIP/{DEAF}-")]
            )
            await self._originate(LOCAL, application="PickupChan", data=rung["Channel"])
            await self._run(call.wait_up, 3.0)
            if chance.random() < 0.6:
                await asyncio.sleep(chance.uniform(0.2, 1))
                await self._run(call.hangup)

    async def _redirect(self, chance: random.Random) -> None:
        leg, _ = self._one(chance, await self._pairs())
        place = chance.choice(("dial", "queue", "waiting", "room-2"))
        await self._act("Redirect", Channel=leg["Channel"], Context="storm", Exten=place, Priority=1)

    async def _redirect_both(self, chance: random.Random) -> None:
        leg, other = self._one(chance, await self._pairs())
        first = {"Channel": leg["Channel"], "Context": "from-internal", "Exten": "802", "Priority": 1}
        await self._act(
            "Redirect",
            **first,
            ExtraChannel=other["Channel"],
            ExtraContext="from-internal",
            ExtraExten="802",
            ExtraPriority=1,
        )

    # --- transfers

    async def _blind_transfer(self, chance: random.Random) -> None:
        leg, _ = self._one(chance, await self._pairs(queued=chance.random() < 0.5))
        await self._act(
            "BlindTransfer", Channel=leg["Channel"], Context="from-internal", Exten=self._elsewhere(chance)
        )

    async def _attended_transfer(self, chance: random.Random) -> None:
        leg, _ = self._one(chance, await self._pairs(queued=chance.random() < 0.5))
        await self._act(
            "Atxfer", Channel=leg["Channel"], Context="from-internal", Exten=chance.choice((*ANSWERING, "603", "802"))
        )
        # The digits are dialled one by one, and the third party is to be talked with before the phone is put down.
        await asyncio.sleep(chance.uniform(1.5, 3))
        await self._run(self._checker.hangup, leg["Channel"])

    async def _refer(self, chance: random.Random) -> None:
        call = self._one(chance, [call for call in self._talking() if not call.on_hold])
        await self._bridged(call.phone.extension)
        await self._run(call.refer, self._elsewhere(chance))

    async def _refer_to(self, chance: random.Random) -> None:
        free = [call for call in self._talking() if not call.on_hold and len(call.phone.calls) == 1]
        first = self._one(chance, free)
        phone = first.phone
        with self._take(phone):
            await self._bridged(phone.extension)
            await self._run(first.hold)
            number = chance.choice((*ANSWERING, "603", "600", "801", *self._idle_numbers(AGENTS)))
            second = await self._up(phone, number)
            await asyncio.sleep(chance.uniform(0.2, 1))
            if first.state is State.UP and second.state is State.UP:
                await self._run(first.refer_to, second)

    # --- queues

    async def _queue_local(self, chance: random.Random) -> None:
        await self._call("queue", ring=chance.uniform(0.1, 0.8), talk=chance.uniform(0.5, 3), patience=6)

    async def _queue_local_stands(self, chance: random.Random) -> None:
        await self._room_for_one()
        await self._call("queue", ring=chance.uniform(0.1, 0.8), talk=FOR_EVER, patience=6)

    async def _queue_phone(self, chance: random.Random) -> None:
        with self._idle(chance, CALLERS) as caller:
            call = await self._up(caller, chance.choice(("600", "600", "601")))
            await asyncio.sleep(chance.uniform(1, 3))
            if chance.random() < 0.5:
                await self._run(call.hangup)

    async def _waits(self, chance: random.Random) -> None:
        await self._room_for_one()
        await self._call("waiting")

    async def _abandons(self, chance: random.Random) -> None:
        await self._call("waiting", stay=chance.uniform(0.5, 2.5))

    async def _times_out(self, chance: random.Random) -> None:
        await self._call("waiting-briefly", patience=chance.randint(1, 2))

    async def _rings_in_vain(self, chance: random.Random) -> None:
        await self._call("deaf", patience=chance.randint(2, 3))

    async def _member_added(self, chance: random.Random) -> None:
        # Nobody serves the queue in which callers are to wait: who is added there is paused.
        queue = chance.choice((*SERVED, "storm-waiting"))
        paused = queue == "storm-waiting" or chance.random() < 0.3
        await self._act(
            "QueueAdd",
            Queue=queue,
            Interface=chance.choice(DYNAMIC),
            MemberName=f"Dynamic {chance.randint(1, 99)}",
            Penalty=chance.randint(0, 4),
            Paused=str(paused).lower(),
            StateInterface=chance.choice(DEVICES),
        )

    async def _member_removed(self, chance: random.Random) -> None:
        member = self._one(chance, await self._members(lambda row: row["Membership"] == "dynamic"))
        await self._act("QueueRemove", Queue=member["Queue"], Interface=member["Location"])

    async def _paused(self, chance: random.Random) -> None:
        member = self._one(chance, await self._members(lambda row: row["Paused"] == "0"))
        where = {"Queue": member["Queue"]} if chance.random() < 0.6 else {}
        reason = chance.choice(REASONS)
        more = {"Reason": reason} if reason else {}
        await self._act("QueuePause", Interface=member["Location"], Paused="true", **where, **more)

    async def _unpaused(self, chance: random.Random) -> None:
        paused = await self._members(lambda row: row["Paused"] == "1" and row["Queue"] != "storm-waiting")
        member = self._one(chance, paused)
        await self._act("QueuePause", Interface=member["Location"], Paused="false", Queue=member["Queue"])

    async def _penalty(self, chance: random.Random) -> None:
        member = self._one(chance, await self._members(lambda row: True))
        await self._act(
            "QueuePenalty", Interface=member["Location"], Queue=member["Queue"], Penalty=chance.randint(0, 9)
        )

    # --- parking

    async def _parked(self, chance: random.Random) -> None:
        leg, other = self._one(chance, await self._pairs())
        await self._park(leg, other, FOR_EVER)

    async def _parked_briefly(self, chance: random.Random) -> None:
        with self._idle_pair(chance) as (caller, callee):
            await self._up(caller, callee.extension)
            await self._bridged(callee.extension)
            pairs = [pair for pair in await self._pairs() if f"/{caller.extension}-" in pair[0]["Channel"]]
            await self._park(*self._one(chance, pairs), 2)
            await asyncio.sleep(3)  # the way back is a part of the burst

    async def _park(self, leg: Fields, other: Fields, seconds: int) -> None:
        """Park the one; after so many seconds it comes back to the other."""
        await self._act(
            "Park",
            Channel=leg["Channel"],
            TimeoutChannel=other["Channel"],
            Timeout=seconds * 1000,
            Parkinglot="default",
        )

    async def _parks_itself(self, chance: random.Random) -> None:
        await self._room_for_one()
        await self._call("park")

    async def _retrieved(self, chance: random.Random) -> None:
        parked = self._one(chance, await self._run(self._checker.list, "ParkedCalls"))
        await self._originate(LOCAL, exten=parked["ParkingSpace"], context="from-internal")

    # --- rooms

    async def _comes(self, chance: random.Random) -> None:
        await self._room_for_one()
        room, user = chance.choice(ROOMS), chance.choice(USERS)
        await self._originate(LOCAL, application="ConfBridge", data=f"{room},default_bridge,{user},default_menu")

    async def _phone_comes(self, chance: random.Random) -> None:
        with self._idle(chance, CALLERS + AGENTS) as caller:
            await self._up(caller, chance.choice(("801", "802", "88803", "89801")))

    async def _muted(self, chance: random.Random) -> None:
        await self._to_participant("ConfbridgeMute", chance, lambda row: row["Muted"] == "No")

    async def _unmuted(self, chance: random.Random) -> None:
        await self._to_participant("ConfbridgeUnmute", chance, lambda row: row["Muted"] == "Yes")

    async def _kicked(self, chance: random.Random) -> None:
        await self._to_participant("ConfbridgeKick", chance, lambda row: True)

    async def _to_participant(self, action: str, chance: random.Random, fit: Callable[[Fields], bool]) -> None:
        room = self._one(chance, await self._rooms(lambda row: True))["Conference"]
        members = await self._run(functools.partial(self._checker.list, "ConfbridgeList", Conference=room))
        channel = self._one(chance, [row for row in members if fit(row)])["Channel"]
        await self._act(action, Conference=room, Channel=channel)

    async def _locked(self, chance: random.Random) -> None:
        room = self._one(chance, await self._rooms(lambda row: row["Locked"] == "No"))
        await self._act("ConfbridgeLock", Conference=room["Conference"])

    async def _unlocked(self, chance: random.Random) -> None:
        room = self._one(chance, await self._rooms(lambda row: row["Locked"] == "Yes"))
        await self._act("ConfbridgeUnlock", Conference=room["Conference"])

    async def _recorded(self, chance: random.Random) -> None:
        room = self._one(chance, await self._rooms(lambda row: True))
        await self._act("ConfbridgeStartRecord", Conference=room["Conference"])

    async def _record_stopped(self, chance: random.Random) -> None:
        room = self._one(chance, await self._rooms(lambda row: True))
        await self._act("ConfbridgeStopRecord", Conference=room["Conference"])

    # --- who listens

    async def _listens(self, chance: random.Random) -> None:
        """A phone hears somebody who talks, for as long as he does: at the panel's behest, or by itself."""
        heard, _ = self._one(chance, await self._pairs())
        name, options = chance.choice(LISTENING)
        with self._idle(chance, AGENTS) as phone:
            uniqueid = f"{name}{self._name}-{self._count + 1}"
            data = f"{heard['Uniqueid']},{options}"
            await self._originate(f"PJSIP/{phone.extension}", application="ChanSpy", data=data, channel_id=uniqueid)
            await self._run(
                self._checker.wait_channels,
                lambda rows: any(row["Uniqueid"] == uniqueid and row["Application"] == "ChanSpy" for row in rows),
                4.0,
            )

    # --- the PBX itself

    async def _device_set(self, chance: random.Random) -> None:
        device = chance.choice(DEVICES)
        await self._act("Setvar", Variable=f"DEVICE_STATE({device})", Value=chance.choice(STATES))

    async def _reloaded(self, chance: random.Random) -> None:
        await self._act("Command", Command=chance.choice(RELOADS))

    # --- whom, and how

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def _act(self, action: str, **headers: object) -> None:
        await self._run(lambda: self._checker.action(action, None, WAIT, **headers))

    async def _channels(self) -> Rows:
        return sorted(await self._run(self._checker.channels), key=lambda row: row["Uniqueid"])

    async def _pairs(self, *, queued: bool = False) -> list[tuple[Fields, Fields]]:
        """Who talks with whom, both ways round; with `queued` only calls of queues, if there are any."""
        bridges = await self._run(self._checker.list, "BridgeList")
        basic = {row["BridgeUniqueid"] for row in bridges if row["BridgeType"] == "basic"}
        inside: dict[str, Rows] = {}
        for row in await self._channels():
            if row["BridgeId"] in basic:
                inside.setdefault(row["BridgeId"], []).append(row)
        pairs = [(rows[0], rows[1]) for rows in inside.values() if len(rows) == 2]
        pairs += [(other, one) for one, other in pairs]
        served = [pair for pair in pairs if "Queue" in {pair[0]["Application"], pair[1]["Application"]}]
        return served if queued and served else pairs

    async def _members(self, fit: Callable[[Fields], bool]) -> Rows:
        rows = await self._run(self._checker.list, "QueueStatus")
        return [row for row in rows if row["Event"] == "QueueMember" and row["Queue"] != "storm-deaf" and fit(row)]

    async def _rooms(self, fit: Callable[[Fields], bool]) -> Rows:
        return [row for row in await self._run(self._checker.list, "ConfbridgeListRooms") if fit(row)]

    async def _bridged(self, extension: str) -> None:
        for _ in range(10):
            rows = await self._channels()
            if any(f"/{extension}-" in row["Channel"] and row["BridgeId"] for row in rows):
                return
            await asyncio.sleep(0.1)
        raise CheckerError(f"{extension} is in no bridge")

    async def _room_for_one(self) -> None:
        """Raises CheckerError when so many Local calls stand that another one is not to stay."""
        rows = await self._channels()
        if sum(row["Channel"].startswith("Local/wait@storm-caller-") for row in rows) >= 2 * MOST:
            raise CheckerError("enough calls stand")

    async def _call(
        self, extension: str, *, ring: float = 0.5, talk: float = 1.0, patience: int = 60, stay: float = FOR_EVER
    ) -> None:
        times = {"__STORM_RING": f"{ring:.2f}", "__STORM_TALK": f"{talk:.2f}"}
        rest = {"__STORM_PATIENCE": patience, "__STORM_STAY": f"{stay:.2f}"}
        await self._originate(LOCAL, exten=extension, context="storm", variables={**times, **rest})

    async def _originate(self, channel: str, **wanted: Any) -> None:
        self._count += 1
        number = self._count
        stays = {"__STORM_RING": "0.5", "__STORM_TALK": FOR_EVER, "__STORM_PATIENCE": 60, "__STORM_STAY": FOR_EVER}
        wanted = {
            "caller": f'"Tempest {number}" <{5000 + number}>',
            "channel_id": f"{self._name}-{number}",
            "variables": stays,
            **wanted,
        }
        await self._run(lambda: self._checker.originate(channel, **wanted))

    async def _up(self, phone: Phone, number: str) -> Call:
        call = await self._run(phone.call, number)
        try:
            return await self._run(call.wait_up, 4.0)
        except PhoneError:
            await self._run(call.hangup)
            raise

    def _talking(self) -> list[Call]:
        """Calls of phones that nobody else is using now."""
        phones = [phone for extension, phone in sorted(self._phones.items()) if extension not in self._taken]
        return [call for phone in phones for call in [*phone.calls] if call.state is State.UP]

    def _idle_numbers(self, extensions: tuple[str, ...]) -> list[str]:
        return [
            extension
            for extension in extensions
            if extension in self._phones and extension not in self._taken and not self._phones[extension].calls
        ]

    @contextlib.contextmanager
    def _take(self, phone: Phone) -> Iterator[Phone]:
        self._taken.add(phone.extension)
        try:
            yield phone
        finally:
            self._taken.discard(phone.extension)

    @contextlib.contextmanager
    def _idle(self, chance: random.Random, extensions: tuple[str, ...]) -> Iterator[Phone]:
        with self._take(self._phones[self._one(chance, self._idle_numbers(extensions))]) as phone:
            yield phone

    @contextlib.contextmanager
    def _idle_pair(self, chance: random.Random) -> Iterator[tuple[Phone, Phone]]:
        with self._idle(chance, CALLERS + AGENTS) as caller, self._idle(chance, AGENTS + CUSTOMERS) as callee:
            yield caller, callee

    def _elsewhere(self, chance: random.Random) -> str:
        return chance.choice((*ANSWERING, "801", "600", "603", *self._idle_numbers(AGENTS + CUSTOMERS)))

    def _one(self, chance: random.Random, among: list[T]) -> T:
        if not among:
            raise CheckerError("nobody to do it to")
        return chance.choice(among)
