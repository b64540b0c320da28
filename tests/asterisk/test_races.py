"""The short form of `benchmarks.races`: a click reaches the call that was clicked on, or nothing."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from tests.asterisk.races import CLICKS, Races
from tests.lab.instance import Asterisk

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

SEED = 5
AT_ONCE = tuple(click for click in CLICKS if click != "calls.listen")
"""All that can be over before the other thing happens; a phone rings first for that one."""


async def race(asterisk: Asterisk, user: User, runs: int) -> None:
    await sync_to_async(user.phones.create)(pbx="lab", dial_string="PJSIP/900")
    async with Races(asterisk, SEED, user.pk) as races:
        await races.run(runs)
    assert races.wrong == []
    assert races.runs >= runs
    assert races.reused, "names are used again after a restart: else it proves nothing"
    assert [click for click in AT_ONCE if not races.effects[click]] == [], "each had an effect now and then"
    assert {"refused changed", "refused gone"} <= races.answers.keys()


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_a_thousand_clicks_in_a_race(asterisk: Asterisk, bob: User) -> None:
    await race(asterisk, bob, 1_000)


async def test_a_hundred_clicks_in_a_race(asterisk22: Asterisk, bob: User) -> None:
    await race(asterisk22, bob, 100)
