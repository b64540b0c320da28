"""Entries and listenings as files: CSV for who reads, JSONL for who checks.

The export is an entry itself, before the first line goes out; its outcome, after the last one, has the file's SHA-256.
So a file can be shown to be one that was exported, and each line of a JSONL is checked by its MAC: `check`.
"""

import csv
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from django.db.models import QuerySet

from audit import chain, trail
from audit.models import Entry, Listening
from audit.monitoring import masked_value
from audit.record import What, Who
from audit.verify import CHUNK, fits, rows

Format: TypeAlias = Literal["csv", "jsonl"]

TYPES: Final[dict[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson; charset=utf-8",
}

VERB: Final = "audit.export"

# A spreadsheet takes a cell that begins so for a formula; full-width signs too, in some languages' input.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

LISTENING: Final = (
    "begun",
    "since",
    "until",
    "why",
    "user_name",
    "phone",
    "source",
    "mode",
    "switches",
    "keys",
    "target",
    "target_name",
    "others",
    "call",
    "pbx",
    "told",
    "reason",
    "action",
    "command",
)
MASKED: Final = tuple("others_masked" if name == "others" else name for name in LISTENING)
ENTRY: Final = (*chain.FIELDS, "before", "mac")


class _Echo:
    """What csv writes to: hands back what it gets."""

    def write(self, text: str) -> str:
        return text


def cell(value: Any) -> str:
    """As text that no spreadsheet computes."""
    text = _text(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def _csv(names: Iterable[str], found: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield "\ufeff"  # else a spreadsheet takes UTF-8 for something else
    yield writer.writerow([*names])
    for values in found:
        yield writer.writerow([cell(value) for value in values])


def _jsonl(names: Iterable[str], found: Iterable[Iterable[Any]]) -> Iterator[str]:
    names = [*names]
    for values in found:
        shown = (value if value is None or isinstance(value, dict | int) else _text(value) for value in values)
        yield json.dumps(dict(zip(names, shown, strict=True)), ensure_ascii=False) + "\n"


_LINES: Final[dict[Format, Callable[[Iterable[str], Iterable[Iterable[Any]]], Iterator[str]]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
}


def entries(
    who: Who, found: QuerySet[Entry], format_: Format, asked: dict[str, str], *, mask: bool = False
) -> Iterator[bytes]:
    """These entries, oldest first. `asked`: the filter, for the export's own entry. With `mask`, long numbers are
    shortened: such an entry is not what its MAC is over, and has none."""
    values: Iterable[Iterable[Any]] = rows(found)
    if mask:
        values = ([_masked(name, value) for name, value in zip(ENTRY, row, strict=True)] for row in values)
    return _exported(who, "entries", asked, format_, ENTRY, values)


def _masked(name: str, value: Any) -> Any:
    if name in ("before", "mac"):
        return b""
    return masked_value(value) if name in ("target_words", "detail", "args") else value


def listenings(
    who: Who, found: QuerySet[Listening], format_: Format, asked: dict[str, str], *, mask: bool = False
) -> Iterator[bytes]:
    """These listenings, oldest first."""
    names = MASKED if mask else LISTENING
    values = found.order_by("begun").values_list(*names).iterator(CHUNK)
    return _exported(who, "monitoring", asked, format_, LISTENING, values)


def _exported(
    who: Who, what: str, asked: dict[str, str], format_: Format, names: Iterable[str], found: Iterable[Iterable[Any]]
) -> Iterator[bytes]:
    digest, lines = hashlib.sha256(), 0
    entry = What(
        secrets.token_hex(16),
        VERB,
        target_kind=what,
        args={"format": format_, "filter": asked},
    )
    trail.kept(who, entry)
    gathered: list[bytes] = []
    for line in _LINES[format_](names, found):
        piece = line.encode()
        digest.update(piece)
        lines += 1
        gathered.append(piece)
        if len(gathered) == 500:
            yield b"".join(gathered)
            gathered.clear()
    args = {"lines": lines, "sha256": digest.hexdigest()}
    trail.kept(who, replace(entry, args={**entry.args, **args}), "done")
    yield b"".join(gathered)


def check(path: Path) -> tuple[int, list[int], bool]:
    """Of an exported JSONL of entries: how many lines it has, which are not as they were written (or have no MAC,
    since their numbers are shortened), and whether the log says that it was exported as it is."""
    secret, digest, count = chain.key(), hashlib.sha256(), 0
    wrong: list[int] = []
    with path.open("rb") as file:
        for count, line in enumerate(file, 1):
            digest.update(line)
            try:
                said = json.loads(line)
                said["at"] = datetime.fromisoformat(said["at"])
                macs = (bytes.fromhex(said[name]) for name in ("before", "mac"))
                good = fits(secret, [*(said[name] for name in chain.FIELDS), *macs])
            except (KeyError, TypeError, ValueError):
                good = False
            if not good and len(wrong) < 1000:
                wrong.append(count)
    known = Entry.objects.filter(verb=VERB, outcome="done", args__sha256=digest.hexdigest()).exists()
    return count, wrong, known
