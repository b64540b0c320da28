"""Who listens to whom, from Asterisk's events into the audit: as it begins, turns, and ends; and what nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Phone, User
from audit import monitoring
from audit.models import Entry, Listening
from audit.record import AuditUnavailable, Began, Ended, Heard, Restarted, Turned, Who
from audit.trail import Trail
from audit.verify import verify
from floor.monitoring import GRACE_S, WAITING, Monitor
from tests.live.scene import Scene
from tests.live.test_spies import desk, listed, ours, starts, stops

BOB = Who(7, "Bob", "page", "192.0.2.1")


class Ear:
    """A trail that keeps what it is told, or is away."""

    def __init__(self) -> None:
        self.steps: list[Heard] = []
        self.away = False
        self.all = asyncio.Event()

    async def heard(self, step: Heard) -> None:
        if self.away:
            raise AuditUnavailable("away")
        self.steps.append(step)
        if isinstance(step, Ended):
            self.all.set()


class Watch:
    """201 (``a``) talks with 101 (``b``); a monitor looks."""

    def __init__(self, witness: Ear | Trail | None = None) -> None:
        self.scene = Scene()
        self.scene.ring()
        self.scene.answer()
        self.scene.settled()
        self.ear = Ear()
        self.monitor = Monitor(self.scene.pbx, witness or self.ear)

    async def look(self, seconds: float = 0.0) -> None:
        """A tick of the worker, after so long; and all is written."""
        self.scene.later(seconds)
        self.scene.look()
        self.monitor.look(self.scene.now)
        await self.monitor.finish()

    async def told(self) -> list[Heard]:
        """Without the restart that each begins with."""
        await self.look()
        await self.look(GRACE_S)
        return self.ear.steps[1:]

    def listen(self, leg: str = "phx-listen-1") -> None:
        self.monitor.asked(leg, BOB, "c" * 32, "screen", "coaching")
        ours(self.scene, leg)
        starts(self.scene, leg, "b")


async def test_from_the_page() -> None:
    watch = Watch()
    watch.listen()
    began, *_ = await watch.told()
    assert isinstance(began, Began)
    assert (began.who, began.action, began.mode, began.keys) == (BOB, "c" * 32, "listen", False)
    assert (began.phone, began.device, began.call) == ("900 Bob", "PJSIP/900", "lab/a")
    assert (began.target, began.others) == ("101", (("201", "Name 201"),))
    assert (began.told, began.reason) == ("screen", "coaching")
    assert await watch.told() == [began]
    stops(watch.scene, "phx-listen-1", "b")
    watch.scene.hangup("phx-listen-1")
    await watch.look()
    at = watch.scene.now
    assert (await watch.told())[1:] == [Ended(began.id, "leg", at)]
    assert not watch.monitor.pending


async def test_stopped_by_a_command() -> None:
    watch = Watch()
    watch.listen()
    await watch.look()
    watch.monitor.done_to("phx-listen-1", "calls.stop", "d" * 32)
    watch.scene.hangup("phx-listen-1")
    await watch.look()
    ended = watch.ear.steps[-1]
    assert isinstance(ended, Ended)
    assert ended.why == "stopped"


async def test_ended_by_the_panel_itself() -> None:
    watch = Watch()
    watch.listen()
    await watch.look()
    watch.monitor.because("phx-listen-1", "scope")
    watch.scene.hangup("phx-listen-1")
    ended = (await watch.told())[-1]
    assert isinstance(ended, Ended)
    assert ended.why == "scope"


@pytest.mark.parametrize("spy_first", [True, False])
async def test_the_target_is_gone(spy_first: bool) -> None:
    """Asterisk tells the two ends in either order."""
    watch = Watch()
    watch.listen()
    await watch.look()
    at = watch.scene.now + 0.1
    if spy_first:
        stops(watch.scene, "phx-listen-1", "b")
        await watch.look(0.1)
    watch.scene.leave("b", "br")
    watch.scene.hangup("b")
    await watch.look(0.0 if spy_first else 0.1)
    ended = watch.ear.steps[-1]
    assert isinstance(ended, Ended)
    assert ended.why == "target"
    assert ended.until == pytest.approx(at)


async def test_one_that_goes_on_to_another_call_is_another_listening() -> None:
    """ChanSpy without `E`, as a desk phone dials it."""
    watch = Watch()
    desk(watch.scene)
    starts(watch.scene, "d", "b")
    await watch.look()
    watch.scene.ring("x", "y", ("202", "103"))
    watch.scene.answer("x", "y", "br2")
    watch.scene.settled()
    stops(watch.scene, "d", "b")
    starts(watch.scene, "d", "y")
    first, second, ended = sorted(await watch.told(), key=lambda step: isinstance(step, Ended))
    assert isinstance(first, Began)
    assert isinstance(second, Began)
    assert isinstance(ended, Ended)
    assert (first.target, second.target, ended.id) == ("101", "103", first.id)
    assert first.who == Who(None, "102", "desk")


async def test_a_desk_phones_mode_comes_with_the_list() -> None:
    watch = Watch()
    desk(watch.scene)
    starts(watch.scene, "d", "b")
    await watch.look()
    listed(watch.scene, "d", "PJSIP/101,qw")
    began, turned = await watch.told()
    assert isinstance(began, Began)
    assert turned == Turned(began.id, "whisper", "")


async def test_turned_by_a_command_is_told_with_it() -> None:
    watch = Watch()
    watch.listen("phx-listen-keys-1")
    await watch.look()
    watch.monitor.done_to("phx-listen-keys-1", "calls.switch", "e" * 32)
    watch.scene.pbx.spies.turned("phx-listen-keys-1", "whisper")
    began, turned = await watch.told()
    assert isinstance(began, Began)
    assert began.keys
    assert turned == Turned(began.id, "whisper", "e" * 32)


async def test_a_leg_of_ours_that_this_process_did_not_ask_for() -> None:
    watch = Watch()
    ours(watch.scene)
    starts(watch.scene, "phx-listen-1", "b")
    (began,) = await watch.told()
    assert isinstance(began, Began)
    assert (began.who.user_id, began.who.source, began.action) == (None, "panel", "")


async def test_what_ended_while_the_link_was_down_ended_nobody_knows_when() -> None:
    watch = Watch()
    watch.listen("phx-listen-1")
    watch.listen("phx-listen-2")
    await watch.look()
    watch.monitor.lost()
    watch.scene.hangup("phx-listen-1")
    steps = await watch.told()
    began = {step.id for step in steps if isinstance(step, Began)}
    ended = [step for step in steps if isinstance(step, Ended)]
    assert [(one.why, one.until) for one in ended] == [("lost", None)]
    assert len(began) == 2
    watch.scene.hangup("phx-listen-2")
    last = (await watch.told())[-1]
    assert isinstance(last, Ended)
    assert (last.why, last.until is None) == ("leg", False)


async def test_what_could_not_be_written_is_written_later_in_its_order() -> None:
    watch = Watch()
    watch.ear.away = True
    watch.listen()
    await watch.look()
    watch.scene.hangup("phx-listen-1")
    assert await watch.told() == []
    watch.ear.away = False
    running = asyncio.create_task(watch.monitor.run())
    await watch.ear.all.wait()
    running.cancel()
    assert [type(step) for step in watch.ear.steps] == [Restarted, Began, Ended]


async def test_a_trail_that_stays_away_fills_no_memory() -> None:
    watch = Watch()
    watch.ear.away = True
    for number in range(WAITING + 5):
        watch.monitor._tell(Ended(str(number), "leg", None))
    assert len(watch.monitor._steps) == WAITING


# --- in the database


@pytest.fixture
async def trail() -> AsyncIterator[Trail]:
    trail = Trail(timeout=5)
    yield trail
    await asyncio.to_thread(trail.close)


@pytest.mark.django_db(transaction=True)
async def test_the_table_tells_it_and_the_chain_proves_it(trail: Trail, bob: User, charlie: User) -> None:
    await Phone(user=charlie, pbx="lab", dial_string="PJSIP/102").asave()
    watch = Watch(trail)
    watch.monitor.asked("phx-listen-keys-1", Who(bob.pk, "Bob", "api", "192.0.2.1"), "c" * 32, "screen", "coaching")
    ours(watch.scene, "phx-listen-keys-1")
    starts(watch.scene, "phx-listen-keys-1", "b")
    desk(watch.scene)
    starts(watch.scene, "d", "a")
    await watch.look()
    watch.monitor.done_to("phx-listen-keys-1", "calls.switch", "e" * 32)
    watch.scene.pbx.spies.turned("phx-listen-keys-1", "barge")
    await watch.look(60)
    watch.scene.hangup("phx-listen-keys-1")
    await watch.look(1)
    await watch.look(GRACE_S)
    shown = [
        (row.user_name, row.source, row.target, row.mode, row.switches, row.why, row.reason)
        async for row in Listening.objects.order_by("begun")
    ]
    assert shown == [
        ("Bob", "api", "101", "listen", "barge", "leg", "coaching"),
        ("Charlie", "desk", "201", "listen", "", "", ""),
    ]
    first = await Listening.objects.aget(source="api")
    assert first.until is not None
    assert (first.until - first.since).total_seconds() == pytest.approx(61, abs=0.01)
    # The worker dies; the next one knows nothing of the one that went on.
    await Watch(trail).look()
    later = await Listening.objects.aget(source="desk")
    assert (later.why, later.until) == ("unknown", None)
    verbs = [entry.verb async for entry in Entry.objects.filter(kind="listen").order_by("id")]
    assert verbs == ["monitor.began", "monitor.began", "monitor.turned", "monitor.ended", "monitor.ended"]
    assert (await sync_to_async(verify)(None)).problems == []
    before = [row async for row in Listening.objects.order_by("begun").values()]
    assert await sync_to_async(monitoring.rebuild)() == 2
    after = [row async for row in Listening.objects.order_by("begun").values()]
    assert [{**row, "id": 0} for row in before] == [{**row, "id": 0} for row in after]


@pytest.mark.django_db(transaction=True)
async def test_a_step_that_is_written_twice_is_there_once(trail: Trail, bob: User) -> None:
    """After a timeout nobody knows whether it was written: it is written again."""
    who = Who(bob.pk, "Bob", "page")
    began = Began("c" * 32, who, "lab", "PJSIP/900", "900", "101", "", (), "lab/a", "listen", False, "", 5.0)
    for step in (began, began, Ended("c" * 32, "leg", 6.0), Ended("c" * 32, "leg", 7.0), Ended("f" * 32, "leg", 7.0)):
        await trail.heard(step)
    assert await Entry.objects.acount() == 2


def test_long_numbers_are_masked_and_extensions_are_not() -> None:
    assert [monitoring.masked(number) for number in ("201", "123456", "+12025550178")] == ["201", "123456", "…0178"]
