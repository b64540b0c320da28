"""CSV in and out: exact both ways, read as spreadsheet programs write it, wrong in words with the line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from people import sheets, state
from people.services import PEOPLE, ROLES_TEAMS, changing
from people.sheets import Faults, read
from tests.people.stage import Company, of

cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from("=+-@'\t＝＋－＠"))
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@given(st.lists(cells, min_size=4, max_size=4))
def test_what_is_written_is_read_and_is_no_formula(row: list[str]) -> None:
    text = sheets.write(sheets.TEAMS, [["x", *row[1:]], row])
    assert not any(cell.startswith(DANGEROUS) for line in csv.reader(io.StringIO(text)) for cell in line)
    _kind, rows = read(text)
    assert list(rows[0].cells.values())[1:] == [cell.strip() for cell in row[1:]]


@pytest.mark.parametrize(
    "text",
    [
        "username,name,roles\r\nann,Ann O.,Agent\r\n",
        '\ufeff"username";"name";"roles"\n"ann";"Ann O.";"Agent"\n\n',
        "sep=;\r\nUsername;Name;Roles;\r\nann;Ann O.;Agent;\r\n".replace("Roles;", "Roles"),
        "username\tname\troles\nann\tAnn O.\tAgent\t\t\n",
    ],
)
def test_as_spreadsheet_programs_write_it(text: str) -> None:
    kind, rows = read(text)
    assert kind is sheets.PEOPLE
    assert [dict(row.cells) for row in rows] == [{"username": "ann", "name": "Ann O.", "roles": "Agent"}]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "name the columns"),
        ("a,b\n1,2\n", 1, "name the columns"),
        ("username,nmae\nann,x\n", 1, "The columns are not these"),
        ("username,username\nann,x\n", 1, "The columns are not these"),
        ("team,aspect\nSales,queue\n", 1, "The columns are not these"),
        ("username,name\nann,Ann\nbob\n", 3, "1 cells"),
        ('username,name\nann,"two\nlines"\nbob,Bob,x\n', 4, "3 cells"),
        ('username,name\nann,Ann\nbob,"Bob\n', 3, "quotation mark"),
        ("username\n" + "x" * sheets.LONGEST, 0, "too long"),
        ("username\n" + "x\n" * (sheets.MOST + 1), 0, "at most 300 lines"),
    ],
)
def test_what_is_wrong_with_a_file(text: str, line: int, words: str) -> None:
    with pytest.raises(Faults) as caught:
        read(text)
    assert [one[0] for one in caught.value.found] == [line]
    assert words in caught.value.found[0][1]


def take(company: Company, text: str, who: User | None = None) -> list[str]:
    kind, rows = read(text)
    right = PEOPLE if kind is sheets.PEOPLE else ROLES_TEAMS
    with changing(of(who or company.alice), right, "test") as change:
        if kind is sheets.PEOPLE:
            sheets.take_people(change, rows)
        else:
            sheets.take_teams(change, rows)
    return change.lines


def test_the_exported_file_changes_nothing(company: Company) -> None:
    company.ann.phones.create(pbx="office", dial_string="PJSIP/201")
    company.bob.display_name = "=cmd()"
    company.bob.is_active = False
    company.bob.save()
    now = state.read()
    assert take(company, sheets.people(now, now.people)) == []
    assert take(company, sheets.teams(now, now.teams)) == []


def test_people_are_made_and_changed(company: Company) -> None:
    said = take(
        company,
        "username;name;email;language;time_zone;active;roles;teams;phones\n"
        "ann;Ann O.;ann@example.com;ru;Europe/Kyiv;no;Agent|Team lead;;office=PJSIP/201\n"
        "nina;;;;;;Agent;Sales | Support;\n",
    )
    assert said == [
        "~ person ann: name Ann → Ann O.",
        "~ person ann: email – → ann@example.com",
        "~ person ann: language – → ru",
        "~ person ann: time_zone – → Europe/Kyiv",
        "~ person ann: active yes → no",
        "~ person ann: roles + Team lead",
        "~ person ann: teams - Sales",
        "~ person ann: phones + office=PJSIP/201",
        "+ person nina: roles Agent, teams Sales | Support",
    ]
    assert not User.objects.get(username="nina").has_usable_password()


def test_a_column_that_is_not_there_changes_nothing(company: Company) -> None:
    assert take(company, "username,name\nann,Ann O.\n") == ["~ person ann: name Ann → Ann O."]
    assert company.ann.teams.exists()


def test_teams_get_the_rules_of_their_lines(company: Company) -> None:
    said = take(company, "team,aspect,pbx,name\nSales,queue,office,sales*\nSales,conference,,8??\nNight,,,\n")
    assert said == ["+ team Night", "~ team Sales: rules + conference 8?? on *, - extension 2?? on office"]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("username,roles\nann,Agnet\nbob,Agent|Boss\n", [(2, "“Agnet”"), (3, "“Boss”")]),
        ("username,phones\nann,PJSIP/201\n", [(2, "office=PJSIP/900")]),
        ("username,phones\nann,office=Local/1@x\n", [(2, "PJSIP/900")]),
        ("username,active\nann,perhaps\n", [(2, "yes or no")]),
        ("username,time_zone\nann,Mars/Base\n", [(2, "time zone")]),
        ("username,language\nann,xx\n", [(2, "language")]),
        ("username,email\nann,nowhere\n", [(2, "email")]),
        ("username\nnina\nNina\nnina\n", [(3, "already"), (4, "line 2")]),
        ("username\na b\n", [(2, "username")]),
        ("team,aspect,pbx,name\nSales,trunk,*,x\nSales,queue,*,*a*b*c*\n", [(2, "aspect"), (3, "pattern")]),
    ],
)
def test_all_faults_with_their_lines_and_nothing_done(
    text: str, faults: list[tuple[int, str]], company: Company
) -> None:
    before = state.read()
    with pytest.raises(Faults) as caught:
        take(company, text)
    found = caught.value.found
    assert [line for line, _words in found] == [line for line, _words in faults]
    for (_line, said), (_same, words) in zip(found, faults, strict=True):
        assert words in said
    assert state.read() == before


def test_a_file_gives_no_more_than_its_bringer_has(company: Company) -> None:
    with pytest.raises(Faults) as caught:
        take(company, "username,roles\nann,Agent\nbob,Agent\n", company.lena)
    assert [line for line, _words in caught.value.found] == [3]
