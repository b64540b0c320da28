"""The action and the test that docs/adding-an-action.md has for an example, as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from floor import registry
from tests.lab.instance import Asterisk
from tests.lab.phones import Phone

pytestmark = [pytest.mark.asterisk, pytest.mark.django_db(transaction=True)]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-an-action.md"


async def test_the_example(
    asterisk: Asterisk, phones: Callable[..., Phone], bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    action, test = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    said: dict[str, Any] = {}
    exec(compile(action, str(PAGE), "exec"), said)
    monkeypatch.setitem(registry.ACTIONS, "calls.turn_away", said["TURN_AWAY"])
    exec(compile(test, str(PAGE), "exec"), said)
    await said["test_turned_away_hears_busy"](asterisk, phones, bob)
