"""A socket does not outlive its session or token: who signs out, or gets other rights, is told so in seconds."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from channels.db import database_sync_to_async
from django.db import Error

from accounts.living import living
from accounts.snapshots import user_snapshot
from floor.hub import RESTARTS, SIGNED_OUT, Hub

log = logging.getLogger(__name__)

GUARD_S: Final = 1.5
"""Between two looks: what is taken from somebody is gone from her screen in two seconds. Two queries for them all."""

USERS: Final = 20
"""Whose rights are read again at each look, in turn: each costs some queries, and rights change rarely."""


async def guard(hub: Hub) -> None:
    """Look after the sockets of this process, until cancelled. Without a database all stay as they are: the worker
    refuses commands then, since it can't write its audit."""
    turn: deque[int] = deque()
    while True:
        await asyncio.sleep(GUARD_S)
        try:
            await look(hub, turn)
        except Error as error:
            log.warning("sessions could not be looked at: %s", error)
        except Exception:
            log.exception("sessions could not be looked at")


async def look(hub: Hub, turn: deque[int]) -> None:
    """One look. ``turn``: the users whose rights are to be read again, the next first."""
    watchers = [watcher for watcher in hub.watchers if watcher.session]
    if not watchers:
        return
    here = {watcher.user_id for watcher in watchers}
    turn.extend(sorted(here - set(turn)))
    next_ones = {turn.popleft() for _ in range(min(USERS, len(turn)))}
    good, rights = await database_sync_to_async(_read)({watcher.session for watcher in watchers}, next_ones & here)
    for watcher in watchers:
        if watcher.session not in good:
            code = SIGNED_OUT
        elif watcher.user_id in rights and watcher.limited(rights[watcher.user_id]) != watcher.rights:
            code = RESTARTS  # she comes back at once, and is told what she may see and do now
        else:
            continue
        hub.leave(watcher)
        watcher.connection.close_with(code)


def _read(sessions: set[str], users: set[int]) -> tuple[set[str], dict[int, frozenset[str]]]:
    found = {user_id: user_snapshot(user_id) for user_id in users}
    return living(sessions), {user_id: user.rights if user else frozenset() for user_id, user in found.items()}
