"""Grown: a Redis, one worker process, two web processes, a page on each; and what happens when each part dies."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.running import ROOT, Panel, Post, Web
from tests.house.redis import RedisServer
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.browser, pytest.mark.redis]

AT_ONCE = 1_000
START = 15_000


WATCH = """() => {
  window.lies = [];
  const look = () => {
    const live = document.querySelector("[data-pill]").textContent.includes("Live");
    const rows = [...document.querySelectorAll("tbody tr[data-key]")].map(row => row.textContent);
    if (window.ended && live && rows.some(row => row.includes("201") && row.includes("Talking"))) lies.push(rows);
    requestAnimationFrame(() => setTimeout(look)); // after each paint: what a person saw
  };
  look();
}"""


@dataclass
class Grown:
    """The processes, and a page on each of the two that serve."""

    post: Post
    webs: tuple[Web, Web]
    pages: tuple[Page, Page]

    def all_say(self, word: str, seconds: float) -> float:
        """Wait until both pages say so; how long that took, in seconds."""
        began = time.monotonic()
        for page in self.pages:
            left = max(1.0, (began + seconds - time.monotonic()) * 1000)
            expect(page.locator("[data-pill]")).to_contain_text(word, timeout=left)
        return time.monotonic() - began

    def rows(self) -> tuple[Locator, ...]:
        return tuple(page.locator("tbody tr[data-key]") for page in self.pages)


@pytest.fixture
def grown(
    asterisk22: Asterisk, redis_server: RedisServer, tmp_path: Path, new_page: Callable[..., Page]
) -> Iterator[Grown]:
    both = {"PHOENIX_REDIS": redis_server.url}
    post = Post(tmp_path, PHOENIX_PBX_LAB=asterisk22.ami_url(), **both)
    webs = Web(tmp_path, **both), Web(tmp_path, **both)
    post.set_up()
    password = post.user("bob", "Supervisor")
    with post, webs[0], webs[1]:
        pages = tuple(sign_in(new_page(), web, "bob", password) for web in webs)
        grown = Grown(post, webs, (pages[0], pages[1]))
        grown.all_say("Live", 15)
        yield grown


def hang_up(page: Page) -> None:
    row = page.locator("tbody tr[data-key]").first
    row.hover()
    row.get_by_role("button", name="Hang up").click()
    page.get_by_role("dialog").get_by_role("button", name="Hang up").click()


def test_a_page_on_each_moves_and_acts(
    asterisk22: Asterisk, phones: Callable[..., Phone], checkers: Callable[..., Checker], grown: Grown
) -> None:
    agent, customer = phones(asterisk22, "101", answer=None), phones(asterisk22, "201")
    for number, page in enumerate(grown.pages):
        call = customer.call("101", name="Maria Weber")
        incoming = agent.wait_incoming()
        for rows in grown.rows():
            expect(rows.first).to_contain_text("Ringing", timeout=AT_ONCE)
            expect(rows.first).to_contain_text("Maria Weber")
        incoming.answer()
        for rows in grown.rows():
            expect(rows.first).to_contain_text("Talking", timeout=AT_ONCE)
        before = len(grown.post.audit())
        hang_up(page)
        call.wait_ended(2)
        for rows in grown.rows():
            expect(rows.first).to_contain_text("Ended", timeout=AT_ONCE)
        expect(page.locator(".said-result.done").first).to_be_visible()
        assert checkers(asterisk22).channels() == []
        for rows in grown.rows():
            expect(rows).to_have_count(0, timeout=8_000)
        done = [("intent", "calls.hangup", "", ""), ("outcome", "calls.hangup", "done", "")]
        assert grown.post.audit()[before:] == done, number


def test_the_worker_is_killed_and_started_again(
    asterisk22: Asterisk, phones: Callable[..., Phone], checkers: Callable[..., Checker], grown: Grown
) -> None:
    agent, customer = phones(asterisk22, "101"), phones(asterisk22, "201")
    call = customer.call("101").wait_up()
    for rows in grown.rows():
        expect(rows.first).to_contain_text("Talking")
    grown.post.kill()
    grey = grown.all_say("No live data", 6)
    for page, rows in zip(grown.pages, grown.rows(), strict=True):
        expect(page.get_by_role("alert")).to_contain_text("worker", timeout=AT_ONCE)
        expect(rows).to_have_count(1)
        rows.first.hover()
        expect(rows.first.get_by_role("button").first).to_have_attribute("aria-disabled", "true")
    call.hangup()
    other = phones(asterisk22, "202").call("101").wait_up()
    began = time.monotonic()
    grown.post.start()
    grown.all_say("Live", 8)
    live = time.monotonic() - began
    assert live <= 8
    for rows in grown.rows():
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("202")
        expect(rows.first).not_to_contain_text("201")
    hang_up(grown.pages[1])
    other.wait_ended(2)
    assert checkers(asterisk22).channels() == []
    print(f"grey after {grey:.1f} s, live {live:.1f} s after the start")
    agent.hangup()


def test_redis_is_killed_for_four_seconds_and_comes_back_empty(
    asterisk22: Asterisk,
    phones: Callable[..., Phone],
    checkers: Callable[..., Checker],
    grown: Grown,
    redis_server: RedisServer,
) -> None:
    agent, customer = phones(asterisk22, "101"), phones(asterisk22, "201")
    call = customer.call("101").wait_up()
    for rows in grown.rows():
        expect(rows.first).to_contain_text("Talking")
    for page in grown.pages:
        page.evaluate(WATCH)
    redis_server.kill()
    killed = time.monotonic()
    grey = grown.all_say("No live data", 2)
    for page in grown.pages:
        expect(page.get_by_role("alert")).to_contain_text("Redis", timeout=AT_ONCE)
        page.evaluate("window.ended = true")
    call.hangup()
    second = phones(asterisk22, "202").call("101").wait_up()
    time.sleep(max(0.0, killed + 4 - time.monotonic()))
    redis_server.start()
    live = grown.all_say("Live", 3)
    for page, rows in zip(grown.pages, grown.rows(), strict=True):
        expect(rows.filter(has_text="202")).to_have_count(1)
        expect(rows.filter(has_text="201")).to_have_count(0, timeout=8_000)
        assert page.evaluate("lies") == []
    hang_up(grown.pages[0])
    second.wait_ended(3)
    assert checkers(asterisk22).channels() == []
    log = grown.post.log  # all three write there
    assert log.count("Redis can't be written") == 1
    assert log.count("Redis can't be read") == 2, "once by each web process"
    assert "Traceback" not in log
    print(f"grey after {grey:.1f} s, live {live:.1f} s after Redis was back")
    agent.hangup()


def test_the_worker_is_stopped_in_good_order(asterisk22: Asterisk, grown: Grown) -> None:
    assert grown.post.stop() == 0
    grown.all_say("No live data", 1.5)
    assert "Logoff" in asterisk22.log_tail() or "logged off" in asterisk22.log_tail()
    assert "Traceback" not in grown.post.log


def test_a_page_that_was_open_before_any_worker(
    asterisk22: Asterisk, redis_server: RedisServer, tmp_path: Path, new_page: Callable[..., Page]
) -> None:
    web = Web(tmp_path, PHOENIX_REDIS=redis_server.url)
    web.set_up()
    password = web.user("bob", "Supervisor")
    with web:
        page = sign_in(new_page(), web, "bob", password)
        expect(page.get_by_role("alert")).to_contain_text("runpbx", timeout=START)
        with Post(tmp_path, PHOENIX_PBX_LAB=asterisk22.ami_url(), PHOENIX_REDIS=redis_server.url):
            expect(page.locator("[data-pill]")).to_contain_text("Live", timeout=START)
            expect(page.get_by_role("alert")).to_be_empty()


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("runpbx", "lab"), {"PHOENIX_PBX_LAB": "ami://a:b@127.0.0.1"}, "PHOENIX_REDIS"),
        (("runpbx", "lobby"), {"PHOENIX_PBX_LAB": "ami://a:b@127.0.0.1", "PHOENIX_REDIS": "redis://h"}, "lab"),
        (("runpbx", "lobby"), {"PHOENIX_REDIS": "redis://h"}, "PHOENIX_PBX"),
        (("runpanel", "--web"), {}, "PHOENIX_REDIS"),
        (("runpanel",), {"PHOENIX_REDIS": "redis://h"}, "--web"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(
    tmp_path: Path, words: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    panel = Panel(tmp_path, **environment)
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=panel._environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert said in line
