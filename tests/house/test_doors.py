"""What strangers can do to a running panel before they sign in: nothing that the others would notice."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from phoenix_panel.management.commands.runpanel import others_are_refused, urls
from tests.browser.running import ROOT, Panel

MIB = 1024 * 1024
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    running = Panel(tmp_path_factory.mktemp("doors"), PHOENIX_LOG_FORMAT="json")
    running.set_up()
    with running:
        yield running


class Peer:
    """A plain socket to the panel: it sends what no browser would."""

    def __init__(self, panel: Panel) -> None:
        self._socket = socket.create_connection(("127.0.0.1", panel.port), timeout=10)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *gone: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def stream(self, piece: bytes, most: int) -> int:
        """Send again and again until the panel hangs up; the bytes that it took."""
        sent = 0
        try:
            while sent < most:
                self._socket.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        return sent

    def answer(self) -> bytes:
        """All that comes until the panel closes."""
        found = b""
        try:
            while piece := self._socket.recv(65536):
                found += piece
        except ConnectionError:
            pass
        return found

    def first(self) -> bytes:
        """What comes next; nothing, if the panel has hung up."""
        try:
            return self._socket.recv(65536)
        except ConnectionError:
            return b""


def head(*lines: str, method: str = "POST", path: str = "/livez") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def memory(panel: Panel) -> int:
    """The most that the panel ever had, in bytes."""
    status = Path(f"/proc/{panel.pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def test_a_long_body_is_refused_before_it_comes(panel: Panel) -> None:
    with Peer(panel) as peer:
        peer.send(head("Host: localhost", f"Content-Length: {300 * MIB}"))
        began = time.monotonic()
        answer = peer.answer()
        assert time.monotonic() - began < 5
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"1 MiB" in answer


def test_who_asks_first_is_told_at_once(panel: Panel) -> None:
    with Peer(panel) as peer:
        peer.send(head("Host: localhost", f"Content-Length: {2 * MIB}", "Expect: 100-continue"))
        answer = peer.answer()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_a_long_body_is_not_kept(panel: Panel) -> None:
    before = memory(panel)
    for header, piece in (
        (f"Content-Length: {300 * MIB}", b"x" * MIB),
        ("Transfer-Encoding: chunked", b"%x\r\n" % MIB + b"x" * MIB + b"\r\n"),
        ("Transfer-Encoding: chunked", b"400\r\n" + b"x" * 1024 + b"\r\n"),
    ):
        with Peer(panel) as peer:
            peer.send(head("Host: localhost", header))
            # It takes a little while to cut off who does not stop; so long it throws away what comes.
            began = time.monotonic()
            peer.stream(piece, 20_000 * MIB)
            assert time.monotonic() - began < 10
    assert memory(panel) - before < 32 * MIB
    with Peer(panel) as peer:
        peer.send(head("Host: localhost", method="GET"))
        assert peer.first().startswith(b"HTTP/1.1 200 ")


def test_a_chunked_body_that_grew_too_long_gets_the_same_answer(panel: Panel) -> None:
    with Peer(panel) as peer:
        peer.send(head("Host: localhost", "Transfer-Encoding: chunked"))
        for _ in range(17):
            peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        peer.send(b"0\r\n\r\n")
        answer = peer.answer()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_of_the_longest_kind_is_read(panel: Panel) -> None:
    """Declared and chunked, one after another on one connection: Django's own no, to a form without its token."""
    connection = http.client.HTTPConnection("127.0.0.1", panel.port, timeout=10)
    for chunked in (False, True, False):
        body: object = iter([b"x" * (MIB // 2)] * 2) if chunked else b"x" * MIB
        connection.request("POST", "/livez", body=body, encode_chunked=chunked)  # type: ignore[arg-type]
        response = connection.getresponse()
        assert response.status == 403
        assert b"CSRF" in response.read()
    connection.close()


def upgrade(host: str, path: str, *more: str, origin: str = "http://localhost") -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return head(
        f"Host: {host}",
        f"Origin: {origin}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        *more,
        method="GET",
        path=path,
    )


@pytest.mark.parametrize(
    "request_",
    [
        upgrade("[", "/ws/panel/"),
        upgrade("\u00bd", "/ws/panel/"),
        upgrade("localhost", "/ws/other/"),
        upgrade("localhost", "/"),
        upgrade("localhost", "/ws/panel/more/"),
        upgrade("localhost", "/ws/other/", "Daphne-Root-Path: /elsewhere"),
    ],
    ids=["host", "sign", "path", "root", "deeper", "root path"],
)
def test_a_socket_to_nowhere_is_turned_away_quietly(panel: Panel, request_: bytes) -> None:
    before = len(panel.log)
    with Peer(panel) as peer:
        peer.send(request_)
        assert peer.first().startswith(b"HTTP/1.1 403 ")
    time.sleep(1.5)  # Daphne looks once a second for what its applications raised
    assert "traceback" not in panel.log[before:].lower()


@pytest.mark.parametrize(
    "request_",
    [
        head("Host: evil.example", method="GET"),
        head("Host: [", method="GET", path="/"),
        head("Host: localhost", "Daphne-Root-Path: \xff", method="GET"),
        head("Host: localhost", "Daphne-Root-Path: /elsewhere", method="GET"),
    ],
    ids=["host", "no host", "no root path", "root path"],
)
def test_strange_requests_leave_no_traceback(panel: Panel, request_: bytes) -> None:
    before = len(panel.log)
    with Peer(panel) as peer:
        peer.send(request_)
        assert peer.first()[:12] in {b"HTTP/1.1 200", b"HTTP/1.1 400"}
    time.sleep(1.5)
    said = panel.log[before:]
    assert "traceback" not in said.lower()
    for line in said.splitlines():
        json.loads(line)


def test_an_unknown_name_is_told_what_to_set(client: Client) -> None:
    response = client.get("/accounts/login/", headers={"host": "panel.example:8000"})
    assert response.status_code == 400
    assert "PHOENIX_HOSTS=panel.example<" in response.content.decode()
    response = client.get("/accounts/login/", headers={"host": "<b>", "accept-language": "ru"})
    assert response.status_code == 400
    assert "PHOENIX_HOSTS=name.or.address<" in response.content.decode()
    assert "Панель не знает этого адреса" in response.content.decode()


@pytest.mark.parametrize(
    ("host", "allowed", "found", "refused"),
    [
        ("127.0.0.1", LOOPBACK, ["http://127.0.0.1:8000/"], False),
        ("localhost", LOOPBACK, ["http://localhost:8000/"], False),
        ("::1", LOOPBACK, ["http://[::1]:8000/"], False),
        ("0.0.0.0", LOOPBACK, ["http://127.0.0.1:8000/"], True),
        ("::", LOOPBACK, ["http://127.0.0.1:8000/"], True),
        ("192.0.2.7", LOOPBACK, ["http://192.0.2.7:8000/"], True),
        (
            "0.0.0.0",
            ["panel.example", "2001:db8::7"],
            ["http://panel.example:8000/", "http://[2001:db8::7]:8000/"],
            False,
        ),
        ("0.0.0.0", [*LOOPBACK, ".example"], ["http://127.0.0.1:8000/", "http://example:8000/"], False),
        ("0.0.0.0", ["*"], ["http://0.0.0.0:8000/"], False),
    ],
)
def test_it_says_addresses_that_can_be_opened(host: str, allowed: list[str], found: list[str], refused: bool) -> None:
    assert urls(host, 8000, allowed) == found
    assert others_are_refused(host, allowed) is refused


def test_listening_for_others_without_a_name_is_said(panel: Panel) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PHOENIX_")} | {
        "DJANGO_SETTINGS_MODULE": "phoenix_panel.settings",
        "PHOENIX_VAR": str(panel.var),
        "PHOENIX_ENV_FILE": os.devnull,
    }
    running = subprocess.Popen(
        [sys.executable, "manage.py", "runpanel", "--host", "0.0.0.0", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert "http://127.0.0.1:" in running.stdout.readline()
    time.sleep(0.5)
    running.terminate()
    _, said = running.communicate(timeout=15)
    assert said.count("PHOENIX_HOSTS=name.or.address") == 1


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        (["Origin: http://evil.example"], b"400"),
        (["X-Thing: a\x0bOrigin: http://localhost"], b"400"),
        (["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example"], b"101"),
    ],
    ids=["two origins", "smuggled", "a proxy's words"],
)
def test_headers_of_a_socket_are_what_they_are(panel: Panel, more: list[str], answer: bytes) -> None:
    """A second Origin, one hidden in another header, and what only a proxy might say."""
    host = f"localhost:{panel.port}"
    with Peer(panel) as peer:
        peer.send(upgrade(host, "/ws/panel/", *more, origin=f"http://{host}"))
        assert peer.first().split()[1] == answer


def test_a_proxys_words_are_nobodys(panel: Panel) -> None:
    """With no proxy named, whoever writes its headers is believed nothing: neither the host nor https, nor whence."""
    said = "http://evil.example/"
    with Peer(panel) as peer:
        forwarded = ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443"]
        peer.send(head("Host: localhost", *forwarded, "Connection: close", method="GET", path="/calls/"))
        answer = peer.answer()
    assert answer.startswith(b"HTTP/1.1 302 ")
    assert re.search(rb"(?mi)^location: /accounts/login/\?next=/calls/\r$", answer)
    assert said.encode() not in answer


def framed(payload: bytes, opcode: int, *, last: bool) -> bytes:
    """One frame of a browser's, masked with nothing."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    else:
        length = b"\xfe" + size.to_bytes(2, "big") if size < 65_536 else b"\xff" + size.to_bytes(8, "big")
    return bytes([(0x80 if last else 0) | opcode]) + length + b"\0\0\0\0" + payload


@pytest.fixture(scope="module")
def session(panel: Panel) -> str:
    """A supervisor's cookie."""
    panel.user("bob", "Supervisor")
    words = "; ".join(
        (
            "from django.test import Client",
            "from accounts.models import User",
            "client = Client()",
            "client.force_login(User.objects.get(username='bob'))",
            "print('key', client.session.session_key)",
        )
    )
    return panel.manage("shell", "-v0", "-c", words).split()[-1]


@pytest.mark.parametrize(
    ("pieces", "taken"),
    [((30_000, 30_000), True), ((70_000,), False), ((40_000, 40_000), False), ((1_000,) * 70, False)],
    ids=["not so long", "one", "two", "many"],
)
def test_a_long_message_is_not_gathered(panel: Panel, session: str, pieces: tuple[int, ...], taken: bool) -> None:
    """In one frame or in several: who sends it is put out before it is whole."""
    host = f"localhost:{panel.port}"
    with Peer(panel) as peer:
        peer.send(upgrade(host, "/ws/panel/", f"Cookie: phoenix={session}", origin=f"http://{host}"))
        heard = b""
        while b'"hello"' not in heard:
            heard += peer.first()
        for number, size in enumerate(pieces):
            peer.stream(framed(b"x" * size, 0 if number else 1, last=False), 1)
        peer.stream(framed(b"are you there?", 9, last=True), 1)  # WebSocket's own ping: it may come in between
        heard = b""
        while b"are you there?" not in heard and (more := peer.first()):
            heard += more
    assert (b"are you there?" in heard) is taken


def test_no_secret_is_in_the_log(tmp_path: Path) -> None:
    """At its most talkative: of the PBX, of cookies, passwords, tokens, and the panel's own key; wherever one came."""
    canary = "kAnArY"
    key = f"{canary}-key-{'0123456789abcdefghijklmnopqrstuvwxyz' * 2}"
    pbx = f"ami://panel:{canary}-ami@127.0.0.1:1"
    running = Panel(
        tmp_path, PHOENIX_LOG_FORMAT="json", PHOENIX_LOG_LEVEL="debug", PHOENIX_PBX_LAB=pbx, SECRET_KEY=key
    )
    running.set_up()
    secret = f"phx_aaaaaaaa_{canary}{'A' * 37}"
    with running:
        host = f"localhost:{running.port}"
        for sent in (
            head(f"Host: {host}", f"Authorization: Bearer {secret}", method="GET", path="/api/v1/state"),
            head(f"Host: {host}", f"Cookie: phoenix={canary}-cookie; csrf={canary}", method="GET", path="/calls/"),
            head(f"Host: {host}", method="GET", path=f"/calls/?token={secret}"),
            head(f"Host: {host}", "Authorization: Basic " + base64.b64encode(f"x:{canary}".encode()).decode()),
            upgrade(host, "/ws/panel/", f"Cookie: phoenix={canary}-cookie", origin=f"http://{host}"),
            upgrade(host, f"/ws/panel/?token={secret}", origin=f"http://{host}"),
            upgrade(host, "/ws/panel/", f"Authorization: Bearer {secret}", origin=f"http://{host}"),
        ):
            with Peer(running) as peer:
                peer.send(sent)
                assert peer.first().startswith(b"HTTP/1.1 ")
        opener = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
        token = "a" * 32
        form = f"username=bob&password={canary}-password&csrfmiddlewaretoken={token}"
        kind = "application/x-www-form-urlencoded"
        opener.request("POST", "/accounts/login/", form, {"Cookie": f"csrf={token}", "Content-Type": kind})
        assert opener.getresponse().status == 200
        opener.close()
    assert "lab" in running.log, "it is a log of what went on"
    assert canary not in running.log
    for line in running.log.splitlines():
        json.loads(line)


def test_our_server_is_known_never_to_wait() -> None:
    """It is Daphne's own method that doesn't: a subclass of ours that has it is as good, one with another is not."""
    from functools import partial

    from phoenix_panel.asgi import never_waits
    from phoenix_panel.server import Server

    class Slow(Server):
        async def handle_reply(self, protocol: object, message: object) -> None:
            pass

    assert never_waits(partial(Server.__new__(Server).handle_reply, None))
    assert not never_waits(partial(Slow.__new__(Slow).handle_reply, None))
