"""A floor with something of each kind in each relation to one team's part of it, and everybody who may look at it.

The team has the extensions 2??, the queue ``sales`` and the conference 801. 297, 298 and 299 are protected.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, Final

from django.contrib.auth.models import Permission

import ami
from accounts.models import Protected, Team, User
from accounts.permissions import TargetSnapshot, UserSnapshot
from accounts.rights import RIGHTS, ROLES
from ami.protocol import Message
from audit.record import Outcome, Record, What, Who
from floor import registry
from tests.conftest import member
from tests.floor.stage import FakeLink
from tests.live.test_calls import PARKING
from tests.live.test_conferences import Conference
from tests.live.test_queues import MEMBER

EPOCH: Final = 5

VIEWS: Final = frozenset(kind.right for kind in registry.KINDS.values())

OWN_ROLES: Final[dict[str, frozenset[str]]] = {
    "Nobody": frozenset(),
    "Listener": frozenset({"calls.view", "calls.listen"}),
    "Recorder": VIEWS | {"calls.record", "conferences.record"},
    "Whisperer": ROLES["Team lead"] | {"calls.whisper", "calls.barge", "calls.keys", "calls.mute", "calls.record"},
    "Blind": frozenset(RIGHTS) - VIEWS - {"floor.everywhere"},
    "Dismissed": frozenset(RIGHTS),
}
USERS: Final = (*ROLES, *OWN_ROLES)

RULES: Final = (("extension", "2??"), ("queue", "sales"), ("conference", "801"))


def person(role: str) -> User:
    """Somebody of this role, in the team, with a phone on the PBX."""
    user = member("Pat", role if role in ROLES else "")
    for right in OWN_ROLES.get(role, ()):
        app, codename = right.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    if role == "Dismissed":
        user.is_active = False
        user.save()
    user.phones.create(pbx="lab", dial_string="PJSIP/290")
    team = Team.objects.create(name="Ours")
    team.members.add(user)
    for aspect, name in RULES:
        team.rules.create(aspect=aspect, name=name)
    for extension in ("297", "298", "299"):
        Protected.objects.create(extension=extension)
    return user


# condition → kind → key without the PBX's name
THINGS: Final[dict[str, dict[str, str]]] = {
    "in scope": {
        "call": "201",
        "party": "202",
        "spy": "210",
        "parked": "trunk-in",
        "room": "801",
        "participant": "trunk-801",
        "queue": "sales",
        "member": "sales/PJSIP/201",
        "waiting": "trunk-sales",
        "pbx": "",
    },
    "out of scope": {
        "call": "301",
        "party": "302",
        "spy": "310",
        "parked": "trunk-out",
        "room": "900",
        "participant": "305",
        "queue": "support",
        "member": "support/PJSIP/301",
        "waiting": "trunk-support",
    },
    "partly in scope": {
        "call": "203",
        "party": "303",
        "spy": "311",
        "parked": "304",
        "room": "802",
        "participant": "313",
        "member": "support/PJSIP/214",
        "waiting": "315",
    },
    "protected": {
        "call": "204",
        "party": "299",
        "spy": "211",
        "parked": "298",
        "room": "803",
        "participant": "297",
    },
    "ended": {
        "call": "205",
        "party": "206",
        "spy": "216",
        "parked": "trunk-gone",
        "room": "804",
        "participant": "217",
        "member": "sales/PJSIP/218",
        "waiting": "trunk-left",
    },
    "unknown": {
        "call": "xxx",
        "party": "xxx",
        "spy": "xxx",
        "parked": "xxxxx-xxx",
        "room": "xxx",
        "participant": "xxx",
        "queue": "xxxxxxx",
        "member": "xxxxxxx/PJSIP/xxx",
        "waiting": "xxxxx-xxxxxxx",
    },
}

ARGS: Final[dict[str, dict[str, Any]]] = {
    "calls.switch": {"mode": "listen"},
    "calls.call": {"number": "202"},
    "calls.transfer": {"number": "202"},
    "calls.attend": {"number": "202"},
    "calls.keys": {"keys": "1"},
    "queues.add": {"extension": "219"},
    "queues.penalty": {"penalty": 1},
    "queues.ring_in_use": {"ring": True},
    "queues.send": {"number": "202"},
}
"""Of actions that need some: such as are in the team's part, so that the target alone decides."""

CASES: Final = [
    (verb, condition)
    for verb, action in registry.ACTIONS.items()
    for condition, keys in THINGS.items()
    if action.target in keys
]

NOT_NOW: Final = frozenset(
    {"not_now", "no_recording", "no_extension", "too_many_calls", "changed", "ambiguous", "number_denied"}
)
"""What a plan says no with, to who may."""


class World(Conference):
    def __init__(self) -> None:
        super().__init__()
        for number in ("219", "290"):
            self.event("ExtensionStatus", Exten=number, Context="c", Hint=f"PJSIP/{number}", Status=0)
        for a, b in (("201", "202"), ("301", "302"), ("203", "303"), ("204", "299"), ("205", "206")):
            self.talk(a, b)
        for spyer, spyee in (("210", "201"), ("310", "301"), ("311", "203"), ("211", "204"), ("216", "205")):
            self.new(spyer, f"PJSIP/{spyer}-0000{spyer}", "up")
            self.event("ChanSpyStart", SpyerUniqueid=spyer, SpyeeUniqueid=spyee)
        for space, (parkee, by) in enumerate(
            (("trunk-in", "207"), ("trunk-out", "307"), ("304", "208"), ("298", "209"), ("trunk-gone", "207"))
        ):
            self.park(parkee, by, 701 + space)
        for room, seats in (
            ("801", ("trunk-801", "313")),
            ("900", ("305",)),
            ("802", ("212", "312")),
            ("803", ("213", "297")),
            ("804", ("217",)),
        ):
            for seat in seats:
                self.arrive(seat, seat, room)
        for queue, number in (("sales", "201"), ("support", "301"), ("support", "214"), ("sales", "218")):
            self.serves(queue, number)
        for queue, caller in (("sales", "trunk-sales"), ("support", "trunk-support"), ("sales", "315")):
            self.waits(queue, caller)
        self.waits("sales", "trunk-left")
        self.settled()
        for leg in ("205", "206", "216", "trunk-gone", "217", "trunk-left"):
            self.hangup(leg)
        self.confbridge("End", room="804")
        self.event("QueueMemberRemoved", Queue="sales", Interface="PJSIP/218")
        self.settled()

    def new(self, uniqueid: str, name: str, state: str = "down") -> None:
        """Named as Asterisk names legs."""
        super().new(uniqueid, f"{name.rpartition('-')[0]}-{len(self.names):08x}", state)

    def talk(self, a: str, b: str) -> None:
        """The legs are called as their numbers, and the call as the first."""
        self.ring(a, b, (a, b))
        self.answer(a, b, f"br-{a}")

    def park(self, parkee: str, by: str, space: int) -> None:
        self.new(parkee, f"PJSIP/{parkee}-0000{parkee}", "up")
        self.enter(parkee, "lot", **PARKING)
        self.event("ParkedCall", ParkeeUniqueid=parkee, ParkingSpace=space, ParkerDialString=f"PJSIP/{by}")

    def serves(self, queue: str, number: str) -> None:
        about = {"Queue": queue, "MemberName": number, "Interface": f"PJSIP/{number}"}
        self.event("QueueMemberAdded", **about, **MEMBER | {"StateInterface": f"PJSIP/{number}", "Ringinuse": 0})

    def waits(self, queue: str, caller: str) -> None:
        if caller not in self.names:
            self.new(caller, f"PJSIP/{caller}-0000{caller}", "up")
        self.event("QueueCallerJoin", **self.snapshot(caller), Queue=queue, Position=1)

    def serve(self, queue: str, caller: str, number: str) -> None:
        """The caller who waits there is answered by this member."""
        self.new(number, f"PJSIP/{number}-0000{number}")
        self.dial(caller, number)
        self.state(number, "ringing")
        self.event("QueueCallerLeave", **self.snapshot(caller), Queue=queue)
        self.event("AgentConnect", **self.snapshot(caller), Queue=queue, Interface=f"PJSIP/{number}")
        self.answer(caller, number, f"br-{caller}")

    def found(self, kind: str, rest: str) -> registry.Found | None:
        return registry.KINDS[kind].find(self.pbx, rest)

    def target(self, kind: str, rest: str) -> TargetSnapshot | None:
        found = self.found(kind, rest)
        return None if found is None else found.target(kind, "lab")

    def key(self, kind: str, rest: str) -> str:
        return f"lab/{rest}" if kind != "pbx" else "lab"

    def place(self, kind: str, rest: str) -> dict[str, Any]:
        found = self.found(kind, rest)
        return {"kind": kind, "key": self.key(kind, rest), "rev": found.rev if found is not None else 0}


class Memory:
    """A book without an audit, that knows one user."""

    def __init__(self, user: UserSnapshot | None) -> None:
        self.user = user

    async def begin(self, who: Who, what: What, session: str) -> tuple[Record | None, UserSnapshot | None]:
        return None, self.user

    async def end(self, who: Who, what: What, outcome_: Outcome, code: str, detail: str) -> None:
        pass

    async def users(self, ids: set[int], phones: set[str], pbx: str) -> list[UserSnapshot]:
        return []


class Refusing(FakeLink):
    """Takes what is sent, and has Asterisk say no: so each command that was allowed is over at once."""

    def post(self, action: ami.Action, timeout: float = 3.0) -> asyncio.Future[Message]:
        future = super().post(action, timeout)
        asyncio.get_running_loop().call_soon(self._no, future)
        return future

    @staticmethod
    def _no(future: asyncio.Future[Message]) -> None:
        if not future.done():
            future.set_result(Message(b"Response: Error\r\nMessage: No"))


@dataclasses.dataclass(frozen=True)
class Said:
    """What came of one command: what she was told, and how many actions went out."""

    code: str
    sent: int
    raw: bytes
    """All that she was told, but for the command's id."""
