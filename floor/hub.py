"""The hub: one for each web process. It holds what every PBX is now, and pushes it to the browsers of this process.

No browser is ever a member of a channel layer's group (a stock ``group_send`` costs 570 to 1,000 µs for each delivered
message and drops silently): the hub gets each frame once and hands the same text to every watcher of a bucket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from channels.exceptions import ChannelFull
from django.conf import settings

from accounts.permissions import UserSnapshot
from floor import frames, layer, veil
from floor.frames import Beat, Frame, Snapshot
from floor.lenses import Floor, View
from live.changes import Fields

log = logging.getLogger(__name__)

UNSEEN_BYTES: Final = 512 * 1024
"""A page that has not said that it rendered this much is sent no more until it does, and then a snapshot. It bounds
what a frozen browser costs, whatever the server's own buffers do (Daphne's have no bound)."""

ANSWER_S: Final = 12.0
"""How long a command's answer is waited for here. The worker says ``unknown`` after 8 s; this is for a dead worker."""

BEYOND_S: Final = 4.0
"""A worker that took a command says how long its proof may take; so much longer its answer is waited for."""

SIGNED_OUT: Final = 4401
"""Close code: log in first."""

RESTARTS: Final = 4012
"""Close code: the server restarts. (WebSocket's own 1012 is refused by autobahn, under Daphne.)"""

RESYNC_S: Final = 2.5
"""A page asks again for a snapshot that does not come after 3 s."""

ACK_S: Final = 1.0
"""A worker that lives takes a command in milliseconds."""


class Connection(Protocol):
    """A browser's socket, as the hub needs it. Both return at once."""

    def deliver(self, text: str) -> None: ...
    def close_with(self, code: int) -> None: ...


@dataclass(eq=False, slots=True)
class Watcher:
    """One browser that looks."""

    connection: Connection
    view: View
    """What it is shown: its bucket."""
    user_id: int = 0
    unseen: deque[tuple[str, int, int, int]] = field(default_factory=deque)
    """(pbx, epoch, seq, bytes) sent and not yet rendered there."""
    unseen_bytes: int = 0
    stopped: set[str] = field(default_factory=set)
    """PBXs of which it is sent nothing until it has caught up."""
    session: str = ""
    """Key of the session or token that it was opened under: it may not outlive it."""
    granted: frozenset[str] | None = None
    """What its token grants of its user's rights; None without one: all."""
    asked: dict[str, float] = field(default_factory=dict)
    """When (monotonic seconds) it was last sent a snapshot of a PBX that it asked for."""

    def is_other(self, user: UserSnapshot | None) -> bool:
        """Whether what its user may see or do now is other than what it was greeted with."""
        if user is None:
            return True
        limited = user if self.granted is None else user.limited(self.granted)
        return View.of(limited) != self.view


@dataclass(slots=True)
class _Pending:
    """A command on its way, and who waits for what becomes of it: more than one, where it was sent again."""

    command: dict[str, Any]
    watchers: list[Watcher]
    timers: list[asyncio.TimerHandle]


class Hub:
    """Everything here but the pump is synchronous: between a snapshot and the frames after it lies no await."""

    def __init__(self) -> None:
        self.channel = f"web.{secrets.token_hex(8)}"
        """Where workers answer this process."""
        self._floors: dict[str, Floor] = {}
        self._buckets: dict[View, set[Watcher]] = {}
        self._seen_by: dict[str, list[View]] = {}
        """By PBX: the views of those that look and that it is not hidden from."""
        self._pending: dict[str, _Pending] = {}

    # --- from the workers

    def snapshot(self, snapshot: Snapshot) -> None:
        """A new epoch: what was is void."""
        held = self._floors.get(snapshot.pbx)
        beat, beaten = (held.beat, held.beaten) if held is not None else (None, 0.0)
        self._begin(Floor(snapshot, beat, beaten))
        for view in self._seen_by[snapshot.pbx]:
            for watcher in self._buckets[view]:
                self._send_snapshot(watcher, snapshot.pbx)

    def _begin(self, floor: Floor) -> Floor:
        self._floors[floor.head.pbx] = floor
        self._seen_by[floor.head.pbx] = [view for view in self._buckets if view.sees_some(floor.head.pbx)]
        for view in self._seen_by[floor.head.pbx]:
            floor.open(view)
        return floor

    def publish(self, frame: Frame) -> None:
        floor = self._floors.get(frame.pbx)
        if floor is None or frame.epoch != floor.head.epoch:
            return
        floor.take(frame)
        for view in self._seen_by[frame.pbx]:
            text = floor.text(view)
            for watcher in self._buckets[view]:
                if frame.pbx not in watcher.stopped:
                    self._send(watcher, frame.pbx, frame.epoch, frame.seq, text)

    def beat(self, beat: Beat) -> None:
        floor = self._floors.get(beat.pbx)
        if floor is None:
            floor = self._begin(Floor(Snapshot(beat.pbx, beat.epoch, 0, beat.t, {})))
        floor.beat, floor.beaten = beat, time.monotonic()
        text = frames.encode_beat(beat)
        for view in self._seen_by[beat.pbx]:
            for watcher in self._buckets[view]:
                if beat.pbx not in watcher.stopped:
                    watcher.connection.deliver(text)

    # --- from the browsers

    def join(self, watcher: Watcher, hello: dict[str, Any]) -> None:
        """Greet a browser and tell it all; from here on it gets every frame."""
        seen = {name: floor for name, floor in self._floors.items() if watcher.view.sees_some(name)}
        pbxs = {
            name: {"epoch": floor.head.epoch, "link": floor.beat.link if floor.beat else None}
            for name, floor in seen.items()
        }
        watcher.connection.deliver(frames.encode("hello", t=_now_ms(), pbxs=pbxs, **hello))
        if watcher.view not in self._buckets:
            self._buckets[watcher.view] = set()
            for name, floor in seen.items():
                floor.open(watcher.view)
                self._seen_by[name].append(watcher.view)
        self._buckets[watcher.view].add(watcher)
        for name, floor in seen.items():
            self._send_snapshot(watcher, name)
            if floor.beat is not None:
                watcher.connection.deliver(frames.encode_beat(floor.beat))

    def leave(self, watcher: Watcher) -> None:
        bucket = self._buckets.get(watcher.view, set())
        bucket.discard(watcher)
        if not bucket and self._buckets.pop(watcher.view, None) is not None:
            for name, floor in self._floors.items():
                floor.close(watcher.view)
                if watcher.view in self._seen_by[name]:
                    self._seen_by[name].remove(watcher.view)
        for command_id, pending in [*self._pending.items()]:
            if watcher in pending.watchers:
                pending.watchers.remove(watcher)
                if not pending.watchers:
                    self._forget(command_id)

    def resync(self, watcher: Watcher, pbx: str) -> None:
        """A browser missed something. Who asks faster than anybody can read is given nothing: a snapshot is large."""
        now = time.monotonic()
        if self.has(pbx, watcher.view) and now - watcher.asked.get(pbx, -RESYNC_S) >= RESYNC_S:
            watcher.asked[pbx] = now
            self._send_snapshot(watcher, pbx)

    def seen(self, watcher: Watcher, pbx: str, epoch: int, seq: int) -> None:
        """The browser has rendered this PBX up to ``seq``; one that had fallen behind is told all anew."""
        head = self._floors[pbx].head if self.has(pbx, watcher.view) else None
        if head is None or (epoch, seq) > (head.epoch, head.seq):
            return  # nobody has seen what was not sent
        if pbx in watcher.stopped:
            watcher.unseen.clear()
            watcher.unseen_bytes = 0
            stopped, watcher.stopped = watcher.stopped, set()
            for name in stopped:
                if self.has(name, watcher.view):
                    self._send_snapshot(watcher, name)
            return
        keep: deque[tuple[str, int, int, int]] = deque()
        for sent in watcher.unseen:
            if sent[0] == pbx and (sent[1], sent[2]) <= (epoch, seq):
                watcher.unseen_bytes -= sent[3]
            else:
                keep.append(sent)
        watcher.unseen = keep

    def epoch(self, pbx: str) -> int:
        """The epoch of the picture that this process shows of a PBX; 0 if none."""
        floor = self._floors.get(pbx)
        return floor.head.epoch if floor is not None else 0

    # --- for who asks once (the API)

    def pbxs(self, view: View) -> list[str]:
        """Those that this process knows of, and that are not hidden from her."""
        return sorted(name for name in self._floors if view.sees_some(name))

    def has(self, pbx: str, view: View) -> bool:
        """Whether there is such a PBX, for her."""
        return pbx in self._floors and view.sees_some(pbx)

    def told(self, pbx: str) -> dict[str, Any] | None:
        """A snapshot's head and the last heartbeat's words, as they stand at this moment; None for what is no PBX."""
        floor = self._floors.get(pbx)
        if floor is None:
            return None
        head, beat = floor.head, floor.beat
        age_ms = -1
        if beat is not None and beat.age_ms >= 0:
            age_ms = beat.age_ms + round((time.monotonic() - floor.beaten) * 1000)
        return {
            "pbx": pbx,
            "epoch": head.epoch,
            "seq": head.seq,
            "t": head.t,
            "age_ms": age_ms,
            "rtt_ms": beat.rtt_ms if beat is not None else -1.0,
            "link": beat.link if beat is not None else None,
        }

    def entities(self, pbx: str, view: View, kinds: frozenset[str]) -> bytes:
        """A snapshot's `up` object: all entities of these kinds that she is shown, as JSON."""
        return self._floors[pbx].up(view, kinds)

    def entity(self, view: View, kind: str, key: str) -> Fields | None:
        """The fields of one entity that she is shown; not to be changed."""
        pbx = key.partition("/")[0]
        return self._floors[pbx].one(view, kind, key) if self.has(pbx, view) else None

    # --- commands

    async def command(self, watcher: Watcher, command: dict[str, Any], pbx: str) -> None:
        """Send a command to its PBX's worker; its answers come to this browser, and to others that sent the same."""
        if not self.has(pbx, watcher.view):
            self._answer(watcher, command, "refused", "pbx_unknown")
            if pbx in self._floors:  # hidden from her: the worker refuses it too, and writes down that she tried
                with contextlib.suppress(ChannelFull, layer.NotSent):
                    await layer.send(worker_channel(pbx), {"type": "command", **command, "reply_to": self.channel})
            return
        target = command["target"]
        command = {**command, "target": {**target, "key": self._floors[pbx].real(target["kind"], target["key"])}}
        earlier = self._pending.get(command["id"])
        if earlier is not None and earlier.command["user_id"] != command["user_id"]:
            # 128 random bits don't collide: somebody guesses, and is not told what of, nor does she take its answers.
            self._answer(watcher, command, "refused", "bad_command")
            return
        loop = asyncio.get_running_loop()
        timers = [
            loop.call_later(ACK_S, self._no_answer, command, "no_worker"),
            loop.call_later(ANSWER_S, self._no_answer, command, "not_proved"),
        ]
        waiting = [one for one in earlier.watchers if one is not watcher] if earlier is not None else []
        self._forget(command["id"])
        self._pending[command["id"]] = _Pending(command, [*waiting, watcher], timers)
        try:
            await layer.send(worker_channel(pbx), {"type": "command", **command, "reply_to": self.channel})
        except ChannelFull:
            waiting = self._pending[command["id"]].watchers if command["id"] in self._pending else [watcher]
            self._forget(command["id"])
            for one in waiting:
                self._answer(one, command, "refused", "too_fast")
        except layer.NotSent as error:
            # Not a refusal: a Redis that was slow to answer may have passed it on. The timers say what became of it.
            log.warning("a command for %s may not have been sent: %s", pbx, error)

    def _no_answer(self, command: dict[str, Any], code: str) -> None:
        pending = self._pending.get(command["id"])
        if pending is not None:
            for watcher in pending.watchers:
                self._answer(watcher, command, "unknown", code)
            if code == "not_proved":
                self._forget(command["id"])

    def _answer(self, watcher: Watcher, command: dict[str, Any], outcome: str, code: str) -> None:
        target = {name: command["target"][name] for name in ("kind", "key")}
        self._tell(
            watcher,
            {
                "type": "result",
                "id": command["id"],
                "verb": command["verb"],
                "target": target,
                "outcome": outcome,
                "code": code,
                "detail": "",
            },
        )

    @staticmethod
    def _tell(watcher: Watcher, message: dict[str, Any]) -> None:
        """An answer, as she may read it."""
        if message["type"] == "result" and watcher.view.masked:
            message = veil.result(message)
        watcher.connection.deliver(frames.encode(message["type"], **{k: v for k, v in message.items() if k != "type"}))

    def _forget(self, command_id: str) -> None:
        pending = self._pending.pop(command_id, None)
        for timer in pending.timers if pending is not None else []:
            timer.cancel()

    async def pump(self) -> None:
        """Carry the workers' answers to the browsers, until cancelled."""
        async for message in layer.messages(self.channel):
            try:
                self.answered(message)
            except Exception:  # one answer that can't be delivered must not end all others
                log.exception("an answer could not be delivered")

    def answered(self, message: dict[str, Any]) -> None:
        pending = self._pending.get(message["id"])
        if pending is None:
            return
        timers, type_ = pending.timers, message["type"]
        if type_ == "ack":
            timers[0].cancel()
            timers[1].cancel()
            wait = message["patience_ms"] / 1000 + BEYOND_S
            timers[1] = asyncio.get_running_loop().call_later(wait, self._no_answer, pending.command, "not_proved")
        elif not message.pop("more", False):
            # An `unknown` may still be settled by a re-read: that answer comes under the same id.
            self._forget(message["id"])
        else:
            timers[0].cancel()
            timers[1].cancel()
        for watcher in pending.watchers:
            self._tell(watcher, message)

    # --- closing

    def bye(self, retry_ms: int) -> None:
        """The process stops: tell every browser when to come back, each at a time of its own."""
        for watcher in self.watchers:
            watcher.connection.deliver(frames.encode("bye", retry_ms=retry_ms))
            watcher.connection.close_with(RESTARTS)

    # --- sending

    def _send_snapshot(self, watcher: Watcher, pbx: str) -> None:
        floor = self._floors[pbx]
        watcher.stopped.discard(pbx)
        watcher.connection.deliver(floor.snapshot(watcher.view))

    def _send(self, watcher: Watcher, pbx: str, epoch: int, seq: int, text: str) -> None:
        if watcher.unseen_bytes > UNSEEN_BYTES:
            watcher.stopped.update(self._floors)
            return
        watcher.unseen.append((pbx, epoch, seq, len(text)))
        watcher.unseen_bytes += len(text)
        watcher.connection.deliver(text)

    @property
    def watchers(self) -> Iterable[Watcher]:
        return [watcher for bucket in self._buckets.values() for watcher in bucket]


def worker_channel(pbx: str) -> str:
    """The layer's channel on which a PBX's worker takes commands. Redis's pub/sub knows neither databases nor, for
    names like these, the layer's own prefix: two panels on one Redis are told apart by the name."""
    prefix = f"{settings.PHOENIX_REDIS_PREFIX}." if settings.PHOENIX_REDIS else ""
    return f"{prefix}pbx.{pbx}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


_hub: Hub | None = None


def current() -> Hub:
    """This process's hub."""
    global _hub
    if _hub is None:
        _hub = Hub()
    return _hub
