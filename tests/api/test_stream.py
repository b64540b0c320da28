"""The stream of programs: the pages' socket, by a token, which it does not outlive."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.utils import timezone

from accounts.models import Token, User
from floor.frames import Frame
from floor.guard import look
from floor.hub import Hub
from phoenix_panel.asgi import application
from tests.api.stage import Program

pytestmark = pytest.mark.django_db(transaction=True)

Make = Callable[..., Program]


async def stream(secret: str, *more: tuple[bytes, bytes], query: str = "") -> WebsocketCommunicator:
    headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {secret}".encode()), *more]
    communicator = WebsocketCommunicator(application, f"/ws/panel/{query}", headers=headers)
    assert (await communicator.connect())[0]
    return communicator


async def told(communicator: WebsocketCommunicator, count: int) -> list[dict[str, Any]]:
    return [json.loads(await communicator.receive_from()) for _ in range(count)]


async def closed(communicator: WebsocketCommunicator) -> int:
    output = await communicator.receive_output()
    assert output["type"] == "websocket.close", output
    return int(output["code"])


async def test_it_is_told_what_the_token_shows(hub: Hub, bob: User, program: Make) -> None:
    hers = await program(bob, "calls.view", "floor.everywhere").ready()
    communicator = await stream(hers.secret)
    hello, snapshot, beat = await told(communicator, 3)
    assert (hello["rights"], hello["actions"]) == (["calls.view", "floor.everywhere"], [])
    assert snapshot["up"] == {"call": {"lab/a": {"rev": 1, "phase": "ringing"}}, "party": {}}
    assert beat["type"] == "beat"
    hub.publish(Frame("lab", 5, 1, 0, 0, {"call": {"lab/a": {"phase": "talking"}}, "room": {"lab/1": {}}}, {}))
    assert (await told(communicator, 1))[0]["up"] == {"call": {"lab/a": {"phase": "talking"}}}
    await communicator.disconnect()
    assert not [*hub.watchers]


@pytest.mark.parametrize("secret", ["", "x", "phx_aaaaaaaa_" + "A" * 43])
async def test_a_stranger_is_turned_away(secret: str, hub: Hub, alice: User) -> None:
    """And not by the cookie that he brings along either."""
    client = Client()
    await sync_to_async(client.force_login)(alice)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    communicator = await stream(secret, (b"origin", b"http://localhost"), (b"cookie", cookies.encode()))
    assert await closed(communicator) == 4401
    assert not [*hub.watchers]


async def test_a_token_in_the_address_is_burnt(hub: Hub, bob: User, program: Make) -> None:
    hers = await program(bob).ready()
    assert await closed(await stream(hers.secret, query=f"?token={hers.secret}")) == 4401
    assert await Token.objects.filter(revoked=None).acount() == 0


async def test_a_proxys_own_password_is_no_token(hub: Hub, bob: User) -> None:
    """Behind a proxy that asks for one, browsers send `Basic` with every socket: it stays a page's."""
    client = Client()
    await sync_to_async(client.force_login)(bob)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"host", b"localhost"), (b"authorization", b"Basic Ym9iOmJvYg=="), (b"cookie", cookies.encode())]
    communicator = WebsocketCommunicator(application, "/ws/panel/", headers=headers)
    assert not (await communicator.connect())[0], "of no origin"
    communicator = WebsocketCommunicator(
        application, "/ws/panel/", headers=[*headers, (b"origin", b"http://localhost")]
    )
    assert (await communicator.connect())[0]
    assert (await told(communicator, 1))[0]["user"]["name"] == "Bob"
    await communicator.disconnect()


async def revoked(token: Token) -> None:
    await Token.objects.aupdate(revoked=timezone.now())


async def expired(token: Token) -> None:
    await Token.objects.aupdate(expires=timezone.now() - timedelta(seconds=1))


async def dismissed(token: Token) -> None:
    await User.objects.filter(pk=token.user_id).aupdate(is_active=False)


async def other_rights(token: Token) -> None:
    user = await User.objects.aget(pk=token.user_id)
    await user.groups.aclear()


@pytest.mark.parametrize(("end", "code"), [(revoked, 4401), (expired, 4401), (dismissed, 4401), (other_rights, 4012)])
async def test_it_does_not_outlive_its_token(
    end: Callable[[Token], Awaitable[None]], code: int, hub: Hub, bob: User, program: Make
) -> None:
    hers = await program(bob, "calls.view", "floor.everywhere").ready()
    communicator = await stream(hers.secret)
    await told(communicator, 3)
    await look(hub)
    assert [*hub.watchers], "a good one stays"
    assert hers.token is not None
    await end(hers.token)
    await look(hub)
    assert await closed(communicator) == code
    hub.publish(Frame("lab", 5, 1, 0, 0, {}, {}))
    assert await communicator.receive_nothing()


async def test_rights_that_the_token_does_not_grant_may_come_and_go(hub: Hub, charlie: User, program: Make) -> None:
    hers = program(charlie, "calls.view", "floor.everywhere")
    await sync_to_async(User.objects.filter(pk=charlie.pk).update)(is_superuser=True)
    communicator = await stream((await hers.ready()).secret)
    await told(communicator, 3)
    from django.contrib.auth.models import Permission

    await User.objects.filter(pk=charlie.pk).aupdate(is_superuser=False)
    for app, codename in (("calls", "view"), ("floor", "everywhere")):
        right = await Permission.objects.aget(content_type__app_label=app, codename=codename)
        await charlie.user_permissions.aadd(right)
    await look(hub)
    assert [*hub.watchers]
    await communicator.disconnect()


async def test_a_command_by_the_stream_is_the_tokens(hub: Hub, bob: User, program: Make) -> None:
    hers = await program(bob, "calls.view", "floor.everywhere").ready()
    assert hers.token is not None
    communicator = await stream(hers.secret)
    await told(communicator, 3)
    target = {"kind": "call", "key": "lab/a", "rev": 1}
    layer = get_channel_layer()
    assert layer is not None
    await communicator.send_to(json.dumps({"type": "cmd", "id": "a" * 32, "verb": "calls.hangup", "target": target}))
    message = await layer.receive("pbx.lab")
    assert (message["source"], message["session"]) == ("api", f"token:{hers.token.pk}")
    assert message["user_name"] == "Bob (a program)"
    await communicator.disconnect()
