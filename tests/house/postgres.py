"""A real PostgreSQL of the tests' own: Debian's programs, a folder in /tmp, a socket in it, no TCP port."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _programs() -> Path | None:
    """The newest server's folder: Debian keeps initdb and postgres out of PATH."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]), reverse=True
    )
    if found:
        return found[0].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _without(reason: str) -> None:
    if CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """DATABASE_URL of an empty database on a server that lives as long as the test session."""
    programs = _programs()
    if programs is None:
        _without("no PostgreSQL server here: `make test` installs it")
        return
    user: str | None = None
    if os.geteuid() == 0:  # the server refuses to run as root
        user = next((name for name in ("postgres", "nobody") if _known(name)), None)
        if user is None:
            _without("root, and no user postgres or nobody to run the server as")
            return
    # Short: a socket's path has at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="phx-pg-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        done = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, check=False)
        assert not done.returncode, f"{command[0]}: {done.stdout}{done.stderr}"

    data, log = folder / "data", folder / "log"
    try:
        run(str(programs / "initdb"), "-D", str(data), "-U", "panel", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        # fsync off: it is thrown away, and the tests want its rules, not its durability.
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=30"
        control = str(programs / "pg_ctl")
        run(control, "-D", str(data), "-l", str(log), "-o", options, "-w", "-t", "30", "start")
        try:
            run(str(programs / "createdb"), "-h", str(folder), "-U", "panel", "panel")
            yield f"postgres://panel@/{folder}/panel"  # django-environ's way to say: the socket in this folder
        finally:
            run(control, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
