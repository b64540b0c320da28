"""A socket does not outlive its session or token: who signs out, or may see or do something else, is told so in
seconds."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from channels.db import database_sync_to_async
from django.db import Error

from accounts.living import living
from accounts.permissions import UserSnapshot
from accounts.snapshots import user_snapshots
from floor.hub import RESTARTS, SIGNED_OUT, Hub

log = logging.getLogger(__name__)

GUARD_S: Final = 1.5
"""Between two looks: what is taken from somebody is gone from her screen in two seconds. A dozen queries for all."""


async def guard(hub: Hub) -> None:
    """Look after the sockets of this process, until cancelled. Without a database all stay as they are: the worker
    refuses commands then, since it can't write its audit."""
    while True:
        await asyncio.sleep(GUARD_S)
        try:
            await look(hub)
        except Error as error:
            log.warning("sessions could not be looked at: %s", error)
        except Exception:
            log.exception("sessions could not be looked at")


async def look(hub: Hub) -> None:
    """One look."""
    watchers = [watcher for watcher in hub.watchers if watcher.session]
    if not watchers:
        return
    good, users = await database_sync_to_async(_read)(
        {watcher.session for watcher in watchers}, {watcher.user_id for watcher in watchers}
    )
    for watcher in watchers:
        if watcher.session not in good:
            code = SIGNED_OUT
        elif watcher.is_other(users.get(watcher.user_id)):
            code = RESTARTS  # she comes back at once, and is told what she may see and do now
        else:
            continue
        hub.leave(watcher)
        watcher.connection.close_with(code)


def _read(sessions: set[str], users: set[int]) -> tuple[set[str], dict[int, UserSnapshot]]:
    return living(sessions), user_snapshots(users)
