"""Is the log as it was written? Reads it once from end to end, in constant memory, and says what is wrong and where.

- `changed`: this is not what was written here: edited, or put in by somebody without the key
- `copied`: it was written, as another entry
- `inserted`: no entry was ever here
- `missing`: entries are gone
- `broken`: what follows was written after something else: parts of two histories
- `rewritten`, `cut off`: a note of the head outside the database knows this entry otherwise, or knows more entries
- `held`: what a purge left because of a hold is not there any more
- `note`: a note of the head is not as it was written
- `monitoring`: the table of listenings doesn't say what the entries say (`manage.py audit rebuild` mends it)
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from audit import chain, heads
from audit.models import Entry

CHUNK: Final = 5_000
"""Rows that are in memory at a time: a few megabytes."""

TOLD: Final = 50
"""Problems told one by one; of a log that is wrong from end to end, neighbours are one already."""

LOOKED: Final = 20
"""Entries of which it is looked up what they were written as: each time through the whole table."""

PURGE: Final = "audit.purge"

_ARGS: Final = chain.FIELDS.index("args")

Row: TypeAlias = Sequence[Any]
"""Of an entry: chain.FIELDS, then `before` and `mac`."""


@dataclass(slots=True)
class Problem:
    kind: str
    first: int
    last: int
    words: str = ""

    def __str__(self) -> str:
        where = f"entry {self.first}" if self.first == self.last else f"entries {self.first} to {self.last}"
        return f"{self.kind}: {where}" + (f" ({self.words})" if self.words else "")


@dataclass(slots=True)
class Report:
    entries: int = 0
    first: int = 0
    last: int = 0
    head: str = ""
    notes: int = 0
    """Of the head, outside the database, that the log was compared with."""
    purged: int = 0
    """The last entry that a purge removed; entries up to here that are left are held."""
    problems: list[Problem] = field(default_factory=list)
    more: int = 0
    """Problems that are not in the list."""

    @property
    def whole(self) -> bool:
        return not self.problems

    def add(self, kind: str, first: int, last: int, words: str = "") -> None:
        if self.problems:
            known = self.problems[-1]
            if (known.kind, known.words) == (kind, words) and known.last + 1 == first:
                known.last = last
                return
        if len(self.problems) < TOLD:
            self.problems.append(Problem(kind, first, last, words))
        else:
            self.more += 1


def rows(entries: Any) -> Iterator[Row]:
    """These entries with what is needed to check them, in the order of their numbers, whatever their number."""
    found: Iterator[Row] = entries.order_by("id").values_list(*chain.FIELDS, "before", "mac").iterator(CHUNK)
    return found


def fits(secret: bytes, row: Row, number: int | None = None) -> bool:
    """This is what was written, as the entry with this number."""
    values = row[:-2] if number is None else (number, *row[1:-2])
    return hmac.compare_digest(chain.mac(secret, bytes(row[-2]), values), bytes(row[-1]))


class KeptDigest:
    """Over what a purge leaves behind, so that nothing of it can be taken away later."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()

    def add(self, number: int, mac: bytes) -> None:
        self.count += 1
        self._hash.update(b"%d:%s\n" % (number, mac.hex().encode()))

    @property
    def hex(self) -> str:
        return self._hash.hexdigest()


def verify(notes: Path | None, known: Iterable[tuple[int, str]] = ()) -> Report:
    """`notes`: the file of heads (`audit.heads`); `known`: further heads, as (number, MAC in hex) from a log."""
    secret, report = chain.key(), Report()
    purges = Entry.objects.filter(verb=PURGE, kind=Entry.Kind.KEEPING, outcome="")
    # The last that we wrote: one that somebody put in claims what he likes.
    said: dict[str, Any] = next((row[_ARGS] for row in reversed([*rows(purges)]) if fits(secret, row)), {})
    kept = KeptDigest()
    report.purged = int(said.get("to", 0))
    prev, last_mac = report.purged, bytes.fromhex(said["mac"]) if said else chain.START
    good, good_mac = prev, last_mac
    """The last entry that is what it says it is."""
    expected = _Expected(report, notes, known, secret)
    looked = 0
    for row in rows(Entry.objects):
        number, before, mac = int(row[0]), bytes(row[-2]), bytes(row[-1])
        report.first = report.first or number
        report.entries += 1
        fit = fits(secret, row)
        if not fit:
            looked += 1
            report.add(*_unfit(secret, row, look=looked <= LOOKED))
        if number <= report.purged:
            kept.add(number, mac)
            expected.passed(number, mac)
            continue
        if fit and before != last_mac:
            # Those between were not: the last good one is what was before it.
            if before == good_mac:
                _inserted(report, good + 1, number - 1)
            elif number > prev + 1:
                report.add("missing", prev + 1, number - 1)
            elif prev == good:
                report.add("broken", number, number, "it was written after another entry than the one before it")
        elif not fit and number > prev + 1:
            report.add("missing", prev + 1, number - 1)
        expected.passed(number, mac)
        prev, last_mac = number, mac
        if fit:
            good, good_mac = number, mac
    report.last, report.head = prev if report.entries else 0, last_mac.hex()
    expected.end()
    if said and (kept.count, kept.hex) != (said["kept"], said["kept_digest"]):
        report.add("held", 1, report.purged, f"{kept.count} are there, {said['kept']} were left")
    from audit import monitoring

    for listening in monitoring.differences():
        report.add("monitoring", listening, listening)
    return report


def _unfit(secret: bytes, row: Row, *, look: bool) -> tuple[str, int, int, str]:
    number = int(row[0])
    # What stands before it says which one it was written as.
    other = Entry.objects.filter(mac=bytes(row[-2])).values_list("id", flat=True).first() if look else None
    if other is None and bytes(row[-2]) == chain.START:
        other = 0
    if other is not None and other + 1 != number and fits(secret, row, other + 1):
        return "copied", number, number, f"it was written as entry {other + 1}"
    return "changed", number, number, ""


def _inserted(report: Report, first: int, last: int) -> None:
    """Of what was told as changed in this place it is known now that nothing was there."""
    if last < first:
        return
    for problem in report.problems:
        if problem.kind == "changed" and first <= problem.first and problem.last <= last:
            problem.kind = "inserted"


class _Expected:
    """What notes outside the database say of the log, compared as it passes."""

    def __init__(self, report: Report, notes: Path | None, known: Iterable[tuple[int, str]], secret: bytes) -> None:
        self._report = report
        self._secret = secret
        self._more = sorted(known)
        self._heads = self._sound(heads.read(notes) if notes is not None else iter(()))
        self._next = next(self._heads, None)

    def _sound(self, found: Iterator[heads.Head | str]) -> Iterator[tuple[int, str, str]]:
        """(number, MAC, since when) in the order of the numbers."""
        prev, newest = "", 0
        for head in found:
            if isinstance(head, str):
                self._report.add("note", 0, 0, head)
                continue
            # The one of now, in a file of its own, is no link of the others' chain.
            if not head.sound(self._secret) or (head.prev != prev and (head.prev or head.id < newest)):
                self._report.add("note", head.id, head.id, f"of {head.at}")
                continue
            prev, newest = head.seal, max(newest, head.id)
            while self._more and self._more[0][0] <= head.id:
                number, mac = self._more.pop(0)
                yield number, mac, "given"
            yield head.id, head.mac, head.at
        for number, mac in self._more:
            yield number, mac, "given"

    def passed(self, number: int, mac: bytes) -> None:
        while self._next is not None and self._next[0] <= number:
            at, told, since = self._next
            if at == number:
                self._report.notes += 1
                if not hmac.compare_digest(told, mac.hex()):
                    self._report.add("rewritten", number, number, f"the head of {since} was another")
            elif at > self._report.purged:
                self._report.notes += 1  # it is missing, and told so
            self._next = next(self._heads, None)

    def end(self) -> None:
        """The log ends here."""
        last = None
        while self._next is not None:
            self._report.notes += 1
            last, self._next = self._next, next(self._heads, None)
        if last is not None:
            self._report.add("cut off", self._report.last + 1, last[0], f"there on {last[2]}")
