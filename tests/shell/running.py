"""The command as it is typed: in this process, or in one of its own; and a PBX whose phones a test moves."""

from __future__ import annotations

import io
import json
from typing import Any, NamedTuple

from django.core.management import call_command
from django.core.management.base import CommandError

from demo.server import USER
from tests.demo.stages import DemoStage


class Ran(NamedTuple):
    """One run: its exit code, and what it said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def entities(self, kind: str) -> dict[str, dict[str, Any]]:
        return {line["key"]: line["entity"] for line in self.lines if line["kind"] == kind}


def pbx(*arguments: str) -> Ran:
    return run("pbx", *arguments)


def run(*arguments: str) -> Ran:
    """``manage.py …`` in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command(*arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as end:
        code = int(str(end.code))
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return Ran(code, out.getvalue(), err.getvalue())


def url(stage: DemoStage) -> str:
    return f"ami://{USER}:bytes@127.0.0.1:{stage.server.port}"
