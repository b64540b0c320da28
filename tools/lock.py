"""Writes requirements.txt and requirements-dev.txt from the ranges in pyproject.toml: every package, pinned whole."""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = "# What runs the panel, pinned whole: `make lock` writes this from the ranges in pyproject.toml.\n"
DEV = "# What checks it, on top of requirements.txt: `make lock` writes this too.\n-r requirements.txt\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT, help="the folder to write into (default: the project's)")
    folder = parser.parse_args().to
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with tempfile.TemporaryDirectory() as temporary:
        venv = Path(temporary) / "venv"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        python = venv / "bin" / "python"
        run = _installed(python, project["dependencies"])
        both = _installed(python, project["dependencies"] + project["optional-dependencies"]["dev"])
    (folder / "requirements.txt").write_text(RUN + "".join(f"{line}\n" for line in run), encoding="utf-8")
    dev = "".join(f"{line}\n" for line in both if line not in run)
    (folder / "requirements-dev.txt").write_text(DEV + dev, encoding="utf-8")
    moved = [line for line in run if line not in both]
    if moved:  # one range pulls a package to another version than the panel runs with
        sys.exit(f"The development packages need other versions of: {', '.join(moved)}. Tighten a range.")


def _installed(python: Path, wanted: list[str]) -> list[str]:
    """What `pip freeze` lists after installing `wanted`, sorted by name."""
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)
    frozen = subprocess.run([python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True).stdout
    return sorted(frozen.splitlines(), key=lambda line: line.partition("==")[0].casefold())


if __name__ == "__main__":
    main()
