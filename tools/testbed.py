"""Brings what the tests use from outside Python: a browser, PostgreSQL's server, patchelf, real Asterisks.

Asks Debian's packages only for what is missing, and only as root. What can't be had is said loudly, and the tests that
need it are skipped; with CI set it is an error, since there a skipped test is a failed one.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
ASTERISKS = ("22", "16")


def postgres() -> bool:
    """Debian keeps the server's programs out of PATH."""
    return bool(shutil.which("initdb")) or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


# Debian package: whether what it brings is there.
NEEDED: dict[str, Callable[[], bool]] = {
    "chromium": lambda: bool(shutil.which("chromium")),
    "patchelf": lambda: bool(shutil.which("patchelf")),
    "postgresql": postgres,
    "redis-server": lambda: bool(shutil.which("redis-server") or shutil.which("valkey-server")),
}


def packages() -> list[str]:
    """What is missing and can't be brought, each with the reason."""
    missing = [name for name, there in NEEDED.items() if not there()]
    if not missing:
        return []
    if os.geteuid() != 0:
        return [f"{name}: not root, so nothing can be installed (apt-get install {name})" for name in missing]
    if not shutil.which("apt-get"):
        return [f"{name}: no apt-get here; install it by this system's own means" for name in missing]
    print(f"testbed: installing {', '.join(missing)}", flush=True)
    if "postgresql" in missing:
        _no_server_of_the_system()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], env=environment, stdout=subprocess.DEVNULL, check=False)
    options = ["-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"]
    done = subprocess.run(
        ["apt-get", "install", *options, *missing],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout[-4000:])
    return [f"{name}: apt-get could not install it (its words are above)" for name in missing if not NEEDED[name]()]


def _no_server_of_the_system() -> None:
    """Debian's package would make a database and start a server. The tests start one of their own, in a folder of
    theirs."""
    config = Path("/etc/postgresql-common/createcluster.conf")
    if not config.exists():
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("create_main_cluster = false\n")


def asterisks() -> list[str]:
    done = subprocess.run([sys.executable, "-m", "tests.lab.install", *ASTERISKS], cwd=ROOT, check=False)
    return [f"Asterisk {' and '.join(ASTERISKS)}: tests.lab.install says why above"] if done.returncode else []


def main() -> None:
    missing = packages()
    for words in missing + asterisks():
        print(f"testbed: MISSING {words}", flush=True)
    if missing and CI:
        sys.exit("testbed: CI needs all of it")
    # A missing Asterisk is left to the tests' own fixtures: they know which reasons are nobody's fault here.


if __name__ == "__main__":
    main()
