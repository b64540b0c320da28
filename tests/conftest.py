"""The cast, the same in every test: Alice administers, Bob supervises, Charlie may do nothing."""

import importlib
from collections.abc import Iterator

import pytest
from channels.layers import channel_layers
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import User
from audit import heads

pytest_plugins = ["tests.lab.fixtures", "tests.house.postgres", "tests.house.redis"]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Most tests wait for something most of the time. Three at once with real Asterisks and browsers, whose storms
    want the cores; four without."""
    expression = config.getoption("markexpr") or ""
    return 4 if "not asterisk" in expression and "not browser" in expression else 3


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright's loop stays in this thread until the end, and no other may run beside it.

    Long proofs run only when asked for by their mark; not an `-m` in addopts, which any other `-m` would undo.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))  # one after the other: what they see is timed
        elif "panel" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))  # seconds to set up: once, not in each process
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    if "prove" in config.getoption("markexpr"):
        return
    proofs = [item for item in items if item.get_closest_marker("prove")]
    if proofs:
        items[:] = [item for item in items if item not in proofs]
        config.hook.pytest_deselected(items=proofs)


def member(name: str, role: str = "", language: str = "") -> User:
    """A user with one role and no password: tests sign her in with `client.force_login`."""
    user = User(username=name.lower(), display_name=name, language=language)
    user.set_unusable_password()
    user.save()
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def alice(db: None) -> User:
    return member("Alice", "Admin")


@pytest.fixture
def bob(db: None) -> User:
    return member("Bob", "Supervisor")


@pytest.fixture
def charlie(db: None) -> User:
    """The outsider: signed in, active, and without any role."""
    return member("Charlie")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's, then without the one trigger that keeps Django from emptying the tables between tests.

    tests/audit/test_append_only.py makes it again and proves it.
    """
    migration = importlib.import_module("audit.migrations.0003_no_delete")
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(migration.FLUSH_DOWN[connection.vendor].replace("TRIGGER", "TRIGGER IF EXISTS"))
    yield
    heads.pen().flush()  # what the audit notes at the end of a process: here while its log has somewhere to go


@pytest.fixture(autouse=True)
def _forget() -> None:
    """Counts of sign-ins live in the cache, commands that nobody took in the layer: one test's are not another's."""
    cache.clear()
    channel_layers.backends.clear()
