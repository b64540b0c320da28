"""The shapes of requests and answers, as OpenAPI tells them. What an action takes is its own declaration's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from floor.frames import CommandId, Count
from floor.registry import KINDS, Action


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


# --- answers


class Trouble(Strict):
    """Nothing was done, nor is there a command. `code` is for programs, `detail` for people."""

    code: str
    detail: str


class Link(Strict):
    """How the panel is connected with a PBX: only in `live` the data is true."""

    phase: Literal["connecting", "resyncing", "live", "down", "refused"]
    code: str
    detail: str
    since: int
    records: Annotated[bool, Field(description="The account that may record there is logged in.")] = False


class Pbx(Strict):
    """One PBX, as the panel has it at this moment."""

    pbx: str
    epoch: Annotated[int, Field(description="Changes with every login at the PBX: what was read before is void.")]
    seq: int
    t: Annotated[int, Field(description="When that was, milliseconds of UTC.")]
    age_ms: Annotated[int, Field(description="Since the last word of the PBX; -1: there never was one.")]
    rtt_ms: Annotated[float, Field(description="The last Ping's round trip; -1: there never was one.")]
    link: Link | None


Entity = Annotated[dict[str, Any], Field(description="The fields that docs/frames.md tells of this kind.")]


class Picture(Pbx):
    up: Annotated[dict[str, dict[str, Entity]], Field(description="kind → key → entity")]


class Pbxs(Strict):
    pbxs: list[Pbx]


class State(Strict):
    pbxs: list[Picture]


class One(Pbx):
    kind: str
    key: str
    entity: Entity


class Of(Strict):
    kind: str
    key: str


class Result(Strict):
    """What became of a command. `done` only when an event or a list of Asterisk proved it."""

    type: Literal["result"]
    id: str
    verb: str
    target: Of
    outcome: Literal["done", "refused", "unknown", "pending"]
    code: str
    detail: str
    wire_ms: Annotated[float, Field(description="From the panel's door to the wire.")] = 0.0


class User(Strict):
    id: int
    name: str
    phones: dict[str, str]


class Token(Strict):
    name: str
    expires: Annotated[int, Field(description="Milliseconds of UTC.")]
    rights: list[str]


class Deed(Strict):
    """An action that this token may do."""

    model_config = ConfigDict(extra="ignore")

    verb: str
    target: str
    label: str
    confirm: str
    danger: bool
    when: str
    phone: bool
    records: bool


class Me(Strict):
    user: User
    token: Token
    rights: Annotated[list[str], Field(description="What the token grants and its owner has now.")]
    actions: list[Deed]


class Why(Strict):
    """Why somebody may do something now, or can't."""

    allowed: bool
    code: Annotated[str, Field(description="With which it would be refused; empty if it would not.")]
    reasons: Annotated[list[str], Field(description="One sentence each, in the language of the token's owner.")]
    words: Annotated[str, Field(description="Who is on what is meant; empty if there is no such thing.")]


# --- requests

Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["office/1795.4"])]


def _whole(value: Any) -> Any:
    """`1.0` is a whole number to JSON, and to those who write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[Count, BeforeValidator(_whole)]


class _Body(Strict):
    id: Annotated[
        CommandId | None,
        Field(description="32 hex digits, random. The same id again is the same command. Without it one is made."),
    ] = None
    epoch: Annotated[Whole, Field(description="Of the picture that it was decided on; 0: of the one that is.")] = 0


def body_of(action: Action) -> type[BaseModel]:
    """What a request for this action holds."""
    name = "".join(part.capitalize() for part in action.verb.replace("_", ".").split("."))
    rev = Annotated[
        Whole | None,
        Field(description="Of what it was decided on: if that has changed, it is refused. Without it: as it is now."),
    ]
    kind: Any = Literal[action.target]
    target = create_model(
        f"{name}Target", __base__=Strict, kind=(kind, action.target), key=(Key, ...), rev=(rev, None)
    )
    needs = any(field.is_required() for field in action.args.model_fields.values())
    args: Any = (action.args, ... if needs else Field(default_factory=action.args))
    return create_model(name, __base__=_Body, target=(target, ...), args=args)


def kinds() -> Any:
    """The type of a kind's name, of all that are registered."""
    return Literal[tuple(sorted(KINDS))]
