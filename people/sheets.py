"""People and teams as CSV, both ways (docs/people.md): what a spreadsheet program wrote is read, and what it will open
can't be taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Team, TeamRule, User
from audit.export import FORMULA
from people import services
from people.services import Change, Refused
from people.state import State

PEOPLE: Final = ("username", "name", "email", "language", "time_zone", "active", "roles", "teams", "phones")
TEAMS: Final = ("team", "aspect", "pbx", "name")

LONGEST: Final = 400 * 1024
"""Signs: a Russian one has two bytes, and the panel takes a form of 1 MiB."""

MOST: Final = 300
"""Lines. A person takes some 5 ms; while a file is taken nobody else writes (SQLite has one writer), and a click must
not wait longer for the audit than its own time to live of 2 s."""

# An apostrophe makes a text of what a spreadsheet program would take for a formula; one that such a text has itself
# gets another, so that what is read is what was written.
_FORMULA: Final = re.compile(f"'*[{re.escape(''.join(FORMULA))}]")

_YES: Final = frozenset({"", "yes", "1", "true", "да", "истина"})
_NO: Final = frozenset({"no", "0", "false", "нет", "ложь"})


class Faults(Exception):
    """What is wrong with a file: (line, words) each; line 0 is the file itself."""

    def __init__(self, found: Iterable[tuple[int, str]]) -> None:
        self.found = sorted(found)
        super().__init__(*self.found)


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    cells: Mapping[str, str]


def write(columns: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    """With a mark at its beginning by which Excel knows UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    for row in rows:
        writer.writerow("'" + cell if _FORMULA.match(cell) else cell for cell in row)
    return "\ufeff" + out.getvalue()


def read(text: str) -> tuple[tuple[str, ...], list[Row]]:
    """Which of the two kinds it is (its columns), and its rows. Faults."""
    if len(text) > LONGEST:
        raise Faults([(0, _("The file is too long. Split it."))])
    text = text.removeprefix("\ufeff")
    if text[:4].lower() == "sep=":  # Excel's own line, for Excel alone
        text = text.partition("\n")[2]
    first = text.partition("\n")[0]
    lines = list(_lines(text, max(",;\t", key=first.count)))
    header = [cell.strip().lower() for cell in lines[0][1]] if lines else []
    kind = PEOPLE if "username" in header else TEAMS if "team" in header else ()
    if not kind:
        raise Faults([(1, _("The first line must name the columns: username and so on, or team and so on."))])
    needed = {"username"} if kind is PEOPLE else set(TEAMS)
    wrong = [name for name in header if name not in kind or header.count(name) > 1]
    if wrong or needed - set(header):
        known = ", ".join(kind)
        raise Faults([(1, _("The columns are not these: %(known)s.") % {"known": known})])
    if len(lines) > MOST + 1:
        raise Faults([(0, _("A file has at most %(most)d lines. Split it.") % {"most": MOST})])
    faults: list[tuple[int, str]] = []
    rows: list[Row] = []
    for line, cells in lines[1:]:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            words = _("%(cells)d cells, where the first line names %(columns)d columns.")
            faults.append((line, words % {"cells": len(cells), "columns": len(header)}))
            continue
        values = [cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell for cell in cells]
        rows.append(Row(line, {name: value.strip() for name, value in zip(header, values, strict=True)}))
    if faults:
        raise Faults(faults)
    return kind, rows


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Where each record begins, and its cells; empty lines left out."""
    # strict: a quotation mark that is not closed is a fault, not a cell as long as the rest of the file.
    reader, began = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield began, cells
            began = reader.line_num + 1
    except csv.Error:
        raise Faults([(began, _("A quotation mark is not closed, or stands inside a cell alone."))]) from None


# --- people


def people(now: State, ids: Iterable[int]) -> str:
    documents = sorted((now.document(("person", pk)) for pk in ids), key=lambda one: str(one["username"]))
    rows = []
    for one in documents:
        lists = ("|".join(one[name]) for name in ("roles", "teams", "phones"))
        rows.append([*(one[name] for name in PEOPLE[:5]), "yes" if one["active"] else "no", *lists])
    return write(PEOPLE, rows)


def take_people(change: Change, rows: Iterable[Row]) -> list[User]:
    """Make and change people, as the rows say: who is not named, and columns that are not there, stay as they are.
    Those who are new. Faults."""
    faults: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    new: list[User] = []
    for row in rows:
        username = row.cells["username"]
        try:
            if username in seen:
                raise ValidationError(_("This name stands in line %(line)d already.") % {"line": seen[username]})
            seen[username] = row.line
            user = User.objects.filter(username=username).first()
            if user is None:
                user = User(username=username)
                new.append(user)
            else:
                change.touch(("person", user.pk))
            _take_person(user, row.cells)
        except ValidationError as error:
            faults.append((row.line, words_of(error)))
        except Refused as refusal:
            faults.append((row.line, refusal.words))
    if faults:
        raise Faults(faults)
    return new


def _take_person(user: User, cells: Mapping[str, str]) -> None:
    fields = {"name": "display_name", "email": "email", "language": "language", "time_zone": "time_zone"}
    for column, name in fields.items():
        if column in cells:
            setattr(user, name, cells[column])
    if "active" in cells:
        said = cells["active"].lower()
        if said not in _YES | _NO:
            raise ValidationError(_("active is yes or no."))
        user.is_active = said in _YES
    phones = None
    if "phones" in cells:
        pairs = [one.partition("=") for one in _parts(cells["phones"])]
        if any(not equals for _pbx, equals, _dial in pairs):
            raise ValidationError(_("A phone is written PBX=PHONE, as in office=PJSIP/900."))
        phones = {pbx.strip(): dial.strip() for pbx, _equals, dial in pairs}
    lists = {name: _parts(cells[name]) if name in cells else None for name in ("roles", "teams")}
    services.save_person(user, phones=phones, **lists)


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def words_of(error: ValidationError) -> str:
    """Its words in one line, each with the field that it is about."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(
        f"{' '.join(messages)}" if name == "__all__" else f"{name}: {' '.join(messages)}"
        for name, messages in error.message_dict.items()
    )


# --- teams


def teams(now: State, ids: Iterable[int]) -> str:
    """A line for each rule; a team without any has one line with nothing behind its name."""
    rows: list[list[str]] = []
    for team in sorted((now.teams[pk] for pk in ids), key=lambda one: one.name):
        rules = sorted((rule.aspect, rule.pbx, rule.name) for rule in team.rules)
        rows += [[team.name, *rule] for rule in rules] or [[team.name, "", "", ""]]
    return write(TEAMS, rows)


def take_teams(change: Change, rows: Iterable[Row]) -> None:
    """Make teams, and give those that are named these rules instead of their own. Faults."""
    faults: list[tuple[int, str]] = []
    begun: dict[str, Team] = {}
    for row in rows:
        try:
            name = row.cells["team"]
            team = begun.get(name)
            if team is None:
                team = Team.objects.filter(name=name).first()
                if team is None:
                    team = Team()
                    services.save_team(team, name)
                else:
                    change.touch(("team", team.pk))
                    team.rules.all().delete()
                begun[name] = team
            if row.cells["aspect"] or row.cells["name"] or row.cells["pbx"]:
                if row.cells["aspect"] not in TeamRule.Of.values:
                    raise ValidationError(_("aspect is one of %(known)s.") % {"known": ", ".join(TeamRule.Of.values)})
                services.add_rule(team, row.cells["aspect"], row.cells["pbx"] or "*", row.cells["name"] or "*")
        except ValidationError as error:
            faults.append((row.line, words_of(error)))
        except Refused as refusal:
            faults.append((row.line, refusal.words))
    if faults:
        raise Faults(faults)
