"""A command's whole life at the worker that owns its PBX.

Intent to the audit first, and waited for. Then, with no await between: epoch, time to live, duplicate, target alive
and unchanged, ``decide()`` on live state, send. Then the effect, seen as an event or by a re-read, settles it:
``done`` (proved), ``refused`` (never sent, or Asterisk said no), ``unknown`` (sent, not proved).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from pydantic import ValidationError

import ami
from accounts.permissions import UserSnapshot, decide
from ami.client import Link
from audit.record import AuditUnavailable, Outcome, Record, What, Who, told
from floor import asking, registry
from floor.monitoring import Monitor
from floor.registry import Action, Found, Plan, Tones
from live.pbx import Pbx
from live.resync import Step

log = logging.getLogger(__name__)

TTL_S: Final = 4.0
"""A click older than this when its turn comes is not done any more: its user has gone on."""

PROOF_S: Final = 8.0
"""How long an effect is waited for before the answer is ``unknown``."""

RESOLVE_S: Final = 60.0
"""How long an ``unknown`` may still be settled, by an event or by the lists after a reconnect."""

REMEMBERED: Final = 5_000
"""Answers kept for a command that comes again with the same id."""


@dataclass(slots=True)
class Command:
    """What somebody wants done. Times are seconds of UTC (``time.time``)."""

    id: str
    user_id: int
    user_name: str
    verb: str
    kind: str
    key: str
    rev: int
    args: dict[str, Any]
    epoch: int
    """The epoch of the picture that was clicked on; 0 for who saw none."""
    at: float
    source: str
    address: str
    reply_to: str
    session: str = ""
    """Key of the session or token that it was sent under, which must still be good; "" for who needs none."""

    @classmethod
    def read(cls, message: dict[str, Any]) -> Command:
        target = message["target"]
        return cls(
            id=message["id"],
            user_id=message["user_id"],
            user_name=message["user_name"],
            verb=message["verb"],
            kind=target["kind"],
            key=target["key"],
            rev=target["rev"],
            args=message["args"],
            epoch=message["epoch"],
            at=message["at"],
            source=message["source"],
            address=message["address"],
            reply_to=message["reply_to"],
            session=message.get("session", ""),
        )


@dataclass(slots=True)
class _Underway:
    """A command that was accepted; ``result`` once it is answered."""

    command: Command
    who: Who
    what: What
    hubs: set[str] = field(default_factory=set)
    """Where answers go: the same command may come through several web processes."""
    wire_ms: float = 0.0
    plan: Plan | None = None
    result: dict[str, Any] | None = None
    more: bool = False
    """The result is ``unknown`` and may yet be settled."""
    errors: list[str] = field(default_factory=list)
    answers: int = 0
    timer: asyncio.TimerHandle | None = None

    @property
    def patience(self) -> float:
        """Seconds that its effect is waited for."""
        waits = self.plan.patience_s if self.plan is not None else None
        return PROOF_S if waits is None else waits

    @property
    def ack(self) -> dict[str, Any]:
        return {"type": "ack", "id": self.command.id, "patience_ms": round(self.patience * 1000)}


Reply = Callable[[str, dict[str, Any]], Awaitable[None]]
"""Send one message to a hub's channel."""


Read = Callable[[tuple[Step, ...]], Awaitable[None]]
"""Read lists into the model, on the session whose events feed it; the model's owner looks again after that."""


class Book(Protocol):
    """Where it is written who does what: the audit's trail. All raise ``AuditUnavailable``."""

    async def begin(self, who: Who, what: What, session: str) -> tuple[Record | None, UserSnapshot | None]:
        """Write the intent; or say what is written of the command, if it has one already. And the user as she is at
        this moment, or nobody."""

    async def end(self, who: Who, what: What, outcome_: Outcome, code: str, detail: str) -> None:
        """Write how it ended. The code is the audit's own, which says more than the user is told (``told``)."""

    async def users(self, ids: set[int], phones: set[str], pbx: str) -> list[UserSnapshot]:
        """Those of these ids, and those whose phone on this PBX is one of these, as they are at this moment."""


class Dispatcher:
    """Takes the commands for one PBX, one life each."""

    def __init__(
        self,
        pbx: Pbx,
        link: Link,
        book: Book,
        reply: Reply,
        epoch: Callable[[], int],
        read: Read | None = None,
        recorder: Link | None = None,
        tones: Tones | None = None,
        monitor: Monitor | None = None,
    ) -> None:
        """``recorder``: the PBX's account that may record, where it has one. ``monitor``: is told what is asked of
        legs that listen."""
        self._pbx, self._link, self._book, self._reply, self._epoch = pbx, link, book, reply, epoch
        self._read, self._recorder, self._tones, self._monitor = read, recorder, tones, monitor
        self._known: OrderedDict[str, _Underway] = OrderedDict()
        self._unproved: dict[str, _Underway] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- a command comes

    async def run(self, message: dict[str, Any]) -> None:
        """One command from the layer, to its acceptance or refusal. Never raises for what the message says.

        With ``ask`` in it, it is a question about one: nothing is written and nothing sent.
        """
        if "ask" in message:
            live, records = self._link.state.phase == "live", self._recorder is not None
            said = asking.answer(self._pbx, message, live=live, records=records)
            self._start(self._reply(message["reply_to"], said))
            return
        try:
            command = Command.read(message)
        except (KeyError, TypeError):
            log.warning("a command without its fields is dropped")
            return
        known = self._known.get(command.id)
        if known is not None:
            self._again(known, command)
            return
        underway = self._enter(command)
        self._send(underway, underway.ack)
        action = registry.ACTIONS.get(command.verb)
        found = self._find(command)
        underway.what = _what(command, self._pbx.name, found)
        try:
            earlier, user = await self._book.begin(underway.who, underway.what, command.session)
        except AuditUnavailable as error:
            log.error("no audit, so no %s: %s", command.verb, error)
            self._answer(underway, "refused", "audit_unavailable", audited=False)
            return
        if earlier is not None:
            self._replayed(underway, earlier)
            return
        # From here to the send there is no await: what is decided is what is done.
        self._act(underway, action, user)

    def _enter(self, command: Command) -> _Underway:
        who = Who(command.user_id, command.user_name, command.source, command.address)  # type: ignore[arg-type]
        underway = _Underway(command, who, What(command.id, command.verb), hubs={command.reply_to})
        self._known[command.id] = underway
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return underway

    def _find(self, command: Command) -> Found | None:
        kind = registry.KINDS.get(command.kind)
        pbx, _, rest = command.key.partition("/")
        return kind.find(self._pbx, rest) if kind is not None and pbx == self._pbx.name else None

    def _again(self, known: _Underway, command: Command) -> None:
        """The same id: the same command. Its answer, now or when it comes, goes there too."""
        if command.user_id != known.command.user_id:
            return  # 128 random bits don't collide: somebody guesses, and learns nothing
        known.hubs.add(command.reply_to)
        answer = known.ack if known.result is None else {**known.result, "more": known.more}
        self._start(self._reply(command.reply_to, answer))

    def _replayed(self, underway: _Underway, earlier: Record) -> None:
        """The audit knows this id though we don't: another process had it. Nothing is done; it is answered with what
        is written of it, and what has no outcome is not ours to claim."""
        what = earlier.what
        if earlier.who.user_id != underway.command.user_id:
            del self._known[underway.command.id]  # as in `_again`; and it stays its owner's
            return
        underway.command.verb, underway.command.kind, underway.command.key = (
            what.verb,
            what.target_kind,
            what.target_key,
        )
        outcome, code = (earlier.outcome, earlier.code) if earlier.outcome else ("unknown", "not_proved")
        self._answer(underway, outcome, code, earlier.detail, audited=False)

    # --- deciding and sending, without an await

    def _act(self, underway: _Underway, action: Action | None, user: UserSnapshot | None) -> None:
        command = underway.command
        if action is None or action.target != command.kind:
            return self._answer(underway, "refused", "bad_command")
        if command.epoch and command.epoch != self._epoch():
            return self._answer(underway, "refused", "stale_epoch")
        if time.time() - command.at > TTL_S:
            return self._answer(underway, "refused", "expired")
        found = self._find(command)
        target = found.target(command.kind, self._pbx.name) if found is not None else None
        if user is None:
            return self._answer(underway, "refused", "no_right")
        decision = decide(user, action.right, target)
        if not decision.allowed:
            return self._answer(underway, "refused", decision.code)
        if found is None:
            return self._answer(underway, "refused", "gone")
        if found.rev != command.rev or found.rev < 0:
            return self._answer(underway, "refused", "changed")
        try:
            args = action.args.model_validate(command.args)
            registry.decide_rest(self._pbx, action, found, args, user)
            plan = action.plan(self._pbx, found, args, user)
        except registry.Refused as refusal:
            return self._answer(underway, "refused", refusal.code, detail=refusal.detail)
        except (ValidationError, ami.EncodingRefused) as error:
            return self._answer(underway, "refused", "bad_command", detail=str(error))
        if plan.tone and not (self._tones is not None and self._tones.stands(plan.tone)):
            return self._start(self._toned(underway, action, user, plan.tone))
        return self._post(underway, plan, user, self._recorder if action.records else self._link)

    async def _toned(self, underway: _Underway, action: Action, user: UserSnapshot, uniqueid: str) -> None:
        """Once the call can hear the tone all is decided again, on what is live then. How often is bounded by the
        click's own time to live."""
        why = ("no_tone", "") if self._tones is None else await self._tones.begin(uniqueid)
        if why is not None:
            self._answer(underway, "refused", *why)
        elif underway.result is None:
            self._act(underway, action, user)

    def _post(self, underway: _Underway, plan: Plan, user: UserSnapshot, link: Link | None) -> None:
        if link is None:
            return self._answer(underway, "refused", "no_recording")
        if plan.own_leg:
            self._pbx.own.expect(plan.own_leg, user.id, user.name, time.time(), ", ".join(user.roles))
        futures: list[asyncio.Future[ami.Message]] = []
        try:
            for action in plan.sends:
                futures.append(link.post(action))
        except ami.AmiError as error:
            if not futures:
                return self._answer(underway, "refused", "link_down", detail=str(error))
            log.warning("only %d of %d actions of %s went out: %s", len(futures), len(plan.sends), action, error)
        command = underway.command
        if self._monitor is not None:
            if plan.own_leg:
                self._monitor.asked(plan.own_leg, underway.who, command.id, plan.told, plan.reason)
            elif command.kind == "spy":
                self._monitor.done_to(command.key.partition("/")[2], command.verb, command.id)
        underway.wire_ms = (time.time() - underway.command.at) * 1000
        underway.plan = plan
        self._unproved[underway.command.id] = underway
        underway.timer = asyncio.get_running_loop().call_later(underway.patience, self._out_of_time, underway)
        self._send(underway, underway.ack)
        for future in futures:
            future.add_done_callback(lambda done: self._responded(underway, done))
        return None

    # --- what comes of it

    def _responded(self, underway: _Underway, future: asyncio.Future[ami.Message]) -> None:
        """Asterisk answered one of the actions. ``Success`` proves nothing; only all ``Error`` decides."""
        underway.answers += 1
        assert underway.plan is not None
        if underway.answers == len(underway.plan.sends) and underway.plan.reread and self._read is not None:
            # Now, not before: a list that was asked earlier may show what was.
            self._start(self._read(underway.plan.reread))
        if future.cancelled() or future.exception() is not None:
            return
        response = future.result()
        if response.response == "Error":
            underway.errors.append(response.text("Message").strip())
        if len(underway.errors) == len(underway.plan.sends) and underway.result is None:
            # It can't have been us if the effect is there all the same.
            code = "gone" if underway.plan.proved(self._pbx) else "asterisk"
            self._settle(underway, "refused", code, detail=underway.errors[0])
        elif underway.plan.unprovable and underway.answers == len(underway.plan.sends) and underway.result is None:
            underway.plan.taken(self._pbx)
            self._settle(underway, "unknown", "not_provable")
        elif underway.plan.answered_first:
            self.look()

    def look(self) -> None:
        """The model moved, or was read again: settle what it proves now."""
        for underway in [*self._unproved.values()]:
            plan = underway.plan
            assert plan is not None
            early = plan.answered_first and underway.answers < len(plan.sends)
            if len(underway.errors) < len(plan.sends) and not early and plan.proved(self._pbx):
                self._settle(underway, "done", "")
            elif why := plan.failed(self._pbx):
                self._settle(underway, "refused", *why)
                self._undo(plan)

    def _undo(self, plan: Plan) -> None:
        for action in plan.undo(self._pbx):
            try:
                self._link.post(action).add_done_callback(lambda done: done.cancelled() or done.exception())
            except ami.AmiError as error:
                log.warning("what is left of a failed action stays: %s", error)

    def _out_of_time(self, underway: _Underway) -> None:
        loop = asyncio.get_running_loop()
        if underway.result is None:
            underway.timer = loop.call_later(RESOLVE_S, self._out_of_time, underway)
            self._answer(underway, "unknown", "not_proved", more=True)
        elif self._unproved.pop(underway.command.id, None) is not None:
            self._answer(underway, "unknown", "not_proved", audited=False)  # and so it stays

    def _settle(self, underway: _Underway, outcome: Outcome, code: str, detail: str = "") -> None:
        self._unproved.pop(underway.command.id, None)
        if underway.timer is not None:
            underway.timer.cancel()
        self._answer(underway, outcome, code, detail)

    def _answer(
        self,
        underway: _Underway,
        outcome: Outcome,
        code: str,
        detail: str = "",
        *,
        more: bool = False,
        audited: bool = True,
    ) -> None:
        command = underway.command
        underway.more = more
        code_told, detail_told = told(code, detail)
        underway.result = {
            "type": "result",
            "id": command.id,
            "verb": command.verb,
            "target": {"kind": command.kind, "key": command.key},
            "outcome": outcome,
            "code": code_told,
            "detail": detail_told[:300],
            "wire_ms": round(underway.wire_ms, 2),
        }
        self._send(underway, {**underway.result, "more": more})
        if audited:
            self._start(self._write_outcome(underway, outcome, code, detail))

    async def _write_outcome(self, underway: _Underway, outcome: Outcome, code: str, detail: str) -> None:
        try:
            await self._book.end(underway.who, underway.what, outcome, code, detail)
        except AuditUnavailable as error:
            # The intent is there and has no outcome: a reader sees that nobody knows.
            log.error("the outcome of %s could not be written: %s", underway.command.id, error)

    # --- small change

    def _send(self, underway: _Underway, message: dict[str, Any]) -> None:
        for hub in underway.hubs:
            self._start(self._reply(hub, message))

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Let the answers and outcomes that are on their way arrive."""
        for underway in self._known.values():
            if underway.timer is not None:
                underway.timer.cancel()
            if underway.result is None:
                # Without a plan nothing was sent, and nothing will be.
                if underway.plan is not None:
                    self._answer(underway, "unknown", "not_proved")
                else:
                    self._answer(underway, "refused", "link_down")
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _logged(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception:
        log.exception("an answer could not be sent")


def _what(command: Command, pbx: str, found: Found | None) -> What:
    return What(
        command=command.id,
        verb=command.verb,
        pbx=pbx,
        target_kind=command.kind,
        target_key=command.key,
        target_words=found.words if found else "",
        args=command.args,
    )
