"""Every word that panel and page exchange (docs/frames.md), encoded here and only here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, field_validator

from ami.client import LinkState
from live.changes import Entities, Fields

BEAT_S: Final = 2.0
"""Seconds between heartbeats; a page that hears none for three of them greys its data."""

# --- panel → page, as the PBX's worker says it to every hub


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is true of one PBX, under a new epoch or as it stands. ``t``: milliseconds of UTC."""

    pbx: str
    epoch: int
    seq: int
    t: int
    up: Entities


@dataclass(frozen=True, slots=True)
class Frame:
    """What changed. ``rx``: when the oldest AMI bytes behind it arrived, milliseconds of UTC."""

    pbx: str
    epoch: int
    seq: int
    t: int
    rx: int
    up: Entities
    gone: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Beat:
    """The heartbeat. ``age_ms``: since the last AMI byte, -1 if there never was one."""

    pbx: str
    epoch: int
    seq: int
    t: int
    age_ms: int
    rtt_ms: float
    link: dict[str, Any]


def link_words(state: LinkState) -> dict[str, Any]:
    return {
        "phase": state.phase,
        "code": state.code,
        "detail": state.detail[:300],
        "since": round(state.since * 1000),
    }


def encode(type_: str, **fields: Any) -> str:
    """One message of this type; ``Fields`` and dataclass values go as they are."""
    return orjson.dumps({"type": type_, **fields}).decode()


def encode_beat(beat: Beat) -> str:
    return encode(
        "beat",
        pbx=beat.pbx,
        epoch=beat.epoch,
        seq=beat.seq,
        t=beat.t,
        age_ms=beat.age_ms,
        rtt_ms=beat.rtt_ms,
        link=beat.link,
    )


class Fragments:
    """Entities of one PBX as JSON, each serialised once however many pages are told of it."""

    def __init__(self, entities: Entities) -> None:
        self._entities: Entities = {kind: {key: dict(f) for key, f in of.items()} for kind, of in entities.items()}
        self._json: dict[tuple[str, str], bytes] = {}

    def merge(self, up: Entities, gone: dict[str, list[str]]) -> None:
        for kind, entities in up.items():
            held = self._entities.setdefault(kind, {})
            for key, fields in entities.items():
                held.setdefault(key, {}).update(fields)
                self._json.pop((kind, key), None)
        for kind, keys in gone.items():
            for key in keys:
                self._entities.get(kind, {}).pop(key, None)
                self._json.pop((kind, key), None)

    @property
    def entities(self) -> Entities:
        """All there are, as they are at each look; not to be changed."""
        return self._entities

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of which there is, or was, an entity."""
        return frozenset(self._entities)

    def get(self, kind: str, key: str) -> Fields | None:
        return self._entities.get(kind, {}).get(key)

    def snapshot(self, kinds: frozenset[str]) -> bytes:
        """The ``up`` object of a snapshot: all entities of these kinds."""
        return members(member(kind, self._kind(kind)) for kind in sorted(kinds & self._entities.keys()))

    def _kind(self, kind: str) -> bytes:
        return members(member(key, self.json(kind, key)) for key in self._entities[kind])

    def json(self, kind: str, key: str) -> bytes:
        """All fields of one that there is."""
        json = self._json.get((kind, key))
        if json is None:
            json = self._json[kind, key] = orjson.dumps(self._entities[kind][key])
        return json


def member(name: str, json: bytes) -> bytes:
    """A member of a JSON object."""
    return b"%b:%b" % (orjson.dumps(name), json)


def members(all_: Iterable[bytes]) -> bytes:
    """The JSON object of these members."""
    return b"{%b}" % b",".join(all_)


def encode_snapshot(snapshot: Snapshot, up: bytes) -> str:
    """A snapshot's head with what this viewer sees."""
    head = {"type": "snapshot", "pbx": snapshot.pbx, "epoch": snapshot.epoch, "seq": snapshot.seq, "t": snapshot.t}
    return (orjson.dumps(head)[:-1] + b',"up":' + up + b"}").decode()


def encode_frame(frame: Frame, up: bytes, gone: bytes) -> str:
    """A frame's head with what this viewer sees of it."""
    head = {"type": "frame", "pbx": frame.pbx, "epoch": frame.epoch, "seq": frame.seq, "t": frame.t, "rx": frame.rx}
    return (orjson.dumps(head)[:-1] + b',"up":' + up + b',"del":' + gone + b"}").decode()


@dataclass(slots=True)
class FrameText:
    """One frame on its way to many pages: each kind serialised once, joined once for each set of kinds."""

    frame: Frame
    _up: dict[str, bytes] = field(default_factory=dict)
    _gone: dict[str, bytes] = field(default_factory=dict)
    _whole: dict[frozenset[str], str] = field(default_factory=dict)

    def of(self, kinds: frozenset[str]) -> str:
        """The frame as a viewer of these kinds gets it: also an empty one, since its number must not miss."""
        text = self._whole.get(kinds)
        if text is None:
            text = self._whole[kinds] = encode_frame(
                self.frame, _of(self.frame.up, kinds, self._up), _of(self.frame.gone, kinds, self._gone)
            )
        return text


def _of(all_: Mapping[str, object], kinds: frozenset[str], known: dict[str, bytes]) -> bytes:
    """An object of these kinds' members, each serialised once."""
    for kind in all_.keys() & kinds - known.keys():
        known[kind] = member(kind, orjson.dumps(all_[kind]))
    return members(known[kind] for kind in all_ if kind in kinds)


# --- page → panel


class _Word(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


EXACT: Final = 2**53
"""JavaScript's largest whole number that is exact; beyond it nothing of ours counts."""

ARGS_BYTES: Final = 4096
"""The longest arguments that an action may take, as JSON."""

Count = Annotated[int, Field(ge=0, lt=EXACT)]
CommandId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class Target(_Word):
    """What a command is for, as the page showed it. ``rev`` says which of its states."""

    kind: Name
    key: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    rev: Count

    @property
    def pbx(self) -> str:
        return self.key.partition("/")[0]


class Cmd(_Word):
    type: Literal["cmd"]
    id: CommandId
    verb: Name
    target: Target
    args: dict[str, Any] = {}
    epoch: Count = 0
    """Of the picture that was clicked on."""

    @field_validator("args")
    @classmethod
    def short(cls, args: dict[str, Any]) -> dict[str, Any]:
        """They are written to the audit before anybody looks at them."""
        if len(json.dumps(args, allow_nan=False)) > ARGS_BYTES:
            raise ValueError("the arguments are too long")
        return args


class Seen(_Word):
    type: Literal["seen"]
    pbx: Name
    epoch: Count
    seq: Count


class Resync(_Word):
    type: Literal["resync"]
    pbx: Name


class Ping(_Word):
    type: Literal["ping"]
    n: Count


Word = Cmd | Seen | Resync | Ping
_WORDS: Final[TypeAdapter[Word]] = TypeAdapter(Annotated[Word, Field(discriminator="type")])


def decode(text: str) -> Word:
    """What a page said; ``ValueError`` if it is no word of ours."""
    return _WORDS.validate_json(text)
