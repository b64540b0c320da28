"""The socket: strangers are turned away, words are checked, the hub's texts arrive in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Protected, RolePolicy, Team, TeamRule, User
from accounts.permissions import enough
from accounts.rights import ROLES
from accounts.snapshots import user_snapshots
from floor import consumers, registry
from floor import hub as hubs
from floor.consumers import LONGEST, SOCKETS, PanelConsumer
from floor.frames import Frame, Snapshot
from floor.guard import look
from floor.hub import Hub, Watcher
from floor.lenses import View
from phoenix_panel.asgi import application, never_waits
from tests.conftest import member
from tests.floor.stage import Browser

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = (b"origin", b"http://localhost")
HOST = (b"host", b"localhost")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub()
    monkeypatch.setattr(hubs, "_hub", hub)
    hub.snapshot(Snapshot("lab", 7, 0, 1000, {"call": {"lab/a": {"rev": 1}}}))
    return hub


async def socket(user: User | None, *headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    cookies = b""
    if user is not None:
        client = Client()
        await sync_to_async(client.force_login)(user)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()).encode()
    given = headers or (ORIGIN, HOST)
    return WebsocketCommunicator(application, "/ws/panel/", headers=[*given, (b"cookie", cookies)])


async def told(communicator: WebsocketCommunicator, count: int) -> list[dict[str, Any]]:
    return [json.loads(await communicator.receive_from()) for _ in range(count)]


async def test_a_supervisor_is_greeted_with_what_she_may_do(hub: Hub, bob: User) -> None:
    await bob.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    communicator = await socket(bob)
    assert (await communicator.connect())[0]
    hello, snapshot = await told(communicator, 2)
    assert hello["user"] == {"id": bob.pk, "name": "Bob", "phones": {"lab": "900"}, "told_by": "name"}
    assert set(hello["rights"]) == ROLES["Supervisor"]
    verbs = {action["verb"] for action in hello["actions"]}
    assert verbs == {name for name, action in registry.ACTIONS.items() if enough(action.right) & ROLES["Supervisor"]}
    assert "calls.hangup" in verbs
    rings = {action["verb"] for action in hello["actions"] if action["phone"]}
    hers = {f"calls.{what}" for what in ("listen", "whisper", "barge", "pickup", "call", "retrieve")}
    assert rings == hers | {"queues.pull", "conferences.invite"}
    assert snapshot["up"] == {"call": {"lab/a": {"rev": 1}}}
    hub.publish(Frame("lab", 7, 1, 0, 0, {}, {}))
    assert (await told(communicator, 1))[0]["seq"] == 1
    await communicator.disconnect()
    assert not [*hub.watchers]


async def test_the_words_are_in_her_language(hub: Hub, bob: User) -> None:
    bob.language = "ru"
    await bob.asave()
    communicator = await socket(bob)
    await communicator.connect()
    hello = (await told(communicator, 1))[0]
    assert "Завершить" in [action["label"] for action in hello["actions"]]
    assert "Жалоба" in hello["reasons"]
    await communicator.disconnect()


async def test_an_outsider_sees_no_call_and_gets_no_button(hub: Hub, charlie: User) -> None:
    communicator = await socket(charlie)
    await communicator.connect()
    (hello,) = await told(communicator, 1)
    assert (hello["rights"], hello["actions"], hello["pbxs"]) == ([], [], {})
    hub.publish(Frame("lab", 7, 1, 0, 0, {}, {}))
    assert await communicator.receive_nothing(), "nor is she told which PBXs there are"
    await communicator.disconnect()


@pytest.mark.parametrize("who", ["nobody", "dismissed"])
async def test_who_is_not_signed_in_is_told_so_and_nothing_else(hub: Hub, bob: User, who: str) -> None:
    communicator = await socket(None if who == "nobody" else bob)
    if who == "dismissed":
        bob.is_active = False
        await bob.asave()
    assert (await communicator.connect())[0]
    closing = await communicator.receive_output()
    assert (closing["type"], closing["code"]) == ("websocket.close", 4401)
    assert not [*hub.watchers]


@pytest.mark.parametrize(
    "headers",
    [
        [(b"origin", b"http://localhost:8001"), HOST],  # another port of the same host
        [(b"origin", b"https://localhost"), HOST],
        [(b"origin", b"ftp://localhost"), HOST],
        [(b"origin", b"file://"), HOST],
        [(b"origin", b"http://evil.example"), HOST],
        [(b"origin", b"http://sub.localhost"), HOST],
        [(b"origin", b"http://localhost.evil.example"), HOST],
        [(b"origin", b"http://localhost@evil.example"), HOST],
        [(b"origin", b"http://localhost/"), HOST],
        [(b"origin", b"http://localhost\x0b"), HOST],
        [(b"origin", b" http://localhost"), HOST],
        [(b"origin", b"null"), HOST],
        [(b"origin", b""), HOST],
        [HOST],
        [ORIGIN],
        [ORIGIN, (b"origin", b"http://localhost"), HOST],
        [ORIGIN, (b"origin", b"http://evil.example"), HOST],
        [ORIGIN, HOST, (b"host", b"evil.example")],
        [(b"origin", b"http://evil.example"), (b"host", b"evil.example")],
        [(b"origin", b"http://sub.localhost"), (b"host", b"sub.localhost")],
    ],
)
async def test_pages_of_other_origins_get_no_socket(hub: Hub, bob: User, headers: list[tuple[bytes, bytes]]) -> None:
    communicator = await socket(bob, *headers)
    assert not (await communicator.connect())[0]


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "[]",
        "{",
        '{"type": "shout"}',
        '{"type": "seen", "pbx": "lab"}',
        '{"type": "cmd", "id": "1", "verb": "calls.hangup", "target": {"kind": "call", "key": "lab/a", "rev": 1}}',
        '{"type": "ping", "n": 1, "more": 2}',
        '{"type": "ping", "n": 99999999999999999999}',
        '{"type": "seen", "pbx": "lab", "epoch": 7, "seq": -1}',
        '{"type": "cmd", "id": "%s", "verb": "calls.hangup", "target": {"kind": "call", "key": "lab/a", "rev": 1},'
        ' "args": {"x": NaN}}' % ("a" * 32),
        '{{"type": "cmd", "id": "{}", "verb": "calls.hangup", "target": {{"kind": "call", "key": "lab/a", "rev": 1}},'
        ' "args": {{"x": "{}"}}}}'.format("a" * 32, "y" * 5000),
        '{"type": "resync", "pbx": "../../etc"}',
    ],
)
async def test_what_is_no_word_of_ours_harms_nothing(hub: Hub, bob: User, text: str) -> None:
    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    await communicator.send_to(text)
    await communicator.send_to('{"type": "ping", "n": 9}')
    assert await told(communicator, 1) == [{"type": "pong", "n": 9}]
    await communicator.disconnect()


class Server:
    """An ASGI server's ``send`` that is said never to wait."""

    def __init__(self, *, waits: bool = False, breaks: bool = False) -> None:
        self.got: list[dict[str, Any]] = []
        self._waits, self._breaks = waits, breaks

    async def send(self, message: dict[str, Any]) -> None:
        if self._breaks:
            raise OSError("gone")
        if self._waits:
            await asyncio.sleep(0)
        self.got.append(message)


def consumer_of(server: Server) -> PanelConsumer:
    consumer = PanelConsumer()
    consumer._outbox, consumer._over, consumer._send_now = asyncio.Queue(10), False, server.send
    return consumer


async def test_a_server_that_never_waits_is_handed_each_message_at_once_and_in_order() -> None:
    server = Server()
    consumer = consumer_of(server)
    consumer.deliver("a")
    consumer.deliver("b")
    consumer.close_with(4012)
    consumer.deliver("after the end")
    assert [message.get("text", message.get("code")) for message in server.got] == ["a", "b", 4012]
    assert consumer._outbox.empty()


async def test_one_that_waits_after_all_is_not_trusted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PanelConsumer, "may_send_now", True)
    consumer = consumer_of(Server(waits=True))
    consumer.deliver("a")
    consumer.deliver("b")
    assert not PanelConsumer.may_send_now
    assert consumer._outbox.get_nowait() == {"type": "websocket.close", "code": 4408}, "nobody knows what arrived"


async def test_a_socket_that_broke_is_tried_once(caplog: pytest.LogCaptureFixture) -> None:
    consumer = consumer_of(Server(breaks=True))
    for text in "abc":
        consumer.deliver(text)
    assert len(caplog.records) == 1


def test_only_daphne_is_known_never_to_wait() -> None:
    from functools import partial

    from daphne.server import Server as Daphne

    daphne = Daphne.__new__(Daphne)
    assert never_waits(partial(daphne.handle_reply, None))
    assert not never_waits(Server().send)
    assert not never_waits(partial(Server().send))


def command(**target: Any) -> str:
    whole = {"kind": "call", "key": "lab/a", "rev": 1, **target}
    return json.dumps({"type": "cmd", "id": "a" * 32, "verb": "calls.hangup", "target": whole})


async def test_a_command_goes_to_the_pbxs_worker_with_who_sent_it(hub: Hub, bob: User) -> None:
    from channels.layers import get_channel_layer

    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    await communicator.send_to(command())
    layer = get_channel_layer()
    assert layer is not None
    message = await layer.receive("pbx.lab")
    assert (message["user_id"], message["source"], message["epoch"]) == (bob.pk, "page", 7)
    assert message["target"] == {"kind": "call", "key": "lab/a", "rev": 1}
    await communicator.disconnect()


async def test_an_outsiders_attempt_reaches_the_worker_which_writes_it_down(hub: Hub, charlie: User) -> None:
    communicator = await socket(charlie)
    await communicator.connect()
    await told(communicator, 1)
    await communicator.send_to(command())
    layer = get_channel_layer()
    assert layer is not None
    assert (await layer.receive("pbx.lab"))["user_id"] == charlie.pk
    await communicator.disconnect()


async def test_a_script_that_clicks_too_fast_is_told_so(hub: Hub, charlie: User) -> None:
    communicator = await socket(charlie)
    await communicator.connect()
    await told(communicator, 1)
    for _ in range(30):
        await communicator.send_to(command())
    answers = await told(communicator, 30)
    assert {answer["code"] for answer in answers} == {"pbx_unknown", "too_fast"}
    await communicator.disconnect()


async def test_a_script_that_talks_too_much_is_put_out(hub: Hub, bob: User) -> None:
    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    for n in range(100):
        await communicator.send_to(json.dumps({"type": "ping", "n": n}))
    while (output := await communicator.receive_output())["type"] == "websocket.send":
        pass
    assert output["code"] == 4429


async def test_too_many_sockets_of_one_user(hub: Hub, bob: User) -> None:
    for _ in range(SOCKETS):
        hub.join(Watcher(Browser(), View(frozenset()), bob.pk), {})
    communicator = await socket(bob)
    await communicator.connect()
    closing = await communicator.receive_output()
    assert (closing["type"], closing["code"]) == ("websocket.close", 4429)


@pytest.mark.parametrize(
    ("hosts", "origins", "origin", "host", "secure"),
    [
        (["panel.example"], [], "https://panel.example", "panel.example", True),
        (["panel.example"], [], "http://panel.example:8000", "panel.example:8000", False),
        (["127.0.0.1"], ["https://panel.example:8443"], "https://panel.example:8443", "127.0.0.1:8000", False),
        (["[::1]"], [], "http://[::1]:8000", "[::1]:8000", False),
    ],
)
async def test_our_own_pages_get_one(
    hub: Hub, bob: User, settings: Any, hosts: list[str], origins: list[str], origin: str, host: str, secure: bool
) -> None:
    settings.ALLOWED_HOSTS, settings.CSRF_TRUSTED_ORIGINS = hosts, origins
    communicator = await socket(bob, (b"origin", origin.encode()), (b"host", host.encode()))
    communicator.scope["scheme"] = "wss" if secure else "ws"
    assert (await communicator.connect())[0]
    assert (await told(communicator, 1))[0]["type"] == "hello"
    await communicator.disconnect()
    other = await socket(bob, (b"origin", f"{origin}1".encode()), (b"host", host.encode()))
    other.scope["scheme"] = "wss" if secure else "ws"
    assert not (await other.connect())[0]


async def test_too_many_sockets_from_one_address(hub: Hub, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has them, and also if nobody does; those that are gone count no more."""
    monkeypatch.setattr(consumers, "SOCKETS_OF_ADDRESS", 2)
    first, second = await socket(bob), await socket(bob)
    assert (await first.connect())[0]
    assert (await second.connect())[0]
    for who in (bob, None):
        third = await socket(who)
        await third.connect()
        assert (await third.receive_output())["code"] == 4429
        await third.wait()
    await first.disconnect()
    again = await socket(bob)
    await again.connect()
    assert (await told(again, 1))[0]["type"] == "hello"
    for one in (again, second):
        await one.disconnect()
    assert not PanelConsumer._of_address


async def test_who_comes_by_a_proxy_is_counted_by_her_own_address(
    hub: Hub, bob: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PHOENIX_PROXIES = 1
    monkeypatch.setattr(consumers, "SOCKETS_OF_ADDRESS", 1)
    opened = []
    for address in (b"192.0.2.1", b"192.0.2.2"):
        opened.append(await socket(bob, ORIGIN, HOST, (b"x-forwarded-for", address)))
        await opened[-1].connect()
        assert (await told(opened[-1], 1))[0]["type"] == "hello"
    for one in opened:
        await one.disconnect()


@pytest.mark.parametrize("proxies", [0, 1])
async def test_an_address_that_is_only_claimed_counts_for_nothing(
    hub: Hub, bob: User, monkeypatch: pytest.MonkeyPatch, settings: Any, proxies: int
) -> None:
    """With one proxy of ours its own entry is the last; without any, none is believed."""
    settings.PHOENIX_PROXIES = proxies
    monkeypatch.setattr(consumers, "SOCKETS_OF_ADDRESS", 1)
    first = await socket(bob, ORIGIN, HOST, (b"x-forwarded-for", b"192.0.2.1, 198.51.100.1"))
    await first.connect()
    await told(first, 1)
    second = await socket(bob, ORIGIN, HOST, (b"x-forwarded-for", b"192.0.2.9, 198.51.100.1"))
    await second.connect()
    assert (await second.receive_output())["code"] == 4429
    await second.wait()
    await first.disconnect()


async def test_a_long_message_is_the_last(hub: Hub, bob: User) -> None:
    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    await communicator.send_to("x" * (LONGEST + 1))
    closing = await communicator.receive_output()
    assert (closing["type"], closing["code"]) == ("websocket.close", 4009)


async def test_a_socket_that_dies_of_an_error_of_ours_leaves_nobody_behind(
    hub: Hub, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("an error of ours")

    monkeypatch.setattr(hub, "seen", broken)
    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    await communicator.send_to('{"type": "seen", "pbx": "lab", "epoch": 7, "seq": 0}')
    with pytest.raises(RuntimeError, match="ours"):
        await communicator.wait()
    assert not [*hub.watchers]


async def sign_out(user: User) -> None:
    await Session.objects.all().adelete()


async def dismiss(user: User) -> None:
    user.is_active = False
    await user.asave()


async def new_password(user: User) -> None:
    user.set_password("another one, twelve long")
    await user.asave()


@pytest.mark.parametrize("taken", [sign_out, dismiss, new_password])
async def test_a_socket_does_not_outlive_its_session(
    hub: Hub, bob: User, taken: Callable[[User], Awaitable[None]]
) -> None:
    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    await look(hub)
    assert [*hub.watchers], "a good session stays"
    await taken(bob)
    await look(hub)
    closing = await communicator.receive_output()
    assert (closing["type"], closing["code"]) == ("websocket.close", 4401)
    hub.publish(Frame("lab", 7, 1, 0, 0, {}, {}))
    assert await communicator.receive_nothing()


async def test_other_rights_bring_the_page_back_for_a_new_greeting(hub: Hub, bob: User) -> None:
    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    await sync_to_async(bob.groups.clear)()
    await look(hub)
    closing = await communicator.receive_output()
    assert (closing["type"], closing["code"]) == ("websocket.close", 4012)
    assert not [*hub.watchers]


async def another_team(user: User) -> None:
    team = await Team.objects.acreate(name="Sales")
    await team.rules.acreate(aspect="queue", name="sales")
    await team.members.aadd(user)


async def another_rule(user: User) -> None:
    await TeamRule.objects.filter(team__name="Agents").aupdate(name="vip")


async def somebody_protected(user: User) -> None:
    await Protected.objects.acreate(extension="101")


async def no_numbers(user: User) -> None:
    role = await Group.objects.aget(name="Team lead")
    await role.permissions.aremove(await Permission.objects.aget(codename="numbers"))


async def other_phone(user: User) -> None:
    await user.phones.aupdate(dial_string="PJSIP/901")


async def nothing_of_hers(user: User) -> None:
    stranger = await User.objects.acreate(username="erin")
    team = await Team.objects.acreate(name="Others")
    await team.rules.acreate(aspect="queue", name="sales")
    await team.members.aadd(stranger)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (another_team, True),
        (another_rule, True),
        (somebody_protected, True),
        (no_numbers, True),
        (other_phone, True),
        (nothing_of_hers, False),
    ],
)
async def test_another_part_of_the_floor_brings_the_page_back(
    hub: Hub, dana: User, change: Callable[[User], Awaitable[None]], told: bool
) -> None:
    communicator = await socket(dana)
    await communicator.connect()
    hello = json.loads(await communicator.receive_from())
    assert hello["scope"] == {"whole": False, "words": "My part: vip-*, 900"}
    await look(hub)
    assert [*hub.watchers], "as long as nothing of hers changes"
    await change(dana)
    await look(hub)
    assert (not [*hub.watchers]) is told
    await communicator.disconnect()


async def test_one_look_costs_the_same_queries_for_all(dana: User) -> None:
    """However many look: it is done every second and a half."""

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            user_snapshots(User.objects.values_list("pk", flat=True))
        return len(found)

    few = await sync_to_async(queries)()
    for number in range(20):
        await sync_to_async(member)(f"One{number}", "Team lead")
    assert await sync_to_async(queries)() == few


@pytest.fixture
def dana(db: None) -> User:
    user = member("Dana", "Team lead")
    user.phones.create(pbx="lab", dial_string="PJSIP/900")
    team = Team.objects.create(name="Agents")
    team.rules.create(aspect="queue", name="vip-*")
    team.members.add(user)
    return user


async def test_who_has_yet_to_set_up_a_second_factor_gets_no_socket(hub: Hub, bob: User, settings: Any) -> None:
    communicator = await socket(bob)
    await communicator.connect()
    await told(communicator, 2)
    settings.PHOENIX_MFA = True
    await RolePolicy.objects.filter(group__name="Supervisor").aupdate(mfa_required=True)
    await look(hub)
    assert (await communicator.receive_output())["code"] == 4012  # comes back, and
    again = await socket(bob)
    await again.connect()
    assert (await again.receive_output())["code"] == 4401
    assert not [*hub.watchers]
