"""Which policy holds for a call: a table; and what the database makes of it."""

from typing import Any

import pytest

from accounts import policies
from accounts.models import MonitoringReason, Team
from accounts.monitoring_policy import (
    MODES,
    PRESETS,
    UNANSWERED,
    Modes,
    Policies,
    Policy,
    TeamPolicy,
)
from accounts.permissions import Rule, Scope, TargetSnapshot
from accounts.snapshots import snapshot_of
from tests.conftest import member


def modes(policy: Policy, *of: str) -> Modes:
    return tuple((mode, policy) for mode in MODES if not of or mode in of)


def team(*rules: Rule, policy: Policy | None = None) -> TeamPolicy:
    return TeamPolicy(Scope(frozenset(rules)), modes(policy, "listen") if policy else ())


def call(*numbers: str, queue: str = "", vouched: tuple[str, ...] = ()) -> TargetSnapshot:
    return TargetSnapshot("call", "lab/1.1", "lab", numbers=numbers, queue=queue, vouched=vouched)


NO, NO_WHY = Policy("no"), Policy("no", reason=True)
SCREEN, SCREEN_WHY = Policy("screen"), Policy("screen", reason=True)
TONE = Policy("tone")
ONES = Rule("extension", "lab", "1*")
TWOS = Rule("extension", "*", "2*")
SALES = Rule("queue", "lab", "sales")

TABLE = [
    # the panel's own, the teams', the call, what holds
    ((), (), call("101"), SCREEN),  # nobody has decided
    ((), (), call(), SCREEN),
    (modes(NO), (), call("101"), NO),
    (modes(NO), (), call(), NO),
    (modes(TONE, "whisper"), (), call("101"), SCREEN),  # not of this mode
    # a team's own holds instead of the panel's, in either direction
    (modes(TONE), (team(ONES, policy=NO),), call("101"), NO),
    (modes(NO), (team(ONES, policy=TONE),), call("101"), TONE),
    # a team that leaves it open has the panel's
    (modes(NO_WHY), (team(ONES),), call("101"), NO_WHY),
    # who is in no team, and a call of nobody's
    (modes(SCREEN), (team(ONES, policy=NO),), call("301"), SCREEN),
    (modes(SCREEN), (team(ONES, policy=NO),), call(), SCREEN),
    # two on one call, in one team and in two: the strictest of each part
    (modes(TONE), (team(ONES, policy=NO),), call("101", "102"), NO),
    (modes(NO), (team(ONES, policy=NO_WHY), team(TWOS, policy=SCREEN)), call("101", "201"), SCREEN_WHY),
    (modes(SCREEN), (team(ONES, policy=NO),), call("101", "301"), SCREEN),
    # one in two teams
    (modes(NO), (team(ONES, policy=NO), team(ONES, policy=TONE)), call("101"), TONE),
    (modes(SCREEN), (team(ONES, policy=NO), team(ONES)), call("101"), SCREEN),
    # by the queue: of its members on its own calls
    (modes(SCREEN), (team(SALES, policy=TONE),), call("101", queue="sales", vouched=("101",)), TONE),
    (modes(SCREEN), (team(SALES, policy=TONE),), call("101", queue="sales"), SCREEN),
    (modes(SCREEN), (team(SALES, policy=TONE),), call("101", queue="support", vouched=("101",)), SCREEN),
    # on another PBX
    (modes(SCREEN), (team(Rule("extension", "office", "1*"), policy=NO),), call("101"), SCREEN),
    (modes(SCREEN), (team(Rule("pbx", "lab"), policy=NO),), call("101", "301"), NO),
]


@pytest.mark.parametrize(("panel", "teams", "target", "holds"), TABLE)
def test_table(panel: Modes, teams: tuple[TeamPolicy, ...], target: TargetSnapshot, holds: Policy) -> None:
    assert Policies(panel, teams).of("listen", target) == holds


def test_nobody_is_monitored_unawares_until_somebody_decides() -> None:
    assert all(UNANSWERED.of(mode, call("101")).told == "screen" for mode in MODES)


COVERT = Policies(modes(NO, "listen"))


@pytest.mark.parametrize(
    ("found", "covert"),
    [
        (UNANSWERED, False),
        (COVERT, True),
        (Policies(modes(TONE)), False),
        (Policies((), (team(ONES, policy=NO),)), True),
    ],
)
def test_covert(found: Policies, covert: bool) -> None:
    assert found.covert is covert


def test_no_preset_is_covert() -> None:
    assert {preset.told for preset in PRESETS.values()} <= {"screen", "tone"}


@pytest.mark.django_db
def test_the_database_has_them_and_a_users_snapshot_too() -> None:
    assert policies.read() == Policies(reasons=policies.OFFERED)
    assert not policies.answered()
    sales = Team.objects.create(name="Sales")
    sales.rules.create(aspect="extension", pbx="lab", name="1*")
    Team.objects.create(name="Empty")
    policies.write(sales, {"listen": TONE})
    assert not policies.answered(), "a team's own is no answer for the rest"
    policies.write(None, dict(PRESETS["EU"].modes))
    policies.offer(["Training", "A complaint", "Training"])
    assert policies.answered()
    found = policies.read()
    assert found.of("listen", call("101")) == TONE
    assert found.of("whisper", call("101")) == found.of("listen", call("301")) == SCREEN_WHY
    assert found.reasons == ("Training", "A complaint")
    assert snapshot_of(member("Sue")).monitoring == found
    policies.write(sales, {})
    assert policies.of(sales) == ()
    policies.write(None, {"barge": NO})
    assert policies.of(None) == (("barge", NO),)
    assert MonitoringReason.objects.count() == 2


@pytest.mark.django_db
def test_the_settings_answer_until_the_page_does(settings: Any) -> None:
    settings.PHOENIX_MONITORING = "US-ALL-PARTY"
    assert policies.answered()
    assert policies.read().of("barge", call("101")) == TONE
    policies.write(None, dict.fromkeys(MODES, NO))
    assert policies.read().of("barge", call("101")) == NO
