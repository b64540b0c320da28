"""The browsers of `benchmarks.fanout`, in one process: `python -m benchmarks.fanout_clients PORT NUMBER [COOKIES …]`.

Bare sockets and epoll: some 10 µs for a message, so that the servers are what is measured; its own load is reported
all the same. They say `seen` as often as the page does. Takes orders by lines: reset, freeze, thaw, report.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any

SEEN_EVERY = 1.0  # seconds, as in static/js/socket.js
MASK = b"\0\0\0\0"  # a mask that masks nothing is a mask too


@dataclass(eq=False, slots=True)
class Browser:
    socket: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    received: int = 0
    snapshots: int = 0
    seq: int = 0
    said: int = 0
    frozen: bool = False
    delays: list[int] = field(default_factory=list)


def connect(port: int, cookie: str) -> Browser:
    made = socket.create_connection(("127.0.0.1", port), timeout=60)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = ["GET /ws/panel/ HTTP/1.1", f"Host: localhost:{port}", f"Origin: http://localhost:{port}"]
    lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    made.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    browser = Browser(made)
    while b"\r\n\r\n" not in browser.buffer:
        got = made.recv(4096)
        assert got, "refused"
        browser.buffer += got
    head, _, rest = bytes(browser.buffer).partition(b"\r\n\r\n")
    assert b" 101 " in head, repr(head)
    browser.buffer = bytearray(rest)
    made.setblocking(False)
    return browser


def say(browser: Browser, opcode: int, body: bytes) -> None:
    assert len(body) < 126
    browser.socket.send(bytes([0x80 | opcode, 0x80 | len(body)]) + MASK + body)


def read(browser: Browser) -> None:
    try:
        got = browser.socket.recv(1 << 18)
    except BlockingIOError:
        return
    if not got:
        raise SystemExit("a server closed a connection")
    now = time.monotonic_ns()
    buffer = browser.buffer
    buffer += got
    at, end = 0, len(buffer)
    while end - at >= 2:
        length, head = buffer[at + 1] & 0x7F, 2
        if length == 126:
            length, head = int.from_bytes(buffer[at + 2 : at + 4], "big"), 4
        elif length == 127:
            length, head = int.from_bytes(buffer[at + 2 : at + 10], "big"), 10
        if end - at < head + length:
            break
        take(browser, buffer[at] & 0x0F, buffer, at + head, at + head + length, now)
        at += head + length
    del buffer[:at]


def take(browser: Browser, opcode: int, buffer: bytearray, begin: int, end: int, now: int) -> None:
    if opcode == 9:
        say(browser, 10, bytes(buffer[begin:end]))
    if opcode != 1:
        return
    if buffer.startswith(b'{"type":"snapshot"', begin):
        browser.snapshots += 1
    # "seq" stands among the first fields, "sent" in the first entity.
    sent = buffer.find(b'"sent"', begin, end)
    if not buffer.startswith(b'{"type":', begin) or b"frame" not in buffer[begin : begin + 18] or sent < 0:
        return
    browser.received += 1
    sent = buffer.index(b'"', sent + 7) + 1
    browser.delays.append(now - int(buffer[sent : buffer.index(b'"', sent)]))
    seq = buffer.index(b'"seq":', begin) + 6
    browser.seq = int(buffer[seq : buffer.index(b",", seq)])


def seen(browser: Browser) -> None:
    if browser.seq != browser.said and not browser.frozen:
        browser.said = browser.seq
        say(browser, 1, b'{"type":"seen","pbx":"lab","epoch":7,"seq":%d}' % browser.seq)


def obey(order: dict[str, Any], browsers: list[Browser], selector: selectors.BaseSelector) -> dict[str, Any]:
    if "reset" in order:
        for browser in browsers:
            browser.received = browser.snapshots = 0
            browser.delays.clear()
    for browser in browsers[: order.get("freeze", 0)]:
        browser.frozen = True
        selector.unregister(browser.socket)
    if "thaw" in order:
        for browser in browsers:
            if browser.frozen:
                browser.frozen = False
                selector.register(browser.socket, selectors.EVENT_READ, browser)
    healthy = [browser for browser in browsers if not browser.frozen]
    delays = sorted(delay for browser in healthy for delay in browser.delays)
    return {
        "received": sum(browser.received for browser in healthy),
        "least": min(browser.received for browser in healthy),
        "snapshots": [browser.snapshots for browser in browsers],
        "seqs": [browser.seq for browser in browsers],
        "p50_ms": delays[len(delays) // 2] / 1e6 if delays else 0.0,
        "p99_ms": delays[len(delays) * 99 // 100] / 1e6 if delays else 0.0,
    }


def main() -> None:
    port, number, cookies = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    browsers = [connect(port, cookies[index % len(cookies)] if cookies else "") for index in range(number)]
    selector = selectors.DefaultSelector()
    for browser in browsers:
        selector.register(browser.socket, selectors.EVENT_READ, browser)
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    print(json.dumps({"connected": number}), flush=True)
    speaks = bool(cookies)
    next_seen, turn = time.monotonic(), 0
    while True:
        for key, _ in selector.select(0.005):
            if key.data is not None:
                read(key.data)
            else:
                line = sys.stdin.readline()
                if not line:
                    return
                print(json.dumps(obey(json.loads(line), browsers, selector)), flush=True)
        # A fiftieth of them each 5 ms: not all at the same moment.
        if speaks and time.monotonic() >= next_seen:
            next_seen += SEEN_EVERY / 50
            for browser in browsers[turn::50]:
                seen(browser)
            turn = (turn + 1) % 50


if __name__ == "__main__":
    main()
