"""The hub: everybody gets every frame once, numbered; who can't keep up costs the others nothing."""

import asyncio
import json

import pytest

from floor import hub as hubs
from floor.frames import Beat, Frame, Snapshot
from floor.hub import Hub, Watcher
from floor.lenses import View
from tests.floor.stage import Browser

ALL = frozenset({"call", "party"})
LIVE = {"phase": "live", "code": "", "detail": "", "since": 0}


@pytest.fixture
def hub() -> Hub:
    hub = Hub()
    hub.snapshot(Snapshot("lab", 7, 0, 1000, {"call": {"lab/a": {"phase": "ringing", "rev": 1}}}))
    hub.beat(Beat("lab", 7, 0, 1000, 5, 0.4, LIVE))
    return hub


def join(hub: Hub, kinds: frozenset[str] = ALL) -> tuple[Browser, Watcher]:
    browser = Browser()
    watcher = Watcher(browser, View(kinds))
    hub.join(watcher, {"rights": []})
    return browser, watcher


def frame(seq: int, epoch: int = 7, phase: str = "talking") -> Frame:
    return Frame("lab", epoch, seq, 2000, 1990, {"call": {"lab/a": {"phase": phase}}}, {"party": ["lab/x"]})


def test_a_newcomer_is_greeted_and_told_all(hub: Hub) -> None:
    hub.publish(frame(1))
    browser, _ = join(hub)
    hello, snapshot, beat = browser.said
    assert hello["type"] == "hello"
    assert hello["pbxs"] == {"lab": {"epoch": 7, "link": LIVE}}
    assert (snapshot["epoch"], snapshot["seq"]) == (7, 1), "the snapshot is as of the last frame"
    assert snapshot["up"] == {"call": {"lab/a": {"phase": "talking", "rev": 1}}}, "merged, not the old one"
    assert beat["age_ms"] == 5


def test_frames_follow_the_snapshot_without_a_gap(hub: Hub) -> None:
    browser, _ = join(hub)
    for seq in (1, 2, 3):
        hub.publish(frame(seq))
    assert [message["seq"] for message in browser.of("snapshot") + browser.of("frame")] == [0, 1, 2, 3]
    assert browser.of("frame")[0]["del"] == {"party": ["lab/x"]}


def test_all_get_the_same_text(hub: Hub) -> None:
    """Serialised once: a hundred browsers of one bucket hold one string."""
    browsers = [join(hub)[0] for _ in range(3)]
    hub.publish(frame(1))
    assert len({id(browser.texts[-1]) for browser in browsers}) == 1


def test_who_may_not_see_calls_gets_numbers_and_no_calls(hub: Hub) -> None:
    browser, _ = join(hub, frozenset())
    hub.publish(frame(1))
    assert browser.of("snapshot")[0]["up"] == {}
    assert browser.of("frame")[0]["up"] == browser.of("frame")[0]["del"] == {}
    assert browser.of("frame")[0]["seq"] == 1
    assert "ringing" not in "".join(browser.texts)


def test_a_new_epoch_voids_what_was(hub: Hub) -> None:
    browser, _ = join(hub)
    hub.snapshot(Snapshot("lab", 8, 0, 3000, {}))
    hub.publish(frame(1, epoch=7))
    assert browser.said[-1]["type"] == "snapshot"
    assert browser.said[-1]["up"] == {}


def test_a_resync_answers_with_a_snapshot(hub: Hub) -> None:
    browser, watcher = join(hub)
    for _ in range(1000):  # who asks faster than anybody can read is given one
        hub.resync(watcher, "lab")
    hub.resync(watcher, "nowhere")
    assert [message["type"] for message in browser.said[3:]] == ["snapshot"]


def test_who_does_not_render_is_sent_no_more_until_he_does(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "UNSEEN_BYTES", 1000)
    frozen, watcher = join(hub)
    healthy, other = join(hub)
    for seq in range(1, 101):
        hub.publish(frame(seq))
        hub.seen(other, "lab", 7, seq)
    assert len(healthy.of("frame")) == 100
    sent = len(frozen.of("frame"))
    assert 5 < sent < 20, "bounded by bytes"
    hub.seen(watcher, "lab", 7, 3)
    assert frozen.said[-1]["type"] == "snapshot"
    assert frozen.said[-1]["seq"] == 100
    hub.publish(frame(101))
    assert frozen.said[-1]["seq"] == 101


def test_leaving(hub: Hub) -> None:
    browser, watcher = join(hub)
    hub.leave(watcher)
    hub.publish(frame(1))
    assert browser.of("frame") == []


def test_bye(hub: Hub) -> None:
    browser, _ = join(hub)
    hub.bye(1500)
    assert browser.said[-1] == {"type": "bye", "retry_ms": 1500}
    assert browser.closed == 4012


async def test_an_unknown_pbx_is_refused(hub: Hub) -> None:
    browser, watcher = join(hub)
    command = {"id": "0" * 32, "verb": "calls.hangup", "target": {"kind": "call", "key": "x/1", "rev": 0}}
    await hub.command(watcher, command, "x")
    assert (browser.said[-1]["outcome"], browser.said[-1]["code"]) == ("refused", "pbx_unknown")


async def test_a_dead_worker_is_said(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes the command: first ``no_worker``, at the end ``not_proved``; never a silence, never ``done``."""
    monkeypatch.setattr(hubs, "ACK_S", 0.0)
    monkeypatch.setattr(hubs, "ANSWER_S", 0.01)
    browser, watcher = join(hub)
    command = {"id": "1" * 32, "verb": "calls.hangup", "target": {"kind": "call", "key": "lab/a", "rev": 1}}
    await hub.command(watcher, command, "lab")
    await browser.told(2, "result")
    assert [(m["outcome"], m["code"]) for m in browser.of("result")] == [
        ("unknown", "no_worker"),
        ("unknown", "not_proved"),
    ]


async def test_a_worker_that_lets_a_phone_ring_is_waited_for(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "ANSWER_S", 0.01)
    monkeypatch.setattr(hubs, "BEYOND_S", 0.01)
    browser, watcher = join(hub)
    command = {"id": "1" * 32, "verb": "calls.listen", "target": {"kind": "call", "key": "lab/a", "rev": 1}}
    await hub.command(watcher, command, "lab")
    hub.answered({"type": "ack", "id": "1" * 32, "patience_ms": 100})
    await asyncio.sleep(0.05)
    assert browser.of("result") == [], "longer than a command of the usual kind"
    await browser.told(1, "result")
    assert browser.of("result")[0]["code"] == "not_proved"


def test_an_unknown_may_be_settled_later(hub: Hub) -> None:
    browser, watcher = join(hub)
    base = {"type": "result", "id": "2" * 32, "verb": "calls.hangup", "target": {}, "code": "", "detail": ""}
    about = {"target": {"kind": "call", "key": "lab/a"}}
    hub._pending["2" * 32] = hubs._Pending(about, [watcher], [_Timer(), _Timer()])  # type: ignore[list-item]
    hub.answered({**base, "outcome": "unknown", "more": True})
    hub.answered({**base, "outcome": "done", "more": False})
    hub.answered({**base, "outcome": "done", "more": False})
    assert [message["outcome"] for message in browser.of("result")] == ["unknown", "done"]
    assert "more" not in json.loads(browser.texts[-1])


async def test_all_who_sent_the_same_command_are_answered(hub: Hub) -> None:
    (one, first), (two, second), (three, other) = join(hub), join(hub), join(hub)
    command = {
        "id": "3" * 32,
        "user_id": 1,
        "verb": "calls.hangup",
        "target": {"kind": "call", "key": "lab/a", "rev": 1},
    }
    for watcher in (first, second, second):
        await hub.command(watcher, command, "lab")
    await hub.command(other, {**command, "user_id": 2}, "lab")
    assert three.of("result")[0]["code"] == "bad_command", "another user's: she guessed"
    hub.leave(first)
    hub.answered({"type": "result", "id": "3" * 32, "outcome": "done"})
    assert (len(one.of("result")), len(two.of("result")), len(three.of("result"))) == (0, 1, 1)
    assert not hub._pending


class _Timer:
    def cancel(self) -> None:
        pass
