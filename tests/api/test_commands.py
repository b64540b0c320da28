"""Commands by REST: a page's way, one effect however often the id comes, the truth of the outcome."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Token, User
from api import answers, commands, door
from audit.models import Entry
from audit.record import Record, What, Who
from floor import hub as hubs
from floor import layer
from floor.hub import Hub
from tests.api.stage import Floor, Program, until

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Program]

ID = "c" * 32


async def test_done_is_proved_and_audited(floor: Floor, bob: User, program: Make) -> None:
    asking = asyncio.create_task(program(bob).act("calls.hangup", "lab/a"))
    await floor.sent(2)
    assert not asking.done(), "sent is not done"
    floor.hang_up()
    status, told = await asking
    assert status == 200
    assert (told["outcome"], told["code"], told["target"]) == ("done", "", {"kind": "call", "key": "lab/a"})
    await floor.desk.last()
    entries = [entry async for entry in Entry.objects.order_by("id")]
    assert [(entry.kind, entry.source, entry.outcome) for entry in entries] == [
        ("intent", "api", ""),
        ("outcome", "api", "done"),
    ]
    assert {entry.user_name for entry in entries} == {"Bob (a program)"}
    assert {entry.address for entry in entries} == {"127.0.0.1"}


async def test_the_same_id_five_times_at_once_is_one_effect_and_five_answers(
    floor: Floor, bob: User, program: Make
) -> None:
    hers, other = await program(bob).ready(), await program(bob).ready()
    asking = [asyncio.create_task((hers, other)[n % 2].act("calls.hangup", "lab/a", id=ID)) for n in range(5)]
    await floor.sent(2)
    await until(lambda: len(floor.hub._pending[ID].watchers) == 5)
    floor.hang_up()
    answered = [await one for one in asking]
    assert {status for status, _ in answered} == {200}
    assert all(told == answered[0][1] for _, told in answered)
    assert len(floor.desk.link.posted) == 2, "one for each party, once"
    assert await hers.act("calls.hangup", "lab/a", id=ID) == answered[0], "and later"
    assert await hers.act("calls.hangup", "lab/other", id=ID) == answered[0], "whatever it says"
    assert len(floor.desk.link.posted) == 2


async def test_the_same_id_after_the_worker_was_restarted(floor: Floor, bob: User, program: Make) -> None:
    hers = program(bob)
    asking = asyncio.create_task(hers.act("calls.hangup", "lab/a", id=ID))
    await floor.sent(2)
    floor.hang_up()
    status, told = await asking
    await floor.desk.last()
    floor.desk.dispatcher._known.clear()
    again = await hers.act("calls.hangup", "lab/a", id=ID)
    assert (again[0], again[1]["outcome"], again[1]["target"]) == (status, told["outcome"], told["target"])
    assert len(floor.desk.link.posted) == 2


async def test_anothers_id_tells_nothing_and_takes_no_answer(
    floor: Floor, bob: User, alice: User, program: Make
) -> None:
    hers, others = program(bob), program(alice)
    asking = asyncio.create_task(hers.act("calls.hangup", "lab/a", id=ID))
    await floor.sent(2)
    status, told = await others.act("calls.hangup", "lab/x", id=ID)
    assert (status, told["code"], told["target"]["key"]) == (422, "bad_command", "lab/x")
    assert (await others.get(f"commands/{ID}"))[0] == 404
    floor.hang_up()
    assert (await asking)[0] == 200
    await floor.desk.last()
    assert (await others.get(f"commands/{ID}"))[0] == 404
    assert (await hers.get(f"commands/{ID}"))[1]["outcome"] == "done"


async def test_who_does_not_wait_asks_later(floor: Floor, bob: User, program: Make) -> None:
    hers = program(bob)
    status, told = await hers.act("calls.hangup", "lab/a", "?wait=0", id=ID)
    assert (status, told["outcome"]) == (202, "pending")
    assert (await hers.get(f"commands/{ID}")) == (202, told)
    await floor.sent(2)
    assert (await hers.get(f"commands/{ID}")) == (202, told)
    floor.hang_up()
    await floor.desk.last()
    status, told = await hers.get(f"commands/{ID}")
    assert (status, told["outcome"]) == (200, "done")
    answer = await hers.ask("POST", "actions/calls.hangup", {"target": {"key": "lab/a"}}, Prefer="respond-async")
    assert answer.status_code in {202, 404}, "gone may be known at once"


async def test_once_answered_it_is_so_though_the_audit_has_no_outcome_yet(
    floor: Floor, bob: User, program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later(*args: object) -> None:
        pass

    hers = program(bob)
    monkeypatch.setattr(floor.desk.dispatcher, "_write_outcome", later)
    asking = asyncio.create_task(hers.act("calls.hangup", "lab/a", id=ID))
    await floor.sent(2)
    assert (await hers.get(f"commands/{ID}"))[1]["outcome"] == "pending"
    floor.hang_up()
    assert (await asking)[1]["outcome"] == "done"
    assert await hers.get(f"commands/{ID}") == await asking


async def test_who_waits_less_than_it_takes(floor: Floor, bob: User, program: Make) -> None:
    status, told = await program(bob).act("calls.hangup", "lab/a", "?wait=0.05", id=ID)
    assert (status, told["outcome"]) == (202, "pending")


@pytest.mark.parametrize(
    ("verb", "key", "more", "status", "code"),
    [
        ("calls.hangup", "lab/gone", {}, 404, "gone"),
        ("calls.hangup", "nowhere/a", {}, 404, "pbx_unknown"),
        ("calls.hangup", "lab/a", {"rev": 9}, 409, "changed"),
        ("calls.hangup", "lab/a", {"epoch": 4}, 409, "stale_epoch"),
        ("calls.listen", "lab/a", {}, 409, "no_phone"),
        ("conferences.kick", "lab/a", {}, 404, "gone"),
    ],
)
async def test_refused_says_why(
    verb: str, key: str, more: dict[str, int], status: int, code: str, floor: Floor, bob: User, program: Make
) -> None:
    got, told = await program(bob).act(verb, key, "", **more)
    assert (got, told["outcome"], told["code"]) == (status, "refused", code)
    assert not floor.desk.link.posted


async def test_a_token_without_the_right_is_refused_by_the_worker_and_written_down(
    floor: Floor, bob: User, program: Make
) -> None:
    status, told = await program(bob, "calls.view", "floor.everywhere").act("calls.hangup", "lab/a")
    assert (status, told["outcome"], told["code"]) == (403, "refused", "no_right")
    await floor.desk.last()
    assert [entry.code async for entry in Entry.objects.order_by("id")] == ["", "no_right"]
    there = await program(bob, "calls.view", "floor.everywhere").act("calls.hangup", "lab/gone")
    assert there[1]["code"] == "no_right", "nor does she learn what there is"


async def test_a_right_that_goes_between_the_door_and_the_send(
    floor: Floor, bob: User, program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is revoked after it opened the door: the worker asks once more."""
    hers = await program(bob).ready()
    send = layer.send

    async def revoked_first(channel: str, message: dict[str, object]) -> None:
        await Token.objects.all().aupdate(revoked=timezone.now())
        await send(channel, message)

    monkeypatch.setattr(layer, "send", revoked_first)
    status, told = await hers.act("calls.hangup", "lab/a")
    assert (status, told["code"]) == (403, "no_right")
    assert not floor.desk.link.posted


async def test_asterisks_no(floor: Floor, bob: User, program: Make) -> None:
    asking = asyncio.create_task(program(bob).act("calls.hangup", "lab/a"))
    await floor.sent(2)
    for n in (0, 1):
        floor.desk.link.answer(n, "Error", "Permission denied")
    status, told = await asking
    assert (status, told["outcome"], told["code"], told["detail"]) == (409, "refused", "asterisk", "Permission denied")


async def test_nobody_there_is_unknown_and_no_success(
    hub: Hub, bob: User, program: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "ACK_S", 0.0)
    status, told = await program(bob).act("calls.hangup", "lab/a")
    assert (status, told["outcome"], told["code"]) == (504, "unknown", "no_worker")


async def test_only_so_many_are_waited_for(floor: Floor, bob: User, program: Make) -> None:
    hers = await program(bob).ready()
    asking = [asyncio.create_task(hers.act("calls.hangup", "lab/a", id=ID)) for _ in range(door.WAITING)]
    await floor.sent(2)
    assert hers.token is not None
    pk = hers.token.pk
    await until(lambda: door.allowances.waiting.get(pk, 0) == door.WAITING)
    status, told = await hers.act("calls.hangup", "lab/a", id=ID)
    assert (status, told["code"]) == (429, "too_fast")
    floor.hang_up()
    assert {status for status, _ in [await one for one in asking]} == {200}
    assert door.allowances.waiting == {}
    assert floor.hub._pending == {}, "nobody is left behind"


@pytest.mark.parametrize(
    ("outcome", "age_s", "shown"),
    [("", 10, "pending"), ("", 200, "unknown"), ("done", 200, "done"), ("unknown", 10, "unknown")],
)
def test_what_the_audit_says(outcome: str, age_s: int, shown: str, bob: User) -> None:
    at = timezone.now() - timedelta(seconds=age_s)
    record = Record(Who(1, "x", "api"), What(ID, "calls.hangup", "lab", "call", "lab/a"), at, outcome)  # type: ignore[arg-type]
    assert answers.recorded(record, timezone.now() - at > commands.GIVEN_UP)["outcome"] == shown


@pytest.mark.parametrize(
    "code", ["no_right", "gone", "changed", "bad_command", "too_fast", "link_down", "one of tomorrow"]
)
def test_no_refusal_is_a_success(code: str) -> None:
    told = answers.result(secrets.token_hex(16), "calls.hangup", "call", "lab/a", "refused", code)
    assert 400 <= answers.outcome(told).status_code < 600
