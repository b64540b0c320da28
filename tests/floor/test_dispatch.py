"""A command's life: what is refused and with which word, what is proved, and that nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group

from accounts.models import Protected, Team, User
from audit import trail
from audit.models import Entry
from audit.record import AuditUnavailable
from audit.trail import Trail
from floor import dispatch, registry
from floor.dispatch import Dispatcher
from tests.floor.stage import FakeLink, command
from tests.live.scene import Scene
from tests.live.test_queues import MEMBER

pytestmark = pytest.mark.django_db(transaction=True)

EPOCH = 5


class Desk:
    """A dispatcher over a scene, and what it answers."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.scene = Scene()
        self.scene.ring()
        self.scene.answer()
        self.scene.look()
        self.link = FakeLink()
        self.trail = Trail()
        self.answers: list[dict[str, Any]] = []
        self.dispatcher = Dispatcher(self.scene.pbx, self.link, self.trail, self._reply, lambda: EPOCH)  # type: ignore[arg-type]
        self.ids = 0

    async def _reply(self, channel: str, message: dict[str, Any]) -> None:
        self.answers.append(message)

    def command(self, **changed: Any) -> dict[str, Any]:
        self.ids += 1
        call = self.scene.calls["lab/a"]
        target = {"kind": "call", "key": "lab/a", "rev": call["rev"]}
        return command(self.ids, self.user.pk, changed.pop("verb", "calls.hangup"), target, EPOCH, **changed)

    async def run(self, **changed: Any) -> dict[str, Any]:
        """Run one command; its last answer so far."""
        await self.dispatcher.run(self.command(**changed))
        await self.settle()
        return self.answers[-1]

    async def settle(self) -> None:
        """Let the answers and outcomes that are on their way arrive."""
        while self.dispatcher._tasks:
            await asyncio.gather(*self.dispatcher._tasks)

    def hang_up_all(self) -> None:
        for leg in ("a", "b"):
            self.scene.leave(leg, "br")
            self.scene.hangup(leg)
        self.scene.look()
        self.dispatcher.look()


@pytest.fixture
async def desk(bob: User) -> AsyncIterator[Desk]:
    desk = Desk(bob)
    yield desk
    await desk.dispatcher.finish()
    await sync_to_async(desk.trail.close)()


async def entries() -> list[tuple[str, str, str]]:
    return [(e.kind, e.outcome, e.code) async for e in Entry.objects.order_by("id")]


async def test_done_only_when_the_model_shows_it(desk: Desk) -> None:
    answer = await desk.run()
    assert answer == {"type": "ack", "id": f"{1:032x}", "patience_ms": 8_000}
    assert desk.link.channels == ["a", "b"], "both legs, by Uniqueid"
    desk.link.answer(0, "Success", "Channel Hungup")
    desk.link.answer(1, "Success", "Channel Hungup")
    await desk.settle()
    assert {answer["type"] for answer in desk.answers} == {"ack"}, "Success proves nothing"
    desk.hang_up_all()
    await desk.settle()
    assert (desk.answers[-1]["outcome"], desk.answers[-1]["code"]) == ("done", "")
    assert await entries() == [("intent", "", ""), ("outcome", "done", "")]


async def test_the_intent_is_written_before_the_send(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def post(action: Any, timeout: float = 3.0) -> Any:
        seen.append(len(desk.link.posted))
        # On this thread no ORM is allowed: the count is read where the trail wrote it.
        written = desk.trail._executor.submit(Entry.objects.count).result()
        assert written == 1
        return original(action, timeout)

    original = desk.link.post
    monkeypatch.setattr(desk.link, "post", post)
    await desk.run()
    assert seen == [0, 1]


async def test_who_was_on_the_call_is_in_the_audit(desk: Desk) -> None:
    await desk.run()
    entry = await Entry.objects.aget(kind="intent")
    assert entry.target_words == "201 Name 201 → 101 Name 101"


async def test_without_the_right_nothing_is_sent(desk: Desk, charlie: User) -> None:
    """A forged command, past the page and past the consumer, meets the worker's own decision."""
    assert not await sync_to_async(charlie.has_perm)("calls.hangup"), "he is an outsider"
    answer = await desk.run(user_id=charlie.pk)
    assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
    assert desk.link.posted == []
    assert await entries() == [("intent", "", ""), ("outcome", "refused", "no_right")]


async def test_a_right_taken_away_counts_at_once(desk: Desk) -> None:
    await sync_to_async(desk.user.groups.clear)()
    answer = await desk.run()
    assert answer["code"] == "no_right"
    assert desk.link.posted == []


async def test_a_click_under_a_session_that_ended_does_nothing(desk: Desk) -> None:
    """The page's socket may still stand for a second after she signed out."""
    answer = await desk.run(session="0" * 32)
    assert (answer["outcome"], answer["code"]) == ("refused", "no_right")
    assert desk.link.posted == []


async def test_a_dismissed_user_does_nothing(desk: Desk) -> None:
    desk.user.is_active = False
    await desk.user.asave()
    assert (await desk.run())["code"] == "no_right"
    assert desk.link.posted == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"epoch": 4}, "stale_epoch"),
        ({"at": 1.0}, "expired"),
        ({"verb": "calls.nothing"}, "bad_command"),
        ({"verb": "party"}, "bad_command"),
        ({"args": {"cause": 3}}, "bad_command"),
        ({"target": {"kind": "party", "key": "lab/a", "rev": 1}}, "bad_command"),
        ({"target": {"kind": "call", "key": "lab/zzz", "rev": 1}}, "gone"),
        ({"target": {"kind": "call", "key": "other/a", "rev": 1}}, "gone"),
        ({"target": {"kind": "call", "key": "lab/a", "rev": 77}}, "changed"),
        ({"target": {"kind": "call", "key": "lab//.*/", "rev": 1}}, "gone"),
    ],
)
async def test_refusals(desk: Desk, changed: dict[str, Any], code: str) -> None:
    answer = await desk.run(**changed)
    assert (answer["outcome"], answer["code"]) == ("refused", code)
    assert desk.link.posted == []
    assert await entries() == [("intent", "", ""), ("outcome", "refused", code)]


async def test_an_ended_call_is_gone(desk: Desk) -> None:
    desk.hang_up_all()
    assert (await desk.run())["code"] == "gone"


@pytest.mark.parametrize("heard", ["leaves", "moves", "hangs up", "is joined"])
async def test_what_was_heard_counts_before_it_is_told(desk: Desk, heard: str) -> None:
    """The picture is told some 50 ms late, and a step half done later still: a click in between is on what was."""
    command = desk.command()
    if heard == "hangs up":
        desk.scene.hangup("b")
    elif heard == "is joined":
        desk.scene.new("c", "PJSIP/103-0000000c", "up")
        desk.scene.enter("c", "br")
    else:
        desk.scene.leave("b", "br")
        if heard == "moves":
            desk.scene.new("c", "PJSIP/103-0000000c", "up")
            desk.scene.enter("c", "br2")
            desk.scene.enter("b", "br2")
    await desk.dispatcher.run(command)
    await desk.settle()
    assert (desk.answers[-1]["outcome"], desk.answers[-1]["code"]) == ("refused", "changed")
    assert desk.link.posted == []


@pytest.mark.parametrize("guess", [0, 1, 2])
async def test_who_has_just_come_counts_whatever_rev_is_guessed(desk: Desk, guess: int) -> None:
    """Somebody protected joins; nobody has been told, and the click has the `rev` that the call will have then."""
    await Protected.objects.acreate(extension="103")
    await desk.user.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    click = desk.command(verb="calls.listen")
    click["target"]["rev"] += guess
    desk.scene.new("c", "PJSIP/103-0000000c", "up")
    desk.scene.enter("c", "br")
    await desk.dispatcher.run(click)
    await desk.settle()
    assert (desk.answers[-1]["outcome"], desk.answers[-1]["code"]) == ("refused", "protected")
    assert desk.link.posted == []


@pytest.mark.parametrize("guess", [0, 1, 2])
async def test_no_rev_is_good_for_what_is_between_two_states(desk: Desk, guess: int) -> None:
    click = desk.command()
    click["target"]["rev"] += guess
    desk.scene.new("c", "PJSIP/103-0000000c", "up")
    desk.scene.enter("c", "br")
    await desk.dispatcher.run(click)
    await desk.settle()
    assert (desk.answers[-1]["outcome"], desk.answers[-1]["code"]) == ("refused", "changed")


async def test_the_audit_knows_what_she_is_not_told(desk: Desk) -> None:
    """Out of her sight, protected, an extension that is not hers: also when she asks again after a restart."""
    await sync_to_async(desk.user.groups.set)([await Group.objects.aget(name="Team lead")])
    click = desk.command()
    await desk.dispatcher.run(dict(click))
    await desk.settle()
    first = desk.answers[-1]
    assert (first["outcome"], first["code"], first["detail"]) == ("refused", "gone", "")
    desk.dispatcher._known.clear()
    await desk.dispatcher.run(dict(click))
    await desk.settle()
    assert (desk.answers[-1]["code"], desk.answers[-1]["detail"]) == ("gone", "")
    team = await Team.objects.acreate(name="Ours")
    await team.members.aadd(desk.user)
    await team.rules.acreate(aspect="extension", name="2??")
    assert (await desk.run(verb="calls.listen"))["code"] == "scope", "101 is not hers"
    told = await desk.run(
        verb="calls.call",
        target={"kind": "pbx", "key": "lab", "rev": 0},
        args={"number": "201", "extension": "301"},
    )
    assert (told["code"], told["detail"]) == ("no_extension", "301")
    assert desk.link.posted == []
    written = [(e.code, e.detail) async for e in Entry.objects.filter(kind="outcome").order_by("id")]
    assert written == [("hidden", ""), ("scope", ""), ("hidden", "301")]


async def test_an_extension_that_an_argument_names_must_be_hers(desk: Desk) -> None:
    """And the phone that its hint leads to; what is not hers and what is not there are told alike."""
    await sync_to_async(desk.user.groups.set)([await Group.objects.aget(name="Team lead")])
    team = await Team.objects.acreate(name="Ours")
    await team.members.aadd(desk.user)
    await team.rules.acreate(aspect="extension", name="2??")
    for exten, phone in (("201", "201"), ("301", "301"), ("202", "302")):
        desk.scene.event("ExtensionStatus", Exten=exten, Context="c", Hint=f"PJSIP/{phone}", Status=0)

    async def calls(extension: str) -> tuple[str, str]:
        place = {"kind": "pbx", "key": "lab", "rev": 0}
        answer = await desk.run(verb="calls.call", target=place, args={"number": "201", "extension": extension})
        return answer.get("code", answer["type"]), answer.get("detail", "").replace(extension, "it")

    assert await calls("301") == await calls("399") == await calls("299") == ("no_extension", "it")
    assert await calls("202") == ("scope", "it"), "it rings at 302"
    assert not desk.link.posted
    assert await calls("201") == ("ack", "")


async def test_a_pause_in_all_queues_needs_them_all(desk: Desk) -> None:
    await sync_to_async(desk.user.groups.set)([await Group.objects.aget(name="Team lead")])
    team = await Team.objects.acreate(name="Ours")
    await team.members.aadd(desk.user)
    await team.rules.acreate(aspect="queue", name="sales")

    def serves(queue: str) -> None:
        about = {"Queue": queue, "MemberName": "x", "Interface": "PJSIP/301"}
        desk.scene.event("QueueMemberAdded", **about, **MEMBER | {"StateInterface": "PJSIP/301", "Ringinuse": 0})

    async def pauses(*, everywhere: bool) -> str:
        key = "sales/PJSIP/301"
        found = registry.KINDS["member"].find(desk.scene.pbx, key)
        assert found is not None
        target = {"kind": "member", "key": f"lab/{key}", "rev": found.rev}
        answer = await desk.run(verb="queues.pause", target=target, args={"everywhere": everywhere})
        return str(answer.get("code", answer["type"]))

    serves("sales")
    assert await pauses(everywhere=True) == "ack"
    serves("support")
    assert await pauses(everywhere=True) == "scope"
    assert await pauses(everywhere=False) == "ack"
    await team.rules.acreate(aspect="queue", name="support")
    assert await pauses(everywhere=True) == "ack"


async def test_what_changes_nobody_and_no_place_is_no_change(desk: Desk) -> None:
    desk.scene.event("Hold", **desk.scene.snapshot("a"))
    desk.scene.event("NewCallerid", **desk.scene.snapshot("a", CallerIDName="Another"))
    await desk.run()
    assert len(desk.link.posted) == 2


async def test_the_same_id_five_times_is_one_effect_and_five_answers(desk: Desk) -> None:
    command = desk.command()
    for _ in range(3):
        await desk.dispatcher.run(dict(command))
    desk.hang_up_all()
    for _ in range(2):
        await desk.dispatcher.run(dict(command))
    await desk.settle()
    assert len(desk.link.posted) == 2, "one per leg, once"
    results = [answer for answer in desk.answers if answer["type"] == "result"]
    assert [answer["outcome"] for answer in results] == ["done", "done", "done"]
    assert await entries() == [("intent", "", ""), ("outcome", "done", "")]


async def test_an_id_of_somebody_else_tells_nothing(desk: Desk, charlie: User) -> None:
    command = desk.command()
    await desk.dispatcher.run(dict(command))
    await desk.settle()
    before = list(desk.answers)
    await desk.dispatcher.run({**command, "user_id": charlie.pk})
    await desk.settle()
    assert desk.answers == before


async def test_an_id_that_another_process_had_is_never_done_again(desk: Desk) -> None:
    command = desk.command()
    await desk.dispatcher.run(dict(command))
    desk.dispatcher._known.clear()
    await desk.dispatcher.run(dict(command))
    await desk.settle()
    assert len(desk.link.posted) == 2
    assert (desk.answers[-1]["outcome"], desk.answers[-1]["code"]) == ("unknown", "not_proved")


async def test_what_the_audit_knows_of_it_is_answered(desk: Desk) -> None:
    """Whoever asks again after the worker was restarted hears what came of it; another user hears nothing."""
    command = desk.command()
    await desk.dispatcher.run(dict(command))
    desk.link.answer(0, "Error", "Permission denied")
    desk.link.answer(1, "Error", "Permission denied")
    await asyncio.sleep(0)
    await desk.settle()
    desk.dispatcher._known.clear()
    before = len(desk.answers)
    await desk.dispatcher.run({**command, "user_id": desk.user.pk + 1})
    await desk.settle()
    assert [answer["type"] for answer in desk.answers[before:]] == ["ack"]
    await desk.dispatcher.run(dict(command))
    await desk.settle()
    answer = desk.answers[-1]
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", "asterisk", "Permission denied")
    assert len(desk.link.posted) == 2


async def test_asterisks_no_is_passed_on(desk: Desk) -> None:
    await desk.run()
    desk.link.answer(0, "Error", "Permission denied")
    desk.link.answer(1, "Error", "Permission denied")
    await asyncio.sleep(0)
    await desk.settle()
    answer = desk.answers[-1]
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", "asterisk", "Permission denied")


async def test_a_call_that_ended_by_itself_is_not_our_deed(desk: Desk) -> None:
    await desk.run()
    desk.link.answer(0, "Error", "No such channel")
    desk.link.answer(1, "Error", "No such channel")
    for leg in ("a", "b"):
        desk.scene.hangup(leg)
    await asyncio.sleep(0)
    desk.dispatcher.look()
    await desk.settle()
    assert (desk.answers[-1]["outcome"], desk.answers[-1]["code"]) == ("refused", "gone")


async def test_one_leg_that_had_gone_already_is_still_done(desk: Desk) -> None:
    await desk.run()
    desk.link.answer(0, "Success", "Channel Hungup")
    desk.link.answer(1, "Error", "No such channel")
    await asyncio.sleep(0)
    desk.hang_up_all()
    await desk.settle()
    assert desk.answers[-1]["outcome"] == "done"


async def test_without_proof_it_is_unknown_and_a_re_read_settles_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PROOF_S", 0.0)
    await desk.run()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await desk.settle()
    assert (desk.answers[-1]["outcome"], desk.answers[-1]["code"]) == ("unknown", "not_proved")
    desk.scene.pbx.replace_channels([], desk.scene.now)
    desk.dispatcher.look()
    await desk.settle()
    assert desk.answers[-1]["outcome"] == "done"
    assert await entries() == [("intent", "", ""), ("outcome", "unknown", "not_proved"), ("outcome", "done", "")]


async def test_a_link_that_is_down_refuses(desk: Desk) -> None:
    from ami.client import LinkState

    desk.link.state = LinkState("down")
    assert (await desk.run())["code"] == "link_down"


async def test_without_an_audit_nothing_is_done(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise AuditUnavailable("disk full")

    monkeypatch.setattr(trail, "_begin", broken)
    answer = await desk.run()
    assert (answer["outcome"], answer["code"]) == ("refused", "audit_unavailable")
    assert desk.link.posted == []


@pytest.mark.parametrize("message", [{}, {"id": "x"}, {"id": "x", "target": None}, {"target": {}}])
async def test_a_command_without_its_fields_is_dropped(desk: Desk, message: dict[str, Any]) -> None:
    await desk.dispatcher.run(message)
    assert desk.answers == []
