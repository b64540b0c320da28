"""Trail: the pen on its own thread, in order, and an answer even when the database gives none."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import NoReturn

import psycopg
import pytest
import pytest_asyncio
from django.db import OperationalError, connection, connections

from accounts.models import User
from audit.models import Entry
from audit.record import AuditUnavailable
from audit.trail import Trail, find, intent, outcome
from tests.audit.test_trail import COMMAND, what, who

# Another thread sees only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture
async def trail() -> AsyncIterator[Trail]:
    trail = Trail(timeout=5)
    yield trail
    await asyncio.to_thread(trail.close)


async def test_writes_and_finds(trail: Trail, bob: User) -> None:
    assert await trail.run(intent, who(bob), what()) is True
    assert await trail.run(intent, who(bob), what()) is False
    await trail.run(outcome, who(bob), what(), "done", detail="hung up")
    record = await trail.run(find, COMMAND)
    assert record is not None
    assert (record.outcome, record.detail) == ("done", "hung up")


async def test_one_thread_in_the_order_of_the_calls(trail: Trail, bob: User) -> None:
    commands = [f"{n:032x}" for n in range(50)]
    threads = await asyncio.gather(*(trail.run(threading.get_ident) for _ in range(5)))
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()
    await asyncio.gather(*(trail.run(intent, who(bob), what(command)) for command in commands))
    assert await trail.run(lambda: list(Entry.objects.values_list("command", flat=True))) == commands


async def test_a_hundred_clicks_with_one_id_are_one_intent(trail: Trail, bob: User) -> None:
    created = await asyncio.gather(*(trail.run(intent, who(bob), what()) for _ in range(100)))
    assert created.count(True) == 1


async def test_a_failing_database_is_unavailable_and_then_there_again(trail: Trail, bob: User) -> None:
    def broken() -> NoReturn:
        raise OperationalError("database or disk is full")

    with pytest.raises(AuditUnavailable, match="disk is full"):
        await trail.run(broken)
    assert await trail.run(intent, who(bob), what())


async def test_a_lost_connection_is_opened_again(trail: Trail, bob: User) -> None:
    def lose() -> None:
        connections["default"].ensure_connection()
        raw = connections["default"].connection
        raw.close()

    await trail.run(lose)
    try:
        await trail.run(intent, who(bob), what())
    except AuditUnavailable:  # SQLite says it at the first statement, PostgreSQL is asked before
        assert connection.vendor == "sqlite"
        assert await trail.run(intent, who(bob), what())


async def test_a_locked_database_is_an_answer_in_time(bob: User) -> None:
    trail = Trail(timeout=0.3)
    with locked():
        began = time.monotonic()
        with pytest.raises(AuditUnavailable, match="no answer"):
            await trail.run(intent, who(bob), what())
        assert time.monotonic() - began < 1
    await asyncio.to_thread(trail.close)


async def test_a_locked_database_says_so_itself(bob: User) -> None:
    """Within the 2 s that settings.py gives it, and so before the trail's own time is up."""
    trail = Trail()
    with locked(), pytest.raises(AuditUnavailable, match="OperationalError"):
        await trail.run(intent, who(bob), what())
    assert await trail.run(intent, who(bob), what())
    await asyncio.to_thread(trail.close)


@contextmanager
def locked() -> Iterator[None]:
    """Somebody else holds the trail's table, or with SQLite the whole database."""
    options = connection.settings_dict
    if connection.vendor == "sqlite":
        blocker = sqlite3.connect(options["NAME"], isolation_level=None)
        blocker.execute("BEGIN EXCLUSIVE")
        yield
        blocker.execute("ROLLBACK")
        blocker.close()
    else:
        with psycopg.connect(host=options["HOST"], user=options["USER"], dbname=options["NAME"]) as other:
            other.execute("LOCK TABLE audit_entry")
            yield
            other.rollback()


async def test_what_waits_behind_a_frozen_database_is_not_done_later() -> None:
    trail = Trail(timeout=0.2)
    done: list[int] = []
    gate = threading.Event()
    results = await asyncio.gather(
        trail.run(gate.wait, 5), *(trail.run(done.append, n) for n in range(20)), return_exceptions=True
    )
    assert all(isinstance(result, AuditUnavailable) for result in results)
    gate.set()
    await asyncio.to_thread(trail.close)
    assert done == []


async def test_a_closed_trail_says_so(bob: User) -> None:
    trail = Trail()
    await asyncio.to_thread(trail.close)
    await asyncio.to_thread(trail.close)
    with pytest.raises(AuditUnavailable, match="closed"):
        await trail.run(find, COMMAND)


async def test_a_mistake_of_the_caller_stays_his(trail: Trail) -> None:
    with pytest.raises(ZeroDivisionError):
        await trail.run(lambda: 1 // 0)
