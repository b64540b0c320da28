"""What a watcher is told as people come into her part of the floor and leave it; and what she is not told of."""

from __future__ import annotations

from typing import Any

import pytest
from channels.layers import get_channel_layer

from accounts.monitoring_policy import Policies, Policy
from accounts.permissions import NUMBERS, Rule, Scope, UserSnapshot
from accounts.rights import ROLES
from floor.frames import Beat, Frame, Snapshot
from floor.hub import Hub, Watcher
from floor.lenses import View
from live.changes import Entities, Fields
from tests.floor.stage import Browser

LIVE = {"phase": "live", "code": "", "detail": "", "since": 0}


def lead(*rules: Rule, **more: Any) -> UserSnapshot:
    rights = more.pop("rights", ROLES["Team lead"])
    return UserSnapshot(2, "Dana", active=True, rights=rights, scope=Scope(frozenset(rules)), **more)


def call(key: str, *numbers: str, queue: str = "", parent: str = "") -> Entities:
    """A call of these numbers; one of more than four digits is outside."""
    keys = [f"lab/{key}.{index}" for index in range(len(numbers))]
    sides = ["outside" if len(number) > 4 else "internal" for number in numbers]
    return {
        "call": {f"lab/{key}": {"rev": 1, "phase": "talking", "parties": keys, "queue": queue, "parent": parent}},
        "party": {
            party: {"call": f"lab/{key}", "side": side, "number": number, "name": "", "channel": f"PJSIP/{number}-1"}
            for party, side, number in zip(keys, sides, numbers, strict=True)
        },
    }


class Stage:
    def __init__(self, *pictures: Entities) -> None:
        self.hub, self.seq = Hub(), 0
        up: Entities = {}
        for picture in pictures:
            for kind, of in picture.items():
                up.setdefault(kind, {}).update(of)
        self.hub.snapshot(Snapshot("lab", 7, 0, 0, up))

    def join(self, user: UserSnapshot) -> Browser:
        browser = Browser()
        self.hub.join(Watcher(browser, View.of(user), user.id), {})
        return browser

    def frame(self, up: Entities, gone: dict[str, list[str]] | None = None) -> None:
        self.seq += 1
        self.hub.publish(Frame("lab", 7, self.seq, 0, 0, up, gone or {}))


def test_one_that_enters_comes_whole_and_one_that_leaves_goes() -> None:
    stage = Stage(call("a", "101", "201"), call("b", "102", "202"))
    hers = stage.join(lead(Rule("extension", "lab", "10?"), Rule("extension", "lab", "7*")))
    other = stage.join(lead(Rule("extension", "lab", "30?")))
    assert set(hers.of("snapshot")[0]["up"]["call"]) == {"lab/a", "lab/b"}
    # 102 hands 202 over to 301: one party goes, another comes.
    moved: Fields = {"call": "lab/b", "side": "internal", "number": "301", "name": "", "channel": "PJSIP/301-1"}
    stage.frame(
        {"call": {"lab/b": {"rev": 2, "parties": ["lab/b.1", "lab/b.2"]}}, "party": {"lab/b.2": moved}},
        {"party": ["lab/b.0"]},
    )
    told = hers.of("frame")[-1]
    assert told["up"] == {}
    assert {kind: set(keys) for kind, keys in told["del"].items()} == {
        "call": {"lab/b"},
        "party": {"lab/b.0", "lab/b.1"},
    }
    told = other.of("frame")[-1]
    assert told["del"] == {}
    assert set(told["up"]["party"]) == {"lab/b.1", "lab/b.2"}
    assert told["up"]["call"]["lab/b"]["phase"] == "talking", "all of it, not what changed"
    stage.frame({"call": {"lab/b": {"phase": "hold"}}})
    assert (hers.of("frame")[-1]["up"], hers.of("frame")[-1]["seq"]) == ({}, 2), "an empty one, and its number"


def test_who_names_one_that_leaves_is_told_again() -> None:
    """A seat goes with its room; the call of one who sits there is another matter."""
    seats: Entities = {
        "room": {"lab/801": {"name": "801", "participants": ["lab/a.0"]}},
        "participant": {"lab/a.0": {"room": "lab/801", "call": "lab/a", "side": "internal", "number": "101"}},
    }
    stage = Stage(call("a", "101", parent="lab/b"), call("b", "101", "201"), seats)
    hers = stage.join(lead(Rule("extension", "lab", "101"), Rule("conference", "lab", "801")))
    assert hers.of("snapshot")[0]["up"]["call"]["lab/a"]["parent"] == "lab/b"
    stage.frame({"party": {"lab/b.0": {"number": "301"}}})
    told = hers.of("frame")[-1]
    assert told["up"]["call"] == {"lab/a": {"parent": "", "parties": ["lab/a.0"]}}
    assert told["del"]["call"] == ["lab/b"]
    stage.frame({"party": {"lab/b.0": {"number": "101"}}})
    assert hers.of("frame")[-1]["up"]["call"]["lab/a"]["parent"] == "lab/b"


def test_what_she_may_not_do_to_it_comes_with_it_and_when_it_changes() -> None:
    stage = Stage(call("a", "101", "79161234567"))
    hers = stage.join(lead(Rule("extension", "lab", "101")))
    assert "no" not in hers.of("snapshot")[0]["up"]["call"]["lab/a"]
    joined: Fields = {"call": "lab/a", "side": "internal", "number": "301", "name": "", "channel": "PJSIP/301-1"}
    stage.frame({"call": {"lab/a": {"parties": ["lab/a.0", "lab/a.1", "lab/a.2"]}}, "party": {"lab/a.2": joined}})
    up = hers.of("frame")[-1]["up"]
    assert up["call"]["lab/a"]["no"] == ["calls.listen", "calls.pickup"]
    assert up["party"]["lab/a.2"]["no"] == ["calls.transfer", "calls.attend", "calls.cancel_attend", "calls.park"]
    stage.frame({"call": {"lab/a": {"parties": ["lab/a.0", "lab/a.1"]}}}, {"party": ["lab/a.2"]})
    assert hers.of("frame")[-1]["up"]["call"]["lab/a"]["no"] == []


def test_whom_nobody_may_monitor_is_said_to_who_sees_all_too() -> None:
    stage = Stage(call("a", "101", "201"))
    boss = frozenset({Rule("extension", "*", "101")})
    rights, whole = ROLES["Supervisor"], Scope(everywhere=True)
    hers = stage.join(UserSnapshot(3, "Bob", active=True, rights=rights, scope=whole, protected=boss))
    denied = hers.of("snapshot")[0]["up"]["call"]["lab/a"]["no"]
    assert {"calls.listen", "calls.whisper", "calls.barge", "calls.record"} <= set(denied)
    assert "calls.hangup" not in denied


def test_her_own_listening_is_hers_wherever_it_goes() -> None:
    spy: Fields = {"call": "lab/a", "party": "lab/a.0", "number": "900", "device": "PJSIP/900", "user_id": 2, "rev": 1}
    stage = Stage(call("a", "301", "302"), {"spy": {"lab/s": {**spy}, "lab/t": {**spy, "user_id": 9}}})
    hers = stage.join(lead(Rule("extension", "lab", "101")))
    up = hers.of("snapshot")[0]["up"]
    assert {kind: set(of) for kind, of in up.items() if of} == {"spy": {"lab/s"}}
    assert (up["spy"]["lab/s"]["call"], up["spy"]["lab/s"]["party"]) == ("", ""), "of a call that is none of hers"


@pytest.mark.parametrize("whole_pbx", [False, True])
def test_who_listens_to_her_untold_is_in_no_message_until_it_is_to_be_told(whole_pbx: bool) -> None:
    """Listening is covert here, whispering is not."""
    spy: Fields = {"call": "lab/a", "party": "lab/a.0", "number": "900", "device": "PJSIP/900", "user_id": 9, "rev": 1}
    others: Fields = {**spy, "call": "lab/b", "party": "lab/b.0", "mode": "listen"}
    stage = Stage(call("a", "101"), call("b", "102"), {"spy": {"lab/s": {**spy, "mode": "listen"}, "lab/t": others}})
    part = Rule("pbx", "lab") if whole_pbx else Rule("extension", "lab", "10?")
    covert = Policies((("listen", Policy("no")),))
    hers = stage.join(lead(part, phones=(("lab", "PJSIP/101"),), monitoring=covert))
    assert hers.of("snapshot")[0]["up"]["spy"].keys() == {"lab/t"}, "her teammate's is none of her own"
    stage.frame({"spy": {"lab/s": {"mode": "whisper"}}})
    assert hers.of("frame")[0]["up"]["spy"]["lab/s"] == {**spy, "mode": "whisper"}
    stage.frame({"spy": {"lab/s": {"mode": "listen"}}})
    assert hers.of("frame")[1]["del"] == {"spy": ["lab/s"]}


@pytest.mark.parametrize("rules", [(), (Rule("queue", "shop", "*"),)])
def test_a_pbx_of_which_nothing_is_hers_is_as_if_it_were_not_there(rules: tuple[Rule, ...]) -> None:
    stage = Stage(call("a", "101"))
    hers = stage.join(lead(*rules))
    stage.frame({"call": {"lab/a": {"phase": "hold"}}})
    stage.hub.beat(Beat("lab", 7, 1, 0, 1, 0.1, LIVE))
    stage.hub.snapshot(Snapshot("lab", 8, 0, 0, {}))
    assert [(message["type"], message.get("pbxs")) for message in hers.said] == [("hello", {})]


async def test_nor_is_a_command_there_answered_otherwise() -> None:
    stage = Stage(call("a", "101"))
    hers = Browser()
    user = lead(Rule("queue", "shop", "*"))
    watcher = Watcher(hers, View.of(user), user.id)
    stage.hub.join(watcher, {})
    command = {"user_id": 2, "verb": "calls.hangup", "target": {"kind": "call", "key": "lab/a", "rev": 1}}
    worker = get_channel_layer()
    assert worker is not None
    await worker.flush()  # it is this process's own, and other tests leave commands that nobody takes
    await stage.hub.command(watcher, {**command, "id": "1" * 32}, "lab")
    assert (await worker.receive("pbx.lab"))["id"] == "1" * 32, "who refuses it too, and writes it down"
    stage.hub.answered({"type": "result", "id": "1" * 32, "outcome": "refused", "code": "gone", "more": False})
    away = {"kind": "call", "key": "away/a", "rev": 1}
    await stage.hub.command(watcher, {**command, "id": "1" * 32, "target": away}, "away")
    hidden, unknown = (message for message in hers.said if message["type"] != "hello")
    assert hidden == {**unknown, "target": {"kind": "call", "key": "lab/a"}}
    assert hidden["code"] == "pbx_unknown"


def test_masked_and_in_part() -> None:
    """Who waits comes before his leg is told: veiled until it is known for one of ours."""
    user = lead(Rule("queue", "lab", "sales"), rights=ROLES["Team lead"] - {NUMBERS})
    stage = Stage({"queue": {"lab/sales": {"name": "sales", "members": [], "waiting": []}}})
    hers = stage.join(user)
    waits: Fields = {"queue": "lab/sales", "call": "", "number": "201", "name": "Ann"}
    stage.frame({"waiting": {"lab/a.0": waits}, "queue": {"lab/sales": {"waiting": ["lab/a.0"]}}})
    assert hers.of("frame")[-1]["up"]["waiting"]["lab/a.0"]["number"] == "•••"
    stage.frame({**call("a", "201", "79161234567", queue="sales"), "waiting": {"lab/a.0": {"call": "lab/a"}}})
    up = hers.of("frame")[-1]["up"]
    assert up["waiting"]["lab/a.0"] == {"call": "lab/a", "queue": "lab/sales", "number": "201"}
    assert up["party"]["lab/a.1"]["number"] == "•••4567"
    stage.frame({"party": {"lab/a.0": {"side": "outside"}}})
    assert hers.of("frame")[-1]["up"]["waiting"] == {"lab/a.0": {"number": "•••"}}


def test_a_masked_key_leads_to_its_entity() -> None:
    mobile = "lab/sales/Local/79161234567@out/n"
    member: Fields = {"rev": 4, "queue": "lab/sales", "interface": "Local/79161234567@out/n", "name": "Ann"}
    stage = Stage({"member": {mobile: member}, "queue": {"lab/sales": {"name": "sales", "members": [mobile]}}})
    view = View.of(lead(Rule("queue", "lab", "sales"), rights=ROLES["Team lead"] - {NUMBERS}))
    hers = Browser()
    stage.hub.join(Watcher(hers, view), {})
    up = hers.of("snapshot")[0]["up"]
    (shown,) = up["member"]
    assert "7916" not in "".join(hers.texts)
    assert up["queue"]["lab/sales"]["members"] == [shown]
    entity = stage.hub.entity(view, "member", shown)
    assert entity is not None
    assert entity["rev"] == 4
    stage.frame({"member": {mobile: {"paused": True}}})
    assert hers.of("frame")[-1]["up"] == {"member": {shown: {"paused": True}}}
    stage.frame({"queue": {"lab/sales": {"members": []}}}, {"member": [mobile]})
    assert hers.of("frame")[-1]["del"] == {"member": [shown]}
    assert "7916" not in "".join(hers.texts)
