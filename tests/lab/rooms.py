"""Three rooms in a storm: people come, are muted and removed, doors are locked; the same for the same seed."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time

from tests.lab.checker import WAIT, Checker, CheckerError, Rows
from tests.lab.instance import Asterisk

ROOMS = ("801", "802", "803")
FILL = 6
LEAST = 3
# What happens within this span (seconds), so many times.
SPAN = 14.0
DEEDS = 90
WEIGHTS = {"come": 3, "mute": 6, "unmute": 4, "kick": 3, "hang up": 1, "lock": 1, "unlock": 1}
USERS = ("default_user",) * 4 + ("admin_user", "muted_user", "waiting_user")


class RoomStorm:
    """Its channels' Uniqueids begin with `rooms-<seed>-`."""

    def __init__(self, asterisk: Asterisk, seed: int) -> None:
        self._seed = seed
        self._chance = random.Random(seed)
        self._came = 0
        self._checker = Checker(asterisk, events="off")
        self.done: dict[str, int] = dict.fromkeys(WEIGHTS, 0)
        """How often each deed was done, rather than refused because its object had gone."""

    async def run(self) -> None:
        """Fill the rooms, do to them what the seed says, and leave them: one locked, somebody muted in each."""
        await asyncio.to_thread(self._fill)
        for _ in range(DEEDS):
            await asyncio.sleep(SPAN / DEEDS)
            await asyncio.to_thread(self._one)
        await asyncio.to_thread(self._leave_standing)

    def close(self) -> None:
        """Hang up what stands, and disconnect."""
        with contextlib.suppress(CheckerError):
            for channel in self._checker.channels():
                if channel["Uniqueid"].startswith(f"rooms-{self._seed}-"):
                    self._checker.hangup(channel["Channel"])
        self._checker.close()

    def members(self, room: str) -> Rows:
        """Who is in it, by Asterisk's own list."""
        return self._checker.list("ConfbridgeList", Conference=room)

    def _fill(self) -> None:
        for room in ROOMS:
            for _ in range(FILL):
                self._come(room)

    def _come(self, room: str) -> None:
        self._came += 1
        self._checker.originate(
            "Local/wait@storm-caller/n",
            application="ConfBridge",
            data=f"{room},default_bridge,{self._chance.choice(USERS)},default_menu",
            caller=f'"Guest {self._came}" <{7000 + self._came}>',
            variables={"__STORM_STAY": 36_000},
            channel_id=f"rooms-{self._seed}-{self._came}",
        )

    def _one(self) -> None:
        (deed,) = self._chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        room = self._chance.choice(ROOMS)
        # Who has gone in between can't be muted: that is part of the storm.
        with contextlib.suppress(CheckerError, IndexError):
            self._do(deed, room)
            self.done[deed] += 1

    def _do(self, deed: str, room: str) -> None:
        if deed == "come":
            self._come(room)
        elif deed in ("lock", "unlock"):
            self._checker.action(f"Confbridge{deed.title()}", Conference=room)
        else:
            channel = self._chance.choice(self.members(room))["Channel"]
            if deed == "hang up":
                self._checker.hangup(channel)
            else:
                self._checker.action(f"Confbridge{deed.title()}", Conference=room, Channel=channel)

    def _leave_standing(self) -> None:
        for room in ROOMS:
            with contextlib.suppress(CheckerError):  # an empty one is no more, and so not locked
                self._checker.action("ConfbridgeUnlock", Conference=room)
            for _ in range(LEAST):
                self._come(room)
            deadline = time.monotonic() + WAIT
            while len(members := self.members(room)) < LEAST:
                if time.monotonic() > deadline:
                    raise CheckerError(f"room {room} does not fill")
                time.sleep(0.05)  # nothing to wait on: this session hears no events
            self._checker.action("ConfbridgeMute", Conference=room, Channel=members[0]["Channel"])
        self._checker.action("ConfbridgeLock", Conference=ROOMS[1])
