"""The monitoring policy, at dispatch: a reason where one is required, a tone where it must be heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async

from accounts import policies
from accounts.models import Team, User
from accounts.monitoring_policy import MODES, Mode, Policy, Told
from audit.models import Entry
from tests.calls.stage import Desk

pytestmark = pytest.mark.django_db(transaction=True)

WAYS: list[tuple[str, Mode]] = [(f"calls.{mode}", mode) for mode in MODES]
write = sync_to_async(policies.write)


class Tones:
    """Given at once, or never; what it is asked is kept."""

    def __init__(self, why: tuple[str, str] | None = None) -> None:
        self.why, self.asked = why, list[str]()

    def stands(self, uniqueid: str) -> bool:
        return self.why is None and uniqueid in self.asked

    async def begin(self, uniqueid: str) -> tuple[str, str] | None:
        self.asked.append(uniqueid)
        return self.why

    def look(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("verb", "mode"), WAYS)
async def test_without_the_reason_that_is_required_nothing_is_sent(desk: Desk, verb: str, mode: Mode) -> None:
    await write(None, {mode: Policy("screen", reason=True)})
    desk.talk()
    assert await desk.refused(verb) == "reason_required"
    assert await desk.refused(verb, args={"reason": "   "}) == "reason_required"
    assert await desk.refused(verb, args={"reason": "x" * 201}) == "bad_command"
    answer = await desk.click(verb, args={"reason": " A complaint "})
    assert answer["type"] == "ack"
    own = desk.scene.pbx.own.get(desk.sent["ChannelId"])
    assert own is not None
    assert own.role == "Supervisor"
    entry = await Entry.objects.filter(kind="intent").alast()
    assert entry is not None
    assert entry.args == {"reason": " A complaint "}


async def test_what_one_mode_wants_another_does_not(desk: Desk) -> None:
    await write(None, {"barge": Policy("no", reason=True)})
    desk.talk()
    assert await desk.refused("calls.barge") == "reason_required"
    assert (await desk.click("calls.listen"))["type"] == "ack"
    # Her phone's own keys would make a barge of it, without a reason and without a word.
    assert desk.sent["Data"] == "b,quES"


async def test_a_teams_own_policy_holds_for_its_part(desk: Desk) -> None:
    team = await Team.objects.acreate(name="Sales")
    await team.rules.acreate(aspect="extension", name="101")
    await write(None, {"listen": Policy("screen", reason=True)})
    await write(team, {"listen": Policy("no")})
    desk.talk()
    assert await desk.refused("calls.listen") == "reason_required", "201 is in no team"
    await team.rules.acreate(aspect="extension", name="201")
    assert (await desk.click("calls.listen"))["type"] == "ack"


@pytest.mark.parametrize(("verb", "mode"), WAYS)
async def test_under_a_tone_nobody_listens_without(desk: Desk, verb: str, mode: Mode) -> None:
    await write(None, {mode: Policy("tone")})
    desk.talk()
    assert await desk.refused(verb) == "no_tone", "no feature gives tones here"
    desk.dispatcher._tones = tones = Tones(("no_tone", "no module"))
    answer = await desk.click(verb)
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", "no_tone", "no module")
    assert desk.link.posted == []
    desk.dispatcher._tones = tones = Tones()
    assert (await desk.click(verb))["type"] == "ack"
    assert desk.sent["ChannelId"].startswith(f"phx-{mode}-tone-")
    assert tones.asked == ["b"]


async def test_when_the_tone_stands_all_is_decided_anew(desk: Desk) -> None:
    """While it was made ready the call became another one."""

    class Slow(Tones):
        async def begin(self, uniqueid: str) -> tuple[str, str] | None:
            desk.scene.new("c", "PJSIP/103-0000000c", "up")
            desk.scene.leave("a", "br")
            desk.scene.enter("c", "br")
            return await super().begin(uniqueid)

    desk.dispatcher._tones = Slow()
    await write(None, {"listen": Policy("tone")})
    desk.talk()
    assert await desk.refused("calls.listen") == "changed"


@pytest.mark.parametrize("told", ["no", "screen"])
async def test_a_leg_that_was_begun_without_a_tone_is_not_turned_to_what_wants_one(
    desk: Desk, told: Told, sue: User, desk_of: Callable[..., Desk]
) -> None:
    await write(None, {mode: Policy(told) for mode in MODES})
    desk.talk()
    await desk.click("calls.listen")
    leg = desk.answered()
    desk.starts(leg)
    spy = {"kind": "spy", "key": f"lab/{leg}", "rev": 1}
    await write(None, {"listen": Policy(told), "whisper": Policy(told), "barge": Policy("tone")})
    assert await desk.refused("calls.switch", target=spy, args={"mode": "barge"}) == "no_tone"
    assert (await desk.click("calls.switch", target=spy, args={"mode": "whisper"}))["type"] == "ack"
