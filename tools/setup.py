"""Sets up what `make` needs, and again only what has changed: `python3 tools/setup.py run|dev [runpanel's options]`.

run: .venv with requirements.txt, database, first users, static files; then becomes `manage.py runpanel`.
dev: .venv with requirements-dev.txt as well.

Standard library only, and grammar that Python 3.6 reads: an old interpreter must get as far as the words about it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
VAR = os.path.join(ROOT, "var")
LEAST = (3, 11)
OURS = ("PHOENIX_", "DATABASE_URL", "SECRET_KEY")  # what settings.py reads


def stop(words: str) -> NoReturn:
    sys.exit("make: " + words)


def say(words: str) -> None:
    print("make: " + words, flush=True)


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def contents(*names: str) -> str:
    """A digest of files' texts; a missing one is empty."""
    found = []
    for name in names:
        try:
            with open(os.path.join(ROOT, name), encoding="utf-8") as file:
                found.append(file.read())
        except OSError:
            found.append("")
    return digest(*found)


def listing(folder: str, suffix: str = "") -> str:
    """A digest of the names, sizes and times of a folder's files: shows a change, and is quick for thousands."""
    found = []
    for path, folders, files in os.walk(os.path.join(ROOT, folder)):
        folders.sort()
        for name in sorted(files):
            if name.endswith(suffix):
                state = os.stat(os.path.join(path, name))
                found.append(f"{path}/{name} {state.st_size} {state.st_mtime_ns}")
    return digest(*found)


def stamped(path: str, value: str) -> bool:
    try:
        with open(path, encoding="ascii") as file:
            return file.read() == value
    except OSError:
        return False


def stamp(path: str, value: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(value)


def environment_digest(requirements: str) -> str:
    # The folder is part of it: a virtual environment that was moved or copied doesn't work.
    return digest(contents("requirements.txt", requirements), sys.version, ROOT)


def environment(requirements: str, name: str) -> None:
    """.venv with the packages of a requirements file. The stamp lies in .venv: it goes when .venv goes."""
    mark = os.path.join(VENV, "stamp-" + name)
    if stamped(mark, environment_digest(requirements)):
        return
    if not usable():
        make_venv()
    say("installing " + requirements)
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r"]
    if subprocess.call([*pip, os.path.join(ROOT, requirements)]):
        stop(f"pip could not install {requirements} (its words are above); is the package index reachable?")
    stamp(mark, environment_digest(requirements))
    if name == "dev":  # it holds the other one
        stamp(os.path.join(VENV, "stamp-run"), environment_digest("requirements.txt"))


def usable() -> bool:
    """There is a .venv, of this very Python, in which pip works."""
    try:
        words = subprocess.check_output(
            [PYTHON, "-c", "import pip, sys; print(sys.version)"], stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return words.decode().strip() == sys.version.strip()


def make_venv() -> None:
    say("making .venv")
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        words = made.stdout.decode("utf-8", "replace")
        if "ensurepip" in words or "No module named venv" in words:
            stop("this Python can't make virtual environments: apt install python3-venv")
        stop("python3 -m venv failed: " + words.strip())


def prepare() -> None:
    """Migrations, first users, static files, in one process; none if nothing has changed since the last time."""
    given = repr(sorted((name, value) for name, value in os.environ.items() if name.startswith(OURS)))
    folders = sorted(name for name in os.listdir(ROOT) if os.path.isdir(os.path.join(ROOT, name, "migrations")))
    wanted = digest(
        ROOT,
        given,
        contents(".env", "requirements.txt", "accounts/rights.py", "phoenix_panel/storage.py"),
        listing("static"),
        *(listing(os.path.join(folder, "migrations"), ".py") for folder in folders),
    )
    mark = os.path.join(VAR, "stamp-prepared")
    # A database elsewhere may have been emptied since: it is asked each time, which costs a second.
    elsewhere = any(name in os.environ for name in ("DATABASE_URL", "DATABASE_URL_FILE", "PHOENIX_VAR"))
    elsewhere = elsewhere or os.path.exists(os.path.join(ROOT, ".env"))
    there = all(os.path.exists(os.path.join(VAR, name)) for name in ("phoenix.sqlite3", "static/staticfiles.json"))
    if there and not elsewhere and stamped(mark, wanted):
        return
    if subprocess.call([PYTHON, "-m", "tools.prepare"], cwd=ROOT):
        sys.exit(1)  # it has said why
    stamp(mark, wanted)


def main() -> None:
    what, *options = sys.argv[1:]
    # From a tuple of its own: type checkers know the version, and would call the next lines unreachable.
    version = tuple(sys.version_info[:2])
    if version < LEAST:
        stop("Python {}.{} is too old, 3.11 or later is needed: make PYTHON=python3.11 ...".format(*version))
    if what == "dev":
        environment("requirements-dev.txt", "dev")
        return
    began = time.monotonic()
    environment("requirements.txt", "run")
    prepare()
    if time.monotonic() - began > 1:
        say(f"set up in {time.monotonic() - began:.1f} s")
    os.execv(PYTHON, [PYTHON, os.path.join(ROOT, "manage.py"), "runpanel", *options])


if __name__ == "__main__":
    main()
