"""≥ 20 MB of what a real Asterisk 22 sends, recorded once: no byte of it is a repetition by us.

Storm after storm, each by another seed: 200 calls between Local channels and phones, through queues, into rooms that
are locked, muted and emptied meanwhile; the account `admin`, all event classes, and at the end of each storm the lists
that the panel asks. Kept in var/ (git ignores it), with a line beside it that says what it is.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.lab.instance import Asterisk
from tests.lab.phones import Phone
from tests.lab.recorder import Recorder
from tests.lab.rooms import RoomStorm
from tests.lab.storm import Storm

WANTED = 20_000_000  # bytes
CALLS = 200
PHONES = ("101", "102", "103", "201")
LISTS = ("CoreShowChannels", "Status", "BridgeList", "QueueStatus", "ConfbridgeListRooms", "DeviceStateList")
FOLDER = Path(__file__).resolve().parent.parent / "var" / "benchmarks"


def recording() -> tuple[Path, str]:
    """The file, recorded now if it is not there, and the version of the Asterisk that it is from."""
    path, about = FOLDER / "ast22.ami", FOLDER / "ast22.version"
    if not about.exists():  # written last: a recording that was broken off is made again
        FOLDER.mkdir(parents=True, exist_ok=True)
        data, version = _record()
        path.write_bytes(data)
        about.write_text(version)
    return path, about.read_text()


def _record() -> tuple[bytes, str]:
    with ExitStack() as stack:
        asterisk = stack.enter_context(Asterisk("22"))
        phones = [
            stack.enter_context(Phone(asterisk.sip_address(extension), extension, answer=0.3)) for extension in PHONES
        ]
        recorder = stack.enter_context(Recorder(asterisk))
        seed = 0
        while len(recorder) < WANTED:
            seed += 1
            asyncio.run(_storm(asterisk, recorder, seed, phones))
            print(f"recording: {len(recorder) / 1e6:.1f} of {WANTED / 1e6:.0f} MB", file=sys.stderr, flush=True)
        return recorder.data(), asterisk.cli("core show version").split()[1]


async def _storm(asterisk: Asterisk, recorder: Recorder, seed: int, phones: list[Phone]) -> None:
    rooms = await asyncio.to_thread(RoomStorm, asterisk, seed)
    try:
        async with Storm(asterisk, seed=seed, calls=CALLS, phones=phones) as storm:
            await asyncio.gather(storm.run(), rooms.run())
            for name in LISTS:
                ask = f"Action: {name}\r\nActionID: {name}-{seed}\r\n\r\n".encode()
                await asyncio.to_thread(recorder.ask, ask, until=b"EventList: Complete")
    finally:
        await asyncio.to_thread(rooms.close)
