"""The monitoring policies, as the database has them. Sync ORM."""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import MonitoringPolicy, MonitoringReason, Team, TeamRule
from accounts.monitoring_policy import PRESETS, Mode, Modes, Policies, Policy, TeamPolicy
from accounts.permissions import Rule, Scope

OFFERED = (
    gettext_noop("Quality check"),
    gettext_noop("Training"),
    gettext_noop("A complaint"),
    gettext_noop("Help asked for"),
)
"""Reasons until somebody writes others."""


def read() -> Policies:
    """All of them now."""
    of: dict[int | None, list[tuple[Mode, Policy]]] = {}
    rows = MonitoringPolicy.objects.order_by("mode").values_list("team_id", "mode", "told", "reason_required")
    for team, mode, told, reason in rows:
        of.setdefault(team, []).append((mode, Policy(told, reason)))  # type: ignore[arg-type]  # the columns' choices
    panel = tuple(of.pop(None, ())) or _of_settings()
    rules: dict[int, set[Rule]] = {}
    if of:  # else no team makes a difference
        for rule in TeamRule.objects.all():
            rules.setdefault(rule.team_id, set()).add(Rule(rule.aspect, rule.pbx, rule.name))  # type: ignore[arg-type]
    teams = tuple(TeamPolicy(Scope(frozenset(rules[team])), tuple(of.get(team, ()))) for team in sorted(rules))
    return Policies(panel, teams, tuple(MonitoringReason.objects.values_list("text", flat=True)) or OFFERED)


def answered() -> bool:
    """Whether somebody has decided how people are told."""
    return bool(_of_settings()) or MonitoringPolicy.objects.filter(team=None).exists()


def of(team: Team | None) -> Modes:
    """What this team has, or (None) the panel; nothing where that is left open."""
    return tuple(_rows(team)) or (() if team else _of_settings())


def _rows(team: Team | None) -> Iterable[tuple[Mode, Policy]]:
    rows = MonitoringPolicy.objects.filter(team=team).values_list("mode", "told", "reason_required")
    for mode, told, reason in rows:
        yield mode, Policy(told, reason)  # type: ignore[misc,arg-type]  # the columns' choices


@transaction.atomic
def write(team: Team | None, modes: Mapping[Mode, Policy]) -> None:
    """From now on it has these; a mode that is not there is left open."""
    MonitoringPolicy.objects.filter(team=team).delete()
    for mode, policy in modes.items():
        MonitoringPolicy.objects.create(team=team, mode=mode, told=policy.told, reason_required=policy.reason)


@transaction.atomic
def offer(reasons: Iterable[str]) -> None:
    """From now on these reasons are offered, in this order."""
    MonitoringReason.objects.all().delete()
    for text in dict.fromkeys(reasons):
        MonitoringReason.objects.create(text=text)


def _of_settings() -> Modes:
    preset = PRESETS.get(settings.PHOENIX_MONITORING)
    return preset.modes if preset else ()
