"""A storm of calls, random but the same for the same seed: what the live model must come out of without a fault.

    storm = Storm(asterisk, seed=7, calls=200)
    await storm.run()       # some 15 to 20 s
    await storm.quiet()     # the channel list stands still, with some 30 channels in it
    storm.close()           # hangs up what it left standing

Most calls are pairs of Local channels (no phone needed): they ring, are answered or not, talk, and are hung up by
either side or by AMI, or redirected while they talk; some go through queues, some into rooms. With phones given,
those call each other as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.lab.checker import WAIT, Checker, CheckerError, Rows
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone, PhoneError

# Calls begin within this span (seconds); the longest of them then lasts LONGEST more.
SPAN = 11.0
LONGEST = 6.0
# … and Asterisk's own delay, when it is busy.
MARGIN = 0.5
FOR_EVER = 36_000


class Kind(enum.Enum):
    """What happens to a call. The value is the extension in the context `storm` that the caller is put to."""

    ANSWERED = "dial"
    UNANSWERED = "dial-too-long"
    BUSY = "busy"
    QUEUED = "queue"
    ROOM = "room-1"
    HUNG_UP = "dial-hung-up"
    REDIRECTED = "dial-redirected"

    @property
    def extension(self) -> str:
        """Where the caller goes."""
        return "dial" if self.value.startswith("dial") else self.value


WEIGHTS = {
    Kind.ANSWERED: 40,
    Kind.UNANSWERED: 8,
    Kind.BUSY: 5,
    Kind.QUEUED: 15,
    Kind.ROOM: 7,
    Kind.HUNG_UP: 15,
    Kind.REDIRECTED: 10,
}

# What stands at the end: two-party calls, people in two rooms, callers of a queue without agents, a parked one.
STANDING = ("dial",) * 4 + ("room-8",) * 2 + ("room-9",) * 2 + ("waiting",) * 2 + ("park",)
STANDING_CHANNELS = 30


@dataclass(frozen=True)
class Plan:
    """One call: when it begins, and its life in seconds from then on."""

    at: float
    kind: Kind
    ring: float
    talk: float
    # How long the caller waits for an answer, and stays on the line in all.
    patience: int
    stay: float
    # When AMI interferes with it (hangs up, redirects), and where it is redirected to.
    meddle: float
    elsewhere: str


@dataclass(frozen=True)
class PhonePlan:
    """One call between two of the phones, by their places in the list."""

    at: float
    caller: int
    callee: int
    talk: float


def plan(seed: int, calls: int) -> list[Plan]:
    """The calls of a storm in order of time; the same for the same arguments."""
    chance = random.Random(seed)
    moments = sorted(chance.uniform(0, SPAN) for _ in range(calls))
    return [_one_plan(chance, at) for at in moments]


def _one_plan(chance: random.Random, at: float) -> Plan:
    (kind,) = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
    too_long = kind is Kind.UNANSWERED
    ring = LONGEST if too_long else chance.uniform(0.1, 1.2)
    talk = chance.uniform(0.3, LONGEST - 1.5)
    # A third of the callers hang up first.
    stay = ring + talk * (0.6 if chance.random() < 0.33 else 2.0)
    return Plan(
        at=at,
        kind=kind,
        ring=ring,
        talk=talk,
        patience=chance.randint(1, 2) if too_long else 5,
        stay=min(stay, LONGEST),
        meddle=ring + talk * chance.uniform(0.1, 0.9),
        elsewhere=chance.choice(("dial", "queue", "room-2")),
    )


def phone_plan(seed: int, phones: int, calls: int) -> list[PhonePlan]:
    """Calls among so many phones; the same for the same arguments, none if there are not two."""
    if phones < 2:
        return []
    chance = random.Random(seed + 1)
    moments = sorted(chance.uniform(0, SPAN) for _ in range(calls))
    pairs = [chance.sample(range(phones), 2) for _ in moments]
    return [
        PhonePlan(at, caller, callee, chance.uniform(0.5, 4.0))
        for at, (caller, callee) in zip(moments, pairs, strict=True)
    ]


class Storm:
    """A storm over one instance. Its channels' Uniqueids begin with `storm-<seed>-`."""

    def __init__(
        self, asterisk: Asterisk, seed: int, calls: int = 200, phones: Sequence[Phone] = (), standing: bool = True
    ) -> None:
        """Plan it; nothing happens before `run`. `standing` = whether some 30 channels are left at the end."""
        self.seed = seed
        self.plans = plan(seed, calls)
        self.phone_plans = phone_plan(seed, len(phones), calls // 10)
        self.refused = 0
        self.meddled = 0
        self._standing = STANDING if standing else ()
        self._phones = phones
        self._checker = Checker(asterisk)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    async def run(self) -> None:
        """Make all the calls, and return when each has had its time (some 17 s)."""
        async with asyncio.TaskGroup() as calls:
            for number, one in enumerate(self.plans):
                calls.create_task(self._one_call(number, one))
            for phone_call in self.phone_plans:
                calls.create_task(self._one_phone_call(phone_call))
            for number, extension in enumerate(self._standing):
                calls.create_task(self._stand(number, extension))

    async def quiet(self, timeout: float = 30.0) -> Rows:
        """Wait until the list of channels stands still, and return it. Raises CheckerError."""
        await asyncio.to_thread(self._checker.wait_quiet, 1.5, timeout)
        return await asyncio.to_thread(self._checker.channels)

    def close(self) -> None:
        """Hang up what stands, and disconnect. May be called twice."""
        with contextlib.suppress(CheckerError):
            for channel in self._checker.channels():
                if channel["Uniqueid"].startswith(f"storm-{self.seed}-"):
                    self._checker.hangup(channel["Channel"])
        self._checker.close()

    async def _one_call(self, number: int, one: Plan) -> None:
        await asyncio.sleep(one.at)
        uniqueid = f"storm-{self.seed}-{number}"
        times = {"__STORM_RING": f"{one.ring:.2f}", "__STORM_TALK": f"{one.talk:.2f}"}
        rest = {"__STORM_PATIENCE": one.patience, "__STORM_STAY": f"{one.stay:.2f}"}
        await self._originate(uniqueid, one.kind.extension, number, {**times, **rest})
        await asyncio.sleep(one.meddle)
        if one.kind is Kind.HUNG_UP:
            await self._meddle("Hangup", Channel=uniqueid)
        elif one.kind is Kind.REDIRECTED:
            await self._meddle("Redirect", Channel=uniqueid, Context="storm", Exten=one.elsewhere, Priority="1")
        await asyncio.sleep(max(0.0, LONGEST + MARGIN - one.meddle))

    async def _stand(self, number: int, extension: str) -> None:
        await asyncio.sleep(SPAN * number / len(self._standing))
        stays = {"__STORM_RING": "0.5", "__STORM_TALK": FOR_EVER}
        patience = {"__STORM_PATIENCE": 60, "__STORM_STAY": FOR_EVER}
        await self._originate(f"storm-{self.seed}-standing-{number}", extension, 900 + number, {**stays, **patience})

    async def _originate(self, uniqueid: str, extension: str, number: int, variables: dict[str, object]) -> None:
        try:
            await asyncio.to_thread(
                self._checker.originate,
                "Local/wait@storm-caller/n",
                exten=extension,
                context="storm",
                caller=f'"Storm {number}" <{5000 + number}>',
                variables=variables,
                channel_id=uniqueid,
            )
        except CheckerError:
            self.refused += 1

    async def _meddle(self, action: str, **headers: str) -> None:
        # The call may be over by then: that is part of the storm.
        with contextlib.suppress(CheckerError):
            await asyncio.to_thread(lambda: self._checker.action(action, None, WAIT, **headers))
            self.meddled += 1

    async def _one_phone_call(self, one: PhonePlan) -> None:
        await asyncio.sleep(one.at)
        caller, callee = self._phones[one.caller], self._phones[one.callee]
        call = await asyncio.to_thread(caller.call, callee.extension)
        with contextlib.suppress(PhoneError):
            await asyncio.to_thread(call.wait_up, 3.0)
            await self._talk(call, one.talk)
        await asyncio.to_thread(call.hangup)

    async def _talk(self, call: Call, seconds: float) -> None:
        """Talk, with the other side on hold for a third of the time when that is long enough to be seen."""
        if seconds < 1.5:
            await asyncio.sleep(seconds)
            return
        for step in (call.hold, call.unhold, None):
            await asyncio.sleep(seconds / 3)
            if step:
                await asyncio.to_thread(step)
