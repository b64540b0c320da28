"""Whether one part of the floor lies within another: never yes where a name says no."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.permissions import Rule, Scope
from people.power import Power, contains, reaches

names = st.text("ab", max_size=5)
patterns = st.text("ab*?", min_size=1, max_size=6)


@given(patterns, patterns, names)
@example("*?", "?*", "")
@example("a*b", "a*", "ab")
def test_what_is_within_matches_no_more(inner: str, outer: str, name: str) -> None:
    small, large = Rule("queue", "*", inner), Rule("queue", "*", outer)
    if contains(large, small) and small.covers("queue", "office", name):
        assert large.covers("queue", "office", name)


@given(patterns)
def test_everything_is_within_itself_and_the_whole(pattern: str) -> None:
    rule = Rule("queue", pattern, pattern)
    assert contains(rule, rule)
    assert contains(Rule("queue", "*", "*"), rule)
    assert contains(Rule("pbx", "*"), rule)


@pytest.mark.parametrize(
    ("outer", "inner", "within"),
    [
        (("queue", "*", "sales*"), ("queue", "office", "sales-vip"), True),
        (("queue", "*", "sales*"), ("queue", "office", "sales-*"), True),
        (("queue", "*", "sales*"), ("queue", "office", "sale*"), False),
        (("queue", "*", "sales"), ("extension", "*", "sales"), False),
        (("queue", "*", "*"), ("pbx", "office", "*"), False),
        (("pbx", "office", "*"), ("queue", "office", "x"), True),
        (("pbx", "office", "*"), ("queue", "*", "x"), False),
        (("pbx", "off*", "*"), ("pbx", "office", "*"), True),
        (("extension", "*", "2??"), ("extension", "*", "20?"), True),
        (("extension", "*", "2??"), ("extension", "*", "2*"), False),
        (("extension", "*", "?*"), ("extension", "*", "*?"), True),
        (("extension", "*", "?*"), ("extension", "*", "*"), False),
        (("extension", "*", "*0*"), ("extension", "*", "1*0?"), True),
    ],
)
def test_by_hand(outer: tuple[str, str, str], inner: tuple[str, str, str], within: bool) -> None:
    assert contains(Rule(*outer), Rule(*inner)) is within  # type: ignore[arg-type]


def test_a_pattern_full_of_stars_is_answered_at_once() -> None:
    """Tried in every place these would take years; the test's own time limit is the judge."""
    assert not contains(Rule("queue", "*", "*a" * 39 + "*b"), Rule("queue", "*", "a" * 79))


def test_the_whole_floor_is_in_nobodys_part() -> None:
    part = Scope(frozenset({Rule("pbx", "*")}))
    assert not reaches(part, Scope(everywhere=True))
    assert reaches(Scope(everywhere=True), part)
    assert not Power(frozenset({"a"}), part).holds(Power(frozenset({"b"})))
    assert Power(frozenset({"a", "b"}), part).since(Power(frozenset({"b"}), part)) == Power(frozenset({"a"}))
