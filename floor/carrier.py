"""Between processes: a PBX's picture goes over Redis from its worker to every web process's hub.

One stream for each PBX holds what happened lately (frames, heartbeats, and marks that say "all anew"); beside it lies
the whole picture, written every few seconds and at each mark, together with the stream's position that it stands for.
Who comes, who missed something, and who finds Redis emptied does one and the same thing: take the picture, and read
on from its position. Nobody asks the worker for anything, so no number of web processes is a load to it.

Redis holds nothing true and nothing that is needed again: it may be killed, emptied or frozen at any time. Meanwhile
the hub tells its pages that nothing is live, and why.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import orjson
from redis.asyncio import Redis
from redis.exceptions import ConnectionError, RedisError

from floor.frames import BEAT_S, Beat, Fragments, Frame, Snapshot
from live.changes import Entities

log = logging.getLogger(__name__)

STREAM_LENGTH: Final = 1_200
"""Entries kept: a minute at the busiest (20 frames/s), some 3 MB. Redis cuts in whole blocks, so somewhat more."""

PICTURE_S: Final = 5.0
"""How often the whole picture is written: no reader has to replay more than this."""

FORGET_S: Final = 24 * 3600
"""A PBX of which no worker told for so long is forgotten, and its last picture with it."""

QUEUE: Final = 256
"""Entries that may wait while a write is under way. More: they are dropped, and the whole picture is written."""

TIMEOUT_S: Final = 2.0
"""For one write, and to connect."""

BLOCK_S: Final = 1.0
"""How long a read waits for news. Also how soon a new PBX is found."""

RETRY_S: Final = 1.0
"""Full jitter up to this between two tries to reach Redis."""

LOST_S: Final = 5.0
"""Without a heartbeat for so long a worker is lost. Pages grey 6 s after the last one by themselves: this is less."""

FRESH_S: Final = 3.0
"""A heartbeat older than this when it is read says nothing about now."""

MARK_S: Final = 0.05
"""A mark has the picture taken anew at once, but not more often than this."""

CHUNK: Final = 200
"""Entries read in one go; between two such the process serves its browsers."""

ERRORS: Final = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Bus:
    """Where the Redis is (``redis://``, ``rediss://`` or ``unix://``), and the prefix of our keys in it."""

    url: str
    prefix: str = "phx"

    def stream(self, pbx: str) -> str:
        return f"{self.prefix}:pbx:{pbx}"

    def picture(self, pbx: str) -> str:
        return f"{self.prefix}:pbx:{pbx}:picture"

    @property
    def names(self) -> str:
        """A sorted set: every PBX that has a worker, by when it was last told of (seconds of UTC)."""
        return f"{self.prefix}:pbxs"

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Redis]:
        """A client of one connection, whose calls raise one of ``ERRORS`` when it breaks. They never time out: for
        redis-py's own ``socket_timeout`` it uses ``asyncio.wait_for``, which loses cancellations before Python 3.12.

        A connection that broke is not made again behind our back: a Redis that was restarted in between has forgotten
        what we believe to be there.
        """
        met = False

        async def once(connection: Any) -> None:
            nonlocal met
            if met:
                raise ConnectionError("the connection broke")
            met = True
            await connection.on_connect()

        redis = Redis.from_url(
            self.url,
            socket_timeout=None,
            socket_connect_timeout=TIMEOUT_S,
            max_connections=1,
            redis_connect_func=once,
        )
        try:
            yield redis
        finally:
            with contextlib.suppress(*ERRORS):
                async with asyncio.timeout(TIMEOUT_S):
                    await redis.aclose()


async def _run_of(redis: Redis) -> str:
    """Which run of the server this is: another one after each restart. Heartbeats are stamped with it, so that what a
    Redis took from its disk, or a replica had, is known for the past, however short ago it was."""
    return str((await redis.info("server"))["run_id"])


# --- the worker's side


@dataclass(slots=True)
class _Told:
    """One PBX as its worker has told of it."""

    head: Snapshot | None = None
    fragments: Fragments | None = None
    beat: Beat | None = None
    last_id: str = "0-0"
    """The newest entry of ours that is known to be in the stream."""
    whole: bool = True
    """The next write begins with the whole picture."""
    written_at: float = 0.0


Entry = dict[str, str | bytes | int]


class Carrier:
    """A worker's sink that reaches hubs in other processes. Its three methods return at once, whatever Redis does."""

    def __init__(self, bus: Bus) -> None:
        self.drops = 0
        """Entries that were not carried one by one, since Redis was away or slow; the whole picture replaced them."""
        self._bus = bus
        self._told: dict[str, _Told] = {}
        self._queue: deque[tuple[str, Entry]] = deque()
        self._news = asyncio.Event()
        self._connected = False
        self._complained = False
        self._run = ""

    # --- the sink

    def snapshot(self, snapshot: Snapshot) -> None:
        told = self._of(snapshot.pbx)
        told.head, told.fragments = replace(snapshot, up={}), Fragments(snapshot.up)
        told.whole = True
        self._news.set()

    def publish(self, frame: Frame) -> None:
        told = self._of(frame.pbx)
        if told.head is None or told.fragments is None or frame.epoch != told.head.epoch:
            return
        told.fragments.merge(frame.up, frame.gone)
        told.head = Snapshot(frame.pbx, frame.epoch, frame.seq, frame.t, {})
        body = {"t": frame.t, "rx": frame.rx, "up": frame.up, "gone": frame.gone}
        self._put(frame.pbx, _entry("frame", frame.epoch, frame.seq, body))

    def beat(self, beat: Beat) -> None:
        self._of(beat.pbx).beat = beat
        self._put(beat.pbx, self._beat_entry(beat))

    def _of(self, pbx: str) -> _Told:
        return self._told.setdefault(pbx, _Told())

    def _put(self, pbx: str, entry: Entry) -> None:
        if not self._connected:
            self.drops += 1
            self._of(pbx).whole = True
            return
        if len(self._queue) >= QUEUE:
            self.drops += len(self._queue) + 1
            self._queue.clear()
            for told in self._told.values():
                told.whole = True
        else:
            self._queue.append((pbx, entry))
        self._news.set()

    # --- writing

    async def run(self) -> None:
        """Write until cancelled; reach Redis again whenever it was away."""
        while True:
            try:
                async with self._bus.connect() as redis:
                    async with asyncio.timeout(TIMEOUT_S):
                        await self._begin(redis)
                    while True:
                        async with asyncio.timeout(TIMEOUT_S):
                            await self._write(redis)
                        await self._wait()
            except ERRORS as error:
                self._lost(error)
            except Exception as error:
                log.exception("the carrier failed by an error of ours and is begun again")
                self._lost(error)
            await asyncio.sleep(random.uniform(0, RETRY_S))

    async def close(self) -> None:
        """After ``run`` was cancelled: say that nobody keeps these pictures true any more."""
        link = {"phase": "down", "code": "worker_lost", "detail": "", "since": round(time.time() * 1000)}
        with contextlib.suppress(*ERRORS):
            async with asyncio.timeout(TIMEOUT_S), self._bus.connect() as redis:
                for pbx, told in self._told.items():
                    if told.beat is not None and self._run == await _run_of(redis):
                        last = self._beat_entry(replace(told.beat, t=round(time.time() * 1000), link=link))
                        await redis.xadd(self._bus.stream(pbx), last, maxlen=STREAM_LENGTH)  # type: ignore[arg-type]

    async def _begin(self, redis: Redis) -> None:
        """What was written last may be there or not: begin with the whole picture, from the stream's end as it is."""
        self._run = await _run_of(redis)
        self._connected = True
        self._queue.clear()
        for told in self._told.values():
            told.whole = True
        if self._complained:
            self._complained = False
            log.info("Redis is back")

    def _lost(self, error: BaseException) -> None:
        self._connected = False
        self.drops += len(self._queue)
        self._queue.clear()
        if not self._complained:
            self._complained = True
            log.warning("Redis can't be written to, pages elsewhere get nothing: %s", error)

    async def _wait(self) -> None:
        """Until there is something to write, or a picture is due."""
        due = min((told.written_at for told in self._told.values()), default=time.monotonic()) + PICTURE_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due - time.monotonic())):
                await self._news.wait()

    async def _write(self, redis: Redis) -> None:
        """One transaction: what waits, in order; and the pictures that are due."""
        for pbx, told in self._told.items():
            if told.whole or not await redis.exists(self._bus.names):  # emptied by somebody
                told.whole = True
                told.last_id = await self._end(redis, pbx)
        # From here to `execute` there is no await: what is written is one moment.
        self._news.clear()
        pipe = redis.pipeline(transaction=True)
        entries: list[str] = []
        now = time.monotonic()
        fresh = {pbx for pbx, told in self._told.items() if told.whole}
        for pbx in fresh:
            self._write_whole(pipe, pbx, entries)
        for pbx, entry in self._queue:
            if pbx not in fresh:  # the picture holds it already
                pipe.xadd(self._bus.stream(pbx), entry, maxlen=STREAM_LENGTH)  # type: ignore[arg-type]
                entries.append(pbx)
        self._queue.clear()
        for pbx, told in self._told.items():
            if pbx in fresh or now - told.written_at >= PICTURE_S:
                self._write_picture(pipe, pbx)
                told.written_at = now
                told.whole = False
        if not len(pipe):
            return
        try:
            ids = await pipe.execute()
        except BaseException:
            for pbx in fresh:
                self._told[pbx].whole = True
            raise
        for pbx, id_ in zip(entries, (found for found in ids if _is_id(found)), strict=True):
            self._told[pbx].last_id = id_.decode()

    def _write_whole(self, pipe: Any, pbx: str, entries: list[str]) -> None:
        """A mark that says "all anew", and the last heartbeat: who takes the picture knows at once how true it is."""
        told = self._told[pbx]
        if told.head is not None:
            mark = _entry("whole", told.head.epoch, told.head.seq, {})
            pipe.xadd(self._bus.stream(pbx), mark, maxlen=STREAM_LENGTH)
            entries.append(pbx)
        if told.beat is not None:
            pipe.xadd(self._bus.stream(pbx), self._beat_entry(told.beat), maxlen=STREAM_LENGTH)
            entries.append(pbx)

    def _write_picture(self, pipe: Any, pbx: str) -> None:
        told, now = self._told[pbx], time.time()
        if told.head is not None and told.fragments is not None:
            head = {"epoch": told.head.epoch, "seq": told.head.seq, "t": told.head.t, "after": told.last_id}
            up = told.fragments.snapshot(told.fragments.kinds)
            pipe.set(self._bus.picture(pbx), orjson.dumps(head)[:-1] + b',"up":' + up + b"}", ex=FORGET_S)
        pipe.expire(self._bus.stream(pbx), FORGET_S)
        pipe.zadd(self._bus.names, {pbx: now})
        pipe.zremrangebyscore(self._bus.names, 0, now - FORGET_S)

    def _beat_entry(self, beat: Beat) -> Entry:
        body = {"t": beat.t, "age_ms": beat.age_ms, "rtt_ms": beat.rtt_ms, "link": beat.link}
        return {**_entry("beat", beat.epoch, beat.seq, body), "run": self._run}

    async def _end(self, redis: Redis, pbx: str) -> str:
        last = await redis.xrevrange(self._bus.stream(pbx), count=1)
        return last[0][0].decode() if last else "0-0"


def _entry(kind: str, epoch: int, seq: int, body: dict[str, Any]) -> Entry:
    return {"kind": kind, "epoch": epoch, "seq": seq, "body": orjson.dumps(body)}


def _is_id(answer: object) -> bool:
    return isinstance(answer, bytes)  # XADD's: SET, EXPIRE, ZADD answer with True and numbers


def _merge(up: Entities, frame: Frame) -> None:
    for kind, entities in frame.up.items():
        held = up.setdefault(kind, {})
        for key, fields in entities.items():
            held.setdefault(key, {}).update(fields)
    for kind, keys in frame.gone.items():
        for key in keys:
            up.get(kind, {}).pop(key, None)


# --- the web process's side


class Picture(Protocol):
    """The hub, as the reader needs it."""

    def snapshot(self, snapshot: Snapshot) -> None: ...
    def publish(self, frame: Frame) -> None: ...
    def beat(self, beat: Beat) -> None: ...


@dataclass(slots=True)
class _Read:
    """One PBX as it was read so far. Times are of the monotonic clock."""

    pbx: str
    heard_at: float
    last_id: str = "0-0"
    epoch: int = 0
    seq: int = 0
    true: bool = False
    """The hub's picture is that of (epoch, seq), and what follows in the stream follows on it."""
    tried_at: float = 0.0
    beat: Beat | None = None
    code: str = ""
    """Why it is not live, as far as that lies between worker and here: "", ``bus_lost``, ``worker_lost``."""
    since: int = 0
    told_at: float = 0.0


class Reader:
    """Brings the pictures of all PBXs that workers tell of into this process's hub."""

    def __init__(self, bus: Bus, hub: Picture) -> None:
        self.gaps = 0
        """How often a picture had to be taken anew, after the first time."""
        self._bus = bus
        self._hub = hub
        self._floors: dict[str, _Read] = {}
        self._reached = False
        self._complained = False
        self._ahead_ms = 0.0
        """Redis's clock (ms of UTC) less our monotonic one."""
        self._run = b""

    async def run(self) -> None:
        """Read until cancelled; reach Redis again whenever it was away."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._judge(), name="reader.judge")
            group.create_task(self._keep_reading(), name="reader.read")

    async def _keep_reading(self) -> None:
        while True:
            try:
                async with self._bus.connect() as redis:
                    await self._read(redis)
            except ERRORS as error:
                self._lost(str(error))
            except Exception as error:
                log.exception("the reader failed by an error of ours and is begun again")
                self._lost(str(error))
            await asyncio.sleep(random.uniform(0, RETRY_S))

    async def _read(self, redis: Redis) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            self._run = (await _run_of(redis)).encode()
            self._back()
            await self._names(redis)
            for floor in self._floors.values():
                # What we read last is still there: the stream is the one that we know, and goes on.
                there = await redis.xrange(self._bus.stream(floor.pbx), floor.last_id, floor.last_id)
                floor.true, floor.tried_at = floor.true and bool(there), 0.0
        asked = time.monotonic()
        while True:
            # Longer than a read may wait for news, so that a Redis that is frozen is told from a quiet one.
            async with asyncio.timeout(BLOCK_S + TIMEOUT_S):
                if time.monotonic() - asked >= BLOCK_S:
                    asked = time.monotonic()
                    await self._names(redis)
                await self._read_once(redis)

    async def _read_once(self, redis: Redis) -> None:
        for floor in self._floors.values():
            if not floor.true and time.monotonic() - floor.tried_at >= BLOCK_S:
                await self._take(redis, floor)
        if not self._floors:
            await asyncio.sleep(BLOCK_S / 2)  # no worker ever told of a PBX: there is no stream to wait on
            return
        floors = {self._bus.stream(floor.pbx): floor for floor in self._floors.values()}
        places = {stream: floor.last_id for stream, floor in floors.items()}
        answer = await redis.xread(places, count=CHUNK, block=round(BLOCK_S * 1000))  # type: ignore[arg-type]
        for stream, entries in answer:
            await self._entries(redis, floors[stream.decode()], entries)

    async def _names(self, redis: Redis) -> None:
        """Which PBXs are there, and what time is it over there?"""
        seconds, micros = await redis.time()
        self._ahead_ms = seconds * 1000 + micros / 1000 - time.monotonic() * 1000
        for name in await redis.zrangebyscore(self._bus.names, seconds - FORGET_S, "+inf"):
            pbx = name.decode()
            if pbx not in self._floors:
                floor = self._floors[pbx] = _Read(pbx, heard_at=time.monotonic())
                self._tell(floor)

    # --- one PBX

    async def _take(self, redis: Redis, floor: _Read) -> None:
        """The whole picture, brought up to date with what the stream has after it, as one snapshot to the pages."""
        floor.tried_at = time.monotonic()
        stream = self._bus.stream(floor.pbx)
        raw = await redis.get(self._bus.picture(floor.pbx))
        if raw is None:  # an emptied Redis: the worker's next write begins with a mark
            last = await redis.xrevrange(stream, count=1)
            floor.true, floor.last_id = False, last[0][0].decode() if last else "0-0"
            return
        picture = orjson.loads(raw)
        answer = await redis.xread({stream: picture["after"]}, count=STREAM_LENGTH)
        # From here on there is no await: picture, numbers and place belong together.
        self.gaps += floor.epoch != 0
        up: Entities = picture["up"]
        floor.epoch, floor.seq, floor.last_id, floor.true = picture["epoch"], picture["seq"], picture["after"], True
        t = picture["t"]
        for _, entries in answer:
            for id_, fields in entries:
                frame = self._entry(floor, id_, fields)
                if frame is not None:
                    t = frame.t
                    _merge(up, frame)
        self._hub.snapshot(Snapshot(floor.pbx, floor.epoch, floor.seq, t, up))
        self._tell(floor)

    async def _entries(self, redis: Redis, floor: _Read, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        for id_, fields in entries:
            was_true = floor.true
            frame = self._entry(floor, id_, fields)
            if frame is not None:
                self._hub.publish(frame)
            elif fields[b"kind"] == b"beat" or was_true != floor.true:
                self._tell(floor)
            wait = MARK_S if fields[b"kind"] == b"whole" else BLOCK_S
            if not floor.true and time.monotonic() - floor.tried_at >= wait:
                await self._take(redis, floor)
                return  # on from another place

    def _entry(self, floor: _Read, id_: bytes, fields: dict[bytes, bytes]) -> Frame | None:
        """Take note of one entry; the frame in it if it follows on the picture."""
        floor.last_id = id_.decode()
        epoch, seq, kind, body = int(fields[b"epoch"]), int(fields[b"seq"]), fields[b"kind"], fields[b"body"]
        if kind == b"frame":
            return self._frame(floor, epoch, seq, body)
        if kind == b"beat":
            if fields[b"run"] == self._run:
                self._beat(floor, epoch, seq, id_, orjson.loads(body))
        elif epoch != floor.epoch or seq > floor.seq:
            floor.true = False
        return None

    def _frame(self, floor: _Read, epoch: int, seq: int, body: bytes) -> Frame | None:
        if not floor.true or epoch != floor.epoch or seq <= floor.seq:
            return None  # a new epoch begins with a mark; what the picture holds already is nothing new
        if seq != floor.seq + 1:
            log.info("%s: frames %d to %d are missing, the picture is taken anew", floor.pbx, floor.seq + 1, seq - 1)
            floor.true = False
            return None
        floor.seq = seq
        return Frame(floor.pbx, epoch, seq, **orjson.loads(body))

    def _beat(self, floor: _Read, epoch: int, seq: int, id_: bytes, body: dict[str, Any]) -> None:
        age_ms = self._ahead_ms + time.monotonic() * 1000 - int(id_.partition(b"-")[0])
        if age_ms > FRESH_S * 1000:
            return
        floor.beat = Beat(floor.pbx, epoch, seq, **body)
        floor.heard_at = time.monotonic()
        if floor.beat.link["phase"] == "live" and (epoch != floor.epoch or seq > floor.seq):
            floor.true = False  # it tells of what never came

    # --- what the pages are told of how true it is

    def _tell(self, floor: _Read) -> None:
        """The heartbeat that pages of this process get: the worker's, unless something between it and here is broken.
        Its numbers are those of the picture that they have."""
        now, now_ms = time.monotonic(), round(time.time() * 1000)
        code = "" if self._reached else "bus_lost"
        if not code and now - floor.heard_at > LOST_S:
            code = "worker_lost"
        if code != floor.code:
            floor.code, floor.since = code, now_ms
        beat = floor.beat
        if code:
            link = {"phase": "down", "code": code, "detail": "", "since": floor.since}
        elif beat is None:
            link = {"phase": "connecting", "code": "", "detail": "", "since": now_ms}
        elif beat.link["phase"] == "live" and not floor.true:
            link = {"phase": "resyncing", "code": "", "detail": "", "since": now_ms}
        else:
            link = beat.link
        age_ms, rtt_ms = -1, -1.0
        if beat is not None:
            age_ms = beat.age_ms if beat.age_ms < 0 else beat.age_ms + round((now - floor.heard_at) * 1000)
            rtt_ms = beat.rtt_ms
        floor.told_at = now
        self._hub.beat(Beat(floor.pbx, floor.epoch, floor.seq, now_ms, age_ms, rtt_ms, link))

    async def _judge(self) -> None:
        """A worker that died says nothing: that is noticed here. And while things are broken, pages hear so."""
        while True:
            await asyncio.sleep(BEAT_S / 8)
            for floor in self._floors.values():
                quiet = time.monotonic() - floor.heard_at > LOST_S
                if quiet and self._reached and floor.code != "worker_lost":
                    floor.tried_at = 0.0
                    floor.true = False  # should our place in the stream be wrong, this finds the right one
                    self._tell(floor)
                elif (quiet or not self._reached) and time.monotonic() - floor.told_at >= BEAT_S:
                    self._tell(floor)

    def _back(self) -> None:
        self._reached = True
        if self._complained:
            self._complained = False
            log.info("Redis is back")

    def _lost(self, reason: str) -> None:
        self._reached = False
        for floor in self._floors.values():
            floor.beat = None  # the worker's next word counts, not its last one
        if not self._complained:
            self._complained = True
            log.warning("Redis can't be read, nothing here is live: %s", reason)
            for floor in self._floors.values():
                self._tell(floor)
