"""``manage.py pbx`` on the demo PBX: what it shows, what it does, and with which exit code it ends."""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import load_command_class
from django.core.management.base import OutputWrapper

from accounts.models import User
from audit import trail
from audit.models import Entry
from audit.record import AuditUnavailable
from floor import dispatch, registry
from shell import DONE, NO_LINK, REFUSED, UNKNOWN, USAGE, terminal
from shell.tables import LOOKS
from tests.conftest import member
from tests.demo.stages import DemoStage
from tests.shell.running import Ran, pbx, url

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]


def audit() -> list[tuple[str, str, str, str, str]]:
    return [(e.user_name, e.address, e.verb, e.outcome, e.code) for e in Entry.objects.order_by("id")]


# --- looking


def test_calls(talking: DemoStage) -> None:
    ran = pbx("calls")
    assert ran.code == DONE
    head, row = ran.out.splitlines()
    assert head.split() == ["PHASE", "FOR", "WHO", "WHERE", "ID"]
    assert row.startswith("talking")
    assert "201 → 101 Agent 101" in row
    assert row.endswith(talking.uniqueid("201"))


def test_nothing_is_a_word_too(stage: DemoStage) -> None:
    assert [pbx(look).out.strip() for look in ("calls", "conferences", "parked")] == [
        "no calls",
        "no conferences",
        "nobody is parked",
    ]


def test_conferences(conference: DemoStage) -> None:
    assert pbx("lock", "801").code == DONE
    _, room, *inside = pbx("conferences").out.splitlines()
    assert room.split()[0] == "801"
    assert "2 in it" in room
    assert "locked" in room
    assert [line.split()[1] for line in inside] == ["201", "202"]


def test_queues(stage: DemoStage) -> None:
    stage.dial("trunk", "601")
    stage.quiet()
    text = pbx("queues").out
    sales, support = text[: text.index("support")], text[text.index("support") :]
    assert "0 wait, 3 members" in sales
    assert [line.split()[1] for line in sales.splitlines()[2:]] == ["101", "102", "103"]
    assert "1 waits, 0 members" in support
    assert "1. 4915112345 Zoë O'Brien" in support


@pytest.mark.parametrize("look", LOOKS)
def test_json_is_an_object_a_line_with_entities_as_the_page_has_them(talking: DemoStage, look: str) -> None:
    ran = pbx(look, "--json")
    assert ran.code == DONE
    assert ran.out.isascii()
    for line in ran.lines:
        assert list(line) == ["t", "pbx", "kind", "key", "entity"]
        assert line["pbx"] == "lab"
        assert line["key"].startswith("lab/")
        assert line["kind"] in LOOKS[look].kinds


def test_json_tells_who_is_on_the_call(talking: DemoStage) -> None:
    ran = pbx("calls", "--json")
    (call,) = ran.entities("call").values()
    parties = ran.entities("party")
    assert [parties[key]["number"] for key in call["parties"]] == ["201", "101"]


def test_every_kind_that_has_entities_is_in_a_look() -> None:
    shown = {kind for look in LOOKS.values() for kind in look.kinds}
    assert {"call", "party", "spy", "room", "participant", "queue", "member", "waiting"} <= shown
    assert shown <= set(registry.KINDS)


# --- acting


def test_every_action_has_its_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    load_command_class("phoenix_panel", "pbx").print_help("manage.py", "pbx")
    said = capsys.readouterr().out
    assert registry.ACTIONS
    for verb in registry.ACTIONS:
        assert verb in said


@pytest.mark.parametrize("name", ["number", "id", "key"])
@pytest.mark.parametrize("verb", ["hangup", "calls.hangup"])
def test_hang_up_by_whatever_one_would_type(talking: DemoStage, name: str, verb: str) -> None:
    uniqueid = talking.uniqueid("201")
    target = {"number": "101", "id": uniqueid, "key": f"lab/{uniqueid}"}[name]
    ran = pbx(verb, target)
    assert (ran.code, ran.err) == (DONE, "")
    assert ran.out == "done: calls.hangup 201 → 101 Agent 101\n"
    assert not talking.pbx.channels


def test_the_audit_knows_the_shell(talking: DemoStage) -> None:
    pbx("hangup", "101")
    who = audit()[0][0]
    assert who.startswith("shell:")
    assert audit() == [(who, "", "calls.hangup", "", ""), (who, "", "calls.hangup", "done", "")]
    assert {(entry.source, entry.user_id) for entry in Entry.objects.all()} == {("shell", None)}


def test_an_outcome_as_json(talking: DemoStage) -> None:
    key = f"lab/{talking.uniqueid('201')}"
    (line,) = pbx("hangup", "101", "--json").lines
    assert line.pop("t") > 0
    assert len(line.pop("id")) == 32
    assert line == {
        "pbx": "lab",
        "verb": "calls.hangup",
        "target": {"kind": "call", "key": key},
        "words": "201 → 101 Agent 101",
        "outcome": "done",
        "code": "",
        "detail": "",
    }


def test_nobody_is_called_so(talking: DemoStage) -> None:
    ran = pbx("hangup", "999")
    assert (ran.code, ran.out) == (REFUSED, "")
    assert ran.err == "refused: calls.hangup: there is no call '999' now\n"
    (line,) = pbx("hangup", "999", "--json").lines
    assert (line["outcome"], line["code"]) == ("refused", "gone")
    assert audit() == []


def test_of_two_calls_one_must_be_named(talking: DemoStage) -> None:
    """101 talks, and a second call rings there: which one, the error tells how to say."""
    first = talking.uniqueid("201")
    talking.dial("202", "101")
    talking.quiet()
    ran = pbx("hangup", "101")
    assert ran.code == USAGE
    assert "\n" not in ran.err
    for words in (first, "201 → 101", talking.uniqueid("202"), "202 → 101"):
        assert words in ran.err
    assert pbx("hangup", first).code == DONE
    assert audit()[-1][3] == "done"


def test_of_two_calls_the_one_that_rings_is_picked_up(talking: DemoStage) -> None:
    talking.dial("202", "101")
    talking.quiet()
    ran = pbx("pickup", "101", "--phone", "PJSIP/900")
    assert (ran.code, ran.out) == (DONE, "done: calls.pickup 202 → 101 Agent 101\n")


def test_listen_at_a_phone_and_stop(talking: DemoStage) -> None:
    assert pbx("listen", "101", "--phone", "PJSIP/900").code == DONE
    rows = pbx("calls").out.splitlines()
    assert rows[2].split()[0] == "listen"
    assert "by 900" in rows[2]
    assert Entry.objects.filter(verb="calls.listen", kind="intent").get().args == {"phone": "PJSIP/900"}
    assert pbx("stop", "900").code == DONE
    assert len(pbx("calls").out.splitlines()) == 2


def test_an_entity_among_the_arguments_is_named_the_same_way(talking: DemoStage) -> None:
    assert pbx("listen", "101", "--party", "201", "--phone", "PJSIP/900").code == DONE
    (spy,) = pbx("calls", "--json").entities("spy").values()
    assert spy["party"] == f"lab/{talking.uniqueid('201')}"


def test_what_goes_wrong_at_the_phone_is_said(talking: DemoStage) -> None:
    ran = pbx("listen", "101")
    assert (ran.code, "--phone PJSIP/900" in ran.err) == (REFUSED, True)
    ran = pbx("listen", "101", "--phone", "PJSIP/102")
    assert (ran.code, "not registered" in ran.err) == (REFUSED, True)


def test_a_participant_of_a_room(conference: DemoStage) -> None:
    assert pbx("conferences.mute", "801/201").code == DONE
    states = {one["number"]: one["muted"] for one in pbx("conferences", "--json").entities("participant").values()}
    assert states == {"201": True, "202": False}
    assert pbx("unmute", "201").code == DONE
    assert pbx("kick", "202").code == DONE
    (room,) = pbx("conferences", "--json").entities("room").values()
    assert len(room["participants"]) == 1


def test_a_name_that_several_verbs_have_is_asked_back(stage: DemoStage) -> None:
    ran = pbx("mute", "801/201", "--json")
    assert (ran.code, ran.out) == (USAGE, "")
    assert "conferences.mute" in ran.err
    assert "calls.mute" in ran.err


def test_a_call_from_one_of_our_phones(stage: DemoStage) -> None:
    """What is done to the PBX as a whole has no target."""
    ran = pbx("call", "--number", "201", "--phone", "PJSIP/900")
    assert (ran.code, ran.err) == (DONE, "")
    assert Entry.objects.filter(kind="intent").get().args == {"number": "201", "phone": "PJSIP/900"}


def test_a_member_of_a_queue(stage: DemoStage) -> None:
    assert pbx("pause", "sales/101", "--reason", "lunch").code == DONE
    assert "paused (lunch)" in pbx("queues").out
    assert pbx("resume", "101").code == DONE


def test_unknown_has_a_code_of_its_own(talking: DemoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PROOF_S", 0.0)
    ran = pbx("hangup", "101")
    assert ran.code == UNKNOWN
    assert ran.err.startswith("unknown: calls.hangup 201 → 101")
    # Its event may still come before the process ends: then the audit has that too, after it.
    assert audit()[1][3:] == ("unknown", "not_proved")


def test_without_an_audit_nothing_is_done(talking: DemoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        raise AuditUnavailable("no such table")

    monkeypatch.setattr(trail, "_begin", broken)
    ran = pbx("hangup", "101")
    assert (ran.code, "audit" in ran.err) == (REFUSED, True)
    assert len(talking.pbx.channels) == 2


# --- with whose rights


def test_as_somebody_who_may_not(talking: DemoStage, charlie: User) -> None:
    ran = pbx("hangup", "101", "--as", "charlie")
    assert (ran.code, "may not" in ran.err) == (REFUSED, True)
    assert len(talking.pbx.channels) == 2, "nothing was sent"
    assert audit()[-1][0] == "Charlie"
    assert audit()[-1][3:] == ("refused", "no_right")


@pytest.mark.parametrize("look", LOOKS)
def test_as_somebody_who_may_see_nothing(talking: DemoStage, charlie: User, look: str) -> None:
    ran = pbx(look, "--as", "charlie", "--json")
    assert (ran.code, ran.out) == (REFUSED, "")


def test_as_somebody_dismissed(talking: DemoStage, bob: User) -> None:
    bob.is_active = False
    bob.save()
    assert pbx("hangup", "101", "--as", "bob").code == REFUSED
    assert pbx("calls", "--as", "bob").code == REFUSED
    assert len(talking.pbx.channels) == 2


def test_as_somebody_who_sees_and_does_not_act(talking: DemoStage) -> None:
    member("Lea", "Team lead")
    assert pbx("calls", "--as", "lea").code == DONE
    assert pbx("hangup", "101", "--as", "lea").code == REFUSED


def test_as_somebody_who_may(talking: DemoStage, bob: User) -> None:
    """Her rights, her phone; and the audit knows her, and from where."""
    bob.phones.create(pbx="lab", dial_string="PJSIP/900")
    assert pbx("listen", "101", "--as", "bob").code == DONE
    name, address, *rest = audit()[-1]
    assert (name, rest) == ("Bob", ["calls.listen", "done", ""])
    assert address.startswith("shell:")
    assert Entry.objects.filter(user=bob, source="shell").count() == 2


def test_as_nobody(stage: DemoStage) -> None:
    ran = pbx("calls", "--as", "nobody")
    assert (ran.code, ran.err) == (USAGE, "there is no user nobody")


# --- no link, no PBX


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize("arguments", [("calls",), ("calls", "--watch"), ("hangup", "101")])
def test_nobody_there(settings: LazySettings, stage: DemoStage, deaf_port: int, arguments: tuple[str, ...]) -> None:
    settings.PHOENIX_PBXS = {"lab": f"ami://u:s@127.0.0.1:{deaf_port}"}
    ran = pbx(*arguments)
    assert (ran.code, ran.out) == (NO_LINK, "")
    assert "is Asterisk running" in ran.err
    assert "\n" not in ran.err


def test_a_wrong_secret(settings: LazySettings, stage: DemoStage) -> None:
    settings.PHOENIX_PBXS = {"lab": url(stage).replace(":bytes@", ":s3cret-word@")}
    ran = pbx("calls")
    assert ran.code == NO_LINK
    assert "Authentication failed" in ran.err
    assert "s3cret-word" not in ran.err


def test_no_pbx_is_named(settings: LazySettings) -> None:
    settings.PHOENIX_PBXS = {}
    ran = pbx("calls")
    assert (ran.code, "PHOENIX_PBX=" in ran.err) == (USAGE, True)


def test_of_several_pbxs_one_is_named_or_told_by_the_key(settings: LazySettings, talking: DemoStage) -> None:
    settings.PHOENIX_PBXS = {"lab": url(talking), "other": "ami://u:s@127.0.0.1:1"}
    settings.PHOENIX_MANNERS = {**settings.PHOENIX_MANNERS, "other": settings.PHOENIX_MANNERS["lab"]}
    assert pbx("calls").code == USAGE
    assert pbx("calls", "--pbx", "nowhere").code == USAGE
    assert pbx("calls", "--pbx", "lab").code == DONE
    assert pbx("hangup", f"lab/{talking.uniqueid('201')}").code == DONE


# --- as a process


@pytest.fixture
def environment(stage: DemoStage, tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PHOENIX_")}
    kept |= {"DJANGO_SETTINGS_MODULE": "phoenix_panel.settings", "PHOENIX_ENV_FILE": os.devnull}
    return {**kept, "PHOENIX_VAR": str(tmp_path), "PHOENIX_PBX_LAB": url(stage)}


def run(environment: dict[str, str], *arguments: str) -> Ran:
    done = subprocess.run(
        [sys.executable, "manage.py", "pbx", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("hangup",),
        ("hangup", "101", "--nonsense"),
        ("listen", "101", "--phone", "Local/101@from-internal"),
        ("listen", "101", "--phone", "PJSIP/101&PJSIP/102"),
        ("calls", "--pbx", "nowhere"),
    ],
)
def test_wrong_usage(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    ran = run(environment, *arguments)
    assert (ran.code, ran.out) == (USAGE, "")
    assert "Traceback" not in ran.err


def test_a_process_of_its_own(environment: dict[str, str], talking: DemoStage) -> None:
    """No database is needed to look; to act one is, and that is said."""
    ran = run(environment, "calls")
    assert (ran.code, ran.err) == (DONE, "")
    assert "201 → 101" in ran.out
    ran = run(environment, "hangup", "101")
    assert ran.code == REFUSED
    assert "migrated" in ran.err
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True, timeout=60)
    ran = run(environment, "hangup", "101")
    assert (ran.code, ran.err) == (DONE, "")


def watching(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "pbx", *arguments, "--watch"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever started the tests in the background had Ctrl-C ignored, and so would this.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )


def until(process: subprocess.Popen[str], found: Callable[[str], bool]) -> str:
    """The first line of its output that is wanted."""
    assert process.stdout is not None
    for line in process.stdout:
        if found(line):
            return line
    raise AssertionError("it ended")


@pytest.mark.parametrize("arguments", [("calls", "--json"), ("calls",)])
def test_watch_goes_on_until_it_is_ended(environment: dict[str, str], stage: DemoStage, arguments: Any) -> None:
    with watching(environment, *arguments) as process:
        until(process, lambda line: '"live"' in line or "no calls" in line)
        stage.dial("201", "101")
        until(process, lambda line: "ringing" in line)
        stage.answer("101")
        until(process, lambda line: "talking" in line)
        stage.hangup("101")
        until(process, lambda line: '"ended"' in line or "no calls" in line)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(10) == DONE


# --- a long wait


def test_a_long_wait_is_told_on_a_terminal(talking: DemoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone rings and nobody answers: a line counts, and is gone at the end."""
    monkeypatch.setattr(terminal, "CLOCK_S", 0.1)
    monkeypatch.setattr(OutputWrapper, "isatty", lambda self: True)
    ran = pbx("listen", "201", "--phone", "PJSIP/103")
    assert ran.code == REFUSED
    talking.dial("202", "101")
    ran = pbx("listen", "201", "--phone", "PJSIP/101")
    assert ran.code == REFUSED
    assert "… calls.listen: waiting for the proof: 0 of at most 5 s" in ran.err
    assert ran.err.rpartition(terminal.LINE)[2].startswith("refused: ")
