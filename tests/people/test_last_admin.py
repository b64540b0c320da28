"""Two administrators leave at the same moment: one of them stays. On SQLite and on PostgreSQL (tests/house)."""

from __future__ import annotations

import contextlib
import threading

import pytest
from django.db import connection

from people import services, state
from people.services import PEOPLE, Refused, changing
from tests.conftest import member
from tests.people.stage import of

pytestmark = pytest.mark.django_db(transaction=True)

MEET_S = 0.5
"""How long one who has read waits for the other to have read as well: what would be fatal. With the lock they never
meet, and the wait is over after so long."""


def test_two_leave_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [member("Alice", "Admin"), member("Dora", "Admin")]
    for user in both:
        user.set_password("a password of twelve")
        user.save()
    met = threading.Barrier(2)
    read, first = state.read, threading.local()

    def read_and_meet() -> state.State:
        found = read()
        if not hasattr(first, "done"):
            first.done = True
            with contextlib.suppress(threading.BrokenBarrierError):
                met.wait(MEET_S)
        return found

    monkeypatch.setattr(state, "read", read_and_meet)
    outcomes: list[str] = []

    def leave(pk: int) -> None:
        user = next(one for one in both if one.pk == pk)
        try:
            with changing(of(user), PEOPLE, "test"):
                services.save_person(user, roles=[])
            outcomes.append("gone")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=(user.pk,)) for user in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["gone", "last_admin"]
    assert len(read().admins()) == 1
