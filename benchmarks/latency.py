"""How long it takes: AMI bytes received → DOM changed; command received → action bytes written.

A real Asterisk 22, the panel as users run it (`runpanel`, SQLite with durable commits), a real Chromium, 20 live calls
that stay while others come and go. The page notes when each frame's change was in its DOM; the panel notes in each
frame when its oldest AMI bytes came, and in each result how long the command took to the wire. One machine, one clock.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.report import percentile, report
from tests.browser.conftest import ARGUMENTS, sign_in
from tests.browser.running import Panel
from tests.lab.checker import Checker
from tests.lab.install import install
from tests.lab.instance import Asterisk

LEG = "Local/506@from-internal/n"
CALLS = 20
CHANGES = 300
CLICKS = 320
BATCH = 80
PER_S = 9.0
"""Clicks each second: the panel itself refuses a browser that sends more than ten."""

LISTEN = """() => {
  window.seen = [];
  document.addEventListener("phoenix:rendered", ({detail}) => seen.push(detail.at - detail.rx));
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


def measure(calls: int) -> dict[str, Any]:
    """One run of the whole."""
    install("22")
    with Asterisk("22") as asterisk, Checker(asterisk) as checker, tempfile.TemporaryDirectory() as var:
        panel = Panel(Path(var), PHOENIX_PBX_LAB=asterisk.ami_url())
        panel.set_up()
        password = panel.user("bob", "Supervisor")
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
            browser.close()
        version = asterisk.cli("core show version").split()[1]
    return {
        "event_to_dom_ms_p50": percentile(dom, 0.5),
        "event_to_dom_ms_p99": percentile(dom, 0.99),
        "changes": len(dom),
        "click_to_wire_ms_p50": percentile(wire, 0.5),
        "click_to_wire_ms_p99": percentile(wire, 0.99),
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
