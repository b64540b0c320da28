"""The worker that owns one PBX: its link, its model, its ticks, its commands."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ami.address import Address
from ami.client import Link, LinkState, Session
from ami.errors import AmiError
from ami.protocol import Message
from floor import registry
from floor.dispatch import TTL_S, Book, Dispatcher, Reply
from floor.frames import BEAT_S, Beat, Frame, Snapshot, link_words
from floor.lease import Lease
from floor.monitoring import Monitor, Witness
from live.manners import SEED, Manners
from live.pbx import Pbx
from live.resync import LISTENED_S, RECONCILE_S, SETTLE_S, STEPS, UNTOLD_S, WHO_TALKS, Step, untold

log = logging.getLogger(__name__)

TICK_S: Final = 0.05
"""On the average at most one frame in so long; the first change after quiet goes at once. 50 ms takes almost all that
coalescing can save (521 events/s become 18 frames/s measured), and nobody sees it."""

SAVED: Final = 3
"""Frames that quiet saves up: the few steps of one call (it dials, it rings) need not wait for each other's ticks."""

GAP_S: Final = 0.01
"""Between two of those: the events of one step come in several segments within a few milliseconds."""

BIG_TICK_S: Final = 0.1
BIG_FRAME: Final = 200
"""Entities in a frame from which on the longer tick holds."""

RIPEN_S: Final = 0.03
"""How soon to look again at what only time changes: a leg that settles, an ended call that expires."""


DEAF_S: Final = 6.0
"""How often the lists are read until the first event about a call has come: an account without ``read = call`` logs in
and lists as any other, and is merely never told anything. Nothing else in AMI says so."""

DEAF: Final = "no event about calls comes: the account needs read = system,call,agent,reporting"


@dataclass(frozen=True, slots=True)
class PbxConfig:
    """One PBX as the settings name it."""

    name: str
    address: Address
    extensions: re.Pattern[str]
    trunks: re.Pattern[str]
    manners: Manners = SEED
    recorder: Address | None = None
    """A second account, with write class ``system``: recording needs it."""
    events: str = "system,call,agent"
    """Event classes to hear: what the model wants. More are a flood, and some are forgeable."""


class Sink(Protocol):
    """Where the picture goes: the hub of this process, or what carries it to hubs elsewhere."""

    def snapshot(self, snapshot: Snapshot) -> None: ...
    def publish(self, frame: Frame) -> None: ...
    def beat(self, beat: Beat) -> None: ...


class PbxWorker:
    """Keeps one PBX's picture true and its commands served, until cancelled."""

    def __init__(
        self, config: PbxConfig, sink: Sink, book: Book, reply: Reply | None = None, witness: Witness | None = None
    ) -> None:
        """``reply``: gets the answers. With it nothing is taken from the channel layer, where the commands of other
        processes come: only who has this worker gives it any, by ``dispatcher.run``. ``witness``: where it is written
        who listens to whom; of the workers of one PBX, one has it."""
        self.name = config.name
        self.pbx = Pbx(config.name, config.extensions, config.trunks, config.manners)
        self.link = Link(
            config.address,
            events=config.events,
            on_event=self._event,
            resync=self._resync,
            on_state=self._link_changed,
        )
        self.recorder = self._recording_link(config.recorder) if config.recorder is not None else None
        """Each change of its state is followed by a heartbeat."""
        self._tones = next((make(self.pbx, self.link) for make in registry.TONES), None)
        self._alone = reply is not None
        self.monitor = Monitor(self.pbx, witness) if witness is not None else None
        self.dispatcher = Dispatcher(
            self.pbx,
            self.link,
            book,
            reply or self._reply,
            lambda: self.epoch,
            self._read_again,
            self.recorder,
            self._tones,
            self.monitor,
        )
        # Who works alone keeps none: the panel's own worker looks after what it began.
        self.lease = None if self._alone else Lease(self.pbx, self.link, book, self._listening_ended)
        self.epoch = 0
        """Changes with every login: what was before is void. Milliseconds of UTC, so it rises over restarts too."""
        self.seq = 0
        self.drift = 0
        """What the periodic re-reads had to correct since the start; expected to stay 0."""
        self._hears = False
        """Since the login an event of class call has come."""
        self._deaf = False
        """Since the login a list has told of calls that no event told of, and none ever came."""
        self._sink = sink
        self._received = 0.0
        """When the oldest bytes came that no frame has told of yet; 0 if there are none."""
        self._last_frame = 0.0
        self._spacing = TICK_S
        self._credit = float(SAVED)
        """Frames that may go now, as of the last one."""
        self._ticking: asyncio.TimerHandle | None = None
        self._commands: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until cancelled. What one of its parts raises is logged and survived; the link survives by itself."""
        links = [self.link.run] if self.recorder is None else [self.link.run, self.recorder.run]
        parts = [self._beats, self._reconcile, self._read_untold]
        if self.lease is not None:
            parts += [self._take_commands, self._renew_lease, self._read_listened]
        if self.monitor is not None:
            parts.append(self.monitor.run)
        async with asyncio.TaskGroup() as first:
            for part in links:
                first.create_task(_for_ever(part), name=f"{self.name}.{part.__name__}")
            try:
                async with asyncio.TaskGroup() as group:
                    for part in parts:
                        group.create_task(_for_ever(part), name=f"{self.name}.{part.__name__}")
            finally:  # before the links end
                if self._tones is not None:
                    self._tones.close()

    async def close(self) -> None:
        """After ``run`` was cancelled: let what is known be said and written."""
        if self._commands:
            await asyncio.wait(self._commands, timeout=TTL_S)
        await self.dispatcher.finish()
        if self.lease is not None:
            await self.lease.finish()
        if self.monitor is not None:
            await self.monitor.finish()

    def _listening_ended(self, leg: str) -> None:
        if self.monitor is not None:
            self.monitor.because(leg, "scope")

    # --- events to frames

    def _event(self, message: Message) -> None:
        now = time.time()
        self.pbx.apply(message, now)
        if message.event == "ChanSpyStart" and self.monitor is not None and self.link.state.phase == "live":
            self.monitor.look(now)  # before it may be over again
        if not self._hears:
            self._hears = message.get("Privilege").startswith("call")
        if not self._received:
            self._received = now
        self._schedule(0.0)

    def _schedule(self, at_least: float) -> None:
        """Look soon: at once after quiet, else when a frame may go, in any case not before ``at_least`` seconds."""
        loop = asyncio.get_running_loop()
        passed = loop.time() - self._last_frame
        wait = max(at_least, GAP_S - passed, (1 - self._credit) * self._spacing - passed, 0.0)
        if self._ticking is not None:
            if self._ticking.when() <= loop.time() + wait:
                return
            self._ticking.cancel()  # it was to be a look at what ripens: an event is not to wait for that
        # Never in this turn of the loop: the events of one segment are one step.
        self._ticking = loop.call_later(wait, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        try:
            self._look()
        except Exception:  # a fault of ours must not end the worker, nor leave a change untold
            log.exception("the picture of %s could not be told, and is told anew", self.name)
            self._tell_anew()

    def _look(self) -> None:
        now = time.time()
        if self.link.state.phase != "live":
            self.pbx.expire(now)  # events come all the same, for as long as no resync ends well
            return  # a picture half listed is not shown; the snapshot after the resync tells all
        changes = self.pbx.changes(now)
        received = self._received
        if changes or not self.pbx.unsettled:
            self._received = 0.0  # else what came is still to be told, and its frame says since when it waits
        if changes:
            self.seq += 1
            self._framed(len(changes))
            rx = _ms(received or now)
            self._sink.publish(Frame(self.name, self.epoch, self.seq, _ms(now), rx, changes.up, changes.gone))
        self.dispatcher.look()
        if self._tones is not None:
            self._tones.look()
        if self.monitor is not None:
            self.monitor.look(now)
        if self.lease is not None:
            self.lease.act()  # after it: of a listening that ends as it begins, the beginning is known then
        if self.pbx.pending or (self.monitor is not None and self.monitor.pending):
            self._schedule(RIPEN_S)

    def _tell_anew(self) -> None:
        """Fold all channels again and tell all, under a new epoch."""
        self._last_frame = asyncio.get_running_loop().time()
        try:
            self.pbx.retell()
            self._snapshot()
        except Exception:
            log.exception("the picture of %s could not be told anew either", self.name)

    def _snapshot(self) -> None:
        """All that is true, under a new epoch."""
        now = time.time()
        self.pbx.changes(now)
        self.epoch, self.seq = max(_ms(now), self.epoch + 1), 0
        self._received = 0.0
        self._sink.snapshot(Snapshot(self.name, self.epoch, self.seq, _ms(now), self.pbx.entities()))

    def _framed(self, entities: int) -> None:
        """A frame goes out: take it off what was saved up."""
        at = asyncio.get_running_loop().time()
        self._credit = min(float(SAVED), self._credit + (at - self._last_frame) / self._spacing) - 1
        self._last_frame = at
        self._spacing = BIG_TICK_S if entities > BIG_FRAME else TICK_S

    # --- the truth

    async def _resync(self, session: Session) -> None:
        """After each login: read the lists, let the stragglers come, and tell all under a new epoch."""
        await self._read(session, STEPS)
        await asyncio.sleep(SETTLE_S)
        # Once more: Asterisk 16 writes its lists from a cache that lags, so a channel born just before the login may
        # be in neither the events nor the first list, and one that just hung up still in it.
        await self._read(session, STEPS)
        self.pbx.settled = True
        self._snapshot()

    async def _read(self, session: Session, steps: tuple[Step, ...]) -> int:
        """Ask for all lists at once, then for those that they lead to; each is taken in stream order, where its
        ``Complete`` lies among the events."""
        corrections = 0

        def take(step: Step) -> Any:
            def on_complete(items: list[Message]) -> None:
                nonlocal corrections
                corrections += step.replace(self.pbx, items, time.time())

            return on_complete

        while steps:
            await asyncio.gather(*(session.post_list(step.action, take(step)) for step in steps))
            steps = tuple(further for step in steps for further in step.then(self.pbx))
        return corrections

    async def _read_again(self, steps: tuple[Step, ...]) -> None:
        """Lists that show what no event tells. Without a link they are not missed: a login reads all."""
        session = self.link.event_session
        if not steps or session is None or self.link.state.phase != "live":
            return
        try:
            await self._read(session, steps)
        except AmiError as error:
            log.info("%s: a re-read failed: %s", self.name, error)
            return
        self._schedule(0.0)

    async def _read_untold(self) -> None:
        while True:
            await asyncio.sleep(UNTOLD_S)
            await self._read_again(untold(self.pbx))

    async def _reconcile(self) -> None:
        """Read the lists again from time to time: events should have told everything that they say. And soon, when an
        event was about nobody we know, or when Asterisk was reloaded, since no event tells what that did. Where events
        about nobody go on, each pause is twice the last one: all lists, every two seconds, is what an Asterisk that
        has too much to do needs least."""
        pause = BEAT_S
        while True:
            unknown, reloads = self.pbx.unknown, self.pbx.reloads
            waited = 0.0
            while waited < RECONCILE_S:
                await asyncio.sleep(BEAT_S)
                waited += BEAT_S
                rose = self.pbx.unknown != unknown
                deaf = not self._hears and waited >= DEAF_S
                if (rose and waited >= pause) or self.pbx.reloads != reloads or deaf:
                    break
            pause = min(2 * pause, RECONCILE_S) if rose and waited <= pause else BEAT_S
            session = self.link.event_session
            if session is None or self.link.state.phase != "live":
                continue
            try:
                corrections = await self._read(session, STEPS)
            except AmiError as error:  # the link fell, or Asterisk is too busy to answer: the next time will do
                log.info("%s: a reconcile failed: %s", self.name, error)
                continue
            if corrections and not self._hears:
                await asyncio.sleep(SETTLE_S)  # a list may be ahead of the very first event
                self._deaf = not self._hears and session is self.link.event_session
            if corrections and self.pbx.reloads == reloads:
                self.drift += corrections
                log.warning("%s: a re-read corrected %d things that no event had told", self.name, corrections)
            self._schedule(0.0)

    async def _renew_lease(self) -> None:
        assert self.lease is not None
        await self.lease.renew(lambda: self._schedule(0.0))

    async def _read_listened(self) -> None:
        while True:
            await asyncio.sleep(LISTENED_S)
            if self.lease is not None and self.lease.holds:
                await self._read_again(WHO_TALKS)

    # --- the link

    def _recording_link(self, address: Address) -> Link:
        """It hears of nothing and asks for nothing: what it does, the events of the other link tell."""

        async def no_lists(session: Session) -> None:
            pass

        def changed(state: LinkState) -> None:
            level = logging.WARNING if state.code else logging.DEBUG
            log.log(level, "%s: the recording account is %s %s", self.name, state.phase, state.detail)
            self._beat(self.link.state)

        return Link(address, events="off", on_event=lambda message: None, resync=no_lists, on_state=changed)

    @property
    def _may_record(self) -> bool:
        return self.recorder is not None and self.recorder.state.phase == "live"

    def _link_changed(self, state: LinkState) -> None:
        log.log(
            logging.INFO if state.phase == "live" else logging.WARNING if state.code else logging.DEBUG,
            "%s is %s %s",
            self.name,
            state.phase,
            f"({state.code}: {state.detail})" if state.code else "",
        )
        if state.phase != "live":
            self.pbx.settled = False  # events of the new login may come before its lists
            self._hears = self._deaf = False
            if self.monitor is not None:
                self.monitor.lost()
        self._beat(state)
        if state.phase != "live":
            return
        self.dispatcher.look()
        self._schedule(0.0)

    def _beat(self, state: LinkState) -> None:
        if self._deaf and not self._hears and state.phase == "live":
            state = LinkState("refused", "rights_missing", DEAF, state.since)
        age, rtt = self.link.age, self.link.rtt
        self._sink.beat(
            Beat(
                pbx=self.name,
                epoch=self.epoch,
                seq=self.seq,
                t=_ms(time.time()),
                age_ms=-1 if age is None else _ms(age),
                rtt_ms=-1.0 if rtt is None else round(rtt * 1000, 2),
                link={**link_words(state), "records": self._may_record},
            )
        )

    async def _beats(self) -> None:
        while True:
            self._beat(self.link.state)
            await asyncio.sleep(BEAT_S)

    # --- commands

    # The layer is Django's; a script that keeps a picture of its own has neither.

    async def _take_commands(self) -> None:
        from floor import layer
        from floor.hub import worker_channel

        async for message in layer.messages(worker_channel(self.name)):
            task = asyncio.create_task(self.dispatcher.run(message))
            self._commands.add(task)
            task.add_done_callback(self._command_done)

    def _command_done(self, task: asyncio.Task[None]) -> None:
        self._commands.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a command failed by an error of ours", exc_info=task.exception())

    async def _reply(self, channel: str, message: dict[str, Any]) -> None:
        from floor import layer

        await layer.send(channel, message)


async def _for_ever(part: Any) -> None:
    """Run a part; one that fails by an error of ours is logged and begun again."""
    while True:
        try:
            await part()
        except Exception:
            log.exception("%s failed and is begun again", part.__qualname__)
        await asyncio.sleep(1.0)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
