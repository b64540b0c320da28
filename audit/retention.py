"""What is kept, and for how long: purges that leave a log which still verifies, and holds that keep entries from them.

A purge takes the oldest entries, all up to one, in segments. Its own entry says up to where, what MAC the next entry
must have before it, and what was left because somebody has to keep it. That entry is in the chain: who has no key
can't say that what he removed was purged.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import trail
from audit.models import Entry, Listening
from audit.record import What, Who
from audit.verify import PURGE, KeptDigest

HOLD: Final = "audit.hold"
RELEASE: Final = "audit.release"

SEGMENT: Final = 10_000
"""Entries of one purge: while it goes on nobody can add one, and an action waits for its own no longer than 2 s."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Entries that stay until it is released: those to which all that is given applies."""

    id: str
    person: str
    """A username, of who did it."""
    call: str
    """A target's key."""
    since: str
    until: str
    """ISO 8601, of the first moment and of the first that is no more meant."""
    reason: str

    @property
    def entries(self) -> Q:
        found = Q(verb=HOLD, command=self.id)  # itself too
        kept = Q()
        if self.person:
            kept &= Q(user__username=self.person)
        if self.call:
            kept &= Q(target_key=self.call)
        if self.since:
            kept &= Q(at__gte=datetime.fromisoformat(self.since))
        if self.until:
            kept &= Q(at__lt=datetime.fromisoformat(self.until))
        return found | kept


def hold(who: Who, *, person: str, call: str, since: datetime | None, until: datetime | None, reason: str) -> str:
    """Keeps these entries from every purge; the hold's id. Something of the four must be given: ValueError."""
    if not (person or call or since or until) or not reason:
        raise ValueError("a hold needs a reason, and a person, a call or a time")
    id_ = secrets.token_hex(16)
    args = {
        "person": person,
        "call": call,
        "since": since.isoformat() if since else "",
        "until": until.isoformat() if until else "",
        "reason": reason,
    }
    trail.kept(who, What(id_, HOLD, args=args))
    return id_


def release(who: Who, id_: str, reason: str) -> None:
    """Ends a hold. LookupError if there is none."""
    if id_ not in {one.id for one in holds()}:
        raise LookupError(id_)
    trail.kept(who, What(id_, RELEASE, args={"reason": reason}))


def holds() -> list[Hold]:
    """Those that hold now."""
    released = Entry.objects.filter(verb=RELEASE, kind=Entry.Kind.KEEPING).values("command")
    found = Entry.objects.filter(verb=HOLD, kind=Entry.Kind.KEEPING).exclude(command__in=released)
    return [Hold(entry.command, **entry.args) for entry in found]


def due(days: int) -> int:
    """The number of the last entry that is older than so many days, and before which none is younger; 0 if none is."""
    first = Entry.objects.filter(at__gte=timezone.now() - timedelta(days=days)).order_by("id").first()
    if first is None:
        last = Entry.objects.order_by("-id").first()
        return last.id if last is not None else 0
    return first.id - 1


def removable(upto: int) -> QuerySet[Entry]:
    """The entries that a purge up to this one removes now."""
    kept = Q(pk__in=[])
    for one in holds():
        kept |= one.entries
    # What belongs together stays together: an intent and its outcome, a listening and its end.
    held = Entry.objects.filter(kept).values("command")
    return Entry.objects.filter(id__lte=upto).exclude(command__in=held)


def purge(who: Who, upto: int) -> Iterator[int]:
    """Removes what `removable` says, a segment at a time; yields how many each took."""
    while True:
        ids = [*removable(upto).order_by("id").values_list("id", flat=True)[:SEGMENT]]
        if not ids:
            return
        yield _segment(who, ids[-1] if len(ids) == SEGMENT else upto)


def _segment(who: Who, upto: int) -> int:
    with transaction.atomic():
        gone = removable(upto)
        last = Entry.objects.filter(id__lte=upto).order_by("-id").first()
        earlier = Entry.objects.filter(verb=PURGE, kind=Entry.Kind.KEEPING, outcome="").order_by("-id").first()
        assert last is not None
        to, mac = last.id, bytes(last.mac).hex()
        if earlier is not None and earlier.args["to"] >= to:  # only what was held until now is left there
            to, mac = earlier.args["to"], earlier.args["mac"]
        kept = KeptDigest()
        for number, one in (
            Entry.objects.filter(id__lte=to).exclude(id__in=gone.values("id")).order_by("id").values_list("id", "mac")
        ).iterator(SEGMENT):
            kept.add(number, bytes(one))
        args: dict[str, Any] = {
            "to": to,
            "mac": mac,
            "entries": gone.count(),
            "kept": kept.count,
            "kept_digest": kept.hex,
        }
        what = What(secrets.token_hex(16), PURGE, target_key=str(to), args=args)
        trail.kept(who, what)
        begun = gone.filter(kind=Entry.Kind.LISTEN).values("id")
        Listening.objects.filter(begun__in=begun).delete()
        removed = gone.purge()  # type: ignore[attr-defined]
        trail.kept(who, What(what.command, PURGE, target_key=str(to), args={"entries": removed}), "done")
    return int(removed)
