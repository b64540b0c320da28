from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from tests.calls.stage import Desk
from tests.conftest import member
from tests.live.scene import Scene


@pytest.fixture
def sue(db: None) -> User:
    """A supervisor who has a phone."""
    sue = member("Sue", "Supervisor")
    sue.phones.create(pbx="lab", dial_string="PJSIP/900")
    return sue


@pytest.fixture
async def desk_of(db: None) -> AsyncIterator[Callable[..., Desk]]:
    """Make the desk of a user: ``desk_of(sue)``, or over a scene of one's own."""
    made: list[Desk] = []

    def make(user: User, scene: Scene | None = None) -> Desk:
        made.append(Desk(user, scene))
        return made[-1]

    yield make
    for desk in made:
        await desk.dispatcher.finish()
        await sync_to_async(desk.trail.close)()


@pytest.fixture
def desk(desk_of: Callable[..., Desk], sue: User) -> Desk:
    return desk_of(sue)
