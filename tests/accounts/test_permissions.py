"""decide(): a matrix over everything it can be asked, and rows by hand that say what is meant."""

import itertools

import pytest

from accounts.permissions import WHOLE_FLOOR, Allow, Deny, TargetSnapshot, UserSnapshot, decide
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


def test_snapshots_cannot_be_changed_after_they_were_taken() -> None:
    with pytest.raises(AttributeError):
        user().active = False  # type: ignore[misc]
    with pytest.raises(AttributeError):
        CALL.key = "lab/9.9"  # type: ignore[misc]


def test_roles_grant_only_rights_that_exist() -> None:
    assert set().union(*ROLES.values()) <= set(RIGHTS)
    assert ROLES["Admin"] == set(RIGHTS)
