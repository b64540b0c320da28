"""The one vocabulary between the model and whoever shows it: fields that changed, entities that went."""

from __future__ import annotations

from dataclasses import dataclass, field

Value = str | int | bool | list[str]
Fields = dict[str, Value]
Entities = dict[str, dict[str, Fields]]
"""kind → key → fields."""


def milliseconds(seconds: float) -> int:
    """Times inside are seconds of UTC; those that are shown are whole milliseconds."""
    return round(seconds * 1000)


@dataclass(slots=True)
class Changes:
    """What became different since the last look, last value per field."""

    up: Entities = field(default_factory=dict)
    """Changed fields of entities that live; a new entity comes with all its fields."""
    gone: dict[str, list[str]] = field(default_factory=dict)
    """kind → keys of entities that are no more."""

    def __bool__(self) -> bool:
        return bool(self.up or self.gone)

    def set(self, kind: str, key: str, fields: Fields) -> None:
        self.up.setdefault(kind, {}).setdefault(key, {}).update(fields)

    def drop(self, kind: str, key: str) -> None:
        self.up.get(kind, {}).pop(key, None)
        self.gone.setdefault(kind, []).append(key)

    def __len__(self) -> int:
        return sum(map(len, self.up.values())) + sum(map(len, self.gone.values()))


class Published:
    """What was said so far; knows the difference to what is true now."""

    def __init__(self) -> None:
        self.entities: Entities = {}

    def put(self, changes: Changes, kind: str, key: str, fields: Fields) -> None:
        """Say ``fields`` of an entity; only those that differ from what was said enter ``changes``."""
        said = self.entities.setdefault(kind, {}).get(key)
        if said is None:
            self.entities[kind][key] = dict(fields)
            changes.set(kind, key, dict(fields))
            return
        different = {name: value for name, value in fields.items() if said.get(name) != value}
        if different:
            said.update(different)
            changes.set(kind, key, different)

    def drop(self, changes: Changes, kind: str, key: str) -> None:
        if self.entities.get(kind, {}).pop(key, None) is not None:
            changes.drop(kind, key)
