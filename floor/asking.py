"""Whether somebody could do something now: a command's way without the intent and without the send.

What only the PBX's worker knows is asked of it (``facts``); who asks makes words of it (``accounts.explaining``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import ValidationError

import ami
from accounts.permissions import TargetSnapshot, UserSnapshot
from floor import registry, targets
from floor.registry import Action, Refused
from live.pbx import Pbx


@dataclass(frozen=True, slots=True)
class Facts:
    """What the live model says of a question."""

    target: TargetSnapshot | None = None
    """None: there is no such thing now."""
    words: str = ""
    """Who is on it."""
    state: str = ""
    """The code with which the action would be refused to who may do it; "" for none."""


def facts(pbx: Pbx, action: Action, text: str, user: UserSnapshot, *, records: bool) -> Facts:
    """Of what ``text`` names, by key or as people call it; ``records``: the PBX has an account that may record. Raises
    ``targets.Ambiguous``.

    Where the action needs arguments that nobody has given, nothing is said of the state.
    """
    try:
        found = targets.find(pbx, action, pbx.name if action.target == "pbx" else text)
    except targets.NotFound:
        return Facts()
    state = "no_recording" if action.records and not records else ""
    try:
        action.plan(pbx, found, action.args(), user)
    except ValidationError:
        state = "no_phone" if action.phone and not user.phone(pbx.name) else ""
    except Refused as refusal:
        state = refusal.code
    except ami.EncodingRefused:
        state = "bad_command"
    return Facts(found.target(action.target, pbx.name), found.words, state)


def question(user: UserSnapshot) -> dict[str, Any]:
    """What a plan needs to know of the user, as a message carries it."""
    return {
        "id": user.id,
        "name": user.name,
        "rights": sorted(user.rights),
        "phones": [[*phone] for phone in user.phones],
        "roles": [*user.roles],
    }


def answer(pbx: Pbx, message: Mapping[str, Any], *, live: bool, records: bool) -> dict[str, Any]:
    """The reply to a question that came as a message: ``read`` takes it apart. ``live``: the link stands."""
    asked, action = message["ask"], registry.ACTIONS[message["verb"]]
    user = UserSnapshot(
        asked["id"],
        asked["name"],
        True,
        frozenset(asked["rights"]),
        phones=tuple((name, phone) for name, phone in asked["phones"]),
        roles=tuple(asked["roles"]),
    )
    try:
        found = facts(pbx, action, message["target"]["key"], user, records=records)
    except targets.Ambiguous:
        found = Facts(state="ambiguous")
    found = found if live else replace(found, state="link_down")
    outcome = {"outcome": "done", "code": "", "detail": "", "facts": asdict(found)}
    return {"type": "result", "id": message["id"], "verb": action.verb, "target": message["target"], **outcome}


def read(said: Mapping[str, Any]) -> Facts:
    """The facts in an answer that came as a message: its sequences are lists."""
    target = said["target"]
    if target is not None:
        target = {name: tuple(value) if isinstance(value, list) else value for name, value in target.items()}
        target = TargetSnapshot(**target)
    return Facts(target, said["words"], said["state"])
