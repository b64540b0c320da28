"""Who listened to whom: the steps of a listening as entries of the chain, and the table that is made from them."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from accounts.models import Phone
from audit import trail
from audit.models import Entry, Listening
from audit.record import Began, Ended, Heard, Restarted, Turned, What, Who

BEGAN: Final = "monitor.began"
TURNED: Final = "monitor.turned"
ENDED: Final = "monitor.ended"

CHUNK: Final = 500
"""Listenings that are in memory at a time."""

INSIDE: Final = 6
"""Digits of the longest number that is not masked: an extension is no secret."""

SHOWN: Final = 4
"""Last digits that a masked number keeps."""

_LONG: Final = re.compile(rf"\+?\d{{{INSIDE + 1},}}")


def masked(number: str) -> str:
    """The number for who may not see it: of a long one, the last digits."""
    return number if len(number) <= INSIDE else f"…{number[-SHOWN:]}"


def masked_value(value: Any) -> Any:
    """The text, or each text in it, with its long numbers masked."""
    if isinstance(value, str):
        return _LONG.sub(lambda found: masked(found[0]), value)
    if isinstance(value, dict):
        return {name: masked_value(item) for name, item in value.items()}
    return [masked_value(item) for item in value] if isinstance(value, list) else value


def write(step: Heard) -> None:
    """The step, as an entry and in the table: both or neither. Written again, it changes nothing."""
    with transaction.atomic():
        match step:
            case Began():
                _began(step)
            case Turned():
                _further(step.id, TURNED, {"mode": step.mode, "action": step.action})
            case Ended():
                until = None if step.until is None else _time(step.until).isoformat()
                _further(step.id, ENDED, {"until": until}, step.why)
            case Restarted():
                for command in Listening.objects.filter(pbx=step.pbx, why="").values_list("command", flat=True):
                    _further(command, ENDED, {"until": None}, Listening.Why.UNKNOWN)


def rebuild() -> int:
    """The table anew from the entries; how many listenings it has."""
    with transaction.atomic():
        Listening.objects.all().delete()
        for listening in _told(Entry.objects.filter(verb=BEGAN, kind=Entry.Kind.LISTEN)):
            listening.save(force_insert=True)
    return Listening.objects.count()


def differences() -> Iterator[int]:
    """Numbers of the first entries of listenings that the table doesn't have as the entries do."""
    begins = Entry.objects.filter(verb=BEGAN, kind=Entry.Kind.LISTEN)
    for chunk in _chunks(_told(begins)):
        known = {row.begun: row for row in Listening.objects.filter(begun__in=[told.begun for told in chunk])}
        yield from (told.begun for told in chunk if _values(told) != _values(known.get(told.begun)))
    yield from Listening.objects.exclude(begun__in=begins.values("id")).values_list("begun", flat=True)


# --- writing


def _began(step: Began) -> None:
    if Listening.objects.filter(command=step.id).exists():
        return
    who = step.who
    if who.user_id is None and step.device:
        phone = Phone.objects.filter(pbx=step.pbx, dial_string=step.device).select_related("user").first()
        if phone is not None:
            who = Who(phone.user_id, phone.user.name, who.source, who.address)
    args = {
        "phone": step.phone,
        "target": step.target,
        "target_name": step.target_name,
        "others": [[number, name] for number, name in step.others],
        "mode": step.mode,
        "keys": step.keys,
        "action": step.action,
        "since": _time(step.since).isoformat(),
        "told": step.told,
        "reason": step.reason,
    }
    words = f"{step.phone} ({step.mode}) → {step.target} {step.target_name}".strip()
    what = What(step.id, BEGAN, step.pbx, "call", step.call, words, args)
    entry = trail.heard(who, what)
    _apply(None, entry).save(force_insert=True)


def _further(command: str, verb: str, args: dict[str, Any], code: str = "") -> None:
    listening = Listening.objects.filter(command=command).first()
    if listening is None or listening.why:
        return  # purged, or over already
    first = Entry.objects.get(pk=listening.begun)
    who = Who(first.user_id, first.user_name, first.source, first.address)  # type: ignore[arg-type]  # its choices
    what = What(command, verb, first.pbx, first.target_kind, first.target_key, first.target_words, args)
    _apply(listening, trail.heard(who, what, code)).save()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)


# --- from entries to listenings


def _apply(listening: Listening | None, entry: Entry) -> Listening:
    """The listening after this entry: the one place that says how the table follows from them."""
    args = entry.args
    if listening is None:
        others = [(str(number), str(name)) for number, name in args["others"]]
        return Listening(
            command=entry.command,
            begun=entry.id,
            pbx=entry.pbx,
            user_id=entry.user_id,
            user_name=entry.user_name if entry.user_id is not None else "",
            phone=_cut("phone", args["phone"]),
            target=_cut("target", args["target"]),
            target_name=_cut("target_name", args["target_name"]),
            others=_cut("others", ", ".join(f"{number} {name}".strip() for number, name in others)),
            others_masked=_cut("others", ", ".join(masked(number) for number, _ in others)),
            call=entry.target_key,
            mode=args["mode"],
            keys=args["keys"],
            source=entry.source,
            action=args["action"],
            since=datetime.fromisoformat(args["since"]),
            told=_cut("told", args["told"]),
            reason=_cut("reason", args["reason"]),
        )
    if entry.verb == TURNED and not args["action"]:
        listening.mode = args[
            "mode"
        ]  # nobody turned it: of a desk phone's leg a list tells the mode, the event doesn't
    elif entry.verb == TURNED:
        listening.switches = _cut("switches", ", ".join(filter(None, (listening.switches, args["mode"]))))
    elif entry.verb == ENDED:
        listening.why = entry.code
        listening.until = datetime.fromisoformat(args["until"]) if args["until"] else None
    return listening


def _cut(name: str, text: str) -> str:
    longest: int = Listening._meta.get_field(name).max_length  # type: ignore[union-attr,assignment]
    return text[:longest]


def _told(begins: Any) -> Iterator[Listening]:
    """The listenings that begin with these entries, as the entries tell them."""
    for chunk in _chunks(begins.order_by("id").iterator(CHUNK)):
        told = {entry.command: _apply(None, entry) for entry in chunk}
        # By their commands alone, and put in order here: asked for more, SQLite takes another index.
        for step in sorted(Entry.objects.filter(command__in=[*told]).order_by(), key=lambda entry: entry.id):
            if step.kind == Entry.Kind.LISTEN and step.verb in (TURNED, ENDED):
                _apply(told[step.command], step)
        yield from told.values()


def _chunks(found: Iterable[Any]) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for one in found:
        chunk.append(one)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


_FIELDS: Final = [field.attname for field in Listening._meta.concrete_fields if not field.primary_key]


def _values(listening: Listening | None) -> list[Any] | None:
    return None if listening is None else [getattr(listening, name) for name in _FIELDS]
