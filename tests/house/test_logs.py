"""Log lines: one per event whatever strangers send, and never a secret."""

import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phoenix_panel.logs import MAX_VALUE, HumanFormatter, JsonFormatter, config, masked

CANARY = "c4n4ry-w0rd"


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("test").makeRecord("test", logging.WARNING, "f.py", 1, message, args, None, extra=extra)


@pytest.mark.parametrize(
    "text",
    [
        f"connecting to ami://panel:{CANARY}@192.0.2.1:5038",
        f"connecting to amis://panel:p@ss:{CANARY}@192.0.2.1",
        f"postgres://panel:{CANARY}@db/floor failed",
        f"Action: Login\r\nUsername: panel\r\nSecret: {CANARY}\r\n",
        f"secret={CANARY}",
        f"{{'secret': '{CANARY}', 'user': 'x'}}",
        f'{{"password": "{CANARY}"}}',
        f"Authorization: Bearer {CANARY}",
        f"Cookie: language=ru; phoenix={CANARY}",
        f"PHOENIX_AMI_SECRET={CANARY}",
        f"csrfmiddlewaretoken={CANARY}",
    ],
)
@pytest.mark.parametrize("formatter", [JsonFormatter(), HumanFormatter()], ids=["json", "human"])
def test_no_secret_in_text(text: str, formatter: logging.Formatter) -> None:
    assert CANARY not in formatter.format(record(text))
    assert CANARY not in formatter.format(record("%s", text))
    assert CANARY not in formatter.format(record("failed", words=text))
    assert CANARY not in formatter.format(record("failed", words=[{"deep": text}]))
    try:
        raise ValueError(text)
    except ValueError:
        broken = record("failed")
        broken.exc_info = sys.exc_info()
    said = formatter.format(broken)
    assert "ValueError" in said
    assert CANARY not in said


@pytest.mark.parametrize(
    "key", ["secret", "password", "new_password", "authorization", "Cookie", "token", "session_key"]
)
@pytest.mark.parametrize("formatter", [JsonFormatter(), HumanFormatter()], ids=["json", "human"])
def test_no_secret_under_its_key(key: str, formatter: logging.Formatter) -> None:
    assert CANARY not in formatter.format(record("x", **{key: CANARY}))
    assert CANARY not in formatter.format(record("x", headers={key: CANARY}))


def test_what_is_no_secret_stays() -> None:
    text = "lab/1795412884.225 of ami://192.0.2.1:5038 hung up by Bob: 3 parties, https://panel.example.com/calls/"
    assert masked(text) == text


@given(st.text(max_size=400))
def test_one_event_is_one_json_line(text: str) -> None:
    line = JsonFormatter().format(record("%s", text, caller=text))
    assert line.splitlines() == [line]
    assert line.isprintable() or not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in line)
    parsed = json.loads(line)
    assert parsed["level"] == "warning"
    assert parsed["logger"] == "test"
    assert len(parsed["caller"]) <= 10 * (MAX_VALUE + 40)


@given(st.text(max_size=400))
def test_one_event_is_one_line_for_people_too(text: str) -> None:
    line = HumanFormatter().format(record("%s", text, caller=text))
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


def test_long_values_are_cut() -> None:
    parsed = json.loads(JsonFormatter().format(record("x", caller="y" * 100_000)))
    assert len(parsed["caller"]) < MAX_VALUE + 40


def test_keys_of_the_line_cannot_be_overwritten() -> None:
    assert json.loads(JsonFormatter().format(record("x", level="forged", t="forged")))["level"] == "warning"


def test_a_traceback_is_inside_its_json_line() -> None:
    try:
        raise RuntimeError("first\nsecond")
    except RuntimeError:
        broken = record("failed")
        broken.exc_info = sys.exc_info()
    line = JsonFormatter().format(broken)
    assert len(line.splitlines()) == 1
    assert "second" in json.loads(line)["traceback"]


def test_the_config_is_one_that_logging_takes() -> None:
    assert config(level="INFO", human=False)["formatters"]["line"]["()"] is JsonFormatter
    assert config(level="INFO", human=True)["formatters"]["line"]["()"] is HumanFormatter
