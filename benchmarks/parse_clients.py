"""One AMI client in a process of its own, for ``benchmarks.parse``: ``python -m benchmarks.parse_clients NAME PORT``.

Each logs in as its documentation says, through its own socket code, and counts what its own event handler gets, until
the event that ends the run. Then it prints one JSON line: events counted, CPU seconds from the first event to then.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

END = "BenchmarkEnd"
BEGIN = "BenchmarkBegin"
MARKS = frozenset((BEGIN, END))
HOST = "127.0.0.1"
WAZO_PARSER = "PHOENIX_WAZO_PARSER"

_begun = 0.0
_events = 0


def take(name: str) -> None:
    """Count one event; ``BEGIN`` starts the clock (log-in and imports are over), ``END`` ends the process."""
    global _begun, _events
    _events += 1
    if name in MARKS:
        if name == END:
            finish(_events - 2)
        _begun, _events = time.process_time(), 1


def finish(events: int) -> NoReturn:
    """Say what was measured, and end without a look back: some clients would connect again."""
    print(json.dumps({"events": events, "cpu_s": time.process_time() - _begun}), flush=True)
    os._exit(0)


# Ours, as a script uses it: ami.connect, the same Session that the panel has.


def eager(port: int) -> None:
    """Every event's headers into a dict, wanted or not."""

    def on_event(message: Any) -> None:
        message.get("Uniqueid")
        take(message.event)

    _ours(port, on_event)


def lazy(port: int) -> None:
    """As the panel ships: each event is looked up in the model's own table, and decoded when it stands there.

    The handler's own work is not measured, only that all of its event's headers are ready to be asked for.
    """
    from live.pbx import HANDLERS

    def on_event(message: Any) -> None:
        if HANDLERS.get(message.event) is not None:
            message.get("Uniqueid")
        take(message.event)

    _ours(port, on_event)


def _ours(port: int, on_event: Callable[[Any], None]) -> None:
    import ami

    async def run() -> None:
        await ami.connect(f"ami://bench:secret@{HOST}:{port}", events="on", on_event=on_event)
        await asyncio.Event().wait()

    asyncio.run(run())


def floor(port: int) -> None:
    """What nobody can go below: receive, and count the ends of messages."""
    connection = _logged_in(port)
    take(BEGIN)
    events, end = 0, END.encode()
    while True:
        data = connection.recv(256 * 1024)
        events += data.count(b"\r\n\r\n")
        if end in data:
            finish(events)


# The others.


def panoramisk(port: int) -> None:
    from panoramisk import Manager

    manager = Manager(loop=asyncio.new_event_loop(), host=HOST, port=port, username="bench", secret="secret")
    manager.register_event("*", lambda manager, message: take(message.event))
    manager.connect()
    manager.loop.run_forever()


def asterisk_ami(port: int) -> None:
    from asterisk.ami import AMIClient

    client = AMIClient(address=HOST, port=port, timeout=60)
    client.add_event_listener(lambda event, **_: take(event.name))
    client.login("bench", "secret")
    client._thread.join()


def basicami(port: int) -> None:
    from basicami import BasicAMI

    async def run() -> None:
        client = await BasicAMI.connect(HOST, port, "bench", "secret")
        while True:
            for event in await client.get_events(timeout=10):
                take(event["Event"])

    asyncio.run(run())


def pyami_asterisk(port: int) -> None:
    from pyami_asterisk import AMIClient

    client = AMIClient(host=HOST, port=port, username="bench", secret="secret", ping_delay=0)
    client.register_event(["*"], lambda event: take(event.get("Event", "")))
    client.connect()


def astami(port: int) -> None:
    """It hands on no events: driven here is the reader by which it looks for answers, message after message."""
    from astami.client import EOM, AMIResponse, AsyncAMIClient

    async def run() -> None:
        client = AsyncAMIClient(host=HOST, port=port, username="bench", secret="secret", timeout=60)
        await client.connect()
        await client.login()
        while True:
            message = AMIResponse.from_raw(await client._read_until(EOM))
            take(message.data.get("Event", ""))

    asyncio.run(run())


def wazo_amid(port: int) -> None:
    """Its parser alone (GPL, not on PyPI: see README.md), in a loop of recv as its own client's, 4,096 bytes each."""
    spec = importlib.util.spec_from_file_location("wazo_parser", os.environ[WAZO_PARSER])
    assert spec is not None
    assert spec.loader is not None
    parser: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parser)
    connection, buffer = _logged_in(port), b""
    while True:
        buffer += connection.recv(4096)
        buffer = parser.parse_buffer(buffer, lambda name, *_: take(name), None)


def _logged_in(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port))
    connection.sendall(b"Action: Login\r\nUsername: bench\r\nSecret: secret\r\nActionID: 1\r\n\r\n")
    data = b""
    while b"accepted\r\n\r\n" not in data:
        data += connection.recv(1)
    return connection


OTHERS: dict[str, Callable[[int], None]] = {
    "panoramisk": panoramisk,
    "asterisk-ami": asterisk_ami,
    "basicami": basicami,
    "pyami-asterisk": pyami_asterisk,
    "astami": astami,
}
CLIENTS = {"floor": floor, "lazy": lazy, "eager": eager, **OTHERS, "wazo-amid": wazo_amid}

if __name__ == "__main__":
    CLIENTS[sys.argv[1]](int(sys.argv[2]))
