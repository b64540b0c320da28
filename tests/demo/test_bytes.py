"""The demo's bytes against a real Asterisk 22's: one play on both, live, and every message of every step compared.

Compared are the names of headers and their order, all values but ids, times and counters, and the order in which each
publisher sends (``tests.demo.compare`` says why not the order across publishers).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from demo.answers import ACTIONS
from tests.demo.compare import KNOWN, Chains, answers, chains, events, sampled, thread
from tests.demo.play import STEPS
from tests.demo.stages import RealStage, Stage, demo_stage
from tests.demo.tap import Seen
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = pytest.mark.asterisk

Steps = dict[str, list[Seen]]


def _play(stage: Stage) -> Steps:
    stage.quiet()
    played: Steps = {}
    for name, step in STEPS.items():
        since = len(stage.tap.seen)
        try:
            step(stage)
        except Exception as error:
            raise AssertionError(f"{type(stage).__name__} could not play {name!r}") from error
        stage.quiet()
        played[name] = stage.tap.seen[since:]
    return played


@pytest.fixture(scope="module")
def both(asterisk22: Asterisk) -> Iterator[tuple[Steps, Steps]]:
    """The play, on both stages at the same time: (real, demo)."""
    with contextlib.ExitStack() as opened, ThreadPoolExecutor(2) as threads:

        def phone(asterisk: Asterisk, extension: str, **options: object) -> Phone:
            return opened.enter_context(Phone(asterisk.sip_address(extension), extension, **options))  # type: ignore[arg-type]

        real = threads.submit(_play, RealStage(asterisk22, phone))
        demo = threads.submit(_play, opened.enter_context(demo_stage()))
        yield real.result(), demo.result()


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_told_alike(both: tuple[Steps, Steps], step: str) -> None:
    real, demo = (stage[step] for stage in both)
    assert {event.name for event in events(demo)} <= KNOWN, "an event that no chain compares"
    assert _without_commands(answers(demo)) == _without_commands(answers(real))
    assert _lines(chains(demo)) == _lines(chains(real))
    for caller in ("PJSIP/201", "PJSIP/trunk", "PJSIP/900"):
        assert thread(demo, caller) == thread(real, caller)


def _lines(found: Chains) -> list[str]:
    """One line a header: pytest shows what differs, and in which event of which chain."""
    return [
        f"{' '.join(chain)} #{number} {token[0][1]}: {key} = {value}"
        for chain, tokens in sorted(found.items())
        for number, token in enumerate(tokens)
        for key, value in token
    ]


def _without_commands(found: list[tuple[tuple[str, str], ...]]) -> list[tuple[tuple[str, str], ...]]:
    """ListCommands has a test of its own: a real Asterisk has more of them."""
    return [token for token in found if ("Ping", "Keepalive command.  (Priv: <none>)") not in token]


def test_each_event_has_been_compared(both: tuple[Steps, Steps]) -> None:
    """What the demo can say at all is what the play makes it say."""
    real, demo = ({event.name for step in steps.values() for event in events(step)} for steps in both)
    assert demo == real


def test_no_device_is_said_to_be_what_it_never_is(both: tuple[Steps, Steps]) -> None:
    real, demo = ({one for step in steps.values() for one in sampled(step)} for steps in both)
    assert demo <= real


def test_the_commands_are_some_of_asterisks(both: tuple[Steps, Steps]) -> None:
    (real,), (demo,) = (
        [one for one in steps["lists during a call"] if one.get("Ping").startswith("Keepalive")] for steps in both
    )
    named = [header for header in real.headers if header[0] in ACTIONS]
    assert named == [header for header in demo.headers if header[0] in ACTIONS]
    assert len(named) == len(ACTIONS)
