"""Who is outside, for those who may not see numbers in full."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floor import veil
from live.changes import Entities, Fields


@pytest.mark.parametrize(
    ("plain", "shown"),
    [
        ("+79161234567", "•••4567"),
        ("+7 (916) 123-45-67", "•••4567"),
        ("12345678", "•••678"),
        ("123456", "•••56"),
        ("12345", "•••"),
        ("anonymous", "•••"),
        ("٧٩١٦١٢٣٤٥٦٧", "•••٤٥٦٧"),
        ("", ""),
    ],
)
def test_of_a_number_the_last_digits_stay(plain: str, shown: str) -> None:
    assert veil.number(plain) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zoë O'Brien", "Zoë O'Brien"),
        ("+7 916 123-45-67", "•••"),
        ("Ann 9161", "•••"),  # with the last four, all of them
        ("Room 12", "Room 12"),
        ("Sales 7 916 1234567", "•••"),
        ("", ""),
    ],
)
def test_a_name_stays_unless_it_tells_the_number(name: str, shown: str) -> None:
    assert veil.name(name, "+79161234567") == shown


def leg(side: str, number: str, channel: str, name: str = "Ann") -> Any:
    fields: Fields = {"side": side, "number": number, "name": name, "channel": channel, "state": "up"}
    veiled = veil.fields("party", "lab/1.1", {"party": {"lab/1.1": fields}})
    return veiled["number"], veiled["name"], veiled["channel"]


def test_a_leg_by_its_side() -> None:
    assert leg("outside", "+79161234567", "PJSIP/trunk-0000001a") == ("•••4567", "Ann", "PJSIP/trunk-0000001a")
    assert leg("outside", "101", "PJSIP/trunk-0000001a")[0] == "•••", "an extension's number may be forged"
    assert leg("outside", "79161234567", "DAHDI/i1/79161234567-a") == ("•••4567", "Ann", "DAHDI/i1/•••4567-a")
    assert leg("internal", "101", "PJSIP/101-12345678") == ("101", "Ann", "PJSIP/101-12345678")
    assert leg("internal", "1012345", "PJSIP/1012345-00000001")[0] == "1012345", "ours, however long"
    assert leg("internal", "101", "PJSIP/101-1", "+79161234567")[1] == "•••"
    assert leg("internal", "79161234567", "PJSIP/provider-1")[0] == "•••4567", "a line that nobody declared"
    channel = "Local/79161234567@out-00000001;1"
    assert leg("app", "79161234567", channel, "") == ("•••4567", "", "Local/•••4567@out-00000001;1")
    assert leg("app", "600", "Local/600@queues-00000001;2", "")[0] == "600"


def test_who_waits_or_is_parked_is_veiled_by_his_leg() -> None:
    """Under the same key; while that is not told, as one from outside."""
    person: Fields = {"number": "101", "name": "Ann", "call": "lab/1.1"}
    party: Fields = {"side": "internal", "number": "101", "name": "Ann", "channel": "PJSIP/101-1"}
    for kind in ("waiting", "parked"):
        assert veil.fields(kind, "lab/1.1", {kind: {"lab/1.1": person}})["number"] == "•••"
        both: Entities = {kind: {"lab/1.1": {**person}}, "party": {"lab/1.1": {**party}}}
        assert veil.fields(kind, "lab/1.1", both)["number"] == "101"


def test_a_members_mobile_and_the_key_that_has_it() -> None:
    mobile, desk = "lab/sales/Local/79161234567@out/n", "lab/sales/PJSIP/101"
    entities: Entities = {
        "queue": {"lab/sales": {"name": "sales", "members": [mobile, desk], "waiting": []}},
        "member": {
            mobile: {
                "queue": "lab/sales",
                "interface": "Local/79161234567@out/n",
                "name": "79161234567",
                "status": "x",
            }
        },
    }
    member = veil.fields("member", mobile, entities)
    assert (member["interface"], member["name"], member["queue"]) == ("Local/•••4567@out/n", "•••", "lab/sales")
    shown = veil.key("member", mobile)
    assert re.fullmatch(r"lab/sales/Local/•••4567@out/n~[0-9a-f]{16}", shown)
    assert veil.fields("queue", "lab/sales", entities)["members"] == [shown, desk]
    assert veil.key("member", mobile.replace("7916", "7926")) != shown, "two of the same last digits"
    assert veil.key("call", "lab/1795412884.225") == "lab/1795412884.225"


@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True), st.sampled_from(["outside", "app", "internal", ""]))
def test_no_more_than_four_digits_are_ever_told(number: str, side: str) -> None:
    entities: Entities = {
        "party": {
            "lab/1.1": {"side": side, "number": number, "name": f"x {number}", "channel": f"Local/{number}@out-1;1"}
        }
    }
    digits = number.removeprefix("+")
    for text in map(str, veil.fields("party", "lab/1.1", entities).values()):
        told = re.sub(r"\D", "", text.partition("@")[0])
        assert not any(digits[at : at + 5] in told for at in range(len(digits) - 4)), text


def test_what_became_of_a_command() -> None:
    target = {"kind": "member", "key": "lab/sales/Local/79161234567@out/n"}
    told = veil.result({"type": "result", "target": target, "detail": "PJSIP/79161234567-0001 busy", "code": "x"})
    assert "7916" not in str(told)
    assert told["detail"] == "PJSIP/•••4567-0001 busy"
