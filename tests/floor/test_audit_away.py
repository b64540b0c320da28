"""The audit's store fails in real ways: nothing is done that can't be written down, the picture goes on, and what was
refused is done when the store is back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from accounts.models import User
from audit.models import Entry
from tests.floor.test_dispatch import Desk

pytestmark = pytest.mark.django_db(transaction=True)

Fault = Callable[[Desk], AbstractContextManager[None]]


def _on_its_thread(desk: Desk, statement: str) -> Any:
    """On the connection that the trail writes by."""

    def run() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone() if cursor.description else None

    return desk.trail._executor.submit(run).result()


@contextmanager
def locked(desk: Desk) -> Iterator[None]:
    options = connection.settings_dict
    if connection.vendor == "sqlite":
        blocker = sqlite3.connect(options["NAME"], isolation_level=None, check_same_thread=False)
        blocker.execute("BEGIN EXCLUSIVE")
        yield
        blocker.execute("ROLLBACK")
        blocker.close()
        return
    with psycopg.connect(host=options["HOST"], user=options["USER"], dbname=options["NAME"]) as other:
        other.execute("LOCK TABLE audit_entry")
        yield
        other.rollback()


@contextmanager
def read_only(desk: Desk) -> Iterator[None]:
    on, off = ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
    if connection.vendor == "postgresql":
        on, off = ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")
    _on_its_thread(desk, on)
    yield
    _on_its_thread(desk, off)


@contextmanager
def stopped(desk: Desk) -> Iterator[None]:
    """The server closes the trail's session and takes no other, as one that is stopped does."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server")
    options = connection.settings_dict
    name, user, host = options["NAME"], options["USER"], options["HOST"]
    (pid,) = _on_its_thread(desk, "SELECT pg_backend_pid()")
    with psycopg.connect(host=host, user=user, dbname="postgres", autocommit=True) as other:
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        yield
        other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@pytest.mark.parametrize("fault", [locked, read_only, stopped])
async def test_nothing_is_done_unwritten_and_viewing_goes_on(fault: Fault, bob: User) -> None:
    desk = Desk(bob)
    assert (await desk.run())["type"] == "ack"  # the store is there
    sent = len(desk.link.posted)
    manager = fault(desk)
    await sync_to_async(manager.__enter__)()
    try:
        answer = await desk.run()
        assert (answer["outcome"], answer["code"]) == ("refused", "audit_unavailable")
        assert len(desk.link.posted) == sent
        desk.scene.ring("x", "y", ("202", "102"))
        assert desk.scene.look().up["call"]
    finally:
        await sync_to_async(manager.__exit__)(None, None, None)
    desk.scene.settled()
    assert (await desk.run())["type"] == "ack"
    assert len(desk.link.posted) > sent
    assert await Entry.objects.filter(kind="intent").acount() == 2
    await desk.dispatcher.finish()
    await sync_to_async(desk.trail.close)()
