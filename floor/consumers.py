"""One browser's socket: who are you, join, say, take commands, leave."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils import translation

from accounts.addresses import client_address
from accounts.monitoring_policy import UNANSWERED
from accounts.permissions import UserSnapshot
from accounts.snapshots import user_snapshot
from accounts.tokens import Bearer, bearer, burn
from floor import frames, hub, registry
from floor.frames import Cmd
from floor.hub import SIGNED_OUT, Watcher
from floor.lenses import View
from floor.words import scope_words

log = logging.getLogger(__name__)

COMMANDS_PER_S: Final = 10.0
BURST: Final = 20
"""Nobody clicks faster; a script that does is told ``too_fast``."""

OUTBOX: Final = 1_000
"""Messages that may wait to be handed to the server. Servers that never make us wait (Daphne) leave it empty; the
bound on bytes that a browser has not rendered is the hub's."""

TOO_FAR_BEHIND: Final = 4408

TOO_MANY: Final = 4429
"""Close code: too many sockets of one user, or words on one socket."""

SOCKETS: Final = 20
"""Of one user in one process: tabs and walls; a script that opens more is stopped."""

SOCKETS_OF_ADDRESS: Final = 500
"""Open from one address in one process, whoever has them: an office behind one address has fewer, and who opens them
without an account, to have each looked at, gets no further."""

WORDS_PER_S: Final = 30.0
WORDS_BURST: Final = 60
"""A page says `seen` once a second for each PBX, and little else."""

LONGEST: Final = 64 * 1024
"""Characters of one message from a page; ours have a few hundred."""

TOO_LONG: Final = 4009


Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
"""ASGI's."""


class Allowance:
    """A token bucket: so many a second, so many at once."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, float(burst)
        self._left, self._at = float(burst), time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class PanelConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """Lives as long as the page is open. It is no member of any channel layer: the hub pushes to it."""

    # An alias that names no layer: no channel of its own is made, no group joined.
    channel_layer_alias = "none"
    _of_address: ClassVar[Counter[str]] = Counter()
    # Until a server is seen to wait that was said never to.
    may_send_now: ClassVar[bool] = True

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' hop to the shared thread before every message (143 of 616 µs measured, and a slow query of
        one client would hold up all): only ``connect`` touches the database here, and it does its own hop."""
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"no handler for {message['type']}")
        await handler(message)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.watcher: Watcher | None = None
        peer = (scope.get("client") or ("", 0))[0]
        self._address = client_address(scope["headers"], str(peer), settings.PHOENIX_PROXIES)
        self._of_address[self._address] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()  # also when a handler of ours failed, and nobody says `disconnect`
            self._of_address[self._address] -= 1
            if not self._of_address[self._address]:
                del self._of_address[self._address]

    async def connect(self) -> None:
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(OUTBOX)
        self._over = False  # closed, or broken: nothing more is handed to the server
        self._words = Allowance(WORDS_PER_S, WORDS_BURST)
        self._commands = Allowance(COMMANDS_PER_S, BURST)
        self._bearer: Bearer | None = None
        if self._of_address[self._address] > SOCKETS_OF_ADDRESS:
            await self.accept()
            await self.close(TOO_MANY)
            return
        snapshot = await self._who()
        # Accepted even to be turned away: a browser is told the close code of an open socket only.
        await self.accept()
        if snapshot is None or not snapshot.active:
            await self.close(SIGNED_OUT)
            return
        self._user = snapshot
        self._send_now: Send | None = self.scope.get("phoenix.send") if self.may_send_now else None
        self._writer = asyncio.create_task(self._write())
        here = hub.current()
        if sum(watcher.user_id == snapshot.id for watcher in here.watchers) >= SOCKETS:
            await self.close(TOO_MANY)
            return
        came = self._bearer
        session = getattr(self.scope.get("session"), "session_key", "") or ""
        self.watcher = Watcher(
            self,
            View.of(snapshot),
            snapshot.id,
            session=came.key if came is not None else session,
            granted=came.granted if came is not None else None,
        )
        here.join(self.watcher, self._hello(snapshot))

    async def _who(self) -> UserSnapshot | None:
        """Who opens it: by the token that the door found in its headers, else by the session of its cookie."""
        query = self.scope.get("query_string", b"").decode("latin-1")
        if "phx_" in query and await database_sync_to_async(burn)(query):
            return None
        token = self.scope.get("phoenix.token")
        if token is not None:
            found = await database_sync_to_async(bearer)(token, self._address)
            self._bearer = found if isinstance(found, Bearer) else None
            return found.user if isinstance(found, Bearer) else None
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return None
        snapshot: UserSnapshot | None = await database_sync_to_async(user_snapshot)(user.pk)
        return snapshot

    def _hello(self, user: UserSnapshot) -> dict[str, Any]:
        cookies = self.scope.get("cookies", {})
        with translation.override(cookies.get(settings.LANGUAGE_COOKIE_NAME) or user.language):
            actions = registry.described_for(user.rights)
            # Those that the panel began with are translated, an administrator's are as he wrote them.
            reasons = [translation.gettext(text) for text in (user.monitoring or UNANSWERED).reasons]
            scope = scope_words(user.scope)
        return {
            "server": settings.PHOENIX_VERSION,
            "user": {
                "id": user.id,
                "name": user.name,
                "phones": {pbx: dial_string.partition("/")[2] for pbx, dial_string in user.phones},
                "told_by": settings.PHOENIX_MONITORING_SHOWS,
            },
            "rights": sorted(user.rights),
            "scope": scope,
            "actions": actions,
            "reasons": reasons,
        }

    async def disconnect(self, code: int) -> None:
        self._leave()

    def _leave(self) -> None:
        if self.watcher is not None:
            hub.current().leave(self.watcher)
            self._writer.cancel()
            self.watcher = None

    # --- to the browser

    def deliver(self, text: str) -> None:
        """Send, in order, without waiting: the hub calls this for every watcher in one go."""
        self._put({"type": "websocket.send", "text": text})

    def close_with(self, code: int) -> None:
        self._put({"type": "websocket.close", "code": code})

    def _put(self, message: dict[str, Any]) -> None:
        if self._send_now is not None and self._put_now(self._send_now, message):
            return
        try:
            self._outbox.put_nowait(message)
        except asyncio.QueueFull:
            while not self._outbox.empty():
                self._outbox.get_nowait()
            self._outbox.put_nowait({"type": "websocket.close", "code": TOO_FAR_BEHIND})

    def _put_now(self, send: Send, message: dict[str, Any]) -> bool:
        """Hand it to a server whose ``send`` never waits, without a queue and a task between (a third of the cost).
        False if it goes by the outbox after all."""
        if self._over:
            return True
        self._over = message["type"] == "websocket.close"
        sending = send(message)
        try:
            sending.send(None)
        except StopIteration:
            return True
        except Exception:  # whatever the server raises for a socket that went away
            log.exception("a socket could not be written to")
            self._over = True
            return True
        # It waits, against what was said of it, and nobody knows whether the message left. The page comes back, to a
        # socket that is written to by the outbox.
        log.error("a server that should never wait does: sends are queued from here on")
        sending.close()
        PanelConsumer.may_send_now = False
        self._send_now = None
        self.close_with(TOO_FAR_BEHIND)
        return True

    async def _write(self) -> None:
        while True:
            message = await self._outbox.get()
            try:
                await self.base_send(message)
            except Exception:  # whatever the server raises for a socket that went away
                log.exception("a socket could not be written to")
                return
            if message["type"] == "websocket.close":
                return

    # --- from the browser

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.watcher is None or text_data is None:
            return
        if len(text_data) > LONGEST:
            self.close_with(TOO_LONG)
            return
        if not self._words.take():
            self.close_with(TOO_MANY)
            return
        try:
            word = frames.decode(text_data)
        except ValueError:
            log.info("user %s sent no word of ours", self._user.id)
            return
        here = hub.current()
        match word:
            case frames.Seen():
                here.seen(self.watcher, word.pbx, word.epoch, word.seq)
            case frames.Ping():
                self.deliver(frames.encode("pong", n=word.n))
            case frames.Resync():
                here.resync(self.watcher, word.pbx)
            case Cmd():
                await self._command(self.watcher, word)

    async def _command(self, watcher: Watcher, word: Cmd) -> None:
        """A first, quick no for what is no command at all; all else, a missing right too, the PBX's worker decides, on
        live state and into the audit."""
        at = time.time()
        code = self._objection(word)
        if code:
            target = {"kind": word.target.kind, "key": word.target.key}
            self.deliver(
                frames.encode(
                    "result", id=word.id, verb=word.verb, target=target, outcome="refused", code=code, detail=""
                )
            )
            return
        command = {
            "id": word.id,
            "user_id": self._user.id,
            "user_name": self._user.name if self._bearer is None else self._bearer.words,
            "verb": word.verb,
            "target": word.target.model_dump(),
            "args": word.args,
            "epoch": word.epoch or hub.current().epoch(word.target.pbx),
            "session": watcher.session,
            "at": at,
            "source": "page" if self._bearer is None else "api",
            "address": self._address,
        }
        await hub.current().command(watcher, command, word.target.pbx)

    def _objection(self, word: Cmd) -> str:
        if not self._commands.take():
            return "too_fast"
        action = registry.ACTIONS.get(word.verb)
        return "bad_command" if action is None or action.target != word.target.kind else ""
