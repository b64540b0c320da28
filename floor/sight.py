"""Where on the floor each entity lies: what decides who is shown it, and what she may do to it.

The same as ``Kind.find`` tells of the live model when a command comes, but by what is published, kept for all
entities of a PBX as frames change them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from accounts.monitoring_policy import MODES
from accounts.permissions import TargetSnapshot
from floor import registry
from live import sides
from live.changes import Entities, Fields

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
    "call": frozenset({"parties", "parent", "phase", *_PLACES}),
    "party": frozenset({"call", "number", "side"}),
    "spy": frozenset({"call", "party", "user_id", "device", "number", "mode"}),
    "room": frozenset({"participants"}),
    "participant": frozenset({"room", "call", "number", "side"}),
    "queue": frozenset({"members", "waiting"}),
    "member": frozenset({"queue", "state_interface"}),
    "waiting": frozenset({"queue", "call"}),
    "parked": frozenset({"call", "by"}),
}
"""By kind: the fields by which it, or another, lies where it lies. All else changes without anybody's moving."""


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
        rim.extend(("device", key) for kind, key in seeds if kind == "trunk")
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
        if kind in ("queue", "member"):
            self._staff.pop(key if kind == "queue" else _text(self._fields(kind, key) or {}, "queue"), None)
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

    # --- where it lies: as live.sides has it

    def _fields(self, kind: str, key: str) -> Fields | None:
        return self._entities.get(kind, {}).get(key)

    def _derive(self, kind: str, key: str) -> TargetSnapshot | None:
        fields = self._fields(kind, key)
        if fields is None:
            return None
        known = registry.KINDS.get(kind)
        target = TargetSnapshot(kind, key, _pbx(key), shown_by=known.right if known is not None else "")
        derive = _DERIVE.get(kind)
        return target if derive is None else derive(self, target, fields)

    def _call(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        parties, pbx = _keys(fields, "parties"), target.pbx
        found = [number for key in parties for number in _inside(self._fields("party", key))]
        found += [number for key in parties for number in self._parker(pbx, self._fields("parked", key))]
        numbers = _once(found)
        if fields.get("phase") == "conference":
            return self._in_room(target, _text(fields, "room"), numbers)
        visits = [_text(self._fields("waiting", key) or {}, "queue") for key in parties]
        waits = next((_rest(queue) for queue in visits if queue), "")
        queue = waits or _text(fields, "queue")
        there = self._staff_of(f"{pbx}/{queue}")
        return replace(
            target,
            numbers=numbers,
            queue=queue if waits or sides.is_its_call(numbers, there) else "",
            vouched=_among(numbers, there),
        )

    def _of_call(self, target: TargetSnapshot, fields: Fields, acted: tuple[str, ...]) -> TargetSnapshot:
        """As the call that it is a part of; while that is not told, by itself."""
        call = self.targets.get(("call", _text(fields, "call")))
        if call is None:
            return replace(target, numbers=acted, acted=acted)
        return replace(call, kind=target.kind, key=target.key, shown_by=target.shown_by, acted=acted)

    def _party(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        return self._of_call(target, fields, _inside(fields))

    def _spy(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        device, owner = _text(fields, "device"), fields.get("user_id", 0)
        listens = (_text(fields, "number"),) if self._is_ours(target.pbx, device) else ()
        of = ("call", _text(fields, "call")) in self.targets
        found = self._of_call(target, fields, listens)
        heard = found.numbers if of else _inside(self._fields("party", _text(fields, "party")))
        mode = next((mode for mode in MODES if mode == fields.get("mode")), None)
        return replace(found, numbers=heard, owner=owner if isinstance(owner, int) else 0, device=device, mode=mode)

    def _participant(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        found = self._of_call(target, fields, _inside(fields))
        return self._in_room(replace(found, queue=""), _rest(_text(fields, "room")), found.numbers)

    def _room(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        numbers = self._seated(target.key)
        return self._in_room(replace(target, acted=numbers), _rest(target.key), numbers)

    def _queue(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        return replace(target, queue=_rest(target.key))

    def _member(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        number = (sides.number(_text(fields, "interface")),)
        return replace(target, numbers=number, acted=number, queue=_rest(_text(fields, "queue")), vouched=number)

    def _waiting(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        acted = _inside(self._fields("party", target.key))
        found = self._of_call(target, fields, acted)
        vouched = _once((*found.vouched, *acted))
        return replace(found, queue=_rest(_text(fields, "queue")), room="", vouched=vouched)

    def _parked(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        return self._of_call(target, fields, _inside(self._fields("party", target.key)))

    def _device(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        device = _rest(target.key)
        technology, colon, name = device.partition(":")
        if (
            colon and "/" not in technology
        ):  # no phone: `Queue:sales`, and whether anybody is free, `Queue:sales_avail`
            return replace(target, queue=name.removesuffix("_avail") if technology == "Queue" else "")
        return replace(target, numbers=(sides.number(device),) if self._is_ours(target.pbx, device) else ())

    def _extension(self, target: TargetSnapshot, fields: Fields) -> TargetSnapshot:
        return replace(target, numbers=(_text(fields, "exten"),))

    def _in_room(self, target: TargetSnapshot, name: str, numbers: tuple[str, ...]) -> TargetSnapshot:
        there = self._seated(f"{target.pbx}/{name}")
        return replace(target, numbers=numbers, room=name, vouched=_among(numbers, there))

    def _staff_of(self, queue: str) -> frozenset[str]:
        staff = self._staff.get(queue)
        if staff is None:
            members = _keys(self._fields("queue", queue) or {}, "members")
            held = [self._fields("member", key) or {} for key in members]
            devices = [_text(one, name) for one in held for name in ("interface", "state_interface")]
            staff = self._staff[queue] = frozenset(sides.number(device) for device in devices if device)
        return staff

    def _seated(self, room: str) -> tuple[str, ...]:
        seats = _keys(self._fields("room", room) or {}, "participants")
        return _once(number for key in seats for number in _inside(self._fields("participant", key)))

    def _is_ours(self, pbx: str, device: str) -> bool:
        """Of a leg's device, or one that is known by name alone."""
        return not device.startswith("Local/") and self._fields("trunk", f"{pbx}/{device}") is None

    def _parker(self, pbx: str, parked: Fields | None) -> tuple[str, ...]:
        """Who parked him will have him back: it is his call still."""
        by = _text(parked or {}, "by")
        return (sides.number(by),) if by and self._fields("trunk", f"{pbx}/{by}") is None else ()


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


def _once(numbers: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(numbers))


def _among(numbers: Iterable[str], there: Container[str]) -> tuple[str, ...]:
    return tuple(number for number in numbers if number in there)


def _inside(leg: Fields | None) -> tuple[str, ...]:
    """The number of a party or participant, if it is one of our own side; "" for one that has none."""
    return (_text(leg, "number"),) if leg is not None and leg.get("side") == "internal" else ()
