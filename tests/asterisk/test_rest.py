"""REST on a real Asterisk: what a program does is done there, once, whichever process it asks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.stage import Caller, new_token
from tests.browser.running import Panel, Post, Web
from tests.house.redis import RedisServer
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = pytest.mark.asterisk

ID = "5" * 32


def talking(caller: Caller) -> str:
    """The key of the one call, once it talks."""

    def found(told: dict[str, list[dict[str, dict[str, dict[str, dict[str, object]]]]]]) -> str:
        calls = told["pbxs"][0]["up"]["call"] if told["pbxs"] else {}
        return next((key for key, call in calls.items() if call["phase"] == "talking"), "")

    return str(caller.until("state?kind=call", found))


def test_a_call_is_hung_up(
    asterisk: Asterisk, phones: Callable[..., Phone], checkers: Callable[..., Checker], tmp_path: Path
) -> None:
    phones(asterisk, "101")
    customer = phones(asterisk, "201")
    panel = Panel(tmp_path, PHOENIX_PBX_LAB=asterisk.ami_url())
    panel.set_up()
    panel.user("bob", "Supervisor")
    with panel:
        caller, watcher = (
            Caller(panel, new_token(panel, "bob", *rights)) for rights in ((), ("calls.view", "floor.everywhere"))
        )
        call = customer.call("101").wait_up()
        key = talking(caller)
        status, told = watcher.ask("POST", "actions/calls.hangup", {"target": {"key": key}})
        assert (status, told["code"]) == (403, "no_right")
        assert len(checkers(asterisk).channels()) == 2
        status, told = caller.ask("POST", "actions/calls.hangup", {"id": ID, "target": {"key": key}})
        assert (status, told["outcome"]) == (200, "done")
        call.wait_ended(2)
        assert checkers(asterisk).channels() == []
        customer.call("101").wait_up()
        key = talking(caller)
        status, told = caller.ask("POST", "actions/calls.hangup", {"id": ID, "target": {"key": key}})
        assert (status, told["outcome"]) == (200, "done"), "that was the first one"
        assert told["target"]["key"] != key
        assert len(checkers(asterisk).channels()) == 2, "the second is not touched"


@pytest.mark.redis
def test_one_command_through_two_web_processes(
    asterisk22: Asterisk,
    phones: Callable[..., Phone],
    checkers: Callable[..., Checker],
    redis_server: RedisServer,
    tmp_path: Path,
) -> None:
    phones(asterisk22, "101")
    customer = phones(asterisk22, "201")
    both = {"PHOENIX_REDIS": redis_server.url}
    post = Post(tmp_path, PHOENIX_PBX_LAB=asterisk22.ami_url(), **both)
    webs = Web(tmp_path, **both), Web(tmp_path, **both)
    post.set_up()
    post.user("bob", "Supervisor")
    with post, webs[0], webs[1]:
        secret = new_token(post, "bob")
        callers = [Caller(web, secret) for web in webs]
        call = customer.call("101").wait_up()
        keys = {talking(caller) for caller in callers}
        assert len(keys) == 1
        body = {"id": ID, "target": {"key": keys.pop()}}
        with ThreadPoolExecutor(6) as threads:
            asking = [threads.submit(callers[n % 2].ask, "POST", "actions/calls.hangup", body) for n in range(6)]
            answered = [one.result() for one in asking]
        assert {(status, told["outcome"], told["wire_ms"]) for status, told in answered} == {
            (200, "done", answered[0][1]["wire_ms"])
        }
        call.wait_ended(2)
        assert checkers(asterisk22).channels() == []
        entries = [entry for entry in post.audit() if entry[1] == "calls.hangup"]
        assert [(kind, outcome) for kind, _, outcome, _ in entries] == [("intent", ""), ("outcome", "done")]
        for caller in callers:
            assert caller.ask("GET", f"commands/{ID}")[1]["outcome"] == "done"
