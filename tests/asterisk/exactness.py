"""The panel against the real thing: a tempest, the link cut now and then, and at quiet points all lists compared.

    async with Exactness(asterisk, seed=7, points=40, cuts=10) as exactness:
        await exactness.run()

What the panel knows it knows from events: between a login and the next it reads no list, but where a run reads them
again itself, after a point, to compare what no event carries. That none is read is asserted from the wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from unittest.mock import patch

import ami
from floor import worker as workers
from live.pbx import EXPECTED_S
from live.resync import STEPS
from tests.asterisk.desk import Desk
from tests.asterisk.differences import UNCOMPARED, Findings, Lists, differences
from tests.lab.checker import Checker
from tests.lab.configuration import CHAN_SIP_PEERS
from tests.lab.deeds import PHONES
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone
from tests.lab.relay import Relay
from tests.lab.tempest import Tempest

LATE_S: Final = 1.0
"""For so long after this process was kept from its work what came meanwhile may still be told late."""

BLIND_S: Final = 10.0
"""No list was read for so long before a point."""

REREAD_EVERY: Final = 4
"""After one in so many points the lists are read again, to compare what no event carries: for the rest of the time
events alone must do, burst after burst."""

AGED_S: Final = 3.0
"""Between what two lists say of one beginning: each says whole seconds, and comes as late as it comes."""
CATCH_UP_S: Final = 3.0
"""What Asterisk's lists show may lie before the panel as an event still, or wait to be told."""

FEW: Final = 3
"""Of what is said to be compared with nothing so many are tried."""

LOOK_S: Final = 0.1
"""How often it is seen how busy the machine is."""

HARMLESS: Final = frozenset({"Ping", "Challenge", "Login", "Logoff"})
"""Actions that tell the panel nothing of what is."""


class Exactness:
    """One run over one instance."""

    def __init__(
        self,
        asterisk: Asterisk,
        seed: int,
        points: int,
        cuts: int,
        *,
        trace: Path | None = None,
        chatty: bool = False,
        tries: bool = False,
    ) -> None:
        """`cuts`: in the middle of how many bursts the link is cut. With `trace` what Asterisk tells the panel
        is written there; with `chatty` each point is told on stderr. With `tries` the comparison itself is tried."""
        self.asterisk, self.points, self.cuts = asterisk, points, cuts
        self.findings = Findings()
        self._born: dict[str, float] = {}
        """Uniqueid → when its leg began, by the first list that had it."""
        self.compared: set[str] = set()
        self.reread: set[str] = set()
        """Fields compared only after a re-read."""
        self.rows = 0
        """Rows of Asterisk's lists compared, in all."""
        self.done = 0
        """Points compared."""
        self.reconnects = 0
        self.drift = 0
        """What the re-reads at quiet points corrected though events should have told it."""
        self.lags: list[tuple[float, float]] = []
        """For how long this process was kept from what it had to do, and until when: seconds, of UTC."""
        self.catch_up = 0.0
        """How long it took, at the worst point, until what is told was what is: seconds."""
        self.told: set[str] = set()
        """Kinds and fields that the page was told, at the points where they were tried."""
        self.proved: set[str] = set()
        """Those of them that, made wrong, would have been a difference."""
        self._seed = seed
        self._chance = random.Random(seed)
        self._trace, self._chatty, self._tries = trace, chatty, tries
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        enter = self._stack.enter_context
        try:
            for name in ("RECONCILE_S", "UNTOLD_S"):
                enter(patch.object(workers, name, 1e6))
            self.relay = enter(Relay(self.asterisk, self._trace))
            self.checker = enter(await asyncio.to_thread(Checker, self.asterisk, events="system,call,agent"))
            phones = {
                extension: enter(await asyncio.to_thread(self._phone, extension, options))
                for extension, options in PHONES.items()
                if self.asterisk.version == "16" or extension not in CHAN_SIP_PEERS
            }
            self.tempest = await self._stack.enter_async_context(
                Tempest(self.asterisk, self._seed, phones, self.points)
            )
            self.desk = await self._stack.enter_async_context(Desk(self.asterisk, url=self.relay.url()))
            await self.desk.live()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _phone(self, extension: str, options: dict[str, Any]) -> Phone:
        # In silence: whoever talks in a room is said to, and silence stands still.
        return Phone(self.asterisk.sip_address(extension), extension, hz=0, **options)

    async def _watch_lag(self) -> None:
        while True:
            due = time.monotonic() + LOOK_S
            await asyncio.sleep(LOOK_S)
            if (lag := time.monotonic() - due) > LOOK_S:
                self.lags.append((time.time(), lag))

    def _slack(self, at: float) -> float:
        """How late what was so at this time may have been told."""
        return max((lag for until, lag in self.lags if until - lag - LATE_S <= at <= until + LATE_S), default=0.0)

    async def run(self) -> None:
        """All points, one after the other."""
        watch = asyncio.create_task(self._watch_lag())
        try:
            await self._run()
        finally:
            watch.cancel()

    async def _run(self) -> None:
        cut = spread(self.cuts, self.points)
        for point in range(self.points):
            burst = asyncio.create_task(self.tempest.burst(reloads=2 if point in cut else 0))
            if point in cut:
                await asyncio.sleep(self._chance.uniform(2, 4))
                await self._cut()
            await burst
            await self._point(point)
        await asyncio.sleep(EXPECTED_S)  # the absence of a Newchannel: only then was an event about nobody
        self.desk.worker.pbx.expire(time.time())

    async def _cut(self) -> None:
        """In the middle of what happens: the event session alone, or all that the panel has."""
        snapshots = self.desk.page.snapshots
        session = self.desk.worker.link.event_session
        if session is None or self._chance.random() < 0.5:
            self.relay.cut()
        else:
            session.drop(ami.ConnectionLost("cut by the test"))
        await self.desk.page.until(lambda: self.desk.page.snapshots > snapshots)
        await self.desk.live()
        self.reconnects += 1

    async def _point(self, point: int) -> None:
        """Wait for quiet, see that the panel was blind, and compare."""
        await self.tempest.quiet()
        last = max((at for at, name in self.relay.sent if name not in HARMLESS), default=0.0)
        await asyncio.sleep(max(0.0, last + BLIND_S - time.monotonic()))
        read = self.relay.since(BLIND_S) - HARMLESS
        assert not read, f"the panel read {read} within {BLIND_S} s before a point"
        found = await self._compare(reread=False)
        self._note(point, found)
        if self._tries:
            await self._try()
        compared = found.compared
        if point % REREAD_EVERY == REREAD_EVERY - 1 or point == self.points - 1:
            worker = self.desk.worker
            session = worker.link.event_session
            assert session is not None
            self.drift += await worker._read(session, STEPS)
            worker._schedule(0.0)
            found = await self._compare(reread=True)
            self._note(point, found)
            self.reread |= found.compared - compared
        self.compared |= compared
        self.done += 1

    def _aged(self, lists: Lists) -> None:
        """A leg that by Asterisk's own lists began at two times took another's place between them [22, seed 81: no
        event said so]: how old it is then, is not compared any more."""
        for row in lists.channels:
            hours, minutes, seconds = map(int, row["Duration"].split(":"))
            born = lists.at["CoreShowChannels"] - (hours * 3600 + minutes * 60 + seconds)
            if abs(born - self._born.setdefault(row["Uniqueid"], born)) > AGED_S:
                self.tempest.moved.add(row["Uniqueid"])

    async def _compare(self, *, reread: bool) -> Findings:
        """What differs still when the panel has had the time to catch up, with lists after which nothing happened."""
        lists = await self.lists()
        since = time.monotonic()
        while True:
            if self.tempest.heard != lists.heard:
                lists = await self.lists()
            entities, pbx = self.desk.page.entities, self.desk.worker.pbx
            self._aged(lists)
            found = differences(entities, pbx, lists, reread=reread, moved=self.tempest.moved)
            took = time.monotonic() - since
            if not (found.differences or found.ghosts) or took > CATCH_UP_S:
                self.catch_up = max(self.catch_up, took)
                self.rows += lists.rows
                return found
            await asyncio.sleep(0.05)  # not an event to wait for: the absence of a difference

    async def _try(self) -> None:
        """Make each field that the page holds wrong, and see who notices."""
        lists, entities, pbx = await self.lists(), self.desk.page.entities, self.desk.worker.pbx

        def found(said: dict[str, Any]) -> set[str]:
            return {*differences(said, pbx, lists, reread=True, moved=self.tempest.moved).differences}

        known = found(entities)  # what no event carries

        for kind, held in entities.items():
            alive = [key for key, fields in held.items() if fields.get("phase") != "ended"]
            for field in sorted({field for key in alive for field in held[key]}):
                name = f"{kind}.{field}"
                self.told.add(name)
                for key in alive[:FEW] if name in UNCOMPARED else alive:
                    if name not in self.proved and found(wronged(entities, kind, key, field)) - known:
                        self.proved.add(name)
                    await asyncio.sleep(0)  # the panel's link is to be kept alive meanwhile

    async def lists(self) -> Lists:
        """Asterisk's lists, all of one moment: nothing has happened while they were read."""
        for _ in range(20):
            await self.tempest.quiet(seconds=0.5)
            heard = self.tempest.heard
            lists = await asyncio.to_thread(Lists.read, self.checker, time.time, heard, self._slack)
            await asyncio.to_thread(self.tempest.ping)
            if self.tempest.heard == heard:
                return lists
        raise AssertionError("Asterisk does not stand still")

    def _note(self, point: int, found: Findings) -> None:
        for name in ("differences", "ghosts"):
            new = [f"point {point + 1}: {text}" for text in getattr(found, name)]
            getattr(self.findings, name).extend(new)
            if self._chatty:
                print(*new, sep="\n", end="\n" if new else "", file=sys.stderr)
        if self._chatty:
            channels = len(self.desk.worker.pbx.channels)
            print(f"point {point + 1}: {channels} channels, unknown {self.unknown}", file=sys.stderr, flush=True)

    @property
    def unknown(self) -> int:
        """Events, between logins, about a channel that neither lived nor had just died."""
        return self.desk.worker.pbx.unknown


def wronged(entities: dict[str, Any], kind: str, key: str, field: str) -> dict[str, Any]:
    """The same, but for one field."""
    entity = {**entities[kind][key], field: untrue(entities[kind][key][field])}
    return {**entities, kind: {**entities[kind], key: entity}}


def untrue(value: object) -> object:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 60_000
    return [*value, "lab/nobody"] if isinstance(value, list) else f"{value}?"


def spread(number: int, among: int) -> list[int]:
    """So many places among so many, evenly apart."""
    return [int((one + 0.5) * among / number) for one in range(number)]
