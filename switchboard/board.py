"""A PBX's worker in a process of its own kind, with one who looks and acts."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, Self

from accounts.permissions import WHOLE_FLOOR, UserSnapshot, enough
from ami import Address
from audit.record import Outcome as OutcomeWord
from audit.record import Record, What, Who
from floor import asking, registry, targets
from floor.dispatch import Book
from floor.frames import Beat, Frame, Snapshot
from floor.registry import Found
from floor.worker import PbxConfig, PbxWorker
from live.changes import Entities, Fields
from live.manners import EXTENSIONS, SEED, TRUNKS, Manners

FEATURES: Final = ("calls", "conferences", "queues", "listening")
"""The packages that declare actions and kinds of entities. Under Django their apps do it when they are ready."""


def features() -> None:
    """Let the features declare what can be done, where Django has not done so already."""
    if registry.KINDS:
        return
    for feature in FEATURES:
        if importlib.util.find_spec(feature):
            importlib.import_module(f"{feature}.actions").register()


def everything() -> frozenset[str]:
    """Every right that an action or a look asks for."""
    asked = {action.right for action in registry.ACTIONS.values()}
    return frozenset(right for one in asked for right in enough(one)) | {
        kind.right for kind in registry.KINDS.values()
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action. ``code``: one of docs/frames.md's; ``detail``: Asterisk's own words, or the system's."""

    outcome: Literal["done", "refused", "unknown"]
    code: str
    detail: str
    verb: str
    key: str
    words: str
    """Who was meant: ``201 Maria → 101``."""
    id: str
    """The command's, by which the audit knows it."""

    @property
    def done(self) -> bool:
        return self.outcome == "done"


class NoLink(Exception):
    """The PBX can't be used: ``code`` is one of ``ami.LINK_CODES``, the text Asterisk's own words or the system's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail or code)
        self.code = code


class Unwritten:
    """No audit, and one user, who may do everything: what a script does is in its own hands."""

    def __init__(self, phones: tuple[tuple[str, str], ...] = ()) -> None:
        features()
        self.user = UserSnapshot(
            id=0, name="script", active=True, rights=everything(), phones=phones, scope=WHOLE_FLOOR
        )

    async def begin(self, who: Who, what: What, session: str) -> tuple[Record | None, UserSnapshot | None]:
        return None, self.user

    async def end(self, who: Who, what: What, outcome_: OutcomeWord, code: str, detail: str) -> None:
        pass

    async def users(self, ids: set[int], phones: set[str], pbx: str) -> list[UserSnapshot]:
        return [self.user]


class Switchboard:
    """One PBX, kept true while the ``async with`` lasts. After a break of the link it comes back by itself.

    ``on_change`` hears, synchronously, every frame (docs/frames.md), every snapshot (all is told anew) and every
    heartbeat; ``on_patience`` hears how many seconds the effect of what was just sent may take.
    """

    def __init__(
        self,
        config: PbxConfig,
        book: Book,
        *,
        on_change: Callable[[Snapshot | Frame | Beat], None] | None = None,
        on_patience: Callable[[float], None] | None = None,
    ) -> None:
        features()
        self._on_change, self._on_patience = on_change, on_patience
        self._worker = PbxWorker(config, _Told(self._told), book, self._answered)
        self._link: dict[str, Any] = {}
        self._moved = asyncio.Event()
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Log in and read what is true. Raises ``NoLink`` for the first reason why that can't be."""
        self._task = asyncio.create_task(self._worker.run())
        try:
            await self.until(lambda: self._link.get("phase") in ("live", "down", "refused"))
            if self._link["phase"] != "live":
                raise NoLink(self._link["code"], self._link["detail"])
            recorder = self._worker.recorder
            if recorder is not None:  # whether it came or not: without it all but recording goes
                await self.until(lambda: recorder.state.phase in ("live", "down", "refused"))
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._worker.close()

    # --- what is true

    @property
    def name(self) -> str:
        """The PBX's: every key begins with it."""
        return self._worker.name

    @property
    def link(self) -> dict[str, Any]:
        """How the link stands: ``phase``, ``code``, ``detail``, ``since`` (docs/frames.md)."""
        return self._link

    @property
    def entities(self) -> Entities:
        """kind → key → fields, as docs/frames.md has them. The model's own: read, and keep nothing of it."""
        return self._worker.pbx.entities()

    def all(self, kind: str) -> Iterator[Fields]:
        """The entities of this kind, each with its ``key``; without calls that have ended."""
        for key, fields in [*self.entities.get(kind, {}).items()]:
            if fields.get("phase") != "ended":
                yield {"key": key, **fields}

    async def until(self, true: Callable[[], object], seconds: float | None = None) -> None:
        """Wait until it is so: looked at after every change. Raises ``TimeoutError``."""
        async with asyncio.timeout(seconds):
            while not true():
                self._moved.clear()
                await self._moved.wait()

    # --- what is done

    def find(self, verb: str, text: str) -> Found:
        """What ``do`` would do it to. Raises ``KeyError`` for an unknown verb, ``NotFound``, ``Ambiguous``."""
        return targets.find(self._worker.pbx, registry.ACTIONS[verb], text)

    def ask(self, verb: str, text: str, user: UserSnapshot) -> asking.Facts:
        """What is to be known for why this user may, or can't. Raises ``KeyError``, ``Ambiguous``."""
        worker = self._worker
        return asking.facts(worker.pbx, registry.ACTIONS[verb], text, user, records=worker.recorder is not None)

    async def do(self, verb: str, target: str = "", /, **args: Any) -> Outcome:
        """Do it to what ``target`` names (a key, or what people call it), and wait for what comes of it.

        Raises as ``find`` does; all else, wrong arguments too, is an ``Outcome``.
        """
        return await self.do_to(verb, self.find(verb, target), **args)

    async def do_to(self, verb: str, found: Found, /, **args: Any) -> Outcome:
        """As ``do``, to what ``find`` has found: if that is another by now, it is refused as ``changed``."""
        id_ = secrets.token_hex(16)
        command = {
            "id": id_,
            "user_id": 0,
            "user_name": "",
            "verb": verb,
            "target": {"kind": registry.ACTIONS[verb].target, "key": found.key, "rev": found.rev},
            "args": targets.keys_in(self._worker.pbx, registry.ACTIONS[verb], found, args),
            "epoch": 0,
            "at": time.time(),
            "source": "shell",
            "address": "",
            "reply_to": "",
        }
        answer = self._answers[id_] = asyncio.get_running_loop().create_future()
        try:
            await self._worker.dispatcher.run(command)
            result = await answer
        finally:
            del self._answers[id_]
        return Outcome(result["outcome"], result["code"], result["detail"], verb, found.key, found.words, id_)

    # --- told by the worker

    def _told(self, change: Snapshot | Frame | Beat) -> None:
        if isinstance(change, Beat):
            self._link = change.link
        if self._on_change is not None:
            self._on_change(change)
        self._moved.set()

    async def _answered(self, channel: str, message: dict[str, Any]) -> None:
        answer = self._answers.get(message["id"])
        if answer is None or answer.done():
            return  # an `unknown` was settled after all: whoever asked has gone on
        if message["type"] == "result":
            answer.set_result(message)
        elif self._on_patience is not None:
            self._on_patience(message["patience_ms"] / 1000)


class _Told:
    """The worker's sink, with one who listens."""

    def __init__(self, told: Callable[[Snapshot | Frame | Beat], None]) -> None:
        self.snapshot: Callable[[Snapshot], None] = told
        self.publish: Callable[[Frame], None] = told
        self.beat: Callable[[Beat], None] = told


def connect(
    url: str,
    *,
    name: str = "pbx",
    phone: str = "",
    extensions: str = EXTENSIONS,
    trunks: str = TRUNKS,
    manners: Manners = SEED,
    recorder: str = "",
    on_change: Callable[[Snapshot | Frame | Beat], None] | None = None,
) -> Switchboard:
    """``async with connect("ami://user:secret@host:5038") as board``.

    ``phone``: what rings for listening and picking up (``PJSIP/900``). ``extensions`` and ``trunks``: which numbers
    are inside and which channels lead outside (docs/settings.md). ``recorder``: the address with a second account that
    has write class ``system``, for recording. Raises ``ValueError`` for a wrong address.
    """
    second = Address.parse(recorder) if recorder else None
    config = PbxConfig(name, Address.parse(url), re.compile(extensions), re.compile(trunks), manners, second)
    return Switchboard(config, Unwritten(((name, phone),) if phone else ()), on_change=on_change)
