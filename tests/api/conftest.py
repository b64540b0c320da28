from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from api import commands, door
from floor import hub as hubs
from floor.frames import Beat, Snapshot
from floor.hub import Hub
from live.changes import Entities
from tests.api.stage import Floor, Program
from tests.browser.running import Panel


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process remembers of tokens and commands: one test's are not another's."""
    monkeypatch.setattr(door, "allowances", door.Allowances())
    monkeypatch.setattr(commands, "allowances", door.allowances)
    commands._begun.clear()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """This process's hub, with one live PBX."""
    hub = Hub()
    monkeypatch.setattr(hubs, "_hub", hub)
    up: Entities = {
        "call": {"lab/a": {"rev": 1, "phase": "ringing"}},
        "party": {},
        "room": {"lab/800": {"rev": 0, "name": "800"}},
    }
    hub.snapshot(Snapshot("lab", 5, 0, 1000, up))
    link = {"phase": "live", "code": "", "detail": "", "since": 900}
    hub.beat(Beat("lab", 5, 0, 1000, 250, 1.5, link))
    return hub


@pytest.fixture
def program(transactional_db: None) -> Callable[..., Program]:
    """A program of a user, with a token that grants these rights: ``program(bob, "calls.view")``; all, without."""
    return Program


@pytest.fixture
async def floor(hub: Hub, bob: User) -> AsyncIterator[Floor]:
    """The hub, and a dispatcher with a scene behind it: 201 rings 101."""
    floor = Floor(hub, bob)
    yield floor
    await floor.close()
    await sync_to_async(floor.desk.trail.close)()


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A panel on the demo PBX, as `make run` starts it, and Bob, who supervises."""
    running = Panel(tmp_path_factory.mktemp("api"), PHOENIX_DEMO="1")
    running.set_up()
    running.user("bob", "Supervisor", "--phone", "demo=PJSIP/2000")
    with running:
        yield running
