"""What the pages show, newest first, a page at a time, by keys: the last page of a million costs what the first does.

Each filter goes by an index; a search by text reads so many entries at a time and no more, and says how far it came.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.permissions import DenyCode
from audit.models import Entry, Listening

PAGE: Final = 50

WINDOW: Final = 50_000
"""Entries that one search by text reads: a tenth of a second."""

DENIED: Final = DenyCode.__args__  # type: ignore[attr-defined]  # the codes of decide()

Row = TypeVar("Row", bound=Model)


@dataclass(slots=True)
class Page:
    rows: list[Any]
    older: int = 0
    """The key to go on before; 0 if this is all."""
    searched: datetime | None = None
    """A search came back to here, and there is more."""


def entries(given: dict[str, Any]) -> QuerySet[Entry]:
    """The entries that begin a line of the page *Actions*: an outcome belongs to its intent's."""
    kind = given.get("kind", "")
    found = Entry.objects.order_by("-id")
    if kind == Entry.Kind.DENIED:
        found = found.filter(code__in=DENIED).exclude(code="")  # as its index says, else SQLite doesn't take it
    elif kind and kind != "any":
        found = found.filter(kind=kind)
    elif not kind:
        found = found.exclude(kind__in=(Entry.Kind.OUTCOME, Entry.Kind.LISTEN))
    if "person" in given:
        found = found.filter(_person(given["person"]))
    if "verb" in given:
        found = found.filter(verb=given["verb"])
    if "pbx" in given:
        found = found.filter(pbx=given["pbx"])
    if "target" in given:
        found = found.filter(target_key=given["target"]).exclude(target_key="")  # as its index says
    if "since" in given:
        found = found.filter(id__gte=_first(given["since"]))
    if "until" in given:
        found = found.filter(id__lt=_first(given["until"] + timedelta(days=1)))
    return found


def whole(begin: QuerySet[Entry], given: dict[str, Any]) -> QuerySet[Entry]:
    """All entries of the lines that begin with these; of no filter but the time, all there are."""
    if given.keys() <= {"since", "until"}:
        return entries({**given, "kind": "any"})
    return Entry.objects.filter(
        Q(id__in=begin.order_by().values("id"))
        | Q(kind=Entry.Kind.OUTCOME, command__in=begin.order_by().values("command"))
    )


def listenings(given: dict[str, Any]) -> QuerySet[Listening]:
    found = Listening.objects.order_by("-begun")
    if "person" in given:
        found = found.filter(_person(given["person"]) | Q(user=None, phone__istartswith=given["person"]))
    for name in ("pbx", "target", "mode", "source"):
        if name in given:
            found = found.filter(**{name: given[name]})
    if "since" in given:
        found = found.filter(since__gte=_midnight(given["since"]))
    if "until" in given:
        found = found.filter(since__lt=_midnight(given["until"] + timedelta(days=1)))
    return found


def search_entries(found: QuerySet[Entry], text: str) -> QuerySet[Entry]:
    return found.filter(
        Q(target_words__icontains=text)
        | Q(target_key__icontains=text)
        | Q(user_name__icontains=text)
        | Q(verb__icontains=text)
        | Q(detail__icontains=text)
    )


def search_listenings(found: QuerySet[Listening], text: str) -> QuerySet[Listening]:
    return found.filter(
        Q(user_name__icontains=text)
        | Q(phone__icontains=text)
        | Q(target__icontains=text)
        | Q(target_name__icontains=text)
        | Q(others__icontains=text)
        | Q(reason__icontains=text)
    )


def page(found: QuerySet[Row], key: str, before: int, *, window: bool) -> Page:
    """The next rows with a smaller `key` than `before` (0: the newest)."""
    bottom = 0
    if window:
        before = before or _newest() + 1
        bottom = max(0, before - WINDOW)
        found = found.filter(**{f"{key}__gte": bottom})
    if before:
        found = found.filter(**{f"{key}__lt": before})
    rows: list[Any] = list(found[: PAGE + 1])
    if len(rows) > PAGE:
        return Page(rows[:PAGE], getattr(rows[PAGE - 1], key))
    reached = Entry.objects.filter(id__lt=bottom).order_by("-id").first() if bottom else None
    return Page(rows, bottom, reached.at) if reached is not None else Page(rows)


def outcomes(found: list[Entry]) -> dict[str, Entry]:
    """By command, the last word on each of these."""
    commands = [entry.command for entry in found if entry.kind == Entry.Kind.INTENT]
    # By their commands alone: told the kind and an order too, SQLite takes the kind's index, half of all there is.
    told = sorted(Entry.objects.filter(command__in=commands).order_by(), key=lambda entry: entry.id)
    return {entry.command: entry for entry in told if entry.kind == Entry.Kind.OUTCOME}


def own(numbers: list[tuple[str, str]]) -> QuerySet[Listening]:
    """Of these phones, (PBX, number) each; but for those that the policy says they are not told of."""
    hers = Q(pk__in=[])
    for pbx, number in numbers:
        hers |= Q(pbx=pbx, target=number)
    return Listening.objects.filter(hers).exclude(told="no").order_by("-begun")


def _person(name: str) -> Q:
    ids = [*User.objects.filter(Q(username__iexact=name) | Q(display_name__iexact=name)).values_list("pk", flat=True)]
    return Q(user__in=ids) if ids else Q(user=None, user_name=name)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _first(day: date) -> int:
    """The number of the first entry of this day or later: numbers rise with the time, and their index is the table."""
    first = Entry.objects.filter(at__gte=_midnight(day)).order_by("at").values_list("id", flat=True).first()
    return first if first is not None else _newest() + 1


def _newest() -> int:
    return Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0
