"""What `benchmarks.fanout` measures, each as a process: `python -m benchmarks.fanout_servers hub|parts|group|floor`.

hub: Daphne as `runpanel` starts it, the panel's own consumer and hub; all see the whole floor.
parts: the same, each browser that of another team lead, whose part of the floor is one queue and her own phone: it is
told from all others, and she is shown all of the frames all the same, since all calls are that queue's.
group: the same Daphne and the same doors, with the consumer that Channels' documentation shows: a group, `group_send`,
`send_json` in the handler, the in-memory layer.
floor: no framework at all: uvloop, a frame built once and written to every transport.

Says one line when it serves (port and cookies), then takes orders by lines: how many frames, how often, how long.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, cast

Publish = Callable[[dict[str, Any]], Awaitable[None]]
ENTITY_BYTES = 200
USERS = 25
LEADS = 200
EPOCH = 7
QUEUE = "sales"


def say(**words: Any) -> None:
    print(json.dumps(words), flush=True)


def frame(seq: int, size: int) -> dict[str, Any]:
    """A frame of about so many bytes, that says when it left (ns of the monotonic clock that all processes share)."""
    number = max(1, size // ENTITY_BYTES)
    calls = {
        f"lab/17954{seq % 50:02}884.{index}": {
            "phase": "talking",
            "queue": QUEUE,
            "since": 1795412884000 + seq,
            "rev": seq,
            "parties": [],
            "reason": "as long as the keys of two parties would be, and their quotes",
            "sent": str(time.monotonic_ns()),
        }
        for index in range(number)
    }
    return {
        "type": "frame",
        "pbx": "lab",
        "epoch": EPOCH,
        "seq": seq,
        "t": 0,
        "rx": 0,
        "up": {"call": calls},
        "del": {},
    }


async def obey(publish: Publish) -> None:
    """Take orders until the input ends: {"frames", "per_s", "bytes"}."""
    loop, seq = asyncio.get_running_loop(), 0
    orders: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(orders.put_nowait, line)
        loop.call_soon_threadsafe(orders.put_nowait, "")

    threading.Thread(target=read, daemon=True).start()
    while line := await orders.get():
        order = json.loads(line)
        begin = loop.time()
        for index in range(order["frames"]):
            await asyncio.sleep(max(0.0, begin + index / order["per_s"] - loop.time()))
            seq += 1
            await publish(frame(seq, order["bytes"]))
        say(published=order["frames"], took=loop.time() - begin)
    os._exit(0)


def django(leads: int = 0) -> list[str]:
    """Set up a database with supervisors, since one user may open only so many sockets, or with so many team leads;
    the cookies of each."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "phoenix_panel.settings"
    import django as package

    package.setup()
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import Team, User

    call_command("migrate", verbosity=0)
    team = Team.objects.create(name=QUEUE)
    team.rules.create(aspect="queue", name=QUEUE)
    cookies = []
    for number in range(leads or USERS):
        user = User(username=f"bob{number}")
        user.set_unusable_password()
        user.save()
        user.groups.add(Group.objects.get(name="Team lead" if leads else "Supervisor"))
        if leads:
            user.teams.add(team)
            user.phones.create(pbx="lab", dial_string=f"PJSIP/{1000 + number}")
        client = Client()
        client.force_login(user)
        cookies.append("; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items()))
    return cookies


def daphne(application: Any, cookies: list[str], start: Callable[[], Awaitable[None]]) -> None:
    """Daphne, with the panel's own settings of it."""
    from daphne.server import Server
    from twisted.internet import reactor

    from phoenix_panel.management.commands.runpanel import BACKLOG, FRAME_BYTES, HANDSHAKE_S, MESSAGE_BYTES

    tasks: list[asyncio.Future[None]] = []
    server: Any = Server(
        application=application,
        endpoints=[f"tcp:port=0:interface=127.0.0.1:backlog={BACKLOG}"],
        websocket_timeout=-1,
        websocket_connect_timeout=HANDSHAKE_S,
        websocket_handshake_timeout=HANDSHAKE_S,
        websocket_max_message_size=MESSAGE_BYTES,
        websocket_max_frame_size=FRAME_BYTES,
        ready_callable=lambda: say(port=server.listening_addresses[0][1], cookies=cookies),
        verbosity=0,
    )
    reactor.callLater(0, lambda: tasks.append(asyncio.ensure_future(start())))
    server.run()


def parts() -> None:
    hub(LEADS)


def hub(leads: int = 0) -> None:
    cookies = django(leads)
    from floor import hub as hubs
    from floor.frames import Frame, Snapshot
    from phoenix_panel.asgi import application

    async def publish(frame: dict[str, Any]) -> None:
        hubs.current().publish(Frame("lab", EPOCH, frame["seq"], 0, 0, frame["up"], {}))

    async def start() -> None:
        hubs.current().snapshot(Snapshot("lab", EPOCH, 0, 0, {}))
        await obey(publish)

    daphne(application, cookies, start)


def group() -> None:
    cookies = django()
    from channels.auth import AuthMiddlewareStack
    from channels.generic.websocket import AsyncJsonWebsocketConsumer
    from channels.layers import get_channel_layer
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.urls import path

    from phoenix_panel.asgi import OriginGate

    class Stock(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
        async def connect(self) -> None:
            await self.channel_layer.group_add("floor", self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard("floor", self.channel_name)

        async def floor_frame(self, event: dict[str, Any]) -> None:
            await self.send_json(event["frame"])

    async def publish(frame: dict[str, Any]) -> None:
        layer = get_channel_layer()
        assert layer is not None
        await layer.group_send("floor", {"type": "floor.frame", "frame": frame})

    gate = OriginGate(AuthMiddlewareStack(URLRouter([path("ws/panel/", Stock.as_asgi())])))
    daphne(ProtocolTypeRouter({"websocket": gate}), cookies, lambda: obey(publish))


class Raw(asyncio.Protocol):
    """As little WebSocket as there can be."""

    everybody: ClassVar[set[asyncio.WriteTransport]] = set()

    def __init__(self) -> None:
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one, and doesn't inherit from it

    def connection_lost(self, error: Exception | None) -> None:
        self.everybody.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._transport in self.everybody:
            return  # what clients say
        self._head += data
        if b"\r\n\r\n" not in self._head:
            return
        begin = self._head.lower().index(b"sec-websocket-key: ") + 19
        key = self._head[begin : self._head.index(b"\r", begin)]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._transport.write(head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self.everybody.add(self._transport)


def floor() -> None:
    import uvloop

    async def publish(frame: dict[str, Any]) -> None:
        body = json.dumps(frame, separators=(",", ":")).encode()
        message = b"\x81\x7e" + len(body).to_bytes(2, "big") + body
        for transport in Raw.everybody:
            transport.write(message)

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Raw, "127.0.0.1", 0, backlog=2048)
        say(port=server.sockets[0].getsockname()[1], cookies=[])
        await obey(publish)

    uvloop.run(serve())


if __name__ == "__main__":
    {"hub": hub, "parts": parts, "group": group, "floor": floor}[sys.argv[1]]()
