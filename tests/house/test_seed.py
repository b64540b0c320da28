"""docs/from-the-php-script.md says where each function of the seed script has gone: to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ami import actions
from floor import registry
from live.manners import SEED
from shell import arguments
from shell.tables import LOOKS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "from-the-php-script.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `?(\(?[a-z_ ]+\)?)`? \| `([a-z_.]+)` \| [^|]+ \| `([^`]+)` \| `([a-z_]+)` \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)

SEED_SCRIPT = [
    *("init_call", "pickup_call", "spy_call", "whispers_call", "destr_call", "mute_conf", "unmute_conf"),
    *("start_record_conf", "stop_record_conf", "locked_conf", "unlocked_conf", "kick_from_conf"),
]


def test_every_function_is_there_and_the_pair_that_was_missing() -> None:
    assert [function for function, *_ in ROWS] == [*SEED_SCRIPT, "(it had none)"]
    for function in ("ami_connect", "ami_disconnect"):
        assert f"`{function}`" in PAGE


@pytest.mark.parametrize(("function", "verb", "shell", "builder"), ROWS)
def test_where_it_has_gone_is_there(function: str, verb: str, shell: str, builder: str) -> None:
    names = arguments.subcommands(registry.ACTIONS.values(), taken=LOOKS)
    assert shell.split()[0] == names[verb][0]
    assert getattr(actions, builder) in actions.BUILDERS


def test_the_defaults_are_the_scripts() -> None:
    shown = {SEED.context, f"{SEED.ring_s} s", SEED.listen, SEED.whisper, SEED.pickup, f"{SEED.call} <destination>"}
    rows = re.findall(r"^\| [a-z ]+ \| `?([^`|]+?)`? \| `PHOENIX_\w+` \|$", PAGE, re.MULTILINE)
    assert (
        set(rows)
        == shown
        == {
            "from-internal",
            "15 s",
            "Phoenix-Spy",
            "Phoenix-whispers",
            "Phoenix-Pickup",
            "Phoenix-call <destination>",
        }
    )
