"""What is told of the floor: what the hub holds, of the kinds that the token shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission

from accounts.models import Team, User
from floor import registry
from floor.frames import Beat, Frame, Snapshot
from floor.hub import Hub
from live.changes import Fields
from tests.api.stage import Program

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Program]


async def test_the_pbxs_and_how_true_they_are(hub: Hub, charlie: User, bob: User, program: Make) -> None:
    hub.beat(Beat("other", 0, 0, 1, -1, -1.0, {"phase": "down", "code": "unreachable", "detail": "no", "since": 1}))
    status, told = await program(bob).get("pbxs")
    assert status == 200
    lab, other = told["pbxs"]
    assert lab.pop("age_ms") >= 250, "as of now, not of the last heartbeat"
    assert lab == {
        "pbx": "lab",
        "epoch": 5,
        "seq": 0,
        "t": 1000,
        "rtt_ms": 1.5,
        "link": {"phase": "live", "code": "", "detail": "", "since": 900},
    }
    assert (other["age_ms"], other["link"]["code"]) == (-1, "unreachable")


async def test_state_is_what_a_page_would_be_shown(hub: Hub, bob: User, program: Make) -> None:
    hers = program(bob)
    _, told = await hers.get("state")
    assert told["pbxs"][0]["up"]["call"] == {"lab/a": {"rev": 1, "phase": "ringing"}}
    hub.publish(Frame("lab", 5, 1, 2000, 1990, {"call": {"lab/a": {"phase": "talking"}}}, {"room": ["lab/800"]}))
    _, told = await hers.get("state?pbx=lab&kind=call&kind=room")
    (picture,) = told["pbxs"]
    assert (picture["seq"], picture["t"]) == (1, 2000)
    assert picture["up"] == {"call": {"lab/a": {"rev": 1, "phase": "talking"}}, "room": {}}


async def test_one_entity(hub: Hub, bob: User, program: Make) -> None:
    strange = "lab/a;1/?#%2F é"
    hub.snapshot(
        Snapshot("lab", 6, 0, 1000, {"call": {strange: {"rev": 3}}, "device": {"lab/PJSIP/101": {"state": "x"}}})
    )
    hers = program(bob)
    status, told = await hers.get("state/call/lab%2Fa;1%2F%3F%23%252F%20%C3%A9")
    assert (status, told["key"], told["entity"], told["epoch"]) == (200, strange, {"rev": 3}, 6)
    status, told = await hers.get("state/device/lab/PJSIP/101")
    assert (status, told["entity"]) == (200, {"state": "x"})


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
async def test_a_kind_is_shown_to_who_has_its_right_only(kind: str, hub: Hub, alice: User, program: Make) -> None:
    right = registry.KINDS[kind].right
    hub.snapshot(Snapshot("lab", 5, 0, 1000, {name: {"lab/x": {"rev": 1}} for name in registry.KINDS}))
    hers, without = program(alice, right, "floor.everywhere"), program(alice, "calls.hangup", "floor.everywhere")
    assert right != "calls.hangup"
    assert (await hers.get(f"state?kind={kind}"))[1]["pbxs"][0]["up"] == {kind: {"lab/x": {"rev": 1}}}
    assert (await hers.get(f"state/{kind}/lab/x"))[0] == 200
    status, told = await without.get(f"state?kind={kind}")
    assert (status, told["code"]) == (403, "no_right")
    there = await without.get(f"state/{kind}/lab/x")
    assert there[0] == 403
    assert there == await without.get(f"state/{kind}/lab/gone"), "nor is she told what there is"
    assert (await without.get("state"))[1]["pbxs"][0]["up"] == {}


async def test_what_is_none_of_hers_is_as_what_is_not_there(hub: Hub, charlie: User, program: Make) -> None:
    """And outside numbers are veiled, by the token's rights, not its owner's."""
    await sync_to_async(_team)(charlie)
    parties: dict[str, Fields] = {
        "lab/a.0": {"call": "lab/a", "side": "internal", "number": "101", "name": "Ann", "channel": "PJSIP/101-1"},
        "lab/a.1": {"call": "lab/a", "side": "outside", "number": "79161234567", "name": "", "channel": "PJSIP/t-1"},
        "lab/b.0": {"call": "lab/b", "side": "internal", "number": "201", "name": "Eve", "channel": "PJSIP/201-1"},
    }
    calls: dict[str, Fields] = {
        "lab/a": {"rev": 1, "parties": ["lab/a.0", "lab/a.1"]},
        "lab/b": {"rev": 1, "parties": ["lab/b.0"]},
    }
    hub.snapshot(Snapshot("lab", 5, 0, 1000, {"call": calls, "party": parties}))
    hub.snapshot(Snapshot("shop", 5, 0, 1000, {"call": {"shop/a": {"rev": 1, "parties": []}}}))
    hers, veiled = program(charlie, "calls.view", "calls.numbers"), program(charlie, "calls.view")
    status, told = await hers.get("state")
    assert status == 200
    (picture,) = told["pbxs"]
    assert picture["up"] == {
        "call": {"lab/a": calls["lab/a"]},
        "party": {key: parties[key] for key in ("lab/a.0", "lab/a.1")},
    }
    assert [one["pbx"] for one in (await hers.get("pbxs"))[1]["pbxs"]] == ["lab"]
    assert (await hers.get("state/call/lab/a"))[1]["entity"] == calls["lab/a"]
    for hidden, unknown in (
        ("state/call/lab/b", "state/call/lab/zz"),
        ("state/party/lab/b.0", "state/party/lab/zz"),
        ("state/call/shop/a", "state/call/nowhere/a"),
        ("state?pbx=shop", "state?pbx=nowhere"),
    ):
        there = await hers.ask("GET", hidden)
        assert there.status_code == 404
        assert there.content == (await hers.ask("GET", unknown)).content
    _, told = await veiled.get("state")
    assert told["pbxs"][0]["up"]["party"]["lab/a.1"]["number"] == "•••4567"
    assert (await veiled.get("state/party/lab/a.1"))[1]["entity"]["number"] == "•••4567"


def _team(user: User) -> None:
    team = Team.objects.create(name="Sales")
    team.rules.create(aspect="extension", pbx="lab", name="10?")
    team.members.add(user)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view", "numbers"]))
