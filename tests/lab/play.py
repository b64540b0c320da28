"""A PBX to look at by hand: real Asterisk, phones that answer, calls that come and go. Ctrl-C ends it.

python -m tests.lab.play [--version 16] [--quiet]
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from tests.lab.configuration import AGENTS, CUSTOMERS
from tests.lab.install import VERSIONS, CannotSetUp
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone, PhoneError
from tests.lab.sip_socket import NoAnswer

NAMES = ("Zoë Müller", "Алексей Смирнов", "O'Brien & Sons", "山田太郎", "<b>Bold</b>", "Front desk")
# Agents directly, the queues, a room, the menu, an echo, a note.
NUMBERS = ("101", "102", "103", "104", "105", "600", "600", "601", "602", "801", "801", "500", "502", "504")
MOST_CALLS = 5


def main(arguments: Sequence[str]) -> int:
    """Run until Ctrl-C; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.play", description=__doc__)
    parser.add_argument("--version", choices=VERSIONS, default="22", help="which Asterisk (22)")
    parser.add_argument("--quiet", action="store_true", help="phones that answer, but no traffic")
    wanted = parser.parse_args(arguments)
    try:
        asterisk = Asterisk(wanted.version)
    except CannotSetUp as reason:
        print(f"Asterisk {wanted.version}: {reason}", file=sys.stderr)
        return 1
    with asterisk, contextlib.ExitStack() as opened:
        phones = _phones(asterisk, opened)
        print(_explanation(asterisk), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            _play(phones, quiet=wanted.quiet)
        # An impatient second Ctrl-C must not cut the good-bye short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return 0


def _play(phones: Sequence[Phone], *, quiet: bool) -> NoReturn:
    while True:
        if quiet:
            time.sleep(3600)
        else:
            _traffic(phones)


def _explanation(asterisk: Asterisk) -> str:
    host, port = asterisk.sip_address()
    return (
        f"{asterisk.cli('core show version').split(' built')[0]} is up.\n\n"
        f"  Point the panel at it:   PHOENIX_PBX={asterisk.ami_url('panel')} make run\n"
        f"  Register a softphone:    {host}:{port} (UDP), 900 to 903, password pw900 to pw903\n"
        f"  Its console:             {asterisk.installed.binary} -C {asterisk.run}/etc/asterisk.conf -r\n\n"
        "Ctrl-C ends it."
    )


def _phones(asterisk: Asterisk, opened: contextlib.ExitStack) -> list[Phone]:
    """Agents 101 to 107, who answer by themselves, and all the customers; each says a note of its own."""
    return [
        opened.enter_context(
            Phone(asterisk.sip_address(), extension, hz=300 + 60 * place, answer=random.uniform(1, 4))
        )
        for place, extension in enumerate(AGENTS[:7] + CUSTOMERS)
    ]


def _traffic(phones: Sequence[Phone]) -> None:
    """A customer calls every other second or so, and each of their calls ends sometime."""
    idle = [phone for phone in phones if phone.extension in CUSTOMERS and not phone.calls]
    busy = [call for phone in phones for call in phone.calls if not call.incoming]
    # A restarted PBX, a call that ended in this moment: the play goes on.
    with contextlib.suppress(PhoneError, NoAnswer):
        if busy and (random.random() < 0.25 or len(busy) >= MOST_CALLS):
            _meddle(random.choice(busy))
        elif idle:
            random.choice(idle).call(random.choice(NUMBERS), name=random.choice(NAMES))
    time.sleep(random.uniform(1, 4))


def _meddle(call: Call) -> None:
    """Mostly hang up; now and then put on hold for a while first."""
    if call.state.value == "up" and random.random() < 0.3:
        call.hold()
        time.sleep(random.uniform(2, 5))
        call.unhold()
    else:
        call.hangup()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
