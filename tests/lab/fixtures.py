"""The pytest plugin: `asterisk22`, `asterisk16`, `phones`, `checkers`.

The instances live as long as the session; after each test that used one, everything is hung up and set back, so
that each test begins on an empty PBX. What cannot be set up is skipped, loudly; under `CI=true` such a skip is a
failure, but for one case that is not ours to mend: apt itself refuses Debian's unstable suite that day. Then the
tests of Asterisk 22 are skipped and the session's last lines say so.

Tests with the mark `proves` name the actions whose effect they see (and hear). The very last line counts them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.lab.checker import Checker
from tests.lab.install import VERSIONS, CannotSetUp, SuiteRefused, install
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

NOT_TESTED = "NOT TESTED against Asterisk"

PROVES = "proves"

_instances = pytest.StashKey[dict[str, Asterisk]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no instance."""
    config.stash[_instances] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Reports, which workers of xdist send too, carry which actions their test proves, and on which Asterisk."""
    for item in items:
        for mark in item.iter_markers("proves"):
            version = _version(item)
            lacks = mark.kwargs.get("lacks", {})
            for verb in mark.args:
                item.user_properties.append((PROVES, (version, verb, lacks.get(version, ""))))


def _version(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    if callspec is not None and "asterisk" in callspec.params:
        return str(callspec.params["asterisk"])
    return next(version for version in VERSIONS if f"asterisk{version}" in getattr(item, "fixturenames", ()))


def pytest_unconfigure(config: pytest.Config) -> None:
    """The very last lines say what was left out, where nobody can miss it, and what was proved."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        for reason in sorted(_left_out(reporter.stats.get("skipped", []))):
            reporter.write_line(reason, red=True, bold=True)
        for line in proofs(reporter.stats):
            reporter.write_line(line)


def proofs(stats: Mapping[str, list[Any]]) -> list[str]:
    """What a version lacks, with the reason; last, how many actions were proved on each. A test that failed takes
    back what another one proved of the same action."""
    good, bad = _told(stats.get("passed", [])), _told([*stats.get("failed", []), *stats.get("error", [])])
    if not (good or bad):
        return []
    lacks = [f"{verb} is not on {version}: {why}" for (version, verb), why in sorted(good.items()) if why]
    proved = [version for (version, verb), why in good.items() if not why and (version, verb) not in bad]
    newest, *others = (f"on {version}" for version in VERSIONS)
    counts = [proved.count(version) for version in VERSIONS]
    rest = "".join(f", {count} {where}" for count, where in zip(counts[1:], others, strict=True))
    return [*lacks, f"{counts[0]} actions proved {newest}{rest}"]


def _told(reports: list[Any]) -> dict[tuple[str, str], str]:
    """(version, verb) → why that version lacks it, or ""."""
    properties = [
        told for report in reports for name, told in getattr(report, "user_properties", ()) if name == PROVES
    ]
    return {(version, verb): why for version, verb, why in properties}


def _left_out(skipped: list[Any]) -> set[str]:
    """The reasons of ours among the skipped tests' reports (read from these, since workers of xdist send them)."""
    found = set()
    for report in skipped:
        text = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if NOT_TESTED in text:
            found.add(text[text.index(NOT_TESTED) :].strip())
    return found


def require(version: str) -> None:
    """Install Asterisk `version`, or skip the test that asks; under `CI=true` fail it instead."""
    try:
        install(version)
    except CannotSetUp as reason:
        text = f"{NOT_TESTED} {version}: {reason}"
        refused_by_sid = isinstance(reason, SuiteRefused) and reason.suite == "sid"
        if os.environ.get("CI") == "true" and not refused_by_sid:
            pytest.fail(text, pytrace=False)
        pytest.skip(text)


@pytest.fixture(scope="session")
def asterisk22(request: pytest.FixtureRequest) -> Iterator[Asterisk]:
    """Asterisk 22, running."""
    yield from _session_instance(request, "22")


@pytest.fixture(scope="session")
def asterisk16(request: pytest.FixtureRequest) -> Iterator[Asterisk]:
    """Asterisk 16, running."""
    yield from _session_instance(request, "16")


@pytest.fixture(params=VERSIONS)
def asterisk(request: pytest.FixtureRequest) -> Asterisk:
    """Both, one after the other: the test runs twice."""
    found = request.getfixturevalue(f"asterisk{request.param}")
    assert isinstance(found, Asterisk)
    return found


def _session_instance(request: pytest.FixtureRequest, version: str) -> Iterator[Asterisk]:
    require(version)
    running = request.config.stash[_instances]
    with Asterisk(version) as instance:
        running[version] = instance
        yield instance
        del running[version]


@pytest.fixture(autouse=True)
def asterisk_reset(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that used an instance: running again, nobody on the line, the queues as configured."""
    yield
    for version, instance in request.config.stash[_instances].items():
        if {f"asterisk{version}", "asterisk"} & set(request.fixturenames):
            reset(instance)


def reset(instance: Asterisk) -> None:
    """Bring an instance back to its beginning, whatever a test has done to it."""
    instance.thaw()
    instance.start()
    with Checker(instance) as checker:
        checker.hangup_all()
        for member in checker.list("QueueStatus"):
            if member["Event"] == "QueueMember":
                _reset_member(checker, member)


def _reset_member(checker: Checker, member: dict[str, str]) -> None:
    queue, interface = member["Queue"], member["Location"]
    if member["Membership"] == "dynamic":
        checker.action("QueueRemove", Queue=queue, Interface=interface)
    elif member["Paused"] == "1":
        checker.action("QueuePause", Queue=queue, Interface=interface, Paused="false")


@pytest.fixture
def phones(asterisk_reset: None) -> Iterator[Callable[..., Phone]]:
    """Make phones: `phones(asterisk22, "101", hz=440)`, further arguments as `Phone` has them. Closes them all."""
    with contextlib.ExitStack() as opened:

        def make(instance: Asterisk, extension: str, **options: Any) -> Phone:
            return opened.enter_context(Phone(instance.sip_address(extension), extension, **options))

        yield make


@pytest.fixture
def checkers(asterisk_reset: None) -> Iterator[Callable[..., Checker]]:
    """Make checkers: `checkers(asterisk22)`. Closes them all."""
    with contextlib.ExitStack() as opened:

        def make(instance: Asterisk, **options: Any) -> Checker:
            return opened.enter_context(Checker(instance, **options))

        yield make
