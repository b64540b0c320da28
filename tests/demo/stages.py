"""One play on two stages: the same steps with real phones on a real Asterisk 22, and on the demo PBX.

The demo is set up as the lab's Asterisk is (same extensions, names, queues, rooms), so that what is said differs only
by what differs between two runs of anything: ids, times, counters.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from demo.channels import RINGING, Channel
from demo.lines import Registration
from demo.pbx import Nobody, Pbx
from demo.server import USER, Server
from tests.demo.tap import Seen, Tap
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

QUIET_S = 0.25
"""Nothing has come for so long: the step is over."""

CALLER = ("4915112345", "Zoë O'Brien")
LAB_PHONES = {
    "101": "Agent 101",
    "102": "Agent 102",
    "103": "Agent 103",
    "900": "Supervisor 900",
    "201": "",
    "202": "",
}
ANSWER_S = 0.2

REGISTRATION = "out"
REGISTERED_AS = "206"
"""The trunk's registration, and whom it registers as: the lab's Asterisk registers with itself."""
REGISTRATION_CONF = """
[{name}]
type = registration
transport = transport-udp
outbound_auth = {user}
server_uri = sip:127.0.0.1:{port}
client_uri = sip:{user}@127.0.0.1:{port}
max_random_initial_delay = 0
"""


def configure(asterisk: Asterisk) -> None:
    """Give an Asterisk that does not run yet what the lab's do not have: a trunk that registers."""
    text = REGISTRATION_CONF.format(name=REGISTRATION, user=REGISTERED_AS, port=asterisk.ports.sip)
    with (asterisk.run / "etc/pjsip.conf").open("a") as pjsip:
        pjsip.write(text)


class Stage(ABC):
    """Where a step is played. Phones are named by their extension, "trunk" is the far end of the trunk."""

    tap: Tap

    @abstractmethod
    def dial(self, who: str, number: str) -> None:
        """Somebody picks up the receiver and dials."""

    @abstractmethod
    def answer(self, who: str) -> None: ...

    @abstractmethod
    def reject(self, who: str) -> None: ...

    @abstractmethod
    def hangup(self, who: str) -> None: ...

    @abstractmethod
    def hold(self, who: str, on: bool) -> None: ...

    @abstractmethod
    def refer(self, who: str, number: str) -> None: ...

    @abstractmethod
    def plug(self, who: str, on: bool) -> None:
        """A phone registers, or is gone."""

    @abstractmethod
    def register(self, on: bool) -> None:
        """The trunk's registration is made, or undone."""

    def quiet(self) -> None:
        self.tap.quiet(QUIET_S)

    def uniqueid(self, who: str) -> str:
        """The Uniqueid of the newest channel of this phone."""
        return self._newest(who).get("Uniqueid")

    def channel(self, who: str) -> str:
        return self._newest(who).get("Channel")

    def _newest(self, who: str) -> Seen:
        mine = f"PJSIP/{who}-"
        return [one for one in self.tap.seen if one.name == "Newchannel" and one.get("Channel").startswith(mine)][-1]

    def originate(self, channel_id: str, application: str = "", data: str = "", **headers: str) -> None:
        wanted = {"Channel": "PJSIP/900", "Timeout": "15000", "Async": "true", "ChannelId": channel_id, **headers}
        if application:
            wanted |= {"Application": application, "Data": data}
        self.tap.ask("Originate", **wanted)


class RealStage(Stage):
    """A real Asterisk 22 with real phones."""

    def __init__(self, asterisk: Asterisk, phones: Callable[..., Phone]) -> None:
        self.tap = Tap(asterisk.ami_port)
        self._asterisk, self._make = asterisk, phones
        number, name = CALLER
        self._phones = {
            "101": phones(asterisk, "101", answer=None),
            "201": phones(asterisk, "201"),
            "202": phones(asterisk, "202", hz=0.0),
            "900": phones(asterisk, "900", answer=ANSWER_S),
            "trunk": phones(asterisk, "far", host="127.0.0.9", register=False, number=number, name=name),
        }
        # Asterisk registers before or after we have begun to listen.
        if not self._registered():
            self.tap.event("Registry", Status="Registered", timeout=20)

    def _registered(self) -> bool:
        listed = self.tap.list("PJSIPShowRegistrationsOutbound")
        return any(one.get("Status") == "Registered" for one in listed)

    def dial(self, who: str, number: str) -> None:
        self._phones[who].call(number)

    def answer(self, who: str) -> None:
        self._phones[who].wait_incoming().answer()
        self.tap.quiet(0.05)
        # Asterisk loses a hold that comes before the two are bridged.
        time.sleep(0.1)

    def reject(self, who: str) -> None:
        self._phones[who].wait_incoming().reject()

    def hangup(self, who: str) -> None:
        self._phones[who].calls[-1].hangup()

    def hold(self, who: str, on: bool) -> None:
        call = self._phones[who].calls[-1]
        if on:
            call.hold()
        else:
            call.unhold()

    def refer(self, who: str, number: str) -> None:
        self._phones[who].calls[-1].refer(number)

    def plug(self, who: str, on: bool) -> None:
        if on:
            self._phones[who] = self._make(self._asterisk, who, answer=None)
        else:
            self._phones[who].close()

    def register(self, on: bool) -> None:
        self._asterisk.cli(f"pjsip send {'register' if on else 'unregister'} {REGISTRATION}")


class _People(Nobody):
    """The lab's phones: 900 answers by itself, 201 speaks where he sits."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx

    def rings(self, leg: Channel) -> None:
        if leg.device == "PJSIP/900":
            self._pbx.later(ANSWER_S, lambda: self._pbx.answer(leg))

    def sits(self, channel: Channel) -> None:
        if channel.device != "PJSIP/202":
            self._pbx.later(0.05, lambda: self._speak(channel))

    def _speak(self, channel: Channel) -> None:
        if channel.sits is not None:
            self._pbx.seats.speak(channel.sits, True)


class DemoStage(Stage):
    """The demo PBX on a loop of its own, behind its real socket."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="demo", daemon=True)
        self._thread.start()
        self.server = Server("bytes")
        self.pbx = self._run(self._open)
        self.tap = Tap(self.server.port, USER, "bytes")

    def _run(self, work: Callable[[], Any]) -> Any:
        async def inside() -> Any:
            done = work()
            return await done if asyncio.iscoroutine(done) else done

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(10)

    async def _open(self) -> Pbx:
        def later(seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
            return self._loop.call_later(seconds, call)

        pbx = Pbx(self.server.emit, time.time, later, lambda: str(uuid.uuid4()))
        for exten, name in LAB_PHONES.items():
            pbx.lines.add_phone(exten, name, registered=exten not in ("102", "103"))
        pbx.lines.add_trunk("PJSIP/trunk", Registration(REGISTRATION, REGISTERED_AS, "127.0.0.1:5060"))
        sales = pbx.add_queue("sales", "600", ["101", "102", "103"])
        sales.members[-1].penalty = 1
        pbx.add_queue("support", "601", [])
        pbx.add_room("801")
        pbx.people = _People(pbx)
        self.server.pbx = pbx
        await self.server.start()
        return pbx

    def close(self) -> None:
        self._run(self.server.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _leg(self, who: str, *, rings: bool = False) -> Channel:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            legs = [one for one in self.pbx.channels.values() if one.device == f"PJSIP/{who}"]
            legs = [one for one in legs if one.state == RINGING] if rings else legs
            if legs:
                leg: Channel = legs[-1]
                return leg
            time.sleep(0.02)
        raise AssertionError(f"{who} has no leg")

    def dial(self, who: str, number: str) -> None:
        def call() -> None:
            if who == "trunk":
                self.pbx.incoming("PJSIP/trunk", *CALLER, number, "from-trunk")
            else:
                self.pbx.incoming(f"PJSIP/{who}", who, LAB_PHONES[who], number)

        self._run(call)

    def answer(self, who: str) -> None:
        leg = self._leg(who, rings=True)
        self._run(lambda: self.pbx.answer(leg))

    def reject(self, who: str) -> None:
        leg = self._leg(who, rings=True)
        self._run(lambda: self.pbx.hangup(leg))

    def hangup(self, who: str) -> None:
        leg = self._leg(who)
        self._run(lambda: self.pbx.hangup(leg))

    def hold(self, who: str, on: bool) -> None:
        leg = self._leg(who)
        self._run(lambda: self.pbx.hold(leg) if on else self.pbx.unhold(leg))

    def refer(self, who: str, number: str) -> None:
        leg = self._leg(who)
        self._run(lambda: self.pbx.transfer(leg, number))

    def plug(self, who: str, on: bool) -> None:
        def go() -> None:
            self.pbx.lines.register_phone(self.pbx.lines.phones[who], on)
            self.pbx.settle()

        self._run(go)

    def register(self, on: bool) -> None:
        registration = self.pbx.lines.registrations[REGISTRATION]
        self._run(lambda: self.pbx.lines.register_trunk(registration, on))


@contextlib.contextmanager
def demo_stage() -> Iterator[DemoStage]:
    stage = DemoStage()
    try:
        yield stage
    finally:
        stage.close()
