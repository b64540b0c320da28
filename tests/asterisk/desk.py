"""A real worker on a real Asterisk, and what a page that looks at it holds: no browser, but every frame."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from ami.address import Address
from audit.trail import Trail
from floor import registry
from floor.carrier import Bus, Carrier, Reader
from floor.hub import Hub, Watcher
from floor.lenses import View
from floor.worker import PbxConfig, PbxWorker
from tests.asterisk.differences import call_differences, channel_pairs, room_differences, unlike
from tests.lab.checker import Checker, Rows
from tests.lab.instance import Asterisk


class Page:
    """Merges frames as docs/frames.md says, and holds them to it: no gap, no frame of an epoch that is not its own."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, dict[str, Any]]] = {}
        self.epoch, self.seq = 0, 0
        self.snapshots = 0
        self.links: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        self.age_ms = -1
        self.seen: Callable[[str, int, int], object] = lambda pbx, epoch, seq: None
        """Told what has been rendered: a page that does not say so is told nothing more after a while."""
        self._moved = asyncio.Event()

    def deliver(self, text: str) -> None:
        message = json.loads(text)
        getattr(self, f"_{message['type']}")(message)
        self._moved.set()

    def close_with(self, code: int) -> None:
        raise AssertionError(f"closed with {code}")

    async def until(self, condition: Any, seconds: float = 20.0) -> None:
        """Wait until the page shows it."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._moved.clear()
                await self._moved.wait()

    @property
    def link(self) -> dict[str, Any]:
        return self.links[-1] if self.links else {}

    def calls(self, phase: str = "") -> dict[str, dict[str, Any]]:
        calls = self.entities.get("call", {})
        return {key: call for key, call in calls.items() if phase in ("", call["phase"])}

    @property
    def spies(self) -> dict[str, dict[str, Any]]:
        return self.entities.get("spy", {})

    def _hello(self, message: dict[str, Any]) -> None:
        pass

    def _ack(self, message: dict[str, Any]) -> None:
        pass

    def _snapshot(self, message: dict[str, Any]) -> None:
        self.entities, self.epoch, self.seq = message["up"], message["epoch"], message["seq"]
        self.snapshots += 1

    def _frame(self, message: dict[str, Any]) -> None:
        assert (message["epoch"], message["seq"]) == (self.epoch, self.seq + 1), "a gap"
        self.seq += 1
        asyncio.get_running_loop().call_soon(self.seen, message["pbx"], self.epoch, self.seq)
        for kind, entities in message["up"].items():
            for key, fields in entities.items():
                self.entities.setdefault(kind, {}).setdefault(key, {}).update(fields)
        for kind, keys in message["del"].items():
            for key in keys:
                del self.entities[kind][key]

    def _beat(self, message: dict[str, Any]) -> None:
        self.age_ms = message["age_ms"]
        if message["link"] != self.link:
            self.links.append(message["link"])

    def _result(self, message: dict[str, Any]) -> None:
        self.results.append(message)


class Desk:
    """Runs the worker of one Asterisk, with a page that looks; with a bus, its picture and the commands go over it."""

    def __init__(
        self,
        asterisk: Asterisk,
        account: str = "panel",
        url: str = "",
        user_id: int = 0,
        bus: Bus | None = None,
        *,
        records: bool = False,
        monitored: bool = False,
    ) -> None:
        """``monitored``: who listens is written down, as the panel's own workers do."""
        self.page = Page()
        self.hub = Hub()
        self.trail = Trail()
        address = Address.parse(url or asterisk.ami_url(account))
        config = PbxConfig(
            "lab",
            address,
            re.compile(r"^\d{2,6}$"),
            re.compile(r"^PJSIP/trunk"),
            recorder=Address.parse(asterisk.ami_url("recorder")) if records else None,
        )
        self.carrier = Carrier(bus) if bus is not None else None
        self.worker = PbxWorker(
            config, self.carrier or self.hub, self.trail, witness=self.trail if monitored else None
        )
        self._between = [self.carrier.run, Reader(bus, self.hub).run] if bus and self.carrier else []
        self.watcher = Watcher(self.page, View(frozenset(registry.KINDS)), user_id)
        self.page.seen = functools.partial(self.hub.seen, self.watcher)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self.hub.join(self.watcher, {})
        runs = (self.worker.run, self.hub.pump, *self._between)
        self._tasks = [asyncio.create_task(run()) for run in runs]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks[0].cancel()
        await asyncio.gather(self._tasks[0], return_exceptions=True)
        await self.worker.close()
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks[1:], return_exceptions=True)
        await sync_to_async(self.trail.close)()

    async def live(self) -> Self:
        await self.page.until(lambda: self.page.link.get("phase") == "live" and self.page.snapshots > 0)
        return self

    async def equals(self, rows: Rows, seconds: float = 5.0) -> list[str]:
        """Wait until model and page equal Asterisk's own list; the differences that are left after so long."""
        until = time.monotonic() + seconds
        while True:
            found = self.differences(rows)
            if not found or time.monotonic() > until:
                return found
            await asyncio.sleep(0.05)  # not an event to wait for: the absence of a difference

    def differences(self, rows: Rows) -> list[str]:
        """Field by field: CoreShowChannels as another client read it, the model, and what the page was told."""
        model, found = self.worker.pbx.channels, []
        listed = {row["Uniqueid"]: row for row in rows}
        found += [f"ghost {uniqueid}" for uniqueid in model.keys() - listed.keys()]
        found += [f"missing {uniqueid}" for uniqueid in listed.keys() - model.keys()]
        for uniqueid in model.keys() & listed.keys():
            pairs = channel_pairs(model[uniqueid], listed[uniqueid])
            found += [f"{uniqueid} {difference}" for difference in unlike(pairs)]
        spies = {key.partition("/")[2] for key in self.page.entities.get("spy", {})}
        found += [f"nobody listens at {uniqueid}" for uniqueid in spies - listed.keys()]
        return found + call_differences(self.page.calls(), self.page.entities.get("party", {}), rows)

    def room_differences(self, rooms: Rows, members: dict[str, Rows]) -> list[str]:
        """ConfbridgeListRooms and each ConfbridgeList as another client read them, and what the page was told."""
        told = {room["name"]: room for room in self.page.entities.get("room", {}).values()}
        return room_differences("lab", told, self.page.entities.get("participant", {}), rooms, members)

    async def rooms(self, asterisk: Asterisk) -> tuple[Rows, dict[str, Rows]]:
        """Asterisk's own rooms, and who is in each, read now by a client that is not ours."""
        return await asyncio.to_thread(read_rooms, asterisk)

    async def click(
        self, verb: str, key: str, user_id: int, *, seconds: float = 20.0, **changed: Any
    ) -> dict[str, Any]:
        """Send a command as a page's consumer does, and wait for its answer. ``args=`` are the action's arguments."""
        layer = get_channel_layer()
        assert layer is not None
        command_id = secrets.token_hex(16)
        kind = registry.ACTIONS[verb].target if verb in registry.ACTIONS else "call"
        rev = self.page.entities.get(kind, {}).get(key, {}).get("rev", 0)
        command = {
            "id": command_id,
            "user_id": user_id,
            "user_name": "",
            "verb": verb,
            "target": {"kind": kind, "key": key, "rev": rev},
            "args": {},
            "epoch": self.page.epoch,
            "at": time.time(),
            "source": "page",
            "address": "",
            **changed,
        }
        before = len(self.page.results)
        await self.hub.command(self.watcher, command, "lab")
        await self.page.until(lambda: len(self.page.results) > before, seconds)
        return self.page.results[-1]

    async def checked(self, asterisk: Asterisk) -> Rows:
        """Asterisk's own list, read now by a client that is not ours."""

        def read() -> Rows:
            with Checker(asterisk) as checker:
                return checker.channels()

        return await asyncio.to_thread(read)


def read_rooms(asterisk: Asterisk) -> tuple[Rows, dict[str, Rows]]:
    """Asterisk's own rooms, and who is in each."""
    with Checker(asterisk) as checker:
        rooms = checker.list("ConfbridgeListRooms")
        return rooms, {
            room["Conference"]: checker.list("ConfbridgeList", Conference=room["Conference"]) for room in rooms
        }
