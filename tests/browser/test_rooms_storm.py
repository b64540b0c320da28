"""The bar of exactness, in the page itself: after a storm of 200 calls and 3 rooms, on Asterisk 22 and 16 at once,
what Chromium holds equals Asterisk's own lists, and the panel had read no list for 10 s."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.asterisk.desk import read_rooms
from tests.asterisk.differences import call_differences, room_differences
from tests.browser.conftest import sign_in
from tests.browser.running import Panel
from tests.lab.background import background
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone
from tests.lab.relay import Relay
from tests.lab.rooms import ROOMS, RoomStorm
from tests.lab.storm import Storm

pytestmark = [pytest.mark.asterisk, pytest.mark.browser]

QUIET_S = 10.0
NO_EVENT_TELLS = {"ConfbridgeListRooms", "QueueStatus"}
"""Read every 10 s: no event tells whether a room is locked, nor a queue's counters."""
NO_LISTS = {"Ping"} | NO_EVENT_TELLS

HELD = """name => {
  const of = kind => phoenix.store.all(kind).filter(({key}) => key.startsWith(name + "/"));
  const byKey = kind => Object.fromEntries(of(kind).map(one => [one.key, one]));
  return Object.fromEntries(["call", "party", "room", "participant"].map(kind => [kind, byKey(kind)]));
}"""


async def blow(storm: Storm, rooms: RoomStorm) -> None:
    """Both at once, to their ends."""
    await asyncio.gather(storm.run(), rooms.run())
    await storm.quiet()
    assert min(rooms.done.values()) > 0, rooms.done


async def blow_all(storms: list[tuple[Storm, RoomStorm]]) -> None:
    await asyncio.gather(*(blow(*storm) for storm in storms))


def differences(name: str, asterisk: Asterisk, page: Page) -> list[str]:
    with Checker(asterisk, events="off") as checker:
        rows = checker.channels()
    rooms, members = read_rooms(asterisk)
    assert {room["Conference"] for room in rooms} >= set(ROOMS)
    assert len(rows) > 40
    held: dict[str, Any] = page.evaluate(HELD, name)
    told = {room["name"]: room for room in held["room"].values()}
    return call_differences(held["call"], held["party"], rows) + room_differences(
        name, told, held["participant"], rooms, members
    )


def test_after_a_storm_the_page_equals_asterisks_lists(
    asterisk22: Asterisk,
    asterisk16: Asterisk,
    phones: Callable[..., Phone],
    tmp_path: Path,
    new_page: Callable[..., Page],
) -> None:
    places = {"new": asterisk22, "old": asterisk16}
    some = {
        name: [phones(place, extension, answer=0.3, hz=440) for extension in ("101", "102", "201", "202")]
        for name, place in places.items()
    }
    storms = [
        (Storm(place, seed=40, calls=200, phones=some[name]), RoomStorm(place, seed=1))
        for name, place in places.items()
    ]
    with Relay(asterisk22) as new, Relay(asterisk16) as old:
        panel = Panel(tmp_path, PHOENIX_PBX_NEW=new.url(), PHOENIX_PBX_OLD=old.url())
        panel.set_up()
        password = panel.user("bob", "Supervisor")
        with panel:
            page = sign_in(new_page(), panel, "bob", password)
            page.goto(f"{panel.url}conferences/")
            page.wait_for_selector("[data-pill].ready")
            # Two who speak and stay, besides those that only are there.
            for place in places.values():
                phones(place, "103", hz=620).call("801").wait_up()
            background().run(blow_all(storms), timeout=90)
            # Who came last is marked or not: that too only a list tells, up to 10 s later.
            page.wait_for_timeout(QUIET_S * 1_000)
            deadline = time.monotonic() + 60
            left = dict(zip(places, (new, old), strict=True))
            while left:
                assert time.monotonic() < deadline, f"never {QUIET_S} s without a list: {left}"
                page.wait_for_timeout(200)
                for name, relay in list(left.items()):
                    if relay.since(QUIET_S) <= NO_LISTS:
                        assert differences(name, places[name], page) == []
                        del left[name]
    for pair in storms:
        for storm in pair:
            storm.close()
