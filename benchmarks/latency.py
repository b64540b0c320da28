"""How long it takes: AMI bytes received → DOM changed; command received → action bytes written; click → phone rings.

A real Asterisk 22, the panel as users run it (`runpanel`, SQLite with durable commits), a real Chromium, 20 live calls
that stay while others come and go. The page notes when each frame's change was in its DOM; the panel notes in each
frame when its oldest AMI bytes came, and in each result how long the command took to the wire. One machine, one clock.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.report import percentile, report
from tests.browser.conftest import ARGUMENTS, sign_in
from tests.browser.running import Panel
from tests.lab.checker import Checker
from tests.lab.install import install
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone, PhoneError

LEG = "Local/506@from-internal/n"
CALLS = 20
CHANGES = 300
CLICKS = 320
BATCH = 80
RINGS = 60
"""Clicks on *listen*, one after the other: the supervisor's phone refuses each when it has rung."""

PER_S = 9.0
"""Clicks each second: the panel itself refuses a browser that sends more than ten."""

LISTEN = """() => {
  window.seen = [];
  document.addEventListener("phoenix:rendered", ({detail}) => seen.push(detail.at - detail.rx));
}"""

OPEN = """() => new Promise(ready => {
  const socket = window.ears = new WebSocket(location.origin.replace("http", "ws") + "/ws/panel/");
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if (message.type === "snapshot") {
      const [key, {rev}] = Object.entries(message.up.call).find(([, call]) => call.phase === "talking");
      window.heard = {kind: "call", key, rev};
      ready();
    }
    if (message.type === "result") window.end(message.code);
    if (message.type === "frame") {
      socket.send(JSON.stringify({type: "seen", pbx: message.pbx, epoch: message.epoch, seq: message.seq}));
    }
  };
})"""

LISTEN_TO = """() => {
  const id = Array.from({length: 32}, () => Math.floor(Math.random() * 16).toString(16)).join("");
  const clicked = performance.timeOrigin + performance.now();
  window.ended = new Promise(resolve => { window.end = resolve; });
  ears.send(JSON.stringify({type: "cmd", id, verb: "calls.listen", target: heard, args: {}}));
  return clicked;
}"""

CLICK = """([perS]) => new Promise(async done => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/panel/");
  const calls = new Map(), wire = [];
  let ready;
  const snapshot = new Promise(resolve => { ready = resolve; });
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    for (const [key, fields] of Object.entries(message.up?.call ?? {})) calls.set(key, {...calls.get(key), ...fields});
    for (const key of message.del?.call ?? []) calls.delete(key);
    if (message.type === "snapshot") ready();
    if (message.type === "result") wire.push([message.outcome, message.wire_ms]);
    if (message.type === "frame") {
      socket.send(JSON.stringify({type: "seen", pbx: message.pbx, epoch: message.epoch, seq: message.seq}));
    }
  };
  await snapshot;
  const victims = [...calls].filter(([, call]) => call.phase === "menu");
  for (const [key, call] of victims) {
    const id = Array.from({length: 32}, () => Math.floor(Math.random() * 16).toString(16)).join("");
    const {rev} = calls.get(key) ?? call;
    socket.send(JSON.stringify({type: "cmd", id, verb: "calls.hangup", target: {kind: "call", key, rev}, args: {}}));
    await new Promise(next => setTimeout(next, 1000 / perS));
  }
  while (wire.length < victims.length) await new Promise(next => setTimeout(next, 50));
  socket.close();
  done(wire);
})"""


def stand(checker: Checker, number: int, prefix: str) -> None:
    """Calls that stay: each one leg of a Local channel in an application, the other in the dialplan."""
    for index in range(number):
        checker.originate(
            "Local/506@from-internal/n", application="Wait", data="36000", channel_id=f"{prefix}-{index}"
        )


def changes(page: Page, checker: Checker, wanted: int, seed: int) -> list[float]:
    """Let calls come and go at irregular times until the page has rendered so many frames; delays in ms."""
    chance = random.Random(seed)
    page.evaluate(LISTEN)
    index = 0
    while page.evaluate("seen.length") < wanted:
        checker.originate(LEG, application="Wait", data="1", channel_id=f"come-{index}")
        index += 1
        time.sleep(chance.uniform(0.05, 0.25))
    return [float(delay) for delay in page.evaluate("seen")]


def clicks(page: Page, checker: Checker, wanted: int) -> tuple[list[float], int]:
    """Hang up so many calls by command; delays in ms, and how many were not done."""
    delays: list[float] = []
    failed = 0
    while len(delays) < wanted:
        stand(checker, BATCH, f"click-{len(delays)}-{failed}")
        checker.wait_quiet(0.5)
        for outcome, wire_ms in page.evaluate(CLICK, [PER_S]):
            if outcome == "done":
                delays.append(float(wire_ms))
            else:
                failed += 1
        if failed > wanted:
            raise SystemExit(f"{failed} clicks failed")
    return delays, failed


def rings(page: Page, asterisk: Asterisk, wanted: int) -> list[float]:
    """Listen so many times to a call of two phones; how long until the supervisor's phone has the call, in ms."""
    delays = []
    with ExitStack() as stack:
        agent, customer, supervisor = (
            stack.enter_context(Phone(asterisk.sip_address(extension), extension, answer=answer))
            for extension, answer in (("101", 0.1), ("201", 0.1), ("900", None))
        )
        customer.call(agent.extension).wait_up()
        agent.wait_incoming().wait_up().wait_tone(customer.hz)
        page.evaluate(OPEN)
        for _ in range(wanted):
            time.sleep(1 / PER_S)
            clicked = float(page.evaluate(LISTEN_TO))
            try:
                call = supervisor.wait_incoming()
            except PhoneError as error:
                raise SystemExit(f"the phone does not ring: {page.evaluate('() => ended')}") from error
            delays.append(call.began * 1000 - clicked)
            call.reject(486)
            if (why := page.evaluate("() => ended")) != "phone_busy":
                raise SystemExit(f"a phone that rang is told as {why}")
    page.evaluate("ears.close()")
    return delays


def measure(calls: int) -> dict[str, Any]:
    """One run of the whole."""
    install("22")
    with Asterisk("22") as asterisk, Checker(asterisk) as checker, tempfile.TemporaryDirectory() as var:
        panel = Panel(Path(var), PHOENIX_PBX_LAB=asterisk.ami_url())
        panel.set_up()
        password = panel.user("bob", "Supervisor")
        panel.manage("setphone", "bob", "lab=PJSIP/900")
        with panel, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(ARGUMENTS))
            page = sign_in(browser.new_page(), panel, "bob", password)
            page.wait_for_selector("[data-pill].ready")
            stand(checker, calls, "stay")
            checker.wait_quiet(1.0)
            print("standing", len(checker.channels()), flush=True)
            dom = changes(page, checker, CHANGES, seed=22)
            print("changes", len(dom), flush=True)
            wire, failed = clicks(page, checker, CLICKS)
            print("clicks", len(wire), flush=True)
            ring = rings(page, asterisk, RINGS)
            browser.close()
        version = asterisk.cli("core show version").split()[1]
    return {
        "event_to_dom_ms_p50": percentile(dom, 0.5),
        "event_to_dom_ms_p99": percentile(dom, 0.99),
        "changes": len(dom),
        "click_to_wire_ms_p50": percentile(wire, 0.5),
        "click_to_wire_ms_p99": percentile(wire, 0.99),
        "click_to_ring_ms_p50": percentile(ring, 0.5),
        "click_to_ring_ms_p95": percentile(ring, 0.95),
        "rings": len(ring),
        "clicks": len(wire),
        "clicks_not_done": failed,
        "calls": calls,
        "version": version,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"calls that stand all along ({CALLS})")
    arguments = parser.parse_args()
    figures = measure(arguments.calls)
    report(figures, figures.pop("version"), as_json=arguments.json)


if __name__ == "__main__":
    main()
