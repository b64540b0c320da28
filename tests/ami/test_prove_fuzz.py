"""A minute of coverage-guided fuzz: nothing escapes from the protocol but its own errors."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.traps import RECORDINGS

SECONDS = 60
# libFuzzer's limit for one input: twice the small caps' message, so that all caps can be broken.
LONGEST = 1024


@pytest.mark.prove
@pytest.mark.timeout(SECONDS * 3)
def test_nothing_but_its_own_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(
        "atheris", reason="`make prove` installs it where it can be had: Linux on x86-64, Python < 3.14"
    )
    stream = gzip.decompress((RECORDINGS / "traps-22.ami.gz").read_bytes())
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, message in enumerate(stream.split(b"\r\n\r\n")):
        (corpus / str(number)).write_bytes(b"\0" + message[: LONGEST // 2] + b"\r\n\r\n")
    done = subprocess.run(
        [sys.executable, "-m", "tests.ami.fuzz", str(corpus), f"-max_total_time={SECONDS}", f"-max_len={LONGEST}"],
        cwd=Path(__file__).resolve().parents[2],
        env={"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = re.search(r"Done (\d+) runs", done.stderr)
    assert found is not None, done.stderr[-3000:]
    edges = [int(number) for number in re.findall(r"cov: (\d+)", done.stderr)]
    assert edges[-1] > edges[0], "coverage guides it"
    with capsys.disabled():
        print(f"\nfuzz: {found[1]} inputs, {edges[-1]} edges (the recording alone: {edges[0]})")
