"""Every action, for everybody, by every way, on something of hers, of others, of both, protected, ended and unknown:
what comes of it is what `decide()` says of the live target, and out of sight is told as what is not there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client

from accounts.models import User
from accounts.permissions import decide
from accounts.snapshots import user_snapshot
from ami import Address
from api import commands, door
from audit.record import told
from audit.trail import Trail
from floor import consumers, layer, registry
from floor import hub as hubs
from floor.dispatch import Dispatcher
from floor.frames import Beat, Snapshot
from floor.hub import Hub
from floor.worker import PbxConfig
from phoenix_panel.asgi import application
from switchboard import NotFound, Switchboard
from tests.api.stage import Program
from tests.floor.world import (
    ARGS,
    CASES,
    EPOCH,
    NOT_NOW,
    OWN_ROLES,
    THINGS,
    USERS,
    Memory,
    Refusing,
    Said,
    World,
    person,
)
from tests.live.scene import EXTENSIONS, TRUNKS

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[str, str], Awaitable[Said]]
"""Do this (verb) to that (key without the PBX's name)."""

ID = re.compile(rb'"id":\s?"[0-9a-f]{32}"')


class Way:
    """One way in, to a world of its own."""

    def __init__(self, user: User) -> None:
        self.user, self.world, self.link = user, World(), Refusing()
        self.numbers = iter(range(10**6))

    async def __aenter__(self) -> Way:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def act(self, verb: str, rest: str) -> Said:
        before = len(self.link.posted)
        code, raw = await self.ask(verb, registry.ACTIONS[verb].target, rest, ARGS.get(verb, {}))
        # Of what was sent and refused by Asterisk only that it was sent counts.
        return Said(code, len(self.link.posted) - before, ID.sub(b"", raw))

    async def ask(self, verb: str, kind: str, rest: str, args: dict[str, Any]) -> tuple[str, bytes]:
        raise NotImplementedError


class ByPython(Way):
    """`switchboard`, as ``manage.py pbx --as`` uses it."""

    async def __aenter__(self) -> Way:
        user = await sync_to_async(user_snapshot)(self.user.pk)

        book = Memory(user)
        config = PbxConfig("lab", Address.parse("ami://a:b@127.0.0.1:1"), EXTENSIONS, TRUNKS)
        self.board = Switchboard(config, book)
        worker = self.board._worker
        worker.pbx = self.world.pbx
        worker.dispatcher = Dispatcher(worker.pbx, self.link, book, self.board._answered, lambda: EPOCH)  # type: ignore[arg-type]
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.board._worker.dispatcher.finish()

    async def ask(self, verb: str, kind: str, rest: str, args: dict[str, Any]) -> tuple[str, bytes]:
        try:
            outcome = await self.board.do(verb, self.world.key(kind, rest), **args)
        except NotFound:
            return "gone", b""
        return outcome.code, json.dumps([outcome.outcome, outcome.code, outcome.detail]).encode()


class Served(Way):
    """A worker behind this process's hub, with the audit."""

    async def __aenter__(self) -> Way:
        self.hub = hubs.current()
        self.hub.snapshot(Snapshot("lab", EPOCH, 0, 1000, self.world.pbx.entities()))
        self.hub.beat(Beat("lab", EPOCH, 0, 1000, 1, 1.0, {"phase": "live", "code": "", "detail": "", "since": 0}))
        self.trail = Trail()
        self.dispatcher = Dispatcher(self.world.pbx, self.link, self.trail, self._reply, lambda: EPOCH)  # type: ignore[arg-type]
        self.taking = asyncio.create_task(self._take())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.taking.cancel()
        await self.dispatcher.finish()
        await sync_to_async(self.trail.close)()

    async def _reply(self, channel: str, message: dict[str, Any]) -> None:
        self.hub.answered(dict(message))

    async def _take(self) -> None:
        async for message in layer.messages("pbx.lab"):
            await self.dispatcher.run(message)


class BySocket(Served):
    async def __aenter__(self) -> Way:
        await super().__aenter__()
        client = Client()
        # An account that is not active opens no socket; the one that was open when it was dismissed is meant.
        active = self.user.is_active
        await User.objects.filter(pk=self.user.pk).aupdate(is_active=True)
        await sync_to_async(client.force_login)(self.user)
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()).encode()
        headers = [(b"origin", b"http://localhost"), (b"host", b"localhost"), (b"cookie", cookies)]
        self.socket = WebsocketCommunicator(application, "/ws/panel/", headers=headers)
        assert (await self.socket.connect())[0]
        await User.objects.filter(pk=self.user.pk).aupdate(is_active=active)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.socket.disconnect()
        await super().__aexit__(*error)

    async def ask(self, verb: str, kind: str, rest: str, args: dict[str, Any]) -> tuple[str, bytes]:
        id_ = f"{next(self.numbers):032x}"
        word = {"type": "cmd", "id": id_, "verb": verb, "target": self.world.place(kind, rest), "args": args}
        await self.socket.send_to(json.dumps({**word, "epoch": EPOCH}))
        heard = []
        while True:
            text = await self.socket.receive_from(10)
            message = json.loads(text)
            if message.get("id") != id_:
                continue
            heard.append(text.encode())
            if message["type"] == "result":
                return message["code"], b"\n".join(heard)


class ByRest(Served):
    async def __aenter__(self) -> Way:
        await super().__aenter__()
        self.program = await Program(self.user).ready()
        return self

    async def ask(self, verb: str, kind: str, rest: str, args: dict[str, Any]) -> tuple[str, bytes]:
        place = self.world.place(kind, rest)
        body = {"target": {"key": place["key"], "rev": place["rev"]}, "args": args}
        answer = await self.program.ask("POST", f"actions/{verb}", body)
        return json.loads(answer.content)["code"], b"%d %b %b" % (
            answer.status_code,
            json.dumps(answer.headers).encode(),
            answer.content,
        )


@pytest.fixture(autouse=True)
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """On how much a page or a token may ask: they have tests of their own."""
    monkeypatch.setattr(hubs, "_hub", Hub())
    monkeypatch.setattr(consumers, "WORDS_PER_S", 1e6)
    monkeypatch.setattr(consumers, "COMMANDS_PER_S", 1e6)
    monkeypatch.setattr(door, "COMMANDS_PER_S", 1e6)
    monkeypatch.setattr(door, "allowances", door.Allowances())
    monkeypatch.setattr(commands, "allowances", door.allowances)


WAYS: dict[str, type[Way]] = {"python": ByPython, "socket": BySocket, "rest": ByRest}


# Everybody by the cheapest way; by the others those whose answers differ most: what they may not is for all ways the
# same function's to say, what they are told is each way's own. (Without rights, or an account, nobody has a token.)
WHO: dict[str, tuple[str, ...]] = {
    "python": USERS,
    "socket": ("Team lead", "Supervisor", *OWN_ROLES),
    "rest": ("Supervisor", "Whisperer", "Blind"),
}
BY_WHOM = [(way, role) for way, roles in WHO.items() for role in roles]


def test_it_is_as_large_as_it_says() -> None:
    assert len(CASES) * len(BY_WHOM) >= 1_500
    assert {verb for verb, _ in CASES} == {*registry.ACTIONS}


@pytest.mark.parametrize(("way", "role"), BY_WHOM)
async def test_what_comes_of_it_is_what_decide_says(way: str, role: str) -> None:
    user = await sync_to_async(person)(role)
    async with WAYS[way](user) as to:
        snapshot = await sync_to_async(user_snapshot)(user.pk)
        assert snapshot is not None
        for verb, condition in CASES:
            action = registry.ACTIONS[verb]
            rest = THINGS[condition][action.target]
            target = to.world.target(action.target, rest)
            assert (target is None) is (condition in ("ended", "unknown")), (verb, condition)
            decision = decide(snapshot, action.right, target)
            said = await to.act(verb, rest)
            case = (role, way, verb, condition, said)
            if not decision.allowed:
                meant = "gone" if target is None and way == "python" else told(decision.code)[0]
                assert (said.code, said.sent) == (meant, 0), case
            elif target is None:
                assert (said.code, said.sent) == ("gone", 0), case
            else:
                assert said.sent or said.code in NOT_NOW, case


@pytest.mark.parametrize(
    ("way", "role"), [("socket", "Team lead"), ("socket", "Recorder"), ("socket", "Blind"), ("rest", "Whisperer")]
)
async def test_out_of_sight_and_unknown_are_the_same_to_her(way: str, role: str) -> None:
    """To the byte, but for the key that she asked about herself; and with whatever arguments."""
    user = await sync_to_async(person)(role)
    async with WAYS[way](user) as to:
        for verb, action in registry.ACTIONS.items():
            out, unknown = THINGS["out of scope"].get(action.target), THINGS["unknown"].get(action.target)
            if out is None or unknown is None:
                continue
            assert len(out) == len(unknown)
            one, other = await to.act(verb, out), await to.act(verb, unknown)
            assert one.raw.replace(out.encode(), unknown.encode()) == other.raw, verb
            assert one.sent == other.sent == 0
