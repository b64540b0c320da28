"""Run a private Asterisk on loopback: start, ask, freeze, kill, restart, stop.

with Asterisk("22") as asterisk:
    print(asterisk.ami_url("panel"), asterisk.cli("core show channels"))
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab import certificates, configuration, ports
from tests.lab.configuration import CHAN_SIP_PEERS, ami_secret
from tests.lab.install import install, lab_folder

HOST = "127.0.0.1"

# A cold start on a busy machine; 1 s is usual.
BOOT_SECONDS = 20.0
STOP_SECONDS = 5.0
LOG_TAIL_LINES = 25

# Enough files for thousands of channels, no core dumps, nothing for others to read. The shell becomes Asterisk:
# the process id stays.
LAUNCH = 'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; ulimit -c 0; umask 077; exec "$@"'

# Dies with us however we die: its standard input is a pipe of ours, and then it ends Asterisk. (The kernel's own
# parent-death signal will not do: it fires when the *thread* that started the child ends.)
WATCHDOG = 'read -r _; kill -KILL "$1" 2>/dev/null; rm -rf -- "$2"'


class AsteriskFailed(Exception):
    """The instance did not do what was asked; the text ends with the tail of its log."""


class Asterisk:
    """One private Asterisk, on ports of its own, in a temporary folder of its own."""

    def __init__(
        self, version: str = "22", *, http: bool = False, naming: str = "plain", far: Asterisk | None = None
    ) -> None:
        """Install `version` ("22" or "16") when need be and reserve ports; nothing runs until `start`.

        `naming` "freepbx": dialplan, queues, hints and trunks as FreePBX writes them, and IAX2 peers, which lead to
        `far` (or back to itself). Raises what `install` raises, and NoPorts.
        """
        self.version = version
        self.installed = install(version)
        self.ports = ports.reserve(lab_folder() / "ports")
        self.run = Path(tempfile.mkdtemp(prefix=f"phoenix-lab-{version}-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        try:
            self._config = configuration.write(
                self.installed,
                self.ports,
                self.run,
                http=http,
                naming=naming,
                far=far.ports if far is not None else None,
            )
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def ami_port(self) -> int:
        """TCP port of the manager interface, on 127.0.0.1."""
        return self.ports.ami

    @property
    def pid(self) -> int:
        """The process id. Raises AsteriskFailed when it is not running."""
        return self._running().pid

    @property
    def running(self) -> bool:
        """Whether the process is there (frozen counts)."""
        return self._process is not None and self._process.poll() is None

    def ami_url(self, user: str = "panel") -> str:
        """How the panel is pointed at it as one of the users of manager.conf."""
        return f"ami://{user}:{ami_secret(user)}@{HOST}:{self.ami_port}"

    def amis_url(self, user: str = "panel", host: str = certificates.NAME, cafile: Path | None = None) -> str:
        """As `ami_url`, by TLS: the certificate is for `localhost`, and its authority is in the instance's folder."""
        authority = cafile or self.run / "lib/keys" / certificates.AUTHORITY
        return f"amis://{user}:{ami_secret(user)}@{host}:{self.ports.ami_tls}?cafile={authority}"

    def sip_address(self, extension: str = "") -> tuple[str, int]:
        """Where a phone with this extension registers: 301-304 belong to chan_sip, all others to chan_pjsip."""
        return HOST, self.ports.chan_sip if extension in CHAN_SIP_PEERS else self.ports.sip

    def start(self) -> Self:
        """Start and wait until it is fully booted. Also starts a stopped or killed one again, on the same ports.

        Raises AsteriskFailed.
        """
        if self.running:
            return self
        with (self.run / "log/console").open("ab") as console:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", LAUNCH, "launch", str(self.installed.binary), "-C", str(self._config), "-f", "-n"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C in the terminal is for the tests, which then stop us in order.
                start_new_session=True,
            )
        self._watch(self._process.pid)
        self._wait_booted()
        return self

    def stop(self) -> None:
        """End it, delete its folder and give its ports back. May be called twice, and in any state."""
        self.thaw()
        self._end(gently=True)
        shutil.rmtree(self.run, ignore_errors=True)
        self.ports.release()

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL). `start` brings it back on the same ports."""
        self._end(gently=False)

    def freeze(self) -> None:
        """Stop its clock: sockets stay open, nothing answers (SIGSTOP). Raises AsteriskFailed if not running."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)  # the signal alone doesn't wait for its effect

    def thaw(self) -> None:
        """Let it run on after `freeze`; does nothing otherwise."""
        if self._process is not None and self.running:
            self._process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """`core restart now`, and wait until it is fully booted again: same process id, same ports, no calls."""
        with socket.create_connection((HOST, self.ami_port), timeout=BOOT_SECONDS) as witness:
            self._command("core restart now")
            # Only when the old program is gone does this connection end; until then a "booted" would be its.
            try:
                while witness.recv(4096):
                    pass
            except TimeoutError as error:
                raise self._failed("did not restart") from error
        self._wait_booted()

    def cli(self, command: str) -> str:
        """Run a command on its own console and return what it prints. Raises AsteriskFailed."""
        done = self._command(command)
        if done.returncode:
            raise self._failed(f"answered nothing to {command!r}: {done.stdout}{done.stderr}")
        return done.stdout

    def log_tail(self) -> str:
        """The last lines of its console and its log, for a human."""
        tails = []
        for name in ("console", "full"):
            path = self.run / "log" / name
            if path.exists():
                lines = path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
                tails.append(f"--- {name}\n" + "\n".join(lines))
        return "\n".join(tails)

    def _command(self, command: str) -> subprocess.CompletedProcess[str]:
        arguments = [str(self.installed.binary), "-C", str(self._config), "-rx", command]
        return subprocess.run(
            arguments, capture_output=True, text=True, errors="replace", timeout=BOOT_SECONDS, check=False
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise self._failed("is not running")
        return self._process

    def _wait_booted(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            self._running()
            if "fully booted" in self._command("core waitfullybooted").stdout:
                return
            # Its control socket is not there yet; nothing to wait on but time.
            time.sleep(0.05)
        raise self._failed(f"did not boot in {BOOT_SECONDS:.0f} s")

    def _failed(self, what: str) -> AsteriskFailed:
        return AsteriskFailed(f"Asterisk {self.version} {what}\n{self.log_tail()}")

    def _watch(self, pid: int) -> None:
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, "watchdog", str(pid), str(self.run)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _end(self, *, gently: bool) -> None:
        # The watchdog first: the process id that it knows is good only until we have waited for the process.
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
            self._watchdog = None
        if self._process is None:
            return
        if gently and self.running:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        else:
            self._process.kill()
        self._process.wait()
