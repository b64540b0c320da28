"""Looks: what is true of one subject, as a table. Pure: entities in, text out."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from live.changes import Entities, Fields
from shell.words import printable

Row = tuple[str, ...]

WIDEST: Final = 48
"""Columns that a cell may take; a caller chooses his name himself."""


@dataclass(frozen=True, slots=True)
class Look:
    """One subject: its kinds of entities, and its table. ``rows`` gets them, and the time in milliseconds of UTC."""

    kinds: tuple[str, ...]
    help: str
    head: Row
    rows: Callable[[Entities, int], Iterable[Row]]
    empty: str


def text(look: Look, entities: Entities, now: int) -> str:
    """The table, or a word that there is nothing."""
    rows = [tuple(_cut(printable(cell)) for cell in row) for row in look.rows(entities, now)]
    if not rows:
        return look.empty
    table = [look.head, *rows]
    widths = [max(_width(row[column]) for row in table) for column in range(len(look.head))]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


# --- cells


def _width(cell: str) -> int:
    """Columns on a terminal: none for what combines, two for what is wide."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in cell
    )


def _cut(cell: str) -> str:
    return cell if len(cell) <= WIDEST else cell[: WIDEST - 1] + "…"


def _since(fields: Fields, now: int) -> str:
    """For how long, as ``2:05`` or ``1:02:05``; ``≥`` where it may be longer."""
    seconds = max(0, now - _number(fields, "since")) // 1000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"≥{clock}" if fields.get("approx") else clock


def _who(fields: Fields) -> str:
    number, name = str(fields.get("number", "")), str(fields.get("name", ""))
    return f"{number} {name}".strip() if name != number else number


def _id(key: str) -> str:
    return key.partition("/")[2]


def _number(fields: Fields, field: str) -> int:
    value = fields.get(field, 0)
    return value if isinstance(value, int) else 0


def _list(fields: Fields, field: str) -> list[str]:
    value = fields.get(field)
    return value if isinstance(value, list) else []


def _words(*words: Any) -> str:
    return ", ".join(str(word) for word in words if word)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


# --- rows


def _calls(entities: Entities, now: int) -> Iterable[Row]:
    parties = entities.get("party", {})
    calls = [(key, call) for key, call in entities.get("call", {}).items() if call["phase"] != "ended"]
    for key, call in sorted(calls, key=lambda one: _number(one[1], "started")):
        who = " → ".join(_who(parties.get(party, {})) or "?" for party in _list(call, "parties"))
        place = _words(call["queue"], call["room"], call["slot"])
        yield str(call["phase"]), _since(call, now), who, place, _id(key)
        for spy_key, spy in entities.get("spy", {}).items():
            if spy["call"] == key:
                yield f"  {spy['mode']}", _since(spy, now), f"by {spy['user'] or _who(spy)}", "", _id(spy_key)


def _conferences(entities: Entities, now: int) -> Iterable[Row]:
    participants = entities.get("participant", {})
    for key, room in sorted(entities.get("room", {}).items()):
        inside = [one for one in _list(room, "participants") if one in participants]
        state = _words(room["locked"] and "locked", room["recording"] and "recorded")
        yield str(room["name"]), _since(room, now), f"{len(inside)} in it", state, _id(key)
        for one in inside:
            fields = participants[one]
            flags = _words(*(flag for flag in ("admin", "marked", "muted", "talking", "waiting") if fields[flag]))
            yield "", _since(fields, now), _who(fields), flags, _id(one)


def _queues(entities: Entities, now: int) -> Iterable[Row]:
    waiting, members = entities.get("waiting", {}), entities.get("member", {})
    for key, queue in sorted(entities.get("queue", {}).items()):
        ahead = [one for one in _list(queue, "waiting") if one in waiting]
        serving = [one for one in _list(queue, "members") if one in members]
        size = _words(_count(len(ahead), "waits", "wait"), _count(len(serving), "member", "members"))
        figures = _words(f"{queue['completed']} answered", f"{queue['abandoned']} gave up")
        yield str(queue["name"]), "", size, figures, _id(key)
        for place, one in enumerate(ahead, 1):
            fields = waiting[one]
            priority = f"priority {fields['priority']}" if fields["priority"] else ""
            yield "", _since(fields, now), f"{place}. {_who(fields) or '?'}", priority, _id(one)
        for one in serving:
            fields = members[one]
            paused = fields["paused"] and (f"paused ({fields['reason']})" if fields["reason"] else "paused")
            status = str(fields["status"]).replace("_", " ")
            number = str(fields["interface"]).partition("/")[2].partition("@")[0]
            yield "", "", f"- {_who({'number': number, 'name': fields['name']})}", _words(status, paused), _id(one)


def _parked(entities: Entities, now: int) -> Iterable[Row]:
    for key, fields in sorted(entities.get("parked", {}).items(), key=lambda one: str(one[1]["space"])):
        yield str(fields["space"]), _since(fields, now), _who(fields) or "?", f"by {fields['by']}", _id(key)


def _extensions(entities: Entities, now: int) -> Iterable[Row]:
    for key, fields in sorted(entities.get("extension", {}).items()):
        yield str(fields["exten"]), str(fields["text"]), str(fields["hint"]), _id(key)


def _devices(entities: Entities, now: int) -> Iterable[Row]:
    for key, fields in sorted(entities.get("device", {}).items()):
        yield _id(key), str(fields["state"])


def _trunks(entities: Entities, now: int) -> Iterable[Row]:
    for _, fields in sorted(entities.get("trunk", {}).items()):
        name, state, registration = str(fields["name"]), str(fields["state"]), str(fields["registration"])
        yield name, state, registration, _count(_number(fields, "channels"), "call", "calls")


LOOKS: Final = {
    "calls": Look(
        ("call", "party", "spy"),
        "the calls that go on, and who listens to them",
        ("PHASE", "FOR", "WHO", "WHERE", "ID"),
        _calls,
        "no calls",
    ),
    "conferences": Look(
        ("room", "participant"),
        "the conferences, and who is in them",
        ("ROOM", "FOR", "WHO", "STATE", "ID"),
        _conferences,
        "no conferences",
    ),
    "queues": Look(
        ("queue", "waiting", "member"),
        "the queues, who waits in them, and who serves them",
        ("QUEUE", "FOR", "WHO", "STATE", "ID"),
        _queues,
        "no queues",
    ),
    "parked": Look(
        ("parked",), "the parked callers", ("SPACE", "FOR", "WHO", "PARKED", "ID"), _parked, "nobody is parked"
    ),
    "extensions": Look(
        ("extension",), "the hints of the dialplan", ("EXTENSION", "STATE", "HINT", "ID"), _extensions, "no hints"
    ),
    "devices": Look(("device",), "the devices, in Asterisk's words", ("DEVICE", "STATE"), _devices, "no devices"),
    "trunks": Look(
        ("trunk",), "the lines that lead outside", ("TRUNK", "STATE", "REGISTRATION", "CALLS"), _trunks, "no trunks"
    ),
}
