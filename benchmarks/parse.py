"""What parsing costs: our client, panoramisk and the others on PyPI, on ≥ 20 MB of real bytes, none sent twice.

The bytes are recorded from a real Asterisk 22 (see ``benchmarks.recording``), and come to each client through a real
socket on localhost, from a server that only logs it in and then sends: so each reads in the way its authors chose.
Each run is a process of its own, and what counts is that process's CPU seconds, user and system. The clients take
turns, round after round, so that what else the machine does comes to all of them; ratios are medians of the rounds'.
A client that loses events is not marked down for it: the rate is events sent for a CPU second.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import venv
from pathlib import Path
from typing import Any

from benchmarks.parse_clients import BEGIN, CLIENTS, END, HOST, OTHERS, WAZO_PARSER
from benchmarks.recording import FOLDER, recording
from benchmarks.report import report

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ROUNDS = 5
LIMIT_S = 300  # the slowest takes some 10 s


def python() -> Path:
    """The interpreter of the clients' own environment, made now if it is not there or not up to date."""
    folder = FOLDER / "venv"
    stamp, wanted = folder / "stamp", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True)
        stamp.write_text(wanted)
    return folder / "bin" / "python"


class Server:
    """Greets, accepts any login, sends the recording once, and keeps the connection open until the client ends it."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection, contextlib.suppress(ConnectionError):  # the client ends at the last event
                self._one(connection)

    def _one(self, connection: socket.socket) -> None:
        connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        data = b""
        while b"Action: Login" not in data or not data.endswith(b"\r\n\r\n"):
            data += connection.recv(65536)
            if b"Action: Challenge" in data and data.endswith(b"\r\n\r\n"):
                connection.sendall(_answer(data, b"Challenge: 123456789"))
                data = b""
        connection.sendall(_answer(data, b"Message: Authentication accepted"))
        connection.sendall(self._stream)
        while connection.recv(65536):
            pass


def _answer(action: bytes, line: bytes) -> bytes:
    found = re.search(rb"(?i)ActionID: [^\r]*", action)
    return b"\r\n".join((b"Response: Success", *([found[0]] if found else []), line, b"", b""))


def stream(path: Path) -> tuple[bytes, int]:
    """What is sent after the login, and how many events are in it (list items too, answers not)."""
    data = path.read_bytes()
    data = data[data.index(b"Authentication accepted\r\n\r\n") + len(b"Authentication accepted\r\n\r\n") :]
    data = data[: data.rindex(b"\r\n\r\n") + 4]
    events = len(re.findall(rb"(?:^|\n)Event: ", data))
    begin, end = (f"Event: {name}\r\nPrivilege: call,all\r\n\r\n".encode() for name in (BEGIN, END))
    return begin + data + end, events


def run(interpreter: Path, name: str, port: int) -> dict[str, Any]:
    """One client, once."""
    done = subprocess.run(
        [interpreter, "-m", "benchmarks.parse_clients", name, str(port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # some log what they cannot parse
        timeout=LIMIT_S,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(rounds: int, wazo: str) -> tuple[dict[str, float | int | str], str]:
    """All clients in turn, round after round."""
    path, version = recording()
    data, events = stream(path)
    interpreter, server = python(), Server(data)
    if wazo:
        os.environ[WAZO_PARSER] = str(Path(wazo).resolve())
    names = [name for name in CLIENTS if name != "wazo-amid" or wazo]
    cpu: dict[str, list[float]] = {name: [] for name in names}
    lost = dict.fromkeys(names, 0)
    for number in range(rounds):
        for name in names:
            found = run(interpreter, name, server.port)
            cpu[name].append(found["cpu_s"])
            lost[name] = max(lost[name], events - found["events"])
            print(f"round {number} {name}: {found}", file=sys.stderr, flush=True)

    def times(ours: str, theirs: str) -> float:
        return statistics.median(b / a for a, b in zip(cpu[ours], cpu[theirs], strict=True))

    rivals = [name for name in names if name in OTHERS or name == "wazo-amid"]
    best = min((name for name in rivals if name != "panoramisk"), key=lambda name: statistics.median(cpu[name]))
    figures: dict[str, float | int | str] = {
        "eager_vs_panoramisk": times("eager", "panoramisk"),
        "eager_vs_next_best": times("eager", best),
        "next_best": best,
        "lazy_vs_panoramisk": times("lazy", "panoramisk"),
        "lazy_vs_next_best": times("lazy", best),
        "floor_vs_lazy": times("floor", "lazy"),
        "megabytes": len(data) / 1e6,
        "events": events,
        "rounds": rounds,
    }
    for name in names:
        key = name.replace("-", "_")
        figures[f"{key}_events_per_cpu_s"] = round(events / statistics.median(cpu[name]))
        if name in rivals:
            figures[f"{key}_lost"] = lost[name]
    return figures, version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often each is run ({ROUNDS})")
    parser.add_argument("--wazo", default="", metavar="FILE", help="wazo-amid's parser.py, to measure it too")
    arguments = parser.parse_args()
    figures, version = measure(arguments.rounds, arguments.wazo)
    report(figures, version, as_json=arguments.json)


if __name__ == "__main__":
    main()
