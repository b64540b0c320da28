"""Have a real Asterisk send everything that has tripped an AMI client up, and keep the bytes.

python -m tests.lab.traps      # records tests/recordings/traps-22.ami.gz, traps-16.ami.gz and the two cut-….ami.gz
"""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.install import VERSIONS
from tests.lab.instance import Asterisk
from tests.lab.recorder import Recorder

RECORDINGS = Path(__file__).parent.parent / "recordings"

NAME = 'Zoë 😀 "Z" O\'Brien \\n'
"""A caller's name with all that Asterisk escapes."""
LATIN = b"Zo\xe9 \xff\xfe"
"""One that is no UTF-8."""

QUOTED = NAME.replace("\\", "\\\\").replace('"', '\\"').encode()

CALLS = (
    ("201", QUOTED, "Application: Wait\r\nData: 60"),
    ("202", LATIN, "Application: Wait\r\nData: 60"),
    ("203", QUOTED, "Application: Queue\r\nData: vip"),
    ("204", QUOTED, "Application: ConfBridge\r\nData: 801,default_bridge,default_user,default_menu"),
    ("205", QUOTED, "Application: Dial\r\nData: Local/506@from-internal/n"),
)
"""Number, name, and where the call goes."""
LISTS = (
    ("CoreShowChannels", ""),
    ("Status", "Variables: TRAP_ONE,TRAP_TWO\r\n"),
    ("QueueStatus", "Queue: vip\r\n"),
    ("ConfbridgeList", "Conference: 801\r\n"),
)

USER_EVENT = (
    b"Action: UserEvent\r\nActionID: trap-user\r\nUserEvent: Trap\r\nText: Zo\xc3\xab \xf0\x9f\x98\x80 <b>\r\n"
    b"Raw: " + LATIN + b"\r\nPair: a: b: c \r\nSame: one\r\nSame: two\r\nLast: \r\n\r\n"
)
FLOOD = b"Action: UserEvent\r\nUserEvent: Flood\r\nText: " + b"x" * 900 + b"\r\n\r\n"
FLOODS, SLEEPERS_BUFFER = 30_000, 4096  # 30 MB: ten times what a kernel's buffers were seen to take
FLOODINGS = 3


@contextmanager
def instance(version: str) -> Iterator[Asterisk]:
    """An Asterisk as the lab's, that also adds two channel variables to events, and waits for a reader only 100 ms."""
    asterisk = Asterisk(version)
    path = asterisk.run / "etc/manager.conf"
    text = path.read_text().replace("[general]", "[general]\nchannelvars = TRAP_ONE,TRAP_TWO", 1)
    path.write_text(text.replace("writetimeout = 5000", "writetimeout = 100"))
    with asterisk:
        yield asterisk


def provoke(asterisk: Asterisk) -> bytes:
    """The whole session, from the greeting to the Goodbye, all traps in it. ``asterisk`` is one of ``instance``."""
    with Recorder(asterisk) as recorder:
        recorder.ask(USER_EVENT, until=b"UserEvent: Trap")
        for number, name, application in CALLS:
            recorder.ask(_originate(number, name, application), until=b"Event: OriginateResponse")
        recorder.wait(b"Event: QueueCallerJoin")
        recorder.wait(b"Event: ConfbridgeJoin")
        recorder.wait(b"BridgeNumChannels: 2")
        for action, more in LISTS:
            ask = f"Action: {action}\r\nActionID: trap-{action}\r\n{more}\r\n".encode()
            recorder.ask(ask, until=b"EventList: Complete")
        for number in ("201", "205"):  # alone in an application; bridged with another
            park = f"Action: Park\r\nChannel: trap-{number}\r\nActionID: trap-park-{number}\r\n\r\n".encode()
            recorder.ask(park, until=b"Event: ParkedCall\r")
        recorder.ask(b"Action: ParkedCalls\r\nActionID: trap-parked\r\n\r\n", until=b"EventList: Complete")
        recorder.ask(b"Action: Hangup\r\nChannel: trap-204\r\n\r\n", until=b"Event: ConfbridgeEnd")
        recorder.ask(
            b"Action: Command\r\nActionID: trap-command\r\nCommand: dialplan show 500@from-internal\r\n\r\n",
            until=b"trap-command\r\nMessage: Command output follows",
        )
        recorder.ask(b"Action: ConfbridgeListRooms\r\nActionID: trap-rooms\r\n\r\n", until=b"No active conferences")
        many = b"Action: Ping\r\n" + b"A: b\r\n" * 128 + b"ActionID: trap-129\r\n\r\n"
        recorder.ask(many, until=b"Too many lines")
        recorder.ask(b"Action: Ping\r\nActionID: trap-long\r\nA: " + b"x" * 1100 + b"\r\n\r\n", until=b"line too long")
        recorder.ask(b"\r\n", until=b"Missing action in request")
        recorder.ask(b"Action: Logoff\r\nActionID: trap-end\r\n\r\n", until=b"Response: Goodbye")
        return recorder.wait_end()


def _originate(number: str, name: bytes, application: str) -> bytes:
    leg = f"Channel: Local/506@from-internal/n\r\nChannelId: trap-{number}\r\nOtherChannelId: trap-{number}-2\r\n"
    what = f"{application}\r\nVariable: TRAP_ONE=a: b,TRAP_TWO=c\r\nAsync: true\r\n"
    return f"Action: Originate\r\n{leg}{what}".encode() + b'CallerID: "' + name + b'" <%s>\r\n\r\n' % number.encode()


def cut_short(asterisk: Asterisk) -> bytes:
    """All that a session got whose reader slept while events poured in: Asterisk ended it within a message."""
    with Recorder(asterisk, events="off") as other, Recorder(asterisk, buffer=SLEEPERS_BUFFER) as sleeper:
        # An Asterisk that gets little of the machine floods too slowly to be kept waiting: then once more.
        for attempt in range(FLOODINGS):
            sleeper.sleep()
            ping = b"Action: Ping\r\nActionID: trap-flooded-%d\r\n\r\n" % attempt
            other.ask(FLOOD * FLOODS + ping, until=b"trap-flooded-%d" % attempt, timeout=60)
            sleeper.wake()
            with contextlib.suppress(TimeoutError):
                return sleeper.wait_end(timeout=15)
        raise TimeoutError("Asterisk has not closed the session of one who does not read")


def main() -> None:
    """Record what the tests replay."""
    for version in VERSIONS:
        with instance(version) as asterisk:
            data = provoke(asterisk)
            (RECORDINGS / f"traps-{version}.ami.gz").write_bytes(gzip.compress(data, mtime=0))
            data = cut_short(asterisk)
            # Its beginning and its end: in between the same event comes thousands of times.
            tail = data[data.index(b"Event: ", len(data) - 20_000) :]
            whole = data[: data.index(b"\r\n\r\n") + 4] + tail
            (RECORDINGS / f"cut-{version}.ami.gz").write_bytes(gzip.compress(whole, mtime=0))


if __name__ == "__main__":
    main()
