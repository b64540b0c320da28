"""The example of docs/ami.md, as it stands there, in a process of its own where nothing but Python can be imported."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest

import ami
from tests.ami.peer import Peer
from tests.lab.instance import Asterisk

ROOT = Path(__file__).resolve().parents[2]
URL = "ami://phoenix:SECRET@127.0.0.1:5038"
# -I: neither the folder it runs in nor the environment says what it may import; -S: no installed package.
ALONE = "import sys; assert 'packages' not in str(sys.path); sys.path.append(sys.argv[1]); exec(sys.stdin.read())"


async def run(url: str) -> str:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/ami.md").read_text(), re.DOTALL)
    assert URL in code
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", ALONE, ROOT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(code.replace(URL, url).encode())
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_the_example(peer: Peer) -> None:
    peer.answers["CoreSettings"] = lambda c, a: c.answer(a, "Success", "AsteriskVersion: 22.0.0")
    said = await run(f"ami://panel:s3cr3t%2F%3F%23@127.0.0.1:{peer.port}")
    assert said.splitlines()[-1] == "22.0.0"
    assert "<Message FullyBooted" in said
    assert peer.connections[0].names()[-1] == "Logoff"


@pytest.mark.asterisk
async def test_the_example_on_a_real_one(asterisk: Asterisk) -> None:
    said = await run(asterisk.ami_url())
    assert said.splitlines()[-1].startswith(f"{asterisk.version}.")


def test_what_the_page_says_exists() -> None:
    text = (ROOT / "docs/ami.md").read_text()
    errors = [name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert len(errors) == 8
    for name in [*errors, *re.findall(r"`(?:ami\.)?([A-Z]\w+)\(", text)]:
        assert hasattr(ami, name), name
    for name in re.findall(r"`([a-z_]+)\(", text):
        assert any(hasattr(thing, name) for thing in (ami, ami.Session, ami.Link, ami.Message)), name
