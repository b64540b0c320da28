"""The panel as a user starts it: `manage.py runpanel` in a process of its own, with its own database."""

from __future__ import annotations

import os
import re
import selectors
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent.parent
START_S = 20.0
OUTCOME_S = 2.0
PASSWORD = re.compile(r"signs in with the password (\S+)")


class Panel:
    """One running panel. Use as a context manager."""

    options: tuple[str, ...] = ()
    """Of ``runpanel``, beside its port."""

    def __init__(self, var: Path, **environment: str) -> None:
        """``environment``: the settings, as in ``PHOENIX_PBX="ami://…"``; the surroundings' own are not inherited."""
        self.var = var
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PHOENIX_")}
        kept.pop("DATABASE_URL", None)
        kept["DJANGO_SETTINGS_MODULE"] = "phoenix_panel.settings"
        ours = {"PHOENIX_VAR": str(var), "PHOENIX_ENV_FILE": os.devnull, "PHOENIX_MFA": "off"}
        self._environment = {**kept, **ours, **environment}
        self._process: subprocess.Popen[str] | None = None
        self._said = ""
        self.url = ""

    def manage(self, *arguments: str) -> str:
        """Run one command of ``manage.py`` and return what it says."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def user(self, name: str, role: str = "", *more: str) -> str:
        """Make a user; her password."""
        roles = ["--role", role] if role else []
        match = PASSWORD.search(self.manage("createoperator", name, *roles, *more))
        assert match is not None
        return match.group(1)

    def set_up(self) -> None:
        """Database and static files."""
        self.manage("migrate", "-v0")
        self.manage("collectstatic", "--noinput", "-v0")

    def __enter__(self) -> Self:
        return self.start()

    def start(self, port: int = 0) -> Self:
        """Start it, on a free port if none is given, and wait until it serves."""
        self._begin("runpanel", *self.options, "--port", str(port))
        line = self.line()
        match = re.search(r"http://[^/]+/", line)
        assert match is not None, line + (self.var / "log").read_text()
        self.url = match.group(0)
        return self

    def _begin(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=(self.var / "log").open("a"),
            text=True,
        )

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1].rstrip("/"))

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def line(self) -> str:
        """The next one that it says."""
        assert self._process is not None
        assert self._process.stdout is not None
        out = self._process.stdout.fileno()  # past the file's own buffer, which may hold more than one line
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            until = time.monotonic() + START_S
            while "\n" not in self._said and time.monotonic() < until:
                if selector.select(0.2):
                    self._said += os.read(out, 65536).decode() or "it has ended\n"
        line, _, self._said = self._said.partition("\n")
        return line or "it did not start"

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            code = self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return code

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def audit(self) -> list[tuple[str, str, str, str]]:
        """(kind, verb, outcome, code) of every entry about a command, oldest first.

        An answer does not wait for the entry of its outcome: it is waited for here.
        """
        kinds_of_it = "'intent', 'outcome', 'denied'"
        question = f"SELECT kind, verb, outcome, code FROM audit_entry WHERE kind IN ({kinds_of_it}) ORDER BY id"
        until = time.monotonic() + OUTCOME_S
        while True:
            with sqlite3.connect(f"file:{self.var / 'phoenix.sqlite3'}?mode=ro", uri=True) as database:
                rows = [(str(a), str(b), str(c), str(d)) for a, b, c, d in database.execute(question)]
            kinds = [kind for kind, *_ in rows]
            if kinds.count("outcome") >= kinds.count("intent") or time.monotonic() > until:
                return rows
            time.sleep(0.05)

    @property
    def log(self) -> str:
        return (self.var / "log").read_text()


class Web(Panel):
    """A process that serves browsers only; workers elsewhere tell it, over the Redis that its settings name."""

    options = ("--web",)


class Post(Panel):
    """One PBX's worker as a process of its own: ``lab``."""

    def start(self, port: int = 0) -> Self:
        """Start it, and wait until it runs; not until its PBX is live."""
        self._begin("runpbx", "lab")
        line = self.line()
        assert "lab" in line, line + self.log
        return self
