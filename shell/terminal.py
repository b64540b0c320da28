"""What the subcommands do: look once, watch, act. Text goes out by ``say``, a line at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from floor.dispatch import Book
from floor.frames import Beat, Frame, Snapshot
from floor.registry import Action
from floor.worker import PbxConfig
from live.changes import Entities, Fields
from shell import EXITS, REFUSED, tables, words
from shell.tables import Look
from switchboard import NotFound, Outcome, Switchboard

REDRAW_S: Final = 0.25
"""At most so often is a table drawn anew."""

CLOCK_S: Final = 1.0
"""On a terminal, so often at least: how long things last is on it."""

CLEAR: Final = "\x1b[H\x1b[J"
"""To the terminal's first place, and nothing below it."""

LINE: Final = "\r\x1b[K"
"""To the beginning of the line, and nothing on it."""


class Stream(Protocol):
    """Where text goes: Django's wrapper of stdout or stderr."""

    def write(self, text: str, style_func: Callable[[str], str] | None = None, ending: str | None = None) -> None: ...
    def isatty(self) -> bool: ...
    def flush(self) -> None: ...


@dataclass(slots=True)
class Shell:
    """One run of the command on one PBX."""

    config: PbxConfig
    book: Book
    out: Stream
    err: Stream
    as_json: bool
    _limit: float = field(default=0.0, init=False)

    # --- looking

    async def look(self, look: Look, kinds: frozenset[str]) -> None:
        """What is true now, of the kinds that may be seen. Raises ``NoLink``."""
        async with self._board() as board:
            if not self.as_json:
                self.say(tables.text(look, _seen(board.entities, kinds), _now()))
                return
            for kind in (kind for kind in look.kinds if kind in kinds):
                for key, fields in board.entities.get(kind, {}).items():
                    self.json(kind=kind, key=key, entity=fields)

    async def watch(self, look: Look, kinds: frozenset[str]) -> None:
        """For ever; raises ``NoLink`` only when there is none at the beginning."""
        watching = _Lines(self, look, kinds) if self.as_json else _Table(self, look, kinds)
        async with self._board(on_change=watching.change) as board:
            await watching.run(board)

    # --- acting

    async def act(self, action: Action, target: str, args: dict[str, Any]) -> int:
        """Do it, say what came of it; the exit code. Raises ``NoLink``, ``Ambiguous``."""
        async with self._board(on_patience=self._patience) as board:
            try:
                async with self._progress(f"{action.verb}: waiting for the proof"):
                    result = await board.do(action.verb, target, **args)
            except NotFound as error:
                return self._nobody(action, target, str(error))
        self._result(action, result)
        return EXITS[result.outcome]

    @contextlib.asynccontextmanager
    async def _board(self, **hears: Any) -> AsyncIterator[Switchboard]:
        board = Switchboard(self.config, self.book, **hears)
        async with contextlib.AsyncExitStack() as stack:
            async with self._progress(f"asking {self.config.name}"):
                await stack.enter_async_context(board)
            yield board

    def _result(self, action: Action, result: Outcome) -> None:
        if self.as_json:
            self.json(
                id=result.id,
                verb=result.verb,
                target={"kind": action.target, "key": result.key},
                words=result.words,
                outcome=result.outcome,
                code=result.code,
                detail=result.detail,
            )
        elif result.done:
            self.say(words.outcome(result))
        else:
            self.err.write(words.outcome(result))

    def _nobody(self, action: Action, target: str, detail: str) -> int:
        """Nothing is called so: the same as a click on what is gone."""
        if self.as_json:
            place = {"kind": action.target, "key": self.config.name + "/" + target}
            self.json(id="", verb=action.verb, target=place, words="", outcome="refused", code="gone", detail=detail)
        else:
            self.err.write(f"refused: {action.verb}: {words.printable(detail)}")
        return REFUSED

    def _patience(self, seconds: float) -> None:
        self._limit = seconds

    # --- saying

    def say(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()

    def json(self, **fields: Any) -> None:
        # ASCII alone: whatever a caller calls himself, the terminal is not told to do anything.
        self.say(json.dumps({"t": _now(), "pbx": self.config.name, **fields}))

    @contextlib.asynccontextmanager
    async def _progress(self, what: str) -> AsyncIterator[None]:
        """On a terminal, a line that tells how long it has been waited for: from the first second on."""
        self._limit = 0.0
        task = asyncio.create_task(self._tell_progress(what)) if self.err.isatty() else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _tell_progress(self, what: str) -> None:
        began = time.monotonic()
        try:
            while True:
                await asyncio.sleep(CLOCK_S)
                most = f" of at most {self._limit:.0f}" if self._limit else ""
                self._err(f"{LINE}… {what}: {time.monotonic() - began:.0f}{most} s")
        finally:
            self._err(LINE)

    def _err(self, text: str) -> None:
        self.err.write(text, style_func=str, ending="")
        self.err.flush()


class _Table:
    """Draws the table whenever it is another one; on a terminal every second, in place."""

    def __init__(self, shell: Shell, look: Look, kinds: frozenset[str]) -> None:
        self._shell, self._look, self._kinds = shell, look, kinds
        self._changed = asyncio.Event()
        self._said = ""

    def change(self, change: Snapshot | Frame | Beat) -> None:
        self._changed.set()

    async def run(self, board: Switchboard) -> None:
        terminal = self._shell.out.isatty()
        while True:
            self._changed.clear()
            self._draw(board, terminal=terminal)
            await asyncio.sleep(REDRAW_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOCK_S if terminal else None):
                    await self._changed.wait()

    def _draw(self, board: Switchboard, *, terminal: bool) -> None:
        table = tables.text(self._look, _seen(board.entities, self._kinds), _now())
        if board.link["phase"] != "live":
            link = words.link(board.name, board.link["code"] or board.link["phase"], board.link["detail"])
            table = f"{link}: what follows is old\n{table}"
        if terminal:
            self._shell.say(f"{CLEAR}{board.name}  {time.strftime('%H:%M:%S')}  (Ctrl-C ends)\n{table}")
        elif table != self._said:
            self._shell.say(f"{table}\n")
        self._said = table


class _Lines:
    """Says each change as a line of JSON: an entity whole, with the fields that changed; ``null`` when it is gone."""

    def __init__(self, shell: Shell, look: Look, kinds: frozenset[str]) -> None:
        self._shell, self._kinds = shell, frozenset(look.kinds) & kinds
        self._held: Entities = {}
        self._link: dict[str, Any] = {}

    def change(self, change: Snapshot | Frame | Beat) -> None:
        if isinstance(change, Beat):
            if change.link != self._link:
                self._link = change.link
                self._shell.json(link=change.link)
        elif isinstance(change, Snapshot):
            for kind in sorted(self._kinds):
                entities = change.up.get(kind, {})
                for key in [key for key in self._held.get(kind, {}) if key not in entities]:
                    self._gone(kind, key)
                for key, fields in entities.items():
                    self._up(kind, key, fields, sorted(fields))
        else:
            for kind in self._kinds & change.up.keys():
                for key, changed in change.up[kind].items():
                    self._up(kind, key, {**self._held.get(kind, {}).get(key, {}), **changed}, sorted(changed))
            for kind in self._kinds & change.gone.keys():
                for key in change.gone[kind]:
                    self._gone(kind, key)

    async def run(self, board: Switchboard) -> None:
        await asyncio.Event().wait()

    def _up(self, kind: str, key: str, fields: Fields, changed: list[str]) -> None:
        self._held.setdefault(kind, {})[key] = dict(fields)
        self._shell.json(kind=kind, key=key, entity=fields, changed=changed)

    def _gone(self, kind: str, key: str) -> None:
        self._held.get(kind, {}).pop(key, None)
        self._shell.json(kind=kind, key=key, entity=None, changed=[])


def _seen(entities: Entities, kinds: frozenset[str]) -> Entities:
    return {kind: of for kind, of in entities.items() if kind in kinds}


def _now() -> int:
    return round(time.time() * 1000)
