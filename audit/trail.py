"""The trail's pen: `intent` before an action is sent, `outcome` after it, `find` to ask again; `denied` where there is
nothing to send; `changed` for settings, `signed` for sign-ins, `kept` for what is done to the audit itself.

A command is denied by its PBX's worker, on live state: by an `outcome` after its intent, whose code says so.

Sync functions that do ORM work, for commands and tests; `Trail` runs them for async code on one thread of its own.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final, Literal, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, Error, IntegrityError, connections, transaction
from django.db.models import CharField

from accounts.living import acting
from accounts.permissions import UserSnapshot
from accounts.snapshots import users_at
from audit.chain import KeyMissing
from audit.models import Entry
from audit.record import AuditUnavailable, Heard, Outcome, Record, What, Who, told

Params = ParamSpec("Params")
Result = TypeVar("Result")


def intent(who: Who, what: What) -> bool:
    """Writes that this is about to be done; when it returns, that is on the disk.

    False: this command has an intent already (a double click, a replay, another tab): do nothing, ask `find`.
    """
    try:
        # Its own savepoint: inside a transaction of the caller, a refused insert must not spoil that one (PostgreSQL).
        with transaction.atomic():
            _write(Entry.Kind.INTENT, who, what)
    except IntegrityError:
        if Entry.objects.filter(command=what.command, kind=Entry.Kind.INTENT).exists():
            return False
        raise  # another constraint: the user is gone
    return True


def outcome(who: Who, what: What, outcome: Outcome, code: str = "", detail: str = "") -> None:
    """Writes how it ended. May follow an earlier `unknown`."""
    _write(Entry.Kind.OUTCOME, who, what, outcome=outcome, code=code, detail=detail)


def denied(who: Who, what: What, code: str, detail: str = "") -> None:
    """Writes that it was asked for and not allowed: a page, a form; for what has no intent."""
    _write(Entry.Kind.DENIED, who, what, outcome=Entry.Outcome.REFUSED, code=code, detail=detail)


def changed(who: Who, what: What, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Writes that a setting was changed, from what to what: of both, the fields that differ. No secrets, please.

    Call it last in the transaction that makes the change, so that both are there or neither: until its end nobody else
    can write to the trail. `what.command` may be "". What differs in nothing is not written.
    """
    differ = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not differ:
        return
    args = {
        **what.args,
        "before": {name: before[name] for name in differ if name in before},
        "after": {name: after[name] for name in differ if name in after},
    }
    _write(Entry.Kind.CHANGED, who, replace(what, args=args))


def signed(who: Who, verb: str, code: str = "", **args: Any) -> None:
    """Writes who came (`sign.in`), went (`sign.out`), or was not let in (`sign.failed`, with a code)."""
    outcome = Entry.Outcome.REFUSED if code else Entry.Outcome.NONE
    _write(Entry.Kind.SIGN, who, What("", verb, args=args), outcome=outcome, code=code)


def kept(who: Who, what: What, outcome: Outcome | Literal[""] = "") -> None:
    """Writes what is done to the audit itself: a purge, a hold, an export."""
    _write(Entry.Kind.KEEPING, who, what, outcome=outcome)


def heard(who: Who, what: What, code: str = "") -> Entry:
    """Writes a step of a listening: `audit.monitoring` does."""
    return _write(Entry.Kind.LISTEN, who, what, code=code)


def _begin(who: Who, what: What, session: str) -> tuple[Record | None, UserSnapshot | None]:
    if not intent(who, what):
        return find(what.command), None
    return None, acting(who.user_id, session) if who.user_id is not None else None


def find(command: str) -> Record | None:
    """The command with its last outcome, as its asker is told; None if it has no intent.

    Whether it is the asker's own is for the caller to see (`record.who.user_id`).
    """
    entries = list(Entry.objects.filter(command=command, kind__in=(Entry.Kind.INTENT, Entry.Kind.OUTCOME)))
    first = next((entry for entry in entries if entry.kind == Entry.Kind.INTENT), None)
    if first is None:
        return None
    last = next((entry for entry in reversed(entries) if entry.kind == Entry.Kind.OUTCOME), None)
    code, detail = told(last.code, last.detail) if last else ("", "")
    return Record(
        who=Who(first.user_id, first.user_name, first.source, first.address),  # type: ignore[arg-type]  # its choices
        what=What(
            command=first.command,
            verb=first.verb,
            pbx=first.pbx,
            target_kind=first.target_kind,
            target_key=first.target_key,
            target_words=first.target_words,
            args=first.args,
        ),
        at=first.at,
        outcome=last.outcome if last else "",  # type: ignore[arg-type]  # its choices
        code=code,
        detail=detail,
    )


def _write(kind: Entry.Kind, who: Who, what: What, outcome: str = "", code: str = "", detail: str = "") -> Entry:
    entry = Entry(
        kind=kind,
        command=what.command or secrets.token_hex(16),
        user_id=who.user_id,
        user_name=_text("user_name", who.name),
        source=who.source,
        address=_text("address", who.address),
        verb=_text("verb", what.verb),
        pbx=_text("pbx", what.pbx),
        target_kind=_text("target_kind", what.target_kind),
        target_key=_text("target_key", what.target_key),
        target_words=_text("target_words", what.target_words),
        args=_clean(dict(what.args)),
        outcome=outcome,
        code=_text("code", code),
        detail=_text("detail", detail),
    )
    entry.save()
    return entry


def _text(name: str, value: str) -> str:
    """Fits the column: PostgreSQL refuses a longer text, and an entry that is cut is better than none."""
    column = Entry._meta.get_field(name)
    assert isinstance(column, CharField)
    return _storable(value)[: column.max_length]


def _storable(value: str) -> str:
    """PostgreSQL can't hold NUL, UTF-8 can't hold lone surrogates; caller IDs, from strangers, may have both."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


DEEPEST: Final = 16
"""Levels of an argument that are written: no action takes so many, and strangers to an action may send hundreds."""


def _clean(value: Any, depth: int = 0) -> Any:
    """As the database gives it back: PostgreSQL spells fractions in its own way, and a chain knows one spelling."""
    if isinstance(value, str):
        return _storable(value)
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    if depth < DEEPEST:
        if isinstance(value, Mapping):
            return {_storable(str(key)): _clean(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return [_clean(item, depth + 1) for item in items]
        return _storable(str(value))
    return "…"


class Trail:
    """Runs the functions above for async code, one after another, on one thread with one database connection.

    One thread, since SQLite has one writer, and since the order of the calls is then the order of the entries.
    `timeout` (seconds) is for one call, waiting included: a frozen database is an answer too.
    """

    # A database file that is replaced, or a server behind a moved address, is found again after so long.
    RENEW = 60.0  # seconds

    def __init__(self, *, timeout: float = 4.0, using: str = DEFAULT_DB_ALIAS) -> None:
        self._timeout = timeout
        self._using = using
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="audit")
        self._renew_at = 0.0  # monotonic seconds

    async def begin(self, who: Who, what: What, session: str) -> tuple[Record | None, UserSnapshot | None]:
        """The intent, durable; or what the trail has of the command already. And the user with her rights as they are
        at this moment; none if what she came with (a session's or token's key, or "" for no such) has ended."""
        return await self.run(_begin, who, what, session)

    async def end(self, who: Who, what: What, outcome_: Outcome, code: str, detail: str) -> None:
        """How it ended."""
        await self.run(outcome, who, what, outcome_, code, detail)

    async def heard(self, step: Heard) -> None:
        """A step of a listening."""
        from audit import monitoring

        await self.run(monitoring.write, step)

    async def users(self, ids: set[int], phones: set[str], pbx: str) -> list[UserSnapshot]:
        """Those of these ids, and those whose phone on this PBX is one of these, as they are at this moment."""
        return await self.run(users_at, ids, phones, pbx)

    async def run(self, fn: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs) -> Result:
        """`fn(*args, **kwargs)` on the trail's thread. AuditUnavailable: the database failed, or took too long.

        After a timeout the entry may still be written: an intent whose action was never sent, and that has no outcome.
        """
        try:
            future = self._executor.submit(self._call, fn, *args, **kwargs)
        except RuntimeError:
            raise AuditUnavailable("the trail is closed") from None
        try:
            # It cancels what is still queued, so that a frozen database doesn't leave a heap of late entries. wait_for
            # would too, and miss a cancellation of the caller that comes with the answer (Python 3.11).
            async with asyncio.timeout(self._timeout):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise AuditUnavailable(f"no answer from the database in {self._timeout:g} s") from None

    def _call(self, fn: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs) -> Result:
        connection = connections[self._using]
        try:
            # Kept open from call to call, which CONN_MAX_AGE = 0 (right for the web's short-lived threads) would not:
            # the last one to close SQLite's file copies the whole write-ahead log back, at 5 to 20 ms a time.
            if connection.connection is not None and (
                time.monotonic() >= self._renew_at or not connection.is_usable()
            ):
                connection.close()
            if connection.connection is None:
                self._renew_at = time.monotonic() + self.RENEW
            return fn(*args, **kwargs)
        except KeyMissing as error:
            raise AuditUnavailable(str(error)) from None
        except Error as error:  # an IntegrityError too (the user is gone): what can't be written down isn't done
            connection.close()
            raise AuditUnavailable(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Waits for what is queued, then closes the thread's connection and the thread. Call it once, at the end."""
        # Queued behind everything else, and on the thread that opened it: no other may close it.
        try:
            self._executor.submit(lambda: connections[self._using].close())
        except RuntimeError:
            return
        self._executor.shutdown(wait=True)
