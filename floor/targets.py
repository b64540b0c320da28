"""Which entity is meant by what somebody typed: a key, or a number, a name, a room."""

from __future__ import annotations

from typing import Any

from floor import registry
from floor.registry import Action, Found
from live.changes import Fields
from live.pbx import Pbx

_CALLED = ("name", "number", "exten", "space", "user", "interface", "state_interface", "channel")
"""Fields by which people call an entity, whatever its kind."""

_IN = ("room", "queue")
"""Fields with the key of what an entity is in: ``801/201`` is who has the number 201 in the room 801."""

_TALKS = ("talking", "hold")


class TargetError(LookupError):
    """The text names not exactly one entity. ``str()`` is one line that says so."""


class NotFound(TargetError):
    """Nothing there is called so now."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"there is no {kind} {text!r} now")


class Ambiguous(TargetError):
    """Several are called so. ``candidates``: their keys without the PBX's name, and who is on each."""

    def __init__(self, kind: str, text: str, candidates: list[tuple[str, str]]) -> None:
        self.candidates = candidates
        said = "; ".join(f"{key} ({words})" for key, words in candidates)
        super().__init__(f"{text!r} is {len(candidates)} {kind}s, name one by its id: {said}")


def find(pbx: Pbx, action: Action, text: str) -> Found:
    """The entity that the action is to be done to. Raises ``NotFound``, ``Ambiguous``.

    A key, with or without the PBX's name before it, comes first; then what people call it. Of several calls those are
    meant that the action can be done to now: of two that 101 is on, the one that rings is picked up.
    """
    kind = registry.KINDS[action.target]
    rest = text.removeprefix(f"{pbx.name}/") if text != pbx.name else ""
    found = kind.find(pbx, rest)
    if found is not None:
        return found
    keys = _called(pbx, kind.name, text)
    if len(keys) > 1 and action.when:
        keys = [key for key in keys if _can(pbx, action, key)] or keys
    candidates = [found for key in keys if (found := kind.find(pbx, _rest(key))) is not None]
    if not candidates:
        raise NotFound(kind.name, text)
    if len(candidates) > 1:
        raise Ambiguous(kind.name, text, [(_rest(one.key), one.words) for one in candidates])
    return candidates[0]


def keys_in(pbx: Pbx, action: Action, found: Found, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments, with the key where one names an entity (``party="201"``). Raises ``NotFound``, ``Ambiguous``."""
    keyed = dict(args)
    for name, field in action.args.model_fields.items():
        extra, text = field.json_schema_extra, args.get(name)
        kind = extra.get("entity") if isinstance(extra, dict) else None
        if isinstance(kind, str) and isinstance(text, str) and text:
            keyed[name] = _key(pbx, kind, text, found.key)
    return keyed


def _key(pbx: Pbx, kind: str, text: str, of: str) -> str:
    entities = pbx.entities().get(kind, {})
    if text in entities or pbx.key(text) in entities:
        return text if text in entities else pbx.key(text)
    keys = _called(pbx, kind, text)
    keys = [key for key in keys if of in entities[key].values()] or keys
    if not keys:
        raise NotFound(kind, text)
    if len(keys) > 1:
        raise Ambiguous(kind, text, [(_rest(key), str(entities[key].get("name", ""))) for key in keys])
    return keys[0]


def _called(pbx: Pbx, kind: str, text: str) -> list[str]:
    return [
        key
        for key, fields in pbx.entities().get(kind, {}).items()
        if fields.get("phase") != "ended" and text.casefold() in _names(pbx, fields)
    ]


def _names(pbx: Pbx, fields: Fields) -> set[str]:
    """All that it may be called, in small letters."""
    names = _own_names(fields)
    for party in _keys(fields, "parties"):
        names |= _own_names(pbx.entities().get("party", {}).get(party, {}))
    places = {_rest(str(fields[field])) for field in _IN if fields.get(field)} - {""}
    inside = names | _position(pbx, fields)
    return names | {f"{place}/{name}".casefold() for place in places for name in inside}


def _position(pbx: Pbx, fields: Fields) -> set[str]:
    """The place in the queue of who waits there: ``sales/1`` is next."""
    told = pbx.entities()
    queue = told.get("queue", {}).get(str(fields.get("queue", "")), {})
    waiting = [told["waiting"].get(key) for key in _keys(queue, "waiting")]
    return {str(place) for place, caller in enumerate(waiting, 1) if caller == fields}


def _own_names(fields: Fields) -> set[str]:
    texts = {str(fields[field]) for field in _CALLED if fields.get(field)}
    # `PJSIP/101`, `Local/101@from-queue/n`: people say 101.
    texts |= {text.partition("/")[2].partition("@")[0].partition("/")[0] for text in texts if "/" in text}
    return {text.casefold() for text in texts if text}


def _can(pbx: Pbx, action: Action, key: str) -> bool:
    call = pbx.entities()["call"][key]
    if action.when == "talks":
        return call["phase"] in _TALKS
    parties = pbx.entities().get("party", {})
    return any(parties.get(party, {}).get("state") == "ringing" for party in _keys(call, "parties"))


def _keys(fields: Fields, field: str) -> list[str]:
    value = fields.get(field)
    return value if isinstance(value, list) else []


def _rest(key: str) -> str:
    return key.partition("/")[2]
