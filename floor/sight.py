"""Where on the floor each entity lies: what decides who is shown it, and what she may do to it.

The same as ``Kind.find`` tells of the live model when a command comes, but by what is published, kept for all
entities of a PBX as frames change them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from accounts.permissions import TargetSnapshot
from live.changes import Entities, Fields
from live.numbers import extension_in

Ref: TypeAlias = tuple[str, str]
"""An entity: its kind, its key."""

NAMES: Final[dict[str, dict[str, str]]] = {
    "call": {"parties": "party", "parent": "call"},
    "party": {"call": "call"},
    "spy": {"call": "call", "party": "party"},
    "room": {"participants": "participant"},
    "participant": {"room": "room", "call": "call"},
    "queue": {"members": "member", "waiting": "waiting"},
    "member": {"queue": "queue"},
    "waiting": {"queue": "queue", "call": "call"},
    "parked": {"call": "call"},
}
"""By kind: the fields that name others by key, one or several, and of which kind those are."""

_PLACES: Final = {"queue": "queue", "room": "room"}
"""A call's fields that name others by name."""

_MADE_OF: Final[dict[str, frozenset[str]]] = {
    "call": frozenset({"parties", "parent", *_PLACES}),
    "party": frozenset({"call", "number", "side"}),
    "spy": frozenset({"call", "party", "user_id", "device"}),
    "room": frozenset({"participants"}),
    "participant": frozenset({"room", "call", "number", "side"}),
    "queue": frozenset({"members", "waiting"}),
    "member": frozenset({"queue"}),
    "waiting": frozenset({"queue", "call"}),
    "parked": frozenset({"call", "by"}),
}
"""By kind: the fields by which it, or another, lies where it lies. All else changes without anybody's moving."""

_INSIDE: Final = "internal"


class Sight:
    """All entities of one PBX. ``entities`` is a live view: whoever changes it calls ``take`` at once."""

    def __init__(self, entities: Entities) -> None:
        self.targets: dict[Ref, TargetSnapshot] = {}
        self._entities = entities
        self._names: dict[Ref, frozenset[Ref]] = {}
        self._named_by: dict[Ref, set[Ref]] = {}
        self._staff: dict[str, frozenset[str]] = {}
        """Numbers of a queue's members, by the queue's key, until they change."""
        self.take(entities, {})

    def take(self, up: Entities, gone: dict[str, list[str]]) -> dict[Ref, TargetSnapshot | None]:
        """The entities have changed so. Those that lie elsewhere since, and where each lay before (None: nowhere)."""
        seeds = [
            (kind, key)
            for kind, entities in up.items()
            for key, fields in entities.items()
            if (kind, key) not in self.targets or not _MADE_OF.get(kind, frozenset()).isdisjoint(fields)
        ]
        seeds += [(kind, key) for kind, keys in gone.items() for key in keys]
        rim: deque[Ref] = deque(seeds)
        for ref in seeds:
            rim.extend(self._names.get(ref, ()))
            self._link(ref)
            rim.extend(self._near(ref))
        moved: dict[Ref, TargetSnapshot | None] = {}
        while rim:
            ref = rim.popleft()
            before, now = self.targets.get(ref), self._derive(*ref)
            if now == before:
                continue
            moved.setdefault(ref, before)
            if now is None:
                del self.targets[ref]
            else:
                self.targets[ref] = now
            rim.extend(self._near(ref))
        return moved

    def named_by(self, ref: Ref) -> Iterable[Ref]:
        """Those that name this one by key."""
        return self._named_by.get(ref, ())

    # --- who names whom

    def _near(self, ref: Ref) -> Iterator[Ref]:
        yield from self._names.get(ref, ())
        yield from self._named_by.get(ref, ())

    def _link(self, ref: Ref) -> None:
        kind, key = ref
        if kind == "queue":
            self._staff.pop(key, None)
        before, now = self._names.get(ref, frozenset()), frozenset(self._named(kind, key))
        for other in before - now:
            self._named_by[other].discard(ref)
            if not self._named_by[other]:
                del self._named_by[other]
        for other in now - before:
            self._named_by.setdefault(other, set()).add(ref)
        if now:
            self._names[ref] = now
        else:
            self._names.pop(ref, None)

    def _named(self, kind: str, key: str) -> Iterator[Ref]:
        fields = self._fields(kind, key)
        if fields is None:
            return
        for name, other in NAMES.get(kind, {}).items():
            yield from ((other, one) for one in _keys(fields, name))
        if kind == "call":
            yield from ((other, f"{_pbx(key)}/{fields[name]}") for name, other in _PLACES.items() if fields.get(name))

    # --- where it lies

    def _fields(self, kind: str, key: str) -> Fields | None:
        return self._entities.get(kind, {}).get(key)

    def _derive(self, kind: str, key: str) -> TargetSnapshot | None:
        fields = self._fields(kind, key)
        if fields is None:
            return None
        target = TargetSnapshot(kind, key, _pbx(key))
        derive = _DERIVE.get(kind)
        return target if derive is None else derive(self, target, fields)

    def _call(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        parties = _keys(fields, "parties")
        found = [number for key in parties for number in _inside(self._fields("party", key))]
        # Who parked him will have him back: it is his call still.
        found += [number for key in parties for number in _parker(self._fields("parked", key))]
        numbers = tuple(dict.fromkeys(found))
        queue, room = _text(fields, "queue"), _text(fields, "room")
        there = self._staff_of(f"{target.pbx}/{queue}") | self._seated(f"{target.pbx}/{room}")
        vouched = tuple(number for number in numbers if number in there)
        return replace(target, numbers=numbers, queue=queue, room=room, vouched=vouched)

    def _of_call(self, target: TargetSnapshot, fields: Fields, acted: tuple[str, ...] = ()) -> TargetSnapshot:
        """As the call that it is a part of; while that is not told, by itself."""
        call = self.targets.get(("call", _text(fields, "call")))
        if call is None:
            return replace(target, numbers=acted, acted=acted)
        numbers = tuple(dict.fromkeys((*call.numbers, *acted)))
        return replace(target, numbers=numbers, acted=acted, queue=call.queue, room=call.room, vouched=call.vouched)

    def _party(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        return self._of_call(target, fields, _inside(fields))

    def _spy(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        owner = fields.get("user_id", 0)
        return replace(
            self._of_call(target, fields),
            owner=owner if isinstance(owner, int) else 0,
            device=_text(fields, "device"),
        )

    def _participant(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        room, found = _text(fields, "room"), self._of_call(target, fields, _inside(fields))
        there = self._seated(room) | {*found.vouched}
        vouched = tuple(number for number in found.numbers if number in there)
        return replace(found, room=_rest(room), vouched=vouched)

    def _room(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        seats = [self._fields("participant", key) for key in _keys(fields, "participants")]
        numbers = tuple(dict.fromkeys(number for seat in seats for number in _inside(seat)))
        return replace(target, numbers=numbers, room=_rest(target.key), vouched=numbers)

    def _queue(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        return replace(target, queue=_rest(target.key))

    def _member(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        number = _some(extension_in(_text(fields, "interface")))
        queue = _rest(_text(fields, "queue"))
        return replace(target, numbers=number, acted=number, queue=queue, vouched=number)

    def _waiting(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        acted = _inside(self._fields("party", target.key))
        return replace(self._of_call(target, fields, acted), queue=_rest(_text(fields, "queue")))

    def _parked(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        found = self._of_call(target, fields, _inside(self._fields("party", target.key)))
        return replace(found, numbers=tuple(dict.fromkeys((*found.numbers, *_parker(fields)))))

    def _device(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        technology, _, rest = _rest(target.key).partition("/")
        if not rest and technology.startswith("Queue:"):  # `Queue:sales`, and whether anybody is free: `…_avail`
            return replace(target, queue=technology.removeprefix("Queue:").removesuffix("_avail"))
        return replace(target, numbers=_some(extension_in(_rest(target.key))))

    def _extension(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        return replace(target, numbers=_some(_text(fields, "exten")))

    def _staff_of(self, queue: str) -> frozenset[str]:
        staff = self._staff.get(queue)
        if staff is None:
            members = _keys(self._fields("queue", queue) or {}, "members")
            interfaces = [_text(self._fields("member", key) or {}, "interface") for key in members]
            staff = self._staff[queue] = frozenset(map(extension_in, interfaces)) - {""}
        return staff

    def _seated(self, room: str) -> frozenset[str]:
        target = self.targets.get(("room", room))
        return frozenset(target.numbers) if target is not None else frozenset()


_DERIVE: Final[dict[str, Callable[[Sight, TargetSnapshot, Fields], TargetSnapshot]]] = {
    "call": Sight._call,
    "party": Sight._party,
    "spy": Sight._spy,
    "room": Sight._room,
    "participant": Sight._participant,
    "queue": Sight._queue,
    "member": Sight._member,
    "waiting": Sight._waiting,
    "parked": Sight._parked,
    "device": Sight._device,
    "extension": Sight._extension,
}
"""A kind that is not here (a trunk) belongs to the whole of its PBX."""


def _pbx(key: str) -> str:
    return key.partition("/")[0]


def _rest(key: str) -> str:
    return key.partition("/")[2]


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _keys(fields: Fields, name: str) -> list[str]:
    value = fields.get(name) or []
    return value if isinstance(value, list) else [str(value)]


def _some(number: str) -> tuple[str, ...]:
    return (number,) if number else ()


def _inside(leg: Fields | None) -> tuple[str, ...]:
    """The number of a party or participant, if it is one of our own side."""
    return _some(_text(leg, "number")) if leg is not None and leg.get("side") == _INSIDE else ()


def _parker(parked: Fields | None) -> tuple[str, ...]:
    return _some(extension_in(_text(parked, "by"))) if parked is not None else ()
