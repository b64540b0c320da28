"""Every word that panel and page exchange (docs/frames.md), encoded here and only here."""

from __future__ import annotations

import json
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
    def kinds(self) -> frozenset[str]:
        """The kinds of which there is, or was, an entity."""
        return frozenset(self._entities)

    def get(self, kind: str, key: str) -> Fields | None:
        return self._entities.get(kind, {}).get(key)

    def snapshot(self, kinds: frozenset[str]) -> bytes:
        """The ``up`` object of a snapshot: all entities of these kinds."""
        return _object({kind: self._kind(kind) for kind in sorted(kinds & self._entities.keys())})

    def _kind(self, kind: str) -> bytes:
        return _object({key: self._entity(kind, key) for key in self._entities[kind]})

    def _entity(self, kind: str, key: str) -> bytes:
        json = self._json.get((kind, key))
        if json is None:
            json = self._json[kind, key] = orjson.dumps(self._entities[kind][key])
        return json


def _object(members: dict[str, bytes]) -> bytes:
    return b"{%b}" % b",".join(b"%b:%b" % (orjson.dumps(name), json) for name, json in members.items())


def encode_snapshot(snapshot: Snapshot, fragments: Fragments, kinds: frozenset[str]) -> str:
    """A snapshot's head with the fragments of what this viewer sees."""
    head = {"type": "snapshot", "pbx": snapshot.pbx, "epoch": snapshot.epoch, "seq": snapshot.seq, "t": snapshot.t}
    return (orjson.dumps(head)[:-1] + b',"up":' + fragments.snapshot(kinds) + b"}").decode()


@dataclass(slots=True)
class FrameText:
    """One frame on its way to many pages: each kind serialised once, joined once for each set of kinds."""

    frame: Frame
    _up: dict[str, bytes] = field(default_factory=dict)
    _gone: dict[str, bytes] = field(default_factory=dict)
    _whole: dict[frozenset[str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._up = {kind: orjson.dumps(entities) for kind, entities in self.frame.up.items()}
        self._gone = {kind: orjson.dumps(keys) for kind, keys in self.frame.gone.items()}

    def of(self, kinds: frozenset[str]) -> str:
        """The frame as a viewer of these kinds gets it: also an empty one, since its number must not miss."""
        text = self._whole.get(kinds)
        if text is None:
            frame = self.frame
            head = {"type": "frame", "pbx": frame.pbx, "epoch": frame.epoch, "seq": frame.seq}
            head |= {"t": frame.t, "rx": frame.rx}
            up = _object({kind: json for kind, json in self._up.items() if kind in kinds})
            gone = _object({kind: json for kind, json in self._gone.items() if kind in kinds})
            text = (orjson.dumps(head)[:-1] + b',"up":' + up + b',"del":' + gone + b"}").decode()
            self._whole[kinds] = text
        return text


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
