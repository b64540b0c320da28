"""A command of a program: the way of a page's, through the hub to the worker that owns the PBX, and its answer."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from datetime import timedelta
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.utils import timezone

from accounts.tokens import Bearer
from api import answers
from api.answers import Problem
from api.door import WAITING, allowances
from audit import trail
from floor import hub, veil
from floor.frames import Cmd, Target
from floor.hub import ANSWER_S, Watcher
from floor.inquiry import Ear
from floor.lenses import View

LONGEST_WAIT_S: Final = 120.0
"""Phones ring for a minute at most, and are waited for a little longer."""

GIVEN_UP: Final = timedelta(seconds=150)
"""A command that has no outcome after so long never gets one: its worker died."""

BEGUN: Final = 1_000


_begun: OrderedDict[str, tuple[int, float, dict[str, Any]]] = OrderedDict()
"""By id, what went out a moment ago: user, when (monotonic), the last answer. The audit may know of it later."""


async def perform(
    came: Bearer, address: str, verb: str, kind: str, body: dict[str, Any], wait: float | None
) -> dict[str, Any]:
    """Do it and wait for what becomes of it: as long as the action's effect may take, or ``wait`` seconds. The answer
    is a `result` frame, its outcome `pending` if there is none yet."""
    at = time.time()
    here = hub.current()
    key, rev = body["target"]["key"], body["target"].get("rev")
    if rev is None:
        rev = (here.entity(View.of(came.user), kind, key) or {}).get("rev", 0)
    try:
        target = Target(kind=kind, key=key, rev=rev)
        id_ = body.get("id") or secrets.token_hex(16)
        cmd = Cmd(type="cmd", id=id_, verb=verb, target=target, args=body.get("args", {}), epoch=body.get("epoch", 0))
    except ValueError as error:
        raise Problem(422, "bad_request", f"args: {error}"[:500]) from None
    command = {
        "id": cmd.id,
        "user_id": came.user.id,
        "user_name": came.words,
        "verb": verb,
        "target": target.model_dump(),
        "args": cmd.args,
        "epoch": cmd.epoch or here.epoch(target.pbx),
        "session": came.key,
        "at": at,
        "source": "api",
        "address": address,
    }
    pending = answers.result(cmd.id, verb, kind, key, "pending")
    _remember(cmd.id, came.user.id, pending)
    if allowances.waiting.get(came.token_id, 0) >= WAITING:
        raise Problem(429, "too_fast", f"{WAITING} commands of this token are being waited for.", wait=1)
    ear = Ear()
    watcher = Watcher(ear, View.of(came.user), came.user.id)
    allowances.waiting[came.token_id] = allowances.waiting.get(came.token_id, 0) + 1
    try:
        await here.command(watcher, command, target.pbx)
        async with asyncio.timeout(wait):
            told = await asyncio.shield(ear.result) if not ear.result.done() else ear.result.result()
        _remember(cmd.id, came.user.id, told)
        return told
    except TimeoutError:
        return pending
    finally:
        here.leave(watcher)
        allowances.waiting[came.token_id] -= 1
        if not allowances.waiting[came.token_id]:
            del allowances.waiting[came.token_id]


def _remember(id_: str, user_id: int, answer: dict[str, Any]) -> None:
    """The first who gave it is its owner, until nobody asks any more."""
    if _begun.get(id_, (user_id,))[0] == user_id:
        _begun[id_] = (user_id, time.monotonic(), answer)
        while len(_begun) > BEGUN:
            _begun.popitem(last=False)


async def what_became(came: Bearer, id_: str) -> dict[str, Any]:
    """What became of a command, by the audit: it knows those of other processes, and of before a restart. Another
    user's command is as one that never was."""
    record = await sync_to_async(trail.find)(id_)
    user_id, at, told = _begun.get(id_, (0, 0.0, {}))
    fresh = user_id == came.user.id and time.monotonic() - at < ANSWER_S
    if record is not None and record.who.user_id == came.user.id:
        # The answer is not kept waiting for the entry of its outcome, which may come a moment after it.
        if not record.outcome and fresh:
            return told
        found = answers.recorded(record, given_up=timezone.now() - record.at > GIVEN_UP)
        return veil.result(found) if View.of(came.user).masked else found
    if record is None and fresh:
        return told
    raise Problem(404, "gone", "You gave no command with this id, or it was never begun.")
