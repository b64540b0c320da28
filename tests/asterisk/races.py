"""Clicks that race with what happens to their call: transferred, hung up, bridged elsewhere, Asterisk restarted.

    async with Races(asterisk, seed=7) as races:
        await races.run(100)

Each run is a call of two real phones, one click on it, and one thing that somebody else does to it, up to 50 ms before
or after. Another AMI session sees what Asterisk does, in its order: which leg was hung up, transferred, parked, heard.
Each of those must be a leg of the call that was clicked on. Beside them stand calls that nobody clicks on.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import ami
from ami.client import ACTION_TIMEOUT
from floor import dispatch
from floor.registry import ACTIONS
from live.channels import LISTEN
from live.dialling import Policy
from live.manners import Manners
from tests.asterisk.desk import Desk
from tests.lab.checker import Checker, CheckerError, Rows
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone, PhoneError

APART_S: Final = 0.05
LANES: Final = (("201", "101"), ("202", "102"), ("203", "103"), ("204", "104"), ("205", "105"))
"""Customer and agent of each call of a round. Nobody clicks on the last one."""

CLICKS: Final = ("calls.hangup", "calls.transfer", "calls.park", "calls.listen")
HAPPENS: Final = ("transferred", "hung up", "bridged elsewhere")
OURS, THEIRS = "505", "506"
"""Where a click transfers to, and where somebody else does."""

RESTART_EVERY: Final = 12
"""Of so many rounds one has Asterisk restarted beneath all its calls: it takes seconds."""

PROOF_S: Final = 1.0
"""A click that came to nothing is answered after so long: what the answer is is not in question here."""


class Lane:
    """One call, the click on it, and what happens to it."""

    def __init__(self, customer: Phone, agent: Phone, chance: random.Random, *, quiet: bool) -> None:
        self.customer, self.agent, self.quiet = customer, agent, quiet
        self.click = chance.choice(CLICKS)
        self.happens = chance.choice(HAPPENS)
        self.apart = chance.uniform(-APART_S, APART_S)
        self.by = chance.randrange(2)
        """Which party is meant by a click on one, and moved by what happens."""
        self.calls: list[Call] = []
        self.legs: list[str] = []
        """Uniqueids: the customer's, the agent's."""
        self.names: list[str] = []
        self.key, self.rev = "", 0
        self.stranger = f"x-{secrets.token_hex(6)}"
        """A leg of another call, which it may be bridged with."""
        self.epoch = 0
        self.happened = False
        self.younger = chance.random() < 0.5
        """Than the stranger's call: of two that become one the elder's id stays."""
        self.answer: dict[str, Any] = {}

    @property
    def own(self) -> set[str]:
        return set(self.legs)

    @property
    def meant(self) -> str:
        return self.legs[self.by]


class Races:
    """Runs over one instance, with a desk and phones of its own."""

    def __init__(self, asterisk: Asterisk, seed: int, user_id: int, *, chatty: bool = False) -> None:
        """`user_id`: whose clicks these are; she has the phone PJSIP/900 there."""
        self.asterisk, self.user_id, self._chatty = asterisk, user_id, chatty
        self.runs = 0
        self.wrong: list[str] = []
        """Effects on what was not clicked on, in words."""
        self.late: Counter[str] = Counter()
        """Effects on a leg of the call that was clicked on, when Asterisk had just moved that leg: the event was on
        its way to the panel, the action on its way from it."""
        self.reused = 0
        """Channel names of before a restart that were used again after it."""
        self.effects: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self._chance = random.Random(seed)
        self._rounds = 0
        self._lanes: list[Lane] = []
        self._hung: set[str] = set()
        """Uniqueids of legs that the panel has told Asterisk to hang up in this round."""
        self._opened: list[Phone] = []

    async def __aenter__(self) -> Self:
        self._proof, dispatch.PROOF_S = dispatch.PROOF_S, PROOF_S  # type: ignore[misc]
        self._witness = await asyncio.to_thread(Checker, self.asterisk)
        self._phones = await asyncio.to_thread(self._open)
        self.desk = await Desk(self.asterisk, user_id=self.user_id).__aenter__()
        unlimited = Policy(re.compile("50[56]"), per_minute=100_000, per_minute_all=100_000)
        self.desk.worker.pbx.manners = Manners(dial=unlimited)
        await self.desk.live()
        self._watch_sends()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        dispatch.PROOF_S = self._proof  # type: ignore[misc]
        await self.desk.__aexit__(kind, error, trace)
        await self._phones_do(Phone.close)
        self._witness.close()

    def _open(self) -> dict[str, Phone]:
        for extension in [*(one for lane in LANES for one in lane), "900"]:
            phone = Phone(self.asterisk.sip_address(extension), extension, answer=0.01, hz=0)
            self._opened.append(phone)
        return {phone.extension: phone for phone in self._opened}

    async def _phones_do(self, deed: Callable[[Phone], None]) -> None:
        for phone in self._opened:
            await asyncio.to_thread(deed, phone)

    async def run(self, runs: int) -> None:
        """So many clicks."""
        while self.runs < runs:
            self._rounds += 1
            await self._round(restart=self._rounds % RESTART_EVERY == RESTART_EVERY // 2)

    # --- one round

    async def _round(self, *, restart: bool) -> None:
        if restart:
            await self._restart()  # so that names begin now, and begin again below
        lanes = self._lanes = await self._calls(in_turn=restart)
        self._witness.events.clear()
        self._hung = set()
        clicked = [lane for lane in lanes if not lane.quiet]
        if restart:
            clicks = [asyncio.create_task(self._click(lane, abs(lane.apart))) for lane in clicked]
            await self._restart()
            await asyncio.gather(*clicks)
            await self._click_on_what_was(clicked)
        else:
            await asyncio.gather(*(self._race(lane) for lane in clicked))
            await asyncio.to_thread(self._witness.wait_quiet, 0.2)
            self._judge(lanes, [*self._witness.events])
        self.runs += len(clicked)
        for lane in clicked:
            self.answers["{outcome} {code}".format(**lane.answer).strip()] += 1
        await self._clear()
        if self._chatty and self._rounds % 10 == 0:
            print(self.runs, dict(self.effects), dict(self.answers), self.wrong[:3], file=sys.stderr, flush=True)

    async def _restart(self) -> None:
        epoch = self.desk.page.epoch
        self._witness.close()
        await asyncio.to_thread(self.asterisk.restart)
        self._witness = await asyncio.to_thread(Checker, self.asterisk)
        await self._phones_do(Phone.register)
        await self.desk.page.until(lambda: self.desk.page.epoch > epoch and not self._alive())

    async def _calls(self, *, in_turn: bool) -> list[Lane]:
        """A call on each lane; `in_turn`: one after the other, so that the first names of all go to the same ones."""
        lanes = [
            Lane(self._phones[customer], self._phones[agent], self._chance, quiet=(customer, agent) == LANES[-1])
            for customer, agent in LANES
        ]

        def dial() -> None:
            for lane in lanes:
                if lane.younger:
                    self._bring_stranger(lane)
                lane.calls = [lane.customer.call(lane.agent.extension)]
                if in_turn:
                    lane.calls[0].wait_up()
            for lane in lanes:
                lane.calls[0].wait_up()
                lane.calls.append(lane.agent.wait_incoming().wait_up())
                if not lane.younger:
                    self._bring_stranger(lane)

        await asyncio.to_thread(dial)
        await self.desk.page.until(lambda: all(self._shown(lane) for lane in lanes))
        return lanes

    def _bring_stranger(self, lane: Lane) -> None:
        leg = f"Local/{THEIRS}@from-internal/n"
        self._witness.originate(leg, application="Wait", data="600", channel_id=lane.stranger)

    def _shown(self, lane: Lane) -> bool:
        """Whether the page shows its call, and a stranger's; what it says of it is what will be clicked on."""
        page = self.desk.page
        for key, call in page.calls("talking").items():
            parties = [page.entities["party"][party] for party in call["parties"]]
            if [party["number"] for party in parties] == [lane.customer.extension, lane.agent.extension]:
                lane.key, lane.rev, lane.epoch = key, call["rev"], page.epoch
                lane.legs = [party.partition("/")[2] for party in call["parties"]]
                lane.names = [str(party["channel"]) for party in parties]
                return f"lab/{lane.stranger}" in page.calls("menu")
        return False

    async def _race(self, lane: Lane) -> None:
        await asyncio.gather(
            self._click(lane, max(0.0, lane.apart)), asyncio.to_thread(self._happen, lane, max(0.0, -lane.apart))
        )

    async def _click(self, lane: Lane, after: float, *, epoch: int = -1) -> None:
        await asyncio.sleep(after)
        one = ACTIONS[lane.click].target == "party"
        args = {"number": OURS} if lane.click == "calls.transfer" else {}
        key = f"lab/{lane.meant}" if one else lane.key
        target = {"kind": "party" if one else "call", "key": key, "rev": lane.rev}
        command = {
            "id": secrets.token_hex(16),
            "user_id": self.user_id,
            "user_name": "",
            "verb": lane.click,
            "target": target,
            "args": args,
            "epoch": lane.epoch if epoch < 0 else epoch,
            "at": time.time(),
            "source": "page",
            "address": "",
        }
        await self.desk.hub.command(self.desk.watcher, command, "lab")
        results = self.desk.page.results
        await self.desk.page.until(lambda: any(result["id"] == command["id"] for result in results))
        (lane.answer,) = [result for result in results if result["id"] == command["id"]][:1]

    def _happen(self, lane: Lane, after: float) -> None:
        time.sleep(after)
        try:
            if lane.happens == "transferred":
                self._witness.action(
                    "BlindTransfer", Channel=lane.names[lane.by], Context="from-internal", Exten=THEIRS
                )
            elif lane.happens == "hung up":
                lane.calls[lane.by].hangup()
            else:
                self._witness.action("Bridge", Channel1=lane.names[lane.by], Channel2=lane.stranger)
            lane.happened = True
        except (CheckerError, PhoneError):
            pass  # the click was first: there is nothing left to do it to

    # --- what came of it

    def _watch_sends(self) -> None:
        """Note what is sent about a leg that the panel's own model has elsewhere, or nowhere, at that moment."""
        pbx, post = self.desk.worker.pbx, self.desk.worker.link.post

        def watched(action: ami.Action, timeout: float = ACTION_TIMEOUT) -> asyncio.Future[ami.Message]:
            uniqueid = dict(action.headers).get("Channel", "")
            lane = next((lane for lane in self._lanes if uniqueid in lane.legs), None)
            leg = pbx.channels.get(uniqueid)
            bridge = pbx.bridges.get(leg.bridge) if leg is not None else None
            if lane is not None and (leg is None or (bridge is not None and bridge.members - lane.own)):
                self.wrong.append(f"{action.name} was sent though it had been told that {uniqueid} was elsewhere")
            if action.name == "Hangup" and not uniqueid.startswith(LISTEN):  # a leg of her own may be taken back
                self._hung.add(uniqueid)
                if lane is None or lane.click != "calls.hangup":
                    self.wrong.append(f"Hangup was sent for {uniqueid}, on whom nobody clicked")
            return post(action, timeout)

        self.desk.worker.link.post = watched  # type: ignore[method-assign]

    def _judge(self, lanes: list[Lane], events: Rows) -> None:
        """Asterisk's own events, in its order: who was done something to, and whether he was still there."""
        bridges: dict[str, set[str]] = {}
        sent_off: set[str] = set()
        for event in events:
            name, uniqueid = event["Event"], event.get("Uniqueid", "")
            if name == "BridgeEnter":
                bridges.setdefault(event["BridgeUniqueid"], set()).add(uniqueid)
            elif name == "BridgeLeave":
                bridges.get(event["BridgeUniqueid"], set()).discard(uniqueid)
            elif name == "BlindTransfer" and (event["Result"], event["Extension"]) == ("Success", THEIRS):
                sent_off.add(event["TransfereeUniqueid"])
            elif name != "SoftHangupRequest" or uniqueid in self._hung:  # Asterisk has other reasons for those
                self._count(lanes, event, bridges, sent_off)
        rows = {row["Uniqueid"]: row for row in self._witness.channels()}
        for lane in lanes:
            if lane.quiet and (lane.own - rows.keys() or len({rows[leg]["BridgeId"] for leg in lane.legs}) != 1):
                self.wrong.append(f"a call that nobody clicked on is not as it was: {lane.names}")
            if lane.happens != "bridged elsewhere" and lane.stranger not in rows:
                self.wrong.append(f"a stranger's leg is gone: {lane.click} while {lane.happens}")

    def _count(
        self, lanes: list[Lane], event: dict[str, str], bridges: dict[str, set[str]], sent_off: set[str]
    ) -> None:
        effect = _effect(event)
        if effect is None:
            return
        verb, whom = effect
        self.effects[verb] += 1
        lane = next((lane for lane in lanes if whom in lane.legs), None)
        one = ACTIONS[verb].target == "party"
        if lane is None or lane.click != verb or (one and whom != lane.meant):
            self.wrong.append(f"{verb} of {whom}, on whom nobody clicked, while {lane and lane.happens}")
        elif verb == "calls.listen" and lane.answer["outcome"] == "refused":
            self.effects["calls.listen taken back"] += 1
        elif whom in sent_off or any(whom in members and members - lane.own for members in bridges.values()):
            self.late[verb] += 1

    async def _click_on_what_was(self, before: list[Lane]) -> None:
        """Clicks on calls of before the restart, by an old picture and by none, while others have their names."""
        lanes = self._lanes = await self._calls(in_turn=True)
        names = {name for lane in lanes for name in lane.names}
        self.reused += sum(name in names for lane in before for name in lane.names)
        for lane in before:
            for epoch in (lane.epoch, 0):
                await self._click(lane, 0.0, epoch=epoch)
                if lane.answer["outcome"] != "refused":
                    self.wrong.append(f"{lane.click} on a call of before the restart is {lane.answer}")
        for lane in lanes:
            lane.quiet = True
        self._judge(lanes, [*self._witness.events])

    def _alive(self) -> bool:
        return any(call["phase"] != "ended" for call in self.desk.page.calls().values())

    async def _clear(self) -> None:
        await asyncio.to_thread(self._witness.hangup_all)
        await self._phones_do(Phone.hangup)
        for phone in self._opened:
            phone._untaken.clear()
        await self.desk.page.until(lambda: not self._alive() and not self.desk.page.spies)


def _effect(event: dict[str, str]) -> tuple[str, str] | None:
    """Which click's effect an event tells of, and on which leg."""
    name = event["Event"]
    if name == "SoftHangupRequest":
        return "calls.hangup", event["Uniqueid"]
    if name == "BlindTransfer" and (event["Result"], event["Extension"]) == ("Success", OURS):
        return "calls.transfer", event["TransfereeUniqueid"]
    if name == "ParkedCall":
        return "calls.park", event["ParkeeUniqueid"]
    if name == "ChanSpyStart":
        return "calls.listen", event["SpyeeUniqueid"]
    return None
