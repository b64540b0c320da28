"""Who gets in: each address, each kind of stranger."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from accounts import throttle, tokens
from accounts.models import Token, User
from api.door import LONGEST, READS_BURST
from api.operations import api
from audit.models import Entry
from floor import registry
from floor.consumers import BURST
from floor.hub import Hub
from tests.api.stage import Program, ask

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Program]


def addresses() -> list[tuple[str, str]]:
    """(method, path) of every operation, as OpenAPI lists them."""
    found = [("get", "openapi.json")]
    for path, methods in api.get_openapi_schema()["paths"].items():
        told = path.removeprefix("/api/v1/").replace("{kind}", "call").replace("{key}", "lab/a")
        found += [(method, told.replace("{id}", "0" * 32)) for method in methods]
    return found


ADDRESSES = addresses()


def test_every_action_has_its_address() -> None:
    posts = {path for method, path in ADDRESSES if method == "post"}
    assert posts == {f"actions/{verb}" for verb in registry.ACTIONS}
    assert {"me", "pbxs", "state", "state/call/lab/a"} <= {path for method, path in ADDRESSES if method == "get"}


async def expired(token: Token) -> None:
    await Token.objects.filter(pk=token.pk).aupdate(expires=timezone.now() - timedelta(seconds=1))


async def revoked(token: Token) -> None:
    await Token.objects.filter(pk=token.pk).aupdate(revoked=timezone.now())


async def dismissed(token: Token) -> None:
    await User.objects.filter(pk=token.user_id).aupdate(is_active=False)


async def deleted(token: Token) -> None:
    await Token.objects.filter(pk=token.pk).adelete()


@pytest.mark.parametrize("end", [expired, revoked, dismissed, deleted])
@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_a_token_that_has_ended_opens_nothing(
    method: str, path: str, end: Callable[[Token], Awaitable[None]], hub: Hub, bob: User, program: Make
) -> None:
    hers = await program(bob).ready()
    assert hers.token is not None
    assert (await hers.ask(method.upper(), path)).status_code != 401, "it must open it before"
    await end(hers.token)
    answer = await hers.ask(method.upper(), path, {"target": {"key": "lab/a"}} if method == "post" else None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert json.loads(answer.content) == {
        "code": "no_token",
        "detail": "This token is unknown, revoked or expired.",
    }


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", "Basic Ym9iOmJvYg==", "Bearer phx_aaaaaaaa_" + "A" * 43, "phx_aaaaaaaa_" + "A" * 43],
)
@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_a_stranger_is_told_nothing(authorization: str, method: str, path: str, hub: Hub) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = await ask(method.upper(), path, headers=headers)
    assert answer.status_code == 401
    assert json.loads(answer.content)["code"] == "no_token"


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_a_cookie_opens_nothing(method: str, path: str, hub: Hub, alice: User) -> None:
    client = Client()
    await sync_to_async(client.force_login)(alice)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    assert (await ask(method.upper(), path, headers={"Cookie": cookies})).status_code == 401


@pytest.mark.parametrize("name", ["token", "access_token", "x"])
async def test_a_token_in_a_url_is_burnt(name: str, hub: Hub, bob: User, program: Make) -> None:
    hers = await program(bob).ready()
    answer = await hers.ask("GET", f"me?{name}={hers.secret}")
    assert answer.status_code == 400
    assert json.loads(answer.content)["code"] == "token_in_url"
    assert (await hers.get("me"))[0] == 401


async def test_it_may_what_it_grants_and_she_has_at_this_moment(hub: Hub, bob: User, program: Make) -> None:
    hers = program(bob, "calls.view", "calls.hangup")
    _, told = await hers.get("me")
    assert told["rights"] == ["calls.hangup", "calls.view"]
    assert {action["verb"] for action in told["actions"]} == {"calls.hangup", "calls.stop"}
    await bob.groups.aclear()
    _, told = await hers.get("me")
    assert (told["rights"], told["actions"]) == ([], [])
    assert told["token"]["rights"] == ["calls.hangup", "calls.view"]
    await sync_to_async(User.objects.filter(pk=bob.pk).update)(is_superuser=True)
    _, told = await hers.get("me")
    assert told["rights"] == ["calls.hangup", "calls.view"], "never more than it was made for"


async def test_who_fails_for_long_is_slowed_and_locks_out_nobody(hub: Hub, bob: User, program: Make) -> None:
    hers = await program(bob).ready()
    assert (await hers.get("me"))[0] == 200
    statuses = []
    for n in range(throttle.PER_ADDRESS + 5):
        answer = await ask("GET", "me", headers={"Authorization": f"Bearer phx_aaaaaaaa_{n:043}"})
        statuses.append(answer.status_code)
    assert statuses == [401] * throttle.PER_ADDRESS + [429] * 5
    assert 0 < int(answer.headers["retry-after"]) <= throttle.WINDOW
    assert (await hers.get("me"))[0] == 200, "from the same address, known to be good"


async def test_who_asks_too_often_is_told_so(hub: Hub, bob: User, program: Make) -> None:
    hers, other = program(bob), program(bob)
    statuses = [(await hers.get("pbxs"))[0] for _ in range(READS_BURST * 3)]
    assert statuses.count(200) >= READS_BURST
    assert 429 in statuses
    assert (await other.get("pbxs"))[0] == 200, "each token for itself"


async def test_who_acts_too_often_is_told_so(hub: Hub, bob: User, program: Make) -> None:
    hers = program(bob)
    statuses = [(await hers.act("calls.hangup", "x/1"))[0] for _ in range(BURST * 3)]
    assert set(statuses) == {404, 429}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"nonsense", 400),
        (b'{"target": {"key": "lab/a"}, "epoch": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 5_000, 400),
        (b"null", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"target": "lab/a"}', 422),
        (b'{"target": {"key": 7}}', 422),
        (b'{"target": {"key": ""}}', 422),
        (b'{"target": {"key": "lab/a\\u0000"}}', 422),
        (b'{"target": {"key": "lab/a", "rev": "1"}}', 422),
        (b'{"target": {"key": "lab/a", "rev": -1}}', 422),
        (b'{"target": {"key": "lab/a", "kind": "room"}}', 422),
        (b'{"target": {"key": "lab/a", "more": 1}}', 422),
        (b'{"target": {"key": "lab/a"}, "more": 1}', 422),
        (b'{"target": {"key": "lab/a"}, "args": {"more": 1}}', 422),
        (b'{"target": {"key": "lab/a"}, "args": []}', 422),
        (b'{"target": {"key": "lab/a"}, "id": "1"}', 422),
        (b'{"target": {"key": "lab/a"}, "id": "' + b"A" * 32 + b'"}', 422),
        (b'{"target": {"key": "lab/a"}, "epoch": 1e300}', 422),
        (b'{"target": {"key": "lab/a"}, "epoch": 1.5}', 422),
        (b'{"target": {"key": "' + b"x" * LONGEST + b'"}}', 413),
    ],
)
async def test_what_is_no_command_is_refused_and_not_repeated(
    body: bytes, status: int, hub: Hub, bob: User, program: Make
) -> None:
    answer = await program(bob).ask("POST", "actions/calls.hangup", body)
    assert answer.status_code == status, answer.content
    told = json.loads(answer.content)
    assert set(told) == {"code", "detail"}
    assert len(answer.content) < 800
    assert not await Entry.objects.aexists()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("state?kind=nonsense", 422),
        ("state?kinds=call", 422),
        ("state?pbx=nowhere", 404),
        ("state/nonsense/lab/a", 422),
        ("state/call/lab/gone", 404),
        ("state/call/nowhere", 404),
        ("commands/1", 422),
        ("me?x=1", 422),
        ("nowhere", 404),
        ("actions/calls.hangup", 405),
        ("actions/calls.nonsense", 404),
    ],
)
async def test_wrong_addresses(path: str, status: int, hub: Hub, bob: User, program: Make) -> None:
    answer = await program(bob).ask("GET", path)
    assert answer.status_code == status


async def test_the_schema_is_for_who_has_a_token(hub: Hub, bob: User, program: Make) -> None:
    status, told = await program(bob).get("openapi.json")
    assert status == 200
    hangup = told["paths"]["/api/v1/actions/calls.hangup"]["post"]
    assert hangup["operationId"] == "calls.hangup"
    whisper: dict[str, Any] = told["components"]["schemas"]["CallsWhisper"]
    assert "party" in json.dumps([whisper, told["components"]["schemas"]]), "its arguments are its declaration's"


async def test_last_used_is_kept_coarsely(hub: Hub, bob: User, program: Make) -> None:
    hers = program(bob)

    async def used() -> datetime | None:
        await hers.get("me")
        return (await Token.objects.aget()).last_used

    first = await used()
    assert first is not None
    assert await used() == first
    await Token.objects.aupdate(last_used=first - tokens.USED_EVERY)
    again = await used()
    assert again is not None
    assert again >= first
