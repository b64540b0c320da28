"""A script on the demo PBX, with Django out of reach; and that it takes nobody else's commands."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from channels.layers import get_channel_layer

import switchboard
from demo.server import USER
from floor.hub import worker_channel
from switchboard import NoLink
from tests.demo.stages import DemoStage, demo_stage

ROOT = Path(__file__).resolve().parents[2]

WITHOUT_DJANGO = """
import sys
for name in ("django", "channels", "redis", "psycopg"):
    sys.modules[name] = None
"""


@pytest.fixture
def stage() -> Iterator[DemoStage]:
    with demo_stage() as stage:
        yield stage


def url(stage: DemoStage) -> str:
    return f"ami://{USER}:bytes@127.0.0.1:{stage.server.port}"


def script(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_DJANGO + text],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_pages_example_runs_without_django(stage: DemoStage) -> None:
    """As it is printed, but for the address."""
    stage.dial("201", "101")
    stage.answer("101")
    stage.dial("202", "801")
    stage.quiet()
    (text,) = [text for text in examples() if "import switchboard" in text]
    done = script(text.replace("ami://phoenix:SECRET@127.0.0.1:5038", url(stage)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "talking" in done.stdout
    assert "Outcome(outcome='done'" in done.stdout
    assert not stage.pbx.channels or all(one.device != "PJSIP/101" for one in stage.pbx.channels.values())


def test_every_action_is_there_without_django() -> None:
    """The same that the panel has."""
    from floor import registry

    done = script("import switchboard; from floor import registry; switchboard.features(); print(*registry.ACTIONS)")
    assert done.stderr == ""
    assert set(done.stdout.split()) == set(registry.ACTIONS)
    done = script("import switchboard; from floor import registry; switchboard.features(); print(*registry.KINDS)")
    assert set(done.stdout.split()) == set(registry.KINDS)


def test_a_django_without_settings_is_as_good_as_none() -> None:
    """A script in the panel's own environment: Django can be imported there, and would raise at the first word."""
    text = (
        "import switchboard as s; from floor.registry import ACTIONS; s.features(); print(ACTIONS['calls.stop'].label)"
    )
    around = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, env=around, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("Stop listening\n", "")


async def test_what_comes_of_it(stage: DemoStage) -> None:
    await asyncio.to_thread(stage.dial, "201", "101")
    async with switchboard.connect(url(stage), name="lab", phone="PJSIP/900") as board:
        await board.until(lambda: any(call["phase"] == "ringing" for call in board.all("call")), 5)
        refused = await board.do("calls.listen", "101")
        assert (refused.outcome, refused.code, refused.done) == ("refused", "not_now", False)
        await asyncio.to_thread(stage.answer, "101")
        await board.until(lambda: any(call["phase"] == "talking" for call in board.all("call")), 5)
        heard = await board.do("calls.listen", "101")
        assert (heard.done, heard.verb, heard.words) == (True, "calls.listen", "201 → 101 Agent 101")
        (spy,) = board.all("spy")
        assert (spy["mode"], spy["user"]) == ("listen", "script")
        wrong = await board.do("calls.listen", "101", nonsense=1)
        assert (wrong.outcome, wrong.code) == ("refused", "bad_command")
        with pytest.raises(KeyError):
            await board.do("calls.nonsense", "101")
        old = board.find("calls.hangup", "101")
        assert (await board.do("calls.hangup", "101")).done
        assert (await board.do_to("calls.hangup", old)).code == "gone"


async def test_two_at_once_have_their_own_answers(stage: DemoStage) -> None:
    for who in ("201", "202"):
        await asyncio.to_thread(stage.dial, who, "801")
    async with switchboard.connect(url(stage)) as board:
        await board.until(lambda: len([*board.all("participant")]) == 2, 5)
        first, second = await asyncio.gather(board.do("conferences.mute", "201"), board.do("conferences.kick", "202"))
        assert [(one.verb, one.outcome) for one in (first, second)] == [
            ("conferences.mute", "done"),
            ("conferences.kick", "done"),
        ]


async def test_no_link() -> None:
    with pytest.raises(NoLink) as caught:
        async with switchboard.connect("ami://u:s@127.0.0.1:1"):
            raise AssertionError("there is nobody")
    assert caught.value.code == "unreachable"


async def test_it_takes_no_command_from_the_panels_layer(stage: DemoStage) -> None:
    """Beside a panel over Redis, both would hear it: and it would be done twice."""
    layer = get_channel_layer()
    assert layer is not None
    async with switchboard.connect(url(stage), name="shelltest") as board:
        await layer.send(worker_channel("shelltest"), {"is": "not ours"})
        await board.until(lambda: board.link["phase"] == "live", 5)
        async with asyncio.timeout(5):
            assert await layer.receive(worker_channel("shelltest")) == {"is": "not ours"}
