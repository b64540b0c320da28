"""What may be dialled: a table, and limits that hold whatever is allowed."""

from __future__ import annotations

import itertools
import re

import pytest

from live.dialling import Meter, Policy, dialled

POLICY = Policy(
    allowed=re.compile(r"^\d{2,6}$"),
    by_role={"Supervisor": re.compile(r"^0[1-9]\d{6,12}$|^\+49\d{6,12}$"), "Admin": re.compile(r".*")},
    denied=("900", "+490900", "00882"),
    longest=16,
)

INTERNAL = ("10", "101", "2001", "99999", "123456")
NATIONAL = ("030123456", "0891234567", "+49301234567", "0401234567")
FOREIGN = ("0044123456", "+44123456789", "+1", "8", "+7495123456")
FEATURES = ("*8", "*72101", "#1", "##", "*", "*21*5")
PREMIUM = ("900", "90099", "9001", "9001234567", "+4909001234", "0088212345", "4909001234", "+9001")
LONG = ("1" * 17, "+" + "4" * 16, "0" * 40)
ROLES: tuple[tuple[str, ...], ...] = ((), ("Agent",), ("Supervisor",), ("Team lead", "Supervisor"), ("Admin",))

HOSTILE = (
    "",
    " ",
    "101&102",
    "101,102",
    "101|102",
    "101/n",
    "101@evil",
    "Local/101@x",
    "PJSIP/101",
    "101;1",
    "101\r\nAction: Command",
    "101\n",
    "101\x00",
    "${EXTEN}",
    "$[1+1]",
    "101(2)x",
    "abc",
    "١٠١",  # digits, but not those that are dialled
    "１０１",
    "10 1a",
    "+",
    "++49",
    "4+9",
    "_X.",
    "s",
    "h",
    "1" * 41,
)


def meant(number: str, roles: tuple[str, ...]) -> str:
    """Said the other way round, by what the lists above stand for."""
    if number in LONG:
        return "number_bad"
    if number in PREMIUM:
        return "number_denied"
    if number in INTERNAL or "Admin" in roles:
        return ""
    return "" if number in NATIONAL and "Supervisor" in roles else "number_denied"


TABLE = [*itertools.product((*INTERNAL, *NATIONAL, *FOREIGN, *FEATURES, *PREMIUM, *LONG), ROLES)]
ALL = [*TABLE, *itertools.product(HOSTILE, ROLES), *itertools.product(("7-900-1", "(030) 12 34 56"), ROLES)]


def test_the_table_has_its_rows() -> None:
    assert len(ALL) >= 300


@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: "+".join(roles) or "nobody")
def test_the_table(roles: tuple[str, ...]) -> None:
    for number, of in TABLE:
        if of == roles:
            assert dialled(number) == number
            assert POLICY.refuses(number, roles) == meant(number, roles), number


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_number_is_not_dialled(text: str) -> None:
    assert dialled(text) == ""
    assert {POLICY.refuses(dialled(text), roles) for roles in ROLES} == {"number_bad"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 (30) 123-456", "+4930123456"),
        ("1 01", "101"),
        ("(030) 12 34 56", "030123456"),
        ("*8", "*8"),
        ("1.0.1", "101"),
    ],
)
def test_what_a_person_writes(text: str, number: str) -> None:
    assert dialled(text) == number


def test_a_pattern_that_is_not_anchored_must_match_it_all() -> None:
    assert Policy(re.compile(r"\d{3}")).refuses("1014", ()) == "number_denied"


def test_so_many_in_a_minute_of_one_and_of_all() -> None:
    meter, policy = Meter(), Policy(re.compile(""), per_minute=3, per_minute_all=4, at_once=10)
    assert [meter.take(policy, 1, 0, at) for at in (0, 1, 2, 3)] == [True, True, True, False]
    assert [meter.take(policy, 2, 0, at) for at in (4, 5)] == [True, False], "of all"
    assert meter.take(policy, 1, 0, 61.5), "the first ones are a minute old"


def test_so_many_at_once() -> None:
    meter, policy = Meter(), Policy(re.compile(""), at_once=2)
    assert meter.take(policy, 1, 1, 0)
    assert not meter.take(policy, 1, 2, 0)


def test_who_has_no_account_is_counted_as_one_of_all() -> None:
    meter, policy = Meter(), Policy(re.compile(""), per_minute=2, per_minute_all=4, at_once=10)
    assert [meter.take(policy, 0, 0, at) for at in (0, 1, 2)] == [True, True, False]
    assert [meter.take(policy, 1, 0, at) for at in (3, 4, 5)] == [True, True, False]
