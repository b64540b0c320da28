"""decide(): a matrix over everything it can be asked, and rows by hand that say what is meant."""

import itertools

import pytest

from accounts.permissions import Allow, Deny, TargetSnapshot, UserSnapshot, decide
from accounts.rights import RIGHTS, ROLES

CALL = TargetSnapshot(kind="call", key="lab/1.1", pbx="lab", numbers=("101", "102"))
ACTIVE = (True, False)
TARGETS = (None, CALL, TargetSnapshot(kind="party", key="lab/1.2", pbx="lab"))
# None, each, each pair, all but one, all: all subsets would double with every right that there is.
SIZES = sorted({0, 1, 2, len(RIGHTS) - 1, len(RIGHTS)})
RIGHT_SETS = [frozenset(chosen) for n in SIZES for chosen in itertools.combinations(sorted(RIGHTS), n)]


def user(*rights: str, active: bool = True) -> UserSnapshot:
    return UserSnapshot(id=1, name="Bob", active=active, rights=frozenset(rights))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.kind if target else "nothing")
@pytest.mark.parametrize("active", ACTIVE, ids=("active", "inactive"))
@pytest.mark.parametrize("right", [*sorted(RIGHTS), "calls.no_such_right", ""])
@pytest.mark.parametrize("rights", RIGHT_SETS, ids=lambda rights: "+".join(sorted(rights)) or "none")
def test_matrix(rights: frozenset[str], right: str, active: bool, target: TargetSnapshot | None) -> None:
    decision = decide(user(*rights, active=active), right, target)
    # Stated the other way round than decide() does, so that one mistake isn't made twice.
    if active and {right} <= rights:
        assert decision == Allow()
    else:
        assert decision == Deny("no_right" if active else "inactive")


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


def test_snapshots_cannot_be_changed_after_they_were_taken() -> None:
    with pytest.raises(AttributeError):
        user().active = False  # type: ignore[misc]
    with pytest.raises(AttributeError):
        CALL.key = "lab/9.9"  # type: ignore[misc]


def test_roles_grant_only_rights_that_exist() -> None:
    assert set().union(*ROLES.values()) <= set(RIGHTS)
    assert ROLES["Admin"] == set(RIGHTS)
