"""What is done to people, roles and teams, into the audit."""

from collections.abc import Mapping
from typing import Any

from audit import trail
from audit.record import What, Who
from people.state import Key


def changed(who: Who, verb: str, key: Key, words: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """In the transaction of the change: of both the fields that differ."""
    kind, pk = key
    what = What("", verb, target_kind=kind, target_key=str(pk), target_words=words)
    trail.changed(who, what, before, after)


def denied(who: Who, verb: str, code: str, words: str) -> None:
    """It was not done, and why."""
    trail.denied(who, What("", verb), code, words)
