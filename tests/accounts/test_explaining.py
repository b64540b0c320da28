"""explain(): what `decide()` answers, with what gives or lacks it; who may not know hears "somebody"."""

import pytest
from django.contrib.auth.models import Permission
from django.utils.translation import override

from accounts.explaining import Standing, explain
from accounts.models import Protected, Team, User
from accounts.permissions import Rule, TargetSnapshot, decide
from accounts.snapshots import standing_of
from tests.conftest import member

CALL = TargetSnapshot(
    kind="call",
    key="lab/1.1",
    pbx="lab",
    numbers=("204", "301"),
    queue="sales",
    vouched=("204",),
    shown_by="calls.view",
)
LISTENING = TargetSnapshot(
    kind="spy", key="lab/9", pbx="lab", numbers=("204",), acted=("900",), owner=-1, shown_by="calls.view"
)


def holds(user: User, *rights: str) -> None:
    """Rights of her own, by no role."""
    for app, codename in (right.split(".") for right in rights):
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))


def lead(*rules: tuple[str, str], phone: str = "") -> Standing:
    """Dana, a team lead, whose team Sales has this part of every PBX's floor."""
    dana = member("Dana", "Team lead")
    team = Team.objects.create(name="Sales")
    team.members.add(dana)
    for aspect, name in rules:
        team.rules.create(aspect=aspect, name=name)
    if phone:
        dana.phones.create(pbx="lab", dial_string=phone)
    return standing_of(dana)


@pytest.mark.django_db
def test_a_right_that_is_missing_and_the_roles_that_have_it() -> None:
    why = explain(lead(("queue", "*")), "calls.whisper", CALL)
    assert (why.allowed, why.code) == (False, "no_right")
    assert why.reasons == (
        "Dana lacks the right “Whisper to agents while they talk”. It comes with: Admin, Supervisor.",
    )


@pytest.mark.django_db
def test_who_is_not_covered() -> None:
    why = explain(lead(("queue", "sales"), ("extension", "2??"), ("queue", "support")), "calls.listen", CALL)
    assert (why.allowed, why.code) == (False, "scope")
    assert why.reasons == (
        "The role Team lead gives Dana the right “Listen to calls”.",
        "The team Sales covers it: extension 2?? (PBX *), queue sales (PBX *).",
        "301 is in no team of Dana.",
    )
    unnamed = explain(lead_again(), "calls.listen", CALL, named=False)
    assert unnamed.code == "scope"
    assert "301" not in " ".join(unnamed.reasons)
    assert unnamed.reasons[-1] == "Part of it is in no team of the user."


def lead_again() -> Standing:
    return standing_of(User.objects.get(username="dana"))


@pytest.mark.django_db
def test_out_of_sight_is_said_to_who_explains() -> None:
    why = explain(lead(("queue", "support")), "calls.listen", CALL)
    assert (why.allowed, why.code) == (False, "hidden")
    assert why.reasons[-1] == "Nothing of it is in a team of Dana."


@pytest.mark.django_db
def test_what_is_not_there() -> None:
    why = explain(lead(("queue", "sales")), "calls.listen", None)
    assert (why.allowed, why.code) == (False, "gone")
    assert why.reasons[-1] == "There is no such thing on the PBX now."


@pytest.mark.django_db
def test_the_protected_are_named_to_who_manages_them_only(bob: User) -> None:
    Protected.objects.create(extension="301")
    why = explain(standing_of(bob), "calls.listen", CALL)
    assert (why.allowed, why.code) == (False, "protected")
    assert why.reasons[-1].startswith("301 is protected")
    unnamed = explain(standing_of(bob), "calls.listen", CALL, named=False)
    assert unnamed.code == "protected"
    assert "301" not in " ".join(unnamed.reasons)


@pytest.mark.django_db
def test_the_whole_floor_and_the_state_that_forbids_it(bob: User) -> None:
    why = explain(standing_of(bob), "calls.whisper", CALL, state="no_phone")
    assert (why.allowed, why.code) == (False, "no_phone")
    assert why.reasons == (
        "The role Supervisor gives Bob the right “Whisper to agents while they talk”.",
        "The whole floor is open to Bob.",
        "No phone of the user is known on this PBX: it could not ring.",
    )
    assert explain(standing_of(bob), "calls.whisper", CALL).allowed


@pytest.mark.django_db
def test_her_own_phone_covers_it() -> None:
    why = explain(lead(phone="PJSIP/204"), "calls.hangup", CALL)
    assert why.allowed
    assert why.reasons[-1] == "It is at a phone of Dana."


@pytest.mark.django_db
def test_anothers_listening_needs_more_than_ones_own() -> None:
    lee = member("Lee")
    holds(lee, "calls.view", "calls.listen", "floor.everywhere")
    why = explain(standing_of(lee), "calls.stop", LISTENING)
    assert why.code == "no_right"
    assert why.reasons == (
        "Lee has the right “Barge into calls”, “Hang up calls”, “Listen to calls”, “Whisper to agents while they talk”"
        " without a role.",
        "Lee did not begin it: it needs the right to act on what others began.",
    )


@pytest.mark.django_db
def test_kinds_that_are_not_shown() -> None:
    lee = member("Lee")
    holds(lee, "calls.hangup", "floor.everywhere")
    why = explain(standing_of(lee), "calls.hangup", CALL)
    assert why.code == "hidden"
    assert why.reasons[-1] == "Lee lacks the right “See live calls”, without which nothing of the kind is seen."


@pytest.mark.django_db
def test_an_account_that_is_not_active(bob: User) -> None:
    bob.is_active = False
    bob.save()
    why = explain(standing_of(bob), "calls.hangup", CALL)
    assert (why.code, why.reasons) == ("inactive", ("The account of Bob is not active.",))


@pytest.mark.django_db
@pytest.mark.parametrize("right", ["calls.listen", "calls.whisper", "calls.hangup", "calls.stop", "calls.record"])
@pytest.mark.parametrize("target", [None, CALL, LISTENING])
@pytest.mark.parametrize("role", ["", "Agent", "Team lead", "Supervisor"])
def test_it_says_what_decide_says(right: str, target: TargetSnapshot | None, role: str) -> None:
    Protected.objects.create(extension="204")
    user = member("Whoever", role)
    standing = standing_of(user)
    standing = Standing(standing.user, standing.roles, {"All": frozenset({Rule("pbx", "lab")})})
    decision, why = decide(standing.user, right, target), explain(standing, right, target)
    if decision.allowed:
        assert why.allowed is (target is not None)
    else:
        assert (why.allowed, why.code) == (False, decision.code)


@pytest.mark.django_db
def test_in_russian() -> None:
    standing = lead(("queue", "sales"))
    with override("ru"):
        why = explain(standing, "calls.listen", CALL)
    assert why.reasons == (
        "Право «Слушать звонки» даёт роль Team lead (Dana).",
        "Команда Sales включает это: очередь sales (АТС *).",
        "301 — ни в одной из команд пользователя Dana.",
    )
