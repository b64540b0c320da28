"""What a caller calls himself, as people are told it; and as Asterisk has it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.names import LONGEST, MARKS, shown
from tests.live.scene import Scene


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Maria Weber", "Maria Weber"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("Zoe\u0308 \U0001f525", "Zoë \U0001f525"),
        ("Мария 山田 ด้วย", "Мария 山田 ด้วย"),
        ("evil\u202egnp.exe", "evil\ufffdgnp.exe"),
        ("a\x1b[31mb\r\nc\x00\x85", "a\ufffd[31mb\ufffd\ufffdc\ufffd\ufffd"),
        ("10\u200b1\ufeff\u2066", "10\ufffd1\ufffd\ufffd"),
        ("\ud83d", "\ufffd"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("x" * 500, "x" * 63 + "…"),
        ("Z" + "\u0336\u0489" * 200, "Z" + "\u0336\u0489" * 2),
        ("", ""),
    ],
)
def test_as_it_is_told(said: str, told: str) -> None:
    assert shown(said) == told


@given(st.text(st.characters(), max_size=200))
def test_whatever_it_is(text: str) -> None:
    told = shown(text)
    assert len(told) <= LONGEST
    assert told == shown(told)
    assert unicodedata.is_normalized("NFC", told)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in told)
    told.encode()
    marks = "".join("m" if unicodedata.category(sign) in ("Mn", "Me") else "-" for sign in told)
    assert "m" * (MARKS + 1) not in marks


def test_the_models_own_is_exact() -> None:
    scene = Scene()
    scene.names["a"], scene.states["a"] = "PJSIP/trunk-1", "ring"
    scene.event("Newchannel", **{**scene.snapshot("a"), "CallerIDName": "evil\u202egnp.exe"})
    scene.settled()
    (party,) = scene.parties.values()
    assert party["name"] == "evil\ufffdgnp.exe"
    assert scene.pbx.channels["a"].caller_name == "evil\u202egnp.exe"
