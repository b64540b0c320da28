"""What a user can do, declared once by each feature; and the kinds of entities that there are.

Page, REST, Python and shell all read this. The floor knows no feature: features register in ``AppConfig.ready()``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict

import ami
from accounts.permissions import TargetSnapshot, UserSnapshot, decide, enough
from ami.client import Link
from audit.record import VERBS
from floor.words import Words
from live import sides
from live.channels import Channel
from live.pbx import Pbx
from live.resync import Step
from live.sides import NOBODY, Side
from live.spies import Mode


@dataclass(frozen=True, slots=True)
class Found:
    """A live entity, as an action needs it at this moment."""

    key: str
    rev: int
    """Negative: it is between what was told and what will be."""
    words: str
    """Who is on it, for the audit: ``201 Maria → 101``."""
    subject: Any
    """The model's own object."""
    side: Side = NOBODY
    """Who of our own side is on it, or on the call that it is a part of, and where: what a scope is about."""
    acted: tuple[str, ...] = ()
    """The extensions of ours that it is done to, where that is not the whole."""
    owner: int = 0
    """The id of the user who began it, 0 if that is not known."""
    device: str = ""
    """The phone that it is at."""
    mode: Mode | None = None
    """Of who listens: how."""

    def target(self, kind: str, pbx: str) -> TargetSnapshot:
        """As ``decide()`` wants it."""
        return TargetSnapshot(
            kind=kind,
            key=self.key,
            pbx=pbx,
            numbers=self.side.numbers,
            acted=self.acted,
            queue=self.side.queue,
            room=self.side.room,
            vouched=self.side.vouched,
            owner=self.owner,
            device=self.device,
            shown_by=KINDS[kind].right,
            mode=self.mode,
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of entity: who sees it, and how the live model finds one by the part of its key behind the PBX's name."""

    name: str
    right: str
    find: Callable[[Pbx, str], Found | None] = lambda pbx, rest: None
    """As it is, for a kind that nothing is done to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an action sends, and how its effect is known."""

    sends: tuple[ami.Action, ...]
    proved: Callable[[Pbx], bool]
    """True once the live model, by an event or a re-read, shows the effect."""
    reread: tuple[Step, ...] = ()
    """Lists to read when Asterisk has answered, where no event tells of the effect."""
    failed: Callable[[Pbx], tuple[str, str] | None] = lambda pbx: None
    """Code and detail once the live model shows that the effect will not come."""
    undo: Callable[[Pbx], tuple[ami.Action, ...]] = lambda pbx: ()
    """What to send when it has failed: for what is left of it."""
    patience_s: float | None = None
    """Seconds that the proof may take (a phone rings so long); None: as long as for what is done at once."""
    own_leg: str = ""
    """The id of the leg that it has Asterisk make, so that the model knows whose it is."""
    told: str = ""
    """How those who are monitored by it are told (accounts.monitoring_policy), "" for what monitors nobody."""
    reason: str = ""
    """Why they are, in the user's own words."""
    tone: str = ""
    """Uniqueid of the leg whose call must be able to hear a tone before anything is sent."""
    answered_first: bool = False
    """Its proof counts only after Asterisk has said Success: before that it may be somebody else's doing."""
    unprovable: bool = False
    """Neither an event nor a list tells of its effect: when Asterisk has said Success the answer is ``unknown``, at
    once, and stays so."""
    taken: Callable[[Pbx], None] = lambda pbx: None
    """Called when Asterisk has said Success to an unprovable one: for the model to remember what nobody will tell."""


class Tones(Protocol):
    """Gives a tone to all on a call where a leg listens that was made to be told so (``live.spies.Spy.toned``)."""

    def stands(self, uniqueid: str) -> bool:
        """Whether the call of this leg can hear it."""

    async def begin(self, uniqueid: str) -> tuple[str, str] | None:
        """Make it able to. None when it is; else code and detail of why it can't be."""

    def look(self) -> None:
        """The model moved."""

    def close(self) -> None:
        """The panel stops: no leg that listens must be left without its tone. The link is up still, if it was."""


TONES: list[Callable[[Pbx, Link], Tones]] = []
"""What makes them for a PBX: one at most, from the feature that can."""


class Refused(Exception):
    """Raised by a plan: not now, not so. ``code`` is one of docs/frames.md's; nothing is sent."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code, self.detail = code, detail


def name_of(pbx: Pbx, leg: Channel) -> str:
    """The name of a live leg, for an action that knows no Uniqueid; refused where it would do for another leg too."""
    if not pbx.named_alone(leg):
        raise Refused("ambiguous", leg.name)
    return leg.name


class Args(BaseModel):
    """What an action's arguments are declared as. The docstring under a field is its help, for REST and shell; how the
    page asks for it says ``Asked``.

    One that names an entity by its key has ``json_schema_extra={"entity": its kind}``: the shell takes a number there.
    """

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class NoArgs(Args):
    """The arguments of an action that takes none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How the page asks for an argument: ``seconds: Annotated[int, Field(ge=5), Asked(_("Seconds"))]``. An argument
    that has none is asked for by its name."""

    label: Words
    help: Words = ""
    choices: Mapping[str, Words] = field(default_factory=dict)
    """The word for each value of a ``Literal``."""
    format: Literal["", "number", "extension", "keys", "reason"] = ""
    """Of a text, for the page to bring the right keys and offer what there is: a number to dial, an extension of
    ours, keys of a telephone; why it is done, which the page asks only when it was refused without."""
    own_phone: bool = False
    """Left empty it is the user's own phone: one who has none must fill it in."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a user does to one entity."""

    verb: str
    """Its name everywhere, and mostly the right that it needs: ``calls.hangup``."""
    target: str
    """The kind of entity."""
    label: Words
    plan: Callable[[Pbx, Found, Any, UserSnapshot], Plan]
    """Called on live state, between the decision and the send: no await, no I/O."""
    args: type[BaseModel] = NoArgs
    confirm: Words = ""
    """The question to ask first, or "" for none."""
    danger: bool = False
    """It can't be undone and somebody notices."""
    granted_by: str = ""
    """The right that it needs, where that is another than its verb: who may mute may unmute."""
    when: Literal["", "talks", "rings", "up", "there"] = ""
    """In which state of a call, or of a party, it can be done, for the page to say so beforehand; the plan refuses it
    in others."""
    phone: bool = False
    """It rings a phone: the user's own on that PBX, if no argument names another."""
    also: Callable[[Pbx, Found, Any], Iterable[TargetSnapshot]] = lambda pbx, found, args: ()
    """What else it is done to with these arguments: the user must be allowed to do it to each. Extensions that an
    argument names (``Asked(format="extension")``) are among it anyway."""
    records: bool = False
    """It needs class ``system``, which is a shell on the PBX: recording has an account of its own there."""

    @property
    def right(self) -> str:
        return self.granted_by or self.verb


ACTIONS: Final[dict[str, Action]] = {}
KINDS: Final[dict[str, Kind]] = {}


def decide_rest(pbx: Pbx, action: Action, found: Found, args: BaseModel, user: UserSnapshot) -> None:
    """``decide()`` for all that the arguments add to the target; raises ``Refused``. An extension that she may not see
    is refused as ``hidden``, which she is told in the words for one that is not there."""
    for exten in _extensions_in(args):
        decision = decide(user, action.right, _extension(pbx, exten))
        if not decision.allowed:
            raise Refused(decision.code, exten)
    if not all(decide(user, action.right, target).allowed for target in action.also(pbx, found, args)):
        raise Refused("scope")


def _extensions_in(args: BaseModel) -> Iterator[str]:
    for name, info in type(args).model_fields.items():
        if any(isinstance(one, Asked) and one.format == "extension" for one in info.metadata) and getattr(args, name):
            yield getattr(args, name)


def _extension(pbx: Pbx, exten: str) -> TargetSnapshot:
    """By its own number, and by that of the phone which rings for it, where that is another extension's."""
    number = sides.number(pbx.devices.phone_of(exten))
    numbers = tuple(dict.fromkeys((exten, number if pbx.extensions.fullmatch(number) else exten)))
    return TargetSnapshot("extension", pbx.key(exten), pbx.name, numbers, acted=numbers)


def register(action: Action) -> None:
    if ACTIONS.setdefault(action.verb, action) is not action:
        raise ValueError(f"the verb {action.verb} is registered twice")
    VERBS[action.verb] = action.label


def register_kind(kind: Kind) -> None:
    if KINDS.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"the kind {kind.name} is registered twice")


def seen_by(rights: frozenset[str]) -> frozenset[str]:
    """The kinds of entities that somebody with these rights is shown."""
    return frozenset(kind.name for kind in KINDS.values() if kind.right in rights)


def described_for(rights: frozenset[str]) -> list[dict[str, Any]]:
    """The actions that somebody with these rights may do, in the language that is active now."""
    return [
        {
            "verb": action.verb,
            "target": action.target,
            "label": str(action.label),
            "confirm": str(action.confirm),
            "danger": action.danger,
            "when": action.when,
            "phone": action.phone,
            "records": action.records,
            "args": _described(action.args),
        }
        for action in ACTIONS.values()
        if enough(action.right) & rights
    ]


def _described(args: type[BaseModel]) -> list[dict[str, Any]]:
    """What a form for these arguments needs to know, in the order of their declaration."""
    return [
        {
            **shape,
            "label": str(asked.label),
            "help": str(asked.help),
            "choices": [{"value": value, "label": str(asked.choices.get(value, value))} for value in shape["choices"]],
            "format": asked.format,
            "own_phone": asked.own_phone,
        }
        for shape, asked in _shapes(args)
    ]


@functools.cache
def _shapes(args: type[BaseModel]) -> tuple[tuple[dict[str, Any], Asked], ...]:
    """For each argument its JSON schema, reduced, and how it is asked for: the same for all users and languages."""
    schema = args.model_json_schema()
    required = schema.get("required", [])
    return tuple(
        (
            _shape(name, schema["properties"][name], name in required),
            next((one for one in info.metadata if isinstance(one, Asked)), Asked(name.replace("_", " ").capitalize())),
        )
        for name, info in args.model_fields.items()
    )


_LIMITS: Final = {"minimum": "least", "maximum": "most", "minLength": "shortest", "maxLength": "longest"}


def _shape(name: str, said: dict[str, Any], required: bool) -> dict[str, Any]:
    # What may be left out altogether is asked for as what it is when it is there.
    kinds = [said, *(one for one in said.get("anyOf", []) if one.get("type") != "null")]
    schema = {key: value for kind in kinds for key, value in kind.items()}
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return {
        "name": name,
        "type": "choice" if choices else schema.get("type", "string"),
        "required": required,
        "default": schema.get("default"),
        "choices": choices,
        "pattern": schema.get("pattern", ""),
        "entity": schema.get("entity", ""),
        **{ours: schema[theirs] for theirs, ours in _LIMITS.items() if theirs in schema},
    }
