"""decide(): a matrix over everything it can be asked, and rows by hand that say what is meant."""

import itertools

import pytest

from accounts.monitoring_policy import Mode, Policies, Policy
from accounts.permissions import (
    EVERYWHERE,
    NUMBERS,
    WHOLE_FLOOR,
    Allow,
    Deny,
    Rule,
    Scope,
    TargetSnapshot,
    UserSnapshot,
    decide,
    enough,
    is_own,
    sees,
    visible,
)
from accounts.rights import RIGHTS, ROLES

CALL = TargetSnapshot(kind="call", key="lab/1.1", pbx="lab", numbers=("101", "102"))
ACTIVE = (True, False)
TARGETS = (None, CALL, TargetSnapshot(kind="party", key="lab/1.2", pbx="lab"))
# None, each, each pair, all but one, all: all subsets would double with every right that there is.
SIZES = sorted({0, 1, 2, len(RIGHTS) - 1, len(RIGHTS)})
RIGHT_SETS = [frozenset(chosen) for n in SIZES for chosen in itertools.combinations(sorted(RIGHTS), n)]

# Who listens: Bob, whose id is 1 and whose phone on lab is 900; somebody else; nobody knows who, at either phone.
HERS = TargetSnapshot(kind="spy", key="lab/phx-listen-1", pbx="lab", owner=1, device="PJSIP/901")
ANOTHERS = TargetSnapshot(kind="spy", key="lab/phx-listen-1", pbx="lab", owner=2, device="PJSIP/900")
AT_HER_PHONE = TargetSnapshot(kind="spy", key="lab/1.3", pbx="lab", device="PJSIP/900")
AT_ANOTHERS = TargetSnapshot(kind="spy", key="lab/1.3", pbx="lab", device="PJSIP/901")
ELSEWHERE = TargetSnapshot(kind="spy", key="office/1.3", pbx="office", device="PJSIP/900")
NOWHERE = TargetSnapshot(kind="spy", key="office/1.3", pbx="office")


def user(*rights: str, active: bool = True) -> UserSnapshot:
    return UserSnapshot(
        id=1,
        name="Bob",
        active=active,
        rights=frozenset(rights),
        scope=WHOLE_FLOOR,
        phones=(("lab", "PJSIP/900"), ("shop", "SIP/1")),
    )


@pytest.mark.parametrize("right", [*sorted(RIGHTS), "calls.no_such_right", ""])
def test_matrix(right: str) -> None:
    """One test for each right: one for each cell would be tens of thousands."""
    for rights, active, target in itertools.product(RIGHT_SETS, ACTIVE, TARGETS):
        decision = decide(user(*rights, active=active), right, target)
        # Stated the other way round than decide() does, so that one mistake isn't made twice.
        meant = Allow() if active and {right} <= rights else Deny("no_right" if active else "inactive")
        assert decision == meant, (sorted(rights), active, target)


@pytest.mark.parametrize(
    ("who", "right", "decision"),
    [
        (user("calls.view", "calls.hangup"), "calls.hangup", Allow()),
        (user("calls.view"), "calls.hangup", Deny("no_right")),  # seeing is not touching
        (user("calls.hangup"), "calls.view", Deny("no_right")),  # nor the other way round
        (user(), "calls.view", Deny("no_right")),
        (user("calls.hangup", active=False), "calls.hangup", Deny("inactive")),
        (user(active=False), "calls.hangup", Deny("inactive")),  # the first reason, not the second
        (user("calls.hangup"), "calls.Hangup", Deny("no_right")),  # strings are compared as they are
        (user("calls.hangup"), "calls.hang", Deny("no_right")),
        (user("calls"), "calls.hangup", Deny("no_right")),  # no prefix grants anything
        (user("*"), "calls.hangup", Deny("no_right")),  # no joker either
    ],
)
def test_by_hand(who: UserSnapshot, right: str, decision: Allow | Deny) -> None:
    assert decide(who, right, CALL) == decision
    assert decide(who, right, CALL).allowed is isinstance(decision, Allow)


@pytest.mark.parametrize("target", [HERS, AT_HER_PHONE, None])
def test_to_stop_what_is_hers_she_needs_a_right_to_begin_it(target: TargetSnapshot | None) -> None:
    for right in ("calls.listen", "calls.whisper", "calls.hangup"):
        assert decide(user(right), "calls.stop", target) == Allow()
    for rights in ((), ("calls.view",), ("calls.pickup",)):
        assert decide(user(*rights), "calls.stop", target) == Deny("no_right")
    assert decide(user("calls.listen", active=False), "calls.stop", target) == Deny("inactive")


@pytest.mark.parametrize("target", [ANOTHERS, AT_ANOTHERS, ELSEWHERE, NOWHERE])
def test_to_stop_anothers_she_needs_the_right_to_hang_up(target: TargetSnapshot) -> None:
    assert decide(user("calls.hangup"), "calls.stop", target) == Allow()
    every = set(RIGHTS) - {"calls.hangup"}
    assert decide(user(*every), "calls.stop", target) == Deny("no_right")


def test_listening_and_whispering_are_two_rights() -> None:
    for held, other in itertools.permutations(("calls.listen", "calls.whisper", "calls.pickup"), 2):
        assert decide(user(held), other, CALL) == Deny("no_right")


def test_owning_gives_nothing_else() -> None:
    for right in RIGHTS:
        assert decide(user(), right, HERS) == Deny("no_right")


@pytest.mark.parametrize(
    ("rule", "covered", "not_covered"),
    [
        (
            Rule("extension", "lab", "20"),
            [("lab", "20")],
            [("lab", "201"), ("lab", "120"), ("lab2", "20"), ("la", "20")],
        ),
        (Rule("extension", "lab", "2?"), [("lab", "20"), ("lab", "2*")], [("lab", "2"), ("lab", "200"), ("lab", "")]),
        (
            Rule("extension", "l*", "2*"),
            [("lab", "2"), ("l", "234"), ("lab", "2\n3")],
            [("lab", "12"), ("office", "2")],
        ),
        (Rule("extension", "lab", "2.3"), [("lab", "2.3")], [("lab", "213")]),
        (Rule("extension", "*"), [("lab", ""), ("x", "anything")], []),
    ],
)
def test_patterns(rule: Rule, covered: list[tuple[str, str]], not_covered: list[tuple[str, str]]) -> None:
    for pbx, name in covered:
        assert rule.covers("extension", pbx, name) is True, (pbx, name)
        assert not rule.covers("queue", pbx, name), "another aspect's name is another's"
    for pbx, name in not_covered:
        assert not rule.covers("extension", pbx, name), (pbx, name)


def test_a_whole_pbx_is_all_that_is_on_it_and_no_other() -> None:
    lab = Scope(frozenset({Rule("pbx", "lab")}))
    for aspect in ("pbx", "extension", "queue", "conference"):
        assert lab.covers(aspect, "lab", "anything")
        assert not lab.covers(aspect, "lab2", "anything")
    assert lab.covers("pbx", "lab")
    assert not Scope(frozenset({Rule("extension", "lab")})).covers("pbx", "lab")
    assert not Scope().covers("pbx", "lab")
    assert not sees(Scope(), CALL)


def test_a_pbx_is_seen_by_who_has_something_there() -> None:
    lab = TargetSnapshot(kind="pbx", key="lab", pbx="lab")
    for aspect in ("pbx", "extension", "queue", "conference"):
        assert sees(Scope(frozenset({Rule(aspect, "l?b", "201")})), lab)
        for other in ("office", "la", "lab2", "?"):
            assert not sees(Scope(frozenset({Rule(aspect, other, "201")})), lab)
    assert sees(WHOLE_FLOOR, lab)
    assert not sees(Scope(), lab)


def limited(*rules: Rule, right: str = "calls.listen", protected: tuple[str, ...] = ()) -> UserSnapshot:
    shielded = frozenset(Rule("extension", "lab", name) for name in protected)
    rights = frozenset({right, "calls.view"})
    return UserSnapshot(1, "Dana", True, rights, scope=Scope(frozenset(rules)), protected=shielded)


ALL = {"queue": Rule("queue", "*"), "conference": Rule("conference", "*")}


def test_what_is_in_no_queue_and_no_room_is_in_no_rules_of_them() -> None:
    """`*` covers the name "" too."""
    for rule in ALL.values():
        assert decide(limited(rule), "calls.listen", CALL) == Deny("hidden")


@pytest.mark.parametrize("place", ["queue", "room"])
def test_its_place_answers_for_whom_it_vouches_and_for_nobody_else(place: str) -> None:
    rule = ALL["queue" if place == "queue" else "conference"]
    other = ALL["conference" if place == "queue" else "queue"]
    here = {place: "here"}
    both = TargetSnapshot("call", "lab/1", "lab", ("101", "102"), vouched=("101", "102"), **here)  # type: ignore[arg-type]
    half = TargetSnapshot("call", "lab/1", "lab", ("101", "102"), vouched=("101",), **here)  # type: ignore[arg-type]
    assert decide(limited(rule), "calls.listen", both) == Allow()
    assert decide(limited(rule), "calls.listen", half) == Deny("scope")
    assert decide(limited(other), "calls.listen", both) == Deny("hidden")
    one = Rule("extension", "lab", "102")
    assert decide(limited(rule, one), "calls.listen", half) == Allow()
    assert decide(limited(one), "calls.listen", half) == Deny("scope"), "a place that is not hers vouches for nobody"


MEANT_ALL = ["calls.listen", "calls.whisper", "calls.barge", "calls.record", "conferences.record", "calls.pickup"]


@pytest.mark.parametrize("right", [*sorted(RIGHTS)])
def test_what_needs_all_of_them_and_what_needs_those_it_is_done_to(right: str) -> None:
    hers = Rule("extension", "lab", "101")
    hurt = TargetSnapshot("party", "lab/1", "lab", ("101", "102"), acted=("102",))
    spared = TargetSnapshot("party", "lab/1", "lab", ("101", "102"), acted=("101",))
    whole = TargetSnapshot("call", "lab/1", "lab", ("101", "102"))
    both = limited(hers, Rule("extension", "lab", "102"), right=right)
    for target in (hurt, spared, whole):
        assert decide(both, right, target) == Allow()
    allowed = Deny("scope") if right in MEANT_ALL else Allow()
    assert decide(limited(hers, right=right), right, hurt) == Deny("scope")
    assert decide(limited(hers, right=right), right, spared) == allowed
    assert decide(limited(hers, right=right), right, whole) == allowed


@pytest.mark.parametrize("right", [*sorted(RIGHTS), "calls.switch", "calls.stop"])
def test_the_protected_are_monitored_by_nobody_and_else_as_anybody(right: str) -> None:
    monitors = {*MEANT_ALL, "calls.switch"} - {"calls.pickup"}
    who = UserSnapshot(
        1, "Root", True, frozenset(RIGHTS), scope=WHOLE_FLOOR, protected=frozenset({Rule("extension", "lab", "102")})
    )
    call = TargetSnapshot("spy", "lab/1", "lab", ("101", "102"), owner=1)
    assert decide(who, right, call) == (Deny("protected") if right in monitors else Allow())
    there = TargetSnapshot("spy", "office/1", "office", ("101", "102"), owner=1)
    assert decide(who, right, there) == Allow(), "the same number on another PBX is another's"
    both = limited(Rule("extension", "lab", "101"), right="calls.listen", protected=("102",))
    assert decide(both, "calls.listen", TargetSnapshot("call", "lab/1", "lab", ("101", "102"))) == Deny("protected")
    assert decide(both, "calls.listen", TargetSnapshot("call", "lab/1", "lab", ("102",))) == Deny("hidden")


def test_her_own_listening_she_ends_wherever_it_has_gone_and_turns_only_where_it_is_hers() -> None:
    gone = TargetSnapshot("spy", "lab/9", "lab", ("301",), acted=("900",), owner=1, shown_by="calls.view")
    dana = limited(Rule("extension", "lab", "101"))
    for one in ("calls.listen", "calls.whisper", "calls.barge"):
        assert decide(UserSnapshot(1, "Dana", True, frozenset({one})), "calls.stop", gone) == Allow()
    assert decide(dana, "calls.stop", gone) == Allow()
    assert decide(dana, "calls.switch", gone) == Deny("hidden")
    anothers = TargetSnapshot("spy", "lab/9", "lab", ("301",), owner=2, shown_by="calls.view")
    assert decide(dana, "calls.stop", anothers) == Deny("hidden"), "not no_right: she is not told that it is there"
    seen = TargetSnapshot("spy", "lab/9", "lab", ("101",), owner=2, shown_by="calls.view")
    assert decide(dana, "calls.stop", seen) == Deny("no_right")
    call = TargetSnapshot("call", "lab/1", "lab", ("301",), owner=1)
    assert decide(limited(right="calls.hangup"), "calls.hangup", call) == Deny("hidden"), (
        "a call that she began is no listening"
    )


def test_who_is_not_shown_the_kind_acts_on_none_of_it() -> None:
    call = TargetSnapshot("call", "lab/1", "lab", ("101",), shown_by="calls.view")
    assert decide(user("calls.hangup"), "calls.hangup", call) == Deny("hidden")
    assert decide(user("calls.hangup", "calls.view"), "calls.hangup", call) == Allow()


def test_what_is_shown_to_her() -> None:
    def dana(*rights: str) -> UserSnapshot:
        scope = Scope(frozenset({Rule("extension", "lab", "101")}))
        return UserSnapshot(1, "Dana", True, frozenset(rights), phones=(("lab", "PJSIP/900"),), scope=scope)

    def there(kind: str, number: str, owner: int = 0) -> TargetSnapshot:
        return TargetSnapshot(kind, "lab/1", "lab", (number,), owner=owner, shown_by="calls.view")

    sees_calls, sees_none = dana("calls.view"), dana("conferences.view")
    for target, is_shown in (
        (there("call", "101"), True),
        (there("call", "301"), False),
        (there("call", "301", owner=1), False),  # who began a call is not shown it for ever
        (there("spy", "301", owner=1), True),  # her own listening is, wherever it has gone
        (there("spy", "301", owner=2), False),
        (there("spy", "101", owner=2), True),
    ):
        assert visible(sees_calls, target) is is_shown, target
        assert not visible(sees_none, target), target


def test_a_token_grants_no_more_than_it_says_and_no_more_of_the_floor() -> None:
    bob = user("calls.view", "calls.hangup", EVERYWHERE)
    everywhere = bob.limited(frozenset({"calls.view", "calls.listen", EVERYWHERE}))
    assert everywhere.rights == {"calls.view", EVERYWHERE}, "nor what she has not herself"
    assert everywhere.scope.everywhere is True
    part = bob.limited(frozenset({"calls.view"}))
    assert part.rights == {"calls.view"}
    assert part.scope.everywhere is False
    assert (part.id, part.phones) == (bob.id, bob.phones)
    assert NUMBERS in RIGHTS


def test_what_is_hers() -> None:
    bob = user()
    assert is_own(bob, HERS)
    assert not is_own(bob, ANOTHERS)
    assert is_own(bob, AT_HER_PHONE)
    assert not any(is_own(bob, one) for one in (AT_ANOTHERS, ELSEWHERE, NOWHERE, CALL))
    nobody = UserSnapshot(0, "script", True, frozenset())
    assert not is_own(nobody, NOWHERE), "no phone is at no phone"
    assert (bob.phone("lab"), bob.phone("office"), bob.language) == ("PJSIP/900", "", "en")


def test_rights_that_nobody_is_granted_come_to_those_that_are() -> None:
    for right in RIGHTS:
        assert enough(right) == enough(right, own=True) == enough(right, own=False) == {right}
    monitors = {"calls.listen", "calls.whisper", "calls.barge"}
    assert enough("calls.stop") == enough("calls.stop", own=True) == {*monitors, "calls.hangup"}
    assert enough("calls.stop", own=False) == {"calls.hangup"}
    assert enough("calls.switch") == enough("calls.switch", own=True) == monitors
    assert enough("calls.switch", own=False) == set()
    for right in ("calls.stop_record", "calls.pause_record"):
        assert enough(right) == enough(right, own=False) == {"calls.record"}
    assert enough("conferences.stop_record") == {"conferences.record"}
    assert EVERYWHERE in RIGHTS


def test_snapshots_cannot_be_changed_after_they_were_taken() -> None:
    with pytest.raises(AttributeError):
        user().active = False  # type: ignore[misc]
    with pytest.raises(AttributeError):
        CALL.key = "lab/9.9"  # type: ignore[misc]


def test_roles_grant_only_rights_that_exist() -> None:
    assert set().union(*ROLES.values()) <= set(RIGHTS)
    assert ROLES["Admin"] == set(RIGHTS)


# --- what is shown


def heard(*numbers: str, mode: Mode | None = "listen", owner: int = 2, pbx: str = "lab") -> TargetSnapshot:
    return TargetSnapshot(
        "spy", "lab/phx-listen-1", pbx, numbers=numbers, owner=owner, mode=mode, shown_by="calls.view"
    )


COVERT = Policies((("listen", Policy("no")),))
OWN = Scope(frozenset({Rule("extension", "lab", "101")}))
TEAM = Scope(frozenset({Rule("extension", "*", "1*"), Rule("pbx", "office")}))


@pytest.mark.parametrize(
    ("policies", "scope", "target", "sees_it"),
    [
        (COVERT, OWN, heard("101"), False),
        (COVERT, OWN, heard("101", "102"), False),
        (COVERT, OWN, heard("101", owner=1), True),  # she listens herself
        (COVERT, OWN, heard("102", owner=1), True),  # wherever it has gone
        (COVERT, OWN, heard("101", mode="whisper"), True),  # of this one people are told
        (COVERT, OWN, heard("101", mode=None), True),
        (COVERT, OWN, heard("102"), False),  # not her part of the floor
        (COVERT, TEAM, heard("102"), True),  # her teammate's
        (COVERT, TEAM, heard("101"), False),
        (COVERT, TEAM, heard("101", pbx="office"), True),  # another phone, of the same number
        (COVERT, WHOLE_FLOOR, heard("101"), True),
        (Policies(), OWN, heard("101"), True),
        (Policies((("listen", Policy("tone")),)), OWN, heard("101"), True),
        (None, OWN, heard("101"), True),
        # of all else the policy says nothing
        (COVERT, OWN, TargetSnapshot("call", "lab/1.1", "lab", ("101",), mode="listen"), True),
        (COVERT, OWN, TargetSnapshot("call", "lab/1.1", "lab", ("102",), owner=1, mode="listen"), False),
    ],
)
def test_who_is_listened_to_sees_it_where_she_is_told(
    policies: Policies | None, scope: Scope, target: TargetSnapshot, sees_it: bool
) -> None:
    phones = (("lab", "PJSIP/101"), ("shop", "PJSIP/1"))
    ann = UserSnapshot(1, "Ann", True, frozenset({"calls.view"}), phones=phones, scope=scope, monitoring=policies)
    assert visible(ann, target) is sees_it


def test_nothing_of_a_kind_that_is_not_shown_is_visible_not_even_her_own() -> None:
    ann = UserSnapshot(1, "Ann", True, frozenset({"queues.view"}), scope=WHOLE_FLOOR)
    assert visible(ann, heard("101", owner=1)) is False
    assert visible(ann, CALL) is True


def test_a_token_has_no_more_than_it_grants() -> None:
    ann = UserSnapshot(1, "Ann", True, frozenset({"calls.view", "calls.hangup", EVERYWHERE}), scope=WHOLE_FLOOR)
    part = ann.limited(frozenset({"calls.view", "calls.listen"}))
    assert (part.rights, part.scope.everywhere) == (frozenset({"calls.view"}), False)
    assert ann.limited(frozenset({EVERYWHERE})).scope.everywhere is True
