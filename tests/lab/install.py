"""Install a real Asterisk from nothing into a folder of our own.

The host's own apt, with an empty status file and a private sources list, computes and downloads the closure of
`asterisk` of a Debian suite; dpkg-deb unpacks it; patchelf points the binary at that tree's loader and
libraries. No chroot, no maintainer script, nothing changed on the host (but `patchelf`, if it is absent and we
are root). The binary stays an ordinary executable, so `core restart now` works.

    python -m tests.lab.install [22] [16]
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab.mirror import Mirror, find_mirror

SUITES = {"22": "sid", "16": "bullseye"}
VERSIONS = tuple(SUITES)

# Raised when what an installed tree looks like changes, so that older trees are thrown away.
LAYOUT = 1

STAMP = "phoenix-lab.json"
LEFT_OUT = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale")


class CannotSetUp(Exception):
    """Asterisk cannot be had on this machine; the text is one sentence that says why."""


class SuiteRefused(CannotSetUp):
    """apt itself would not give us the suite: no such suite at the mirror, or its packages do not fit together."""

    def __init__(self, suite: str, reason: str) -> None:
        """`reason` is what apt said, on one line."""
        super().__init__(f"apt refuses the suite {suite}: {reason}")
        self.suite = suite


@dataclass(frozen=True)
class Architecture:
    """Where a Debian tree keeps its libraries and its loader."""

    triplet: str
    loader: str


ARCHITECTURES = {
    "x86_64": Architecture("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": Architecture("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


@dataclass(frozen=True)
class Installed:
    """An unpacked Asterisk, ready to run."""

    version: str
    package: str
    root: Path

    @property
    def binary(self) -> Path:
        """The server, which is also its own command line client (`-rx`)."""
        return self.root / "usr/sbin/asterisk"

    @property
    def modules(self) -> Path:
        """The folder of loadable modules; older packages have it outside the architecture's folder."""
        libraries = self.root / "usr/lib"
        own = libraries / architecture().triplet / "asterisk/modules"
        return own if own.exists() else libraries / "asterisk/modules"

    @property
    def data(self) -> Path:
        """Sounds and documentation; read only."""
        return self.root / "usr/share/asterisk"


def lab_folder() -> Path:
    """Where installed Asterisks are kept: `$PHOENIX_LAB`, else a folder in the user's cache."""
    named = os.environ.get("PHOENIX_LAB")
    return Path(named) if named else Path.home() / ".cache/phoenix-lab"


def architecture() -> Architecture:
    """This machine's architecture. Raises CannotSetUp when we know no loader for it."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise CannotSetUp(f"the lab knows no program loader for the architecture {machine}")
    return ARCHITECTURES[machine]


def install(version: str) -> Installed:
    """Return Asterisk `version` ("22" or "16"), installing it first when it is not there yet.

    Takes 10 to 40 s the first time and next to nothing afterwards. Raises CannotSetUp, or its SuiteRefused.
    """
    found = installed(version)
    if found:
        return found
    with _only_one_process(version):
        # Another process may have done it while we waited for the lock.
        return installed(version) or _install_anew(version)


def installed(version: str) -> Installed | None:
    """The Asterisk `version` that is already in place and whole, or None."""
    root = lab_folder() / f"asterisk-{version}"
    try:
        stamp = json.loads((root / STAMP).read_text())
    except (OSError, ValueError):
        return None
    if stamp.get("layout") != LAYOUT:
        return None
    return Installed(version, str(stamp["package"]), root)


def _install_anew(version: str) -> Installed:
    """Build the tree in a temporary folder beside its place, and move it there when it is whole."""
    _require_tools()
    root = lab_folder() / f"asterisk-{version}"
    with tempfile.TemporaryDirectory(dir=lab_folder(), prefix=f"making-{version}-") as making:
        debs = _download(SUITES[version], Path(making) / "apt")
        tree = Path(making) / "tree"
        _unpack(debs, tree)
        _make_self_contained(tree, final=root)
        # What the package's post-installation script does: the English prompts.
        _replace_by_link(tree / "usr/share/asterisk/sounds/en", "en_US_f_Allison")
        package = _package_version(debs)
        (tree / STAMP).write_text(json.dumps({"layout": LAYOUT, "package": package}))
        shutil.rmtree(root, ignore_errors=True)
        tree.rename(root)
    made = Installed(version, package, root)
    _require_that_it_runs(made)
    return made


@contextlib.contextmanager
def _only_one_process(version: str) -> Iterator[None]:
    lab_folder().mkdir(parents=True, exist_ok=True)
    with (lab_folder() / f"asterisk-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A process that was killed in the middle leaves its folder behind; it holds no lock any more.
        for left in lab_folder().glob(f"making-{version}-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _require_tools() -> None:
    architecture()
    for tool in ("apt-get", "dpkg-deb", "tar"):
        if not shutil.which(tool):
            raise CannotSetUp(f"this is not a Debian-like system: there is no {tool}")
    if not shutil.which("patchelf"):
        _install_patchelf()


def _install_patchelf() -> None:
    if os.geteuid() != 0:
        raise CannotSetUp("patchelf is not installed, and only root can install it")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "patchelf"]):
        done = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, check=False)
    if done.returncode or not shutil.which("patchelf"):
        raise CannotSetUp(f"patchelf could not be installed: {_apt_complaint(done)}")


def _download(suite: str, work: Path) -> list[Path]:
    """The .deb files of asterisk and everything it needs. Raises SuiteRefused with apt's own words."""
    mirror = find_mirror()
    if mirror is None:
        raise CannotSetUp("no Debian mirror is named in this machine's apt configuration")
    config = _private_apt(work, mirror, suite)
    # Without an error mode apt counts a suite that is not there as a mere warning.
    _apt(suite, config, "-o", "APT::Update::Error-Mode=any", "update")
    _apt(suite, config, "-y", "--download-only", "install", "asterisk")
    return sorted((work / "archives").glob("*.deb"))


def _apt(suite: str, config: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "-qq", "-c", str(config), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SuiteRefused(suite, _apt_complaint(done))


def _apt_complaint(done: subprocess.CompletedProcess[str]) -> str:
    """apt's first error line, or its first line of any kind."""
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("E:")]
    return (errors or lines or [f"it ended with code {done.returncode} and no word"])[0]


def _private_apt(work: Path, mirror: Mirror, suite: str) -> Path:
    """An apt that believes in an empty system and one source; the host's proxies and the like still hold."""
    for folder in ("lists/partial", "archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()
    (work / "sources.list").write_text(f"deb {mirror.options()} {mirror.uri} {suite} main\n")
    config = work / "apt.conf"
    config.write_text(APT_CONFIG.replace("@WORK@", str(work)))
    return config


APT_CONFIG = """\
Dir::State::lists "@WORK@/lists";
Dir::State::status "@WORK@/status";
Dir::Cache "@WORK@";
Dir::Cache::archives "@WORK@/archives";
Dir::Etc::sourcelist "@WORK@/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Keep-Downloaded-Packages "true";
Binary::apt::APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
Acquire::Retries "3";
// An old suite's lists are past their date, and are what we want.
Acquire::Check-Valid-Until "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
// Everything is in folders of our own: no lock of the host's is needed, hence no root.
Debug::NoLocking "true";
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Post-Invoke;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def _unpack(debs: Sequence[Path], tree: Path) -> None:
    """Unpack all packages into `tree`, as many at a time as there are processors."""
    for name in ("bin", "sbin", "lib", "lib64"):
        # The merged /usr first, so that old packages' /lib lands under /usr/lib.
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(lambda deb: _unpack_one(deb, tree), debs):
            pass


def _unpack_one(deb: Path, tree: Path) -> None:
    excluded = [f"--exclude={path}" for path in LEFT_OUT]
    tar = ["tar", "-C", str(tree), "-xf", "-", "--keep-directory-symlink", "--no-same-owner", *excluded]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as reader:
        done = subprocess.run(tar, stdin=reader.stdout, capture_output=True, text=True, check=False)
    if done.returncode or reader.returncode:
        raise CannotSetUp(f"{deb.name} could not be unpacked: {done.stderr.strip()[:200]}")


def _make_self_contained(tree: Path, final: Path) -> None:
    """Give the binary in `tree` the loader and libraries of the tree, by the path it will have: `final`."""
    here = architecture()
    libraries = final / "usr/lib" / here.triplet
    loader = libraries / here.loader
    if not (tree / loader.relative_to(final)).exists():
        raise CannotSetUp(f"the unpacked system has no loader {here.loader}")
    binary = tree / "usr/sbin/asterisk"
    rpath = f"{libraries}:{libraries / 'asterisk'}:{final / 'usr/lib'}"
    # An rpath, not a runpath: it holds for the modules loaded later too, and no child process inherits it.
    command = ["patchelf", "--set-interpreter", str(loader), "--force-rpath", "--set-rpath", rpath, str(binary)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotSetUp(f"patchelf failed: {done.stderr.strip()[:200]}")


def _replace_by_link(path: Path, target: str) -> None:
    if not path.is_symlink() and not path.exists():
        path.symlink_to(target)


def _package_version(debs: Sequence[Path]) -> str:
    (package,) = (deb for deb in debs if deb.name.startswith("asterisk_"))
    done = subprocess.run(["dpkg-deb", "--field", str(package), "Version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _require_that_it_runs(made: Installed) -> None:
    """Throw the tree away and raise CannotSetUp when its binary does not even tell its version."""
    done = subprocess.run([str(made.binary), "-V"], capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.startswith("Asterisk"):
        shutil.rmtree(made.root, ignore_errors=True)
        raise CannotSetUp(f"the unpacked Asterisk {made.version} does not run: {done.stderr.strip()[:200]}")


def main(arguments: Sequence[str]) -> int:
    """Install the versions named (both by default) and say how long it took. Returns the exit code."""
    wrong = [name for name in arguments if name not in SUITES]
    if wrong:
        print(f"known versions are {', '.join(VERSIONS)}, not {' '.join(wrong)}", file=sys.stderr)
        return 2
    failed = 0
    for version in arguments or VERSIONS:
        began = time.monotonic()
        try:
            made = install(version)
        except CannotSetUp as reason:
            failed = 1
            print(f"Asterisk {version}: {reason}", file=sys.stderr)
        else:
            print(f"Asterisk {version}: {made.package} in {made.root}, {time.monotonic() - began:.2f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
