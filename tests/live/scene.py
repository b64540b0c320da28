"""A small stage: the events of an Asterisk 22, as its own bytes look, given to a model with a clock of our own."""

from __future__ import annotations

import re

from ami.protocol import Message
from live.changes import Changes
from live.pbx import Pbx

EXTENSIONS = re.compile(r"^\d{2,6}$")
TRUNKS = re.compile(r"^PJSIP/trunk")

STATES = {"down": 0, "ring": 4, "ringing": 5, "up": 6}


def message(first: str, value: str, **headers: object) -> Message:
    lines = [f"{first}: {value}", "Privilege: call,all"]
    lines += [f"{name.replace('__', '-')}: {text}" for name, text in headers.items()]
    return Message("\r\n".join(lines).encode())


class Scene:
    """Says what happens in the words of a script; ``look`` folds, as a tick of the worker does."""

    def __init__(self) -> None:
        self.pbx = Pbx("lab", EXTENSIONS, TRUNKS)
        self.pbx.settled = True
        self.now = 1_000.0
        self.names: dict[str, str] = {}
        self.states: dict[str, str] = {}

    def event(self, name: str, **headers: object) -> None:
        self.pbx.apply(message("Event", name, **headers), self.now)

    def snapshot(self, uniqueid: str, prefix: str = "", **more: object) -> dict[str, object]:
        name = self.names[uniqueid]
        number = name.partition("/")[2].partition("-")[0].partition("@")[0]
        return {
            f"{prefix}Channel": name,
            f"{prefix}ChannelState": STATES[self.states[uniqueid]],
            f"{prefix}CallerIDNum": number,
            f"{prefix}CallerIDName": f"Name {number}",
            f"{prefix}Exten": number,
            f"{prefix}Uniqueid": uniqueid,
            f"{prefix}Linkedid": uniqueid,
            **more,
        }

    def new(self, uniqueid: str, name: str, state: str = "down") -> None:
        self.names[uniqueid], self.states[uniqueid] = name, state
        self.event("Newchannel", **self.snapshot(uniqueid))

    def state(self, uniqueid: str, state: str) -> None:
        self.states[uniqueid] = state
        self.event("Newstate", **self.snapshot(uniqueid))

    def dial(self, source: str, target: str) -> None:
        self.event("DialBegin", **self.snapshot(source), **self.snapshot(target, "Dest"))

    def dial_end(self, source: str, target: str, status: str = "ANSWER") -> None:
        self.event("DialEnd", **self.snapshot(source), **self.snapshot(target, "Dest"), DialStatus=status)

    def enter(self, uniqueid: str, bridge: str, **about: object) -> None:
        kind = about or {"BridgeType": "basic", "BridgeTechnology": "simple_bridge", "BridgeCreator": "<unknown>"}
        self.event("BridgeEnter", BridgeUniqueid=bridge, **kind, **self.snapshot(uniqueid))

    def leave(self, uniqueid: str, bridge: str, **about: object) -> None:
        self.event("BridgeLeave", BridgeUniqueid=bridge, **about, **self.snapshot(uniqueid))

    def attended(self, first: str, second: str, *, transferee: str = "", target: str = "") -> None:
        """An attended transfer to an application; `first` and `second` are the transferer's legs. Asterisk names the
        bridge of the one that is in no application."""
        legs = {
            "OrigTransferer": first,
            "SecondTransferer": second,
            "Transferee": transferee,
            "TransferTarget": target,
        }
        told = {f"{prefix}Uniqueid": uniqueid for prefix, uniqueid in legs.items() if uniqueid}
        side = "SecondBridgeUniqueid" if target else "OrigBridgeUniqueid"
        self.event("AttendedTransfer", **told, DestType="App", **{side: "br"})

    def hangup(self, uniqueid: str, cause: int = 16, text: str = "Normal Clearing") -> None:
        self.event("Hangup", **self.snapshot(uniqueid), Cause=cause, Cause__txt=text)

    def later(self, seconds: float) -> None:
        self.now += seconds

    def look(self) -> Changes:
        return self.pbx.changes(self.now)

    def settled(self) -> Changes:
        """Look after all graces are over."""
        self.later(0.5)
        return self.look()

    # --- whole scenes

    def ring(self, caller: str = "a", callee: str = "b", numbers: tuple[str, str] = ("201", "101")) -> None:
        self.new(caller, f"PJSIP/{numbers[0]}-0000{caller}", "ring")
        self.new(callee, f"PJSIP/{numbers[1]}-0000{callee}")
        self.dial(caller, callee)
        self.state(callee, "ringing")

    def answer(self, caller: str = "a", callee: str = "b", bridge: str = "br") -> None:
        self.state(callee, "up")
        self.dial_end(caller, callee)
        self.state(caller, "up")
        self.enter(callee, bridge)
        self.enter(caller, bridge)

    # --- what is shown

    @property
    def calls(self) -> dict[str, dict[str, object]]:
        return {key: dict(fields) for key, fields in self.pbx.entities().get("call", {}).items()}

    @property
    def parties(self) -> dict[str, dict[str, object]]:
        return {key: dict(fields) for key, fields in self.pbx.entities().get("party", {}).items()}

    def only(self) -> dict[str, object]:
        calls = self.calls
        assert len(calls) == 1, calls
        return next(iter(calls.values()))
