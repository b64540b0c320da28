"""What each role is shown of a working day of a real Asterisk, frame by frame: her part of the floor and no more.

The oracle is told whose what is the other way round: from the parts that somebody has to the calls that they make
hers, by the whole picture. After every frame each user's page must hold just that.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import pytest

from accounts.permissions import Deny, Rule, Scope, UserSnapshot, decide, enough
from accounts.rights import ROLES
from floor.frames import Frame, Snapshot
from floor.hub import Hub, Watcher
from floor.lenses import View
from floor.registry import ACTIONS, KINDS
from live.changes import Changes, Entities
from live.pbx import Pbx
from tests.live.recorded import NAMES, recording

EVERYWHERE = "floor.everywhere"
PROTECTED = frozenset({Rule("extension", "*", "102")})


def somebody(id_: int, role: str, *rules: Rule, phone: str = "", also: str = "", without: str = "") -> UserSnapshot:
    rights = (ROLES[role] | {also}) - {"", without}
    phones = (("lab", phone),) if phone else ()
    hers = [Rule("extension", pbx, dialled.partition("/")[2]) for pbx, dialled in phones]
    return UserSnapshot(
        id_,
        role,
        active=True,
        rights=rights,
        phones=phones,
        scope=Scope(frozenset([*rules, *hers]), everywhere=EVERYWHERE in rights),
        protected=PROTECTED,
    )


PEOPLE = {
    "agent": somebody(1, "Agent", phone="PJSIP/102"),
    "lead of a queue": somebody(2, "Team lead", Rule("queue", "lab", "600"), phone="PJSIP/900"),
    "lead of extensions": somebody(3, "Team lead", Rule("extension", "*", "4*"), Rule("extension", "*", "20?")),
    "lead of a room": somebody(4, "Team lead", Rule("conference", "lab", "8*"), without="calls.numbers"),
    "auditor": somebody(5, "Auditor"),
    "supervisor": somebody(6, "Supervisor"),
    "admin of one PBX": somebody(7, "Admin", Rule("pbx", "lab"), without=EVERYWHERE),
    "nobody's": somebody(8, "Team lead"),
}


@dataclass
class Page:
    """A browser that does as store.js does, and keeps the last text."""

    up: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    seqs: list[int] = field(default_factory=list)
    pbxs: set[str] = field(default_factory=set)

    def deliver(self, text: str) -> None:
        message = json.loads(text)
        self.text, self.last = text, message
        if message["type"] == "hello":
            self.pbxs = set(message["pbxs"])
        if message["type"] == "snapshot":
            self.pbxs.add(message["pbx"])
            mine = f"{message['pbx']}/"
            for kind in self.up:
                self.up[kind] = {key: fields for key, fields in self.up[kind].items() if not key.startswith(mine)}
        if message["type"] in ("snapshot", "frame"):
            if message["pbx"] == "lab":
                self.seqs.append(message["seq"])
            for kind, entities in message["up"].items():
                for key, fields in entities.items():
                    self.up.setdefault(kind, {}).setdefault(key, {}).update(fields)
            for kind, keys in message.get("del", {}).items():
                for key in keys:
                    del self.up[kind][key]  # what she was never told of is not named to her either

    def close_with(self, code: int) -> None:
        raise AssertionError(code)

    @property
    def held(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Without kinds of which there is none, and `no` where it is empty."""
        return {
            kind: {key: {name: fields[name] for name in fields if name != "no"} for key, fields in of.items()}
            for kind, of in self.up.items()
            if of
        }

    @property
    def denied(self) -> dict[tuple[str, str], set[str]]:
        return {
            (kind, key): set(fields["no"])
            for kind, of in self.up.items()
            for key, fields in of.items()
            if fields.get("no")
        }


WHOM = {"call": "call", "parent": "call", "party": "party", "parties": "party", "room": "room", "queue": "queue"}
WHOM |= {"participants": "participant", "members": "member", "waiting": "waiting"}
"""Fields that name others by key, and what those are: a party, its call and its seat may have one key."""


class Oracle:
    """What of a whole picture is somebody's."""

    def __init__(self, user: UserSnapshot, entities: Entities) -> None:
        self._user, self._rules = user, user.scope.rules
        self._all: dict[str, dict[str, Any]] = {kind: dict(of) for kind, of in entities.items()}

    def _has(self, aspect: str, name: Any) -> bool:
        return any(
            rule.aspect == aspect and fnmatchcase("lab", rule.pbx) and fnmatchcase(str(name), rule.name)
            for rule in self._rules
        )

    def _number(self, device: str) -> str:
        return re.sub(r"^[A-Za-z0-9]+/|@.*$", "", device)

    def _calls(self) -> Iterator[str]:
        for key, party in self._of("party"):
            if (
                party["side"] == "internal"
                and self._has("extension", party["number"])
                and self._lists(party["call"], key)
            ):
                yield party["call"]
        for key, parked in self._of("parked"):
            if self._has("extension", self._number(parked["by"])) and self._lists(parked["call"], key):
                yield parked["call"]
        for key, waiting in self._of("waiting"):
            if self._has("queue", waiting["queue"].partition("/")[2]) and self._lists(waiting["call"], key):
                yield waiting["call"]
        for key, call in self._of("call"):
            if call["phase"] == "conference":
                if self._has("conference", call["room"]):
                    yield key
            elif call["queue"] and self._has("queue", call["queue"]):
                inside = [
                    p["number"] for p in map(self._all["party"].get, call["parties"]) if p and p["side"] == "internal"
                ]
                waits = {
                    self._all["waiting"][p]["queue"] for p in call["parties"] if p in self._all.get("waiting", {})
                }
                inside += [
                    self._number(self._all["parked"][p]["by"])
                    for p in call["parties"]
                    if p in self._all.get("parked", {})
                ]
                staff = {
                    self._number(member["interface"])
                    for _, member in self._of("member")
                    if member["queue"] == f"lab/{call['queue']}"
                }
                if waits == {f"lab/{call['queue']}"} or (not waits and (not inside or staff & set(inside))):
                    yield key

    def _lists(self, call: str, party: str) -> bool:
        return party in self._all["call"].get(call, {}).get("parties", [])

    def _of(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        return iter(self._all.get(kind, {}).items())

    def keys(self) -> set[tuple[str, str]]:
        kinds = {kind.name for kind in KINDS.values() if kind.right in self._user.rights}
        everything = {(kind, key) for kind, of in self._all.items() for key in of}
        if self._user.scope.everywhere or any(rule.aspect == "pbx" for rule in self._rules):
            return {ref for ref in everything if ref[0] in kinds}
        calls = set(self._calls())
        mine = {("call", key) for key in calls}
        for kind, key in everything:
            fields = self._all[kind][key]
            match kind:
                case "party":
                    hers = fields["call"] in calls
                case "parked":
                    hers = fields["call"] in calls
                case "spy":
                    hers = fields["call"] in calls or fields["device"] == self._user.phone("lab") != ""
                case "waiting":
                    hers = fields["call"] in calls or self._has("queue", fields["queue"].partition("/")[2])
                case "queue":
                    hers = self._has("queue", fields["name"])
                case "member":
                    hers = self._has("queue", fields["queue"][4:]) or self._has(
                        "extension", self._number(fields["interface"])
                    )
                case "room":
                    seats = [seat for _, seat in self._of("participant") if seat["room"] == key]
                    there = [seat["number"] for seat in seats if seat["side"] == "internal"]
                    hers = self._has("conference", key[4:]) or any(self._has("extension", number) for number in there)
                case "participant":
                    legs = [party for _, party in self._of("party") if party["call"] == fields["call"] != ""]
                    there = [leg["number"] for leg in legs or [fields] if leg["side"] == "internal"]
                    mates = any(self._has("extension", number) for number in there)
                    hers = self._has("conference", fields["room"][4:]) or mates
                case "device":
                    device = key[4:]
                    queue = re.fullmatch(r"Queue:(.+?)(_avail)?", device)
                    trunk = key in self._all.get("trunk", {})
                    phone = ":" not in device and not trunk and self._has("extension", self._number(device))
                    hers = phone or (queue is not None and self._has("queue", queue[1]))
                case "extension":
                    hers = self._has("extension", fields["exten"])
                case _:
                    hers = False
            if hers:
                mine.add((kind, key))
        return {ref for ref in mine if ref[0] in kinds}

    def held(self) -> dict[str, dict[str, dict[str, Any]]]:
        """As her page should hold it, but for what is veiled."""
        mine = self.keys()
        told: dict[str, dict[str, dict[str, Any]]] = {}
        for kind, key in mine:
            fields = {}
            for name, value in self._all[kind][key].items():
                if isinstance(value, list):
                    value = [one for one in value if (WHOM[name], one) in mine]
                elif isinstance(value, str) and value.startswith("lab/") and (WHOM[name], value) not in mine:
                    value = ""
                fields[name] = value
            told.setdefault(kind, {})[key] = fields
        return told


VEILED = frozenset({"number", "name", "channel", "by", "device", "interface", "state_interface", "hint"})


def without_people(held: dict[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        kind: {key: {name: fields[name] for name in fields if name not in VEILED} for key, fields in of.items()}
        for kind, of in held.items()
    }


def outside(entities: Entities) -> set[str]:
    """Digits of all outside numbers."""
    found = {str(party["number"]) for party in entities.get("party", {}).values() if party["side"] == "outside"}
    return {digits for number in found if len(digits := re.sub(r"\D", "", number)) > 6}


def said(message: Any) -> Iterator[str]:
    """Every text in it, the digits in it alone, but for keys of entities, which are Asterisk's ids."""
    if isinstance(message, dict):
        for name, value in message.items():
            yield from said(value)
            yield name if not str(name).startswith("lab/phx") else ""
    elif isinstance(message, list):
        for value in message:
            yield from said(value)
    elif isinstance(message, str):
        yield "" if message.startswith("lab/phx") else message


def tells(message: Any, numbers: set[str]) -> list[str]:
    """Of which text more than the last four digits of such a number are to be read."""
    parts = {number[at : at + 5] for number in numbers for at in range(len(number) - 4)}
    return [text for text in said(message) if any(part in re.sub(r"\D", "", text) for part in parts)]


def renamed(entities: Any) -> Any:
    """The same on another PBX."""
    return json.loads(json.dumps(entities).replace('"lab/', '"shop/'))


@pytest.mark.parametrize("name", NAMES)
def test_a_day(name: str) -> None:
    hub, seqs = Hub(), itertools.count(1)
    hub.snapshot(Snapshot("lab", 7, 0, 0, {}))
    hub.snapshot(Snapshot("shop", 7, 0, 0, {}))
    pages = {who: Page() for who in PEOPLE}
    for who, user in PEOPLE.items():
        hub.join(Watcher(pages[who], View.of(user), user.id), {})
    begun = recording(name).begun()
    hub.snapshot(Snapshot("lab", 8, 0, 0, begun.entities()))
    hub.snapshot(Snapshot("shop", 8, 0, 0, renamed(begun.entities())))
    most = dict.fromkeys(PEOPLE, 0)
    numbers: set[str] = set()
    judged = 0

    def told(now: float, changes: Changes, pbx: Pbx) -> None:
        nonlocal judged, numbers
        seq = next(seqs)
        numbers |= outside(pbx.entities())
        hub.publish(Frame("shop", 8, seq, 0, 0, renamed(changes.up), renamed(changes.gone)))
        shop = {who: page.text for who, page in pages.items()}
        hub.publish(Frame("lab", 8, seq, 0, 0, changes.up, changes.gone))
        for who, user in PEOPLE.items():
            page, oracle = pages[who], Oracle(user, pbx.entities())
            hers, held = oracle.held(), page.held
            held = {kind: {key: of[key] for key in of if key.startswith("lab/")} for kind, of in held.items()}
            held = {kind: of for kind, of in held.items() if of}
            most[who] = max(most[who], sum(map(len, held.values())))
            if "calls.numbers" in user.rights:
                assert held == hers, (who, now)
            else:
                assert without_people(held) == without_people(hers), (who, now)
                assert not tells(page.last, numbers), (who, now)
                assert not tells(json.loads(shop[who] or "{}"), numbers), who
            if not user.scope.everywhere and who not in ("lead of extensions",):
                assert '"shop' not in shop[who], who
            # Who comes now is told the same as who was there all the time.
            late = Page()
            watcher = Watcher(late, View.of(user), user.id)
            hub.join(watcher, {})
            hub.leave(watcher)
            assert (late.held, late.denied) == (page.held, page.denied), (who, now)
            if not pbx.unsettled:
                judged += check_denied(user, page, pbx)

    recording(name).played(told)
    assert all(
        page.seqs[-3:] == [*range(page.seqs[-1] - 2, page.seqs[-1] + 1)] for who, page in pages.items() if page.seqs
    )
    assert {who for who in most if not most[who]} == {"nobody's"}
    assert pages["nobody's"].pbxs == set()
    assert pages["lead of a queue"].pbxs == {"lab"}
    assert judged > 100, judged
    assert most["agent"] < most["lead of a queue"] < most["auditor"]


def check_denied(user: UserSnapshot, page: Page, pbx: Pbx) -> int:
    """`no` is what decide() denies for whom it is about, on what lives; how often something is."""
    meant: dict[tuple[str, str], set[str]] = {}
    found_ones = set()
    for kind, of in page.up.items():
        for key in of:
            found = KINDS[kind].find(pbx, key.partition("/")[2]) if key.startswith("lab/") else None
            if found is None or kind == "spy":
                continue
            found_ones.add((kind, key))
            verbs = [a for a in ACTIONS.values() if a.target == kind and enough(a.right) & user.rights]
            denied = {a.verb for a in verbs if isinstance(decide(user, a.right, found.target(kind, "lab")), Deny)}
            if denied:
                meant[kind, key] = denied
    assert {ref: verbs for ref, verbs in page.denied.items() if ref in found_ones} == meant, user.name
    return len(meant)
