"""Changes of the monitoring policy, each with its line in the audit. Sync ORM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from accounts import policies
from accounts.models import Team
from accounts.monitoring_policy import PRESETS, Mode, Modes, Policy
from audit import trail
from audit.record import What, Who


@transaction.atomic
def change(who: Who, team: Team | None, modes: Mapping[Mode, Policy], reasons: Iterable[str] | None = None) -> None:
    """From now on this team, or (None) the panel, has these; and these reasons are offered, if any are given."""
    before = _said(policies.of(team))
    if reasons is not None:
        before["reasons"] = list(policies.read().reasons)
        policies.offer(reasons)
    policies.write(team, modes)
    after = _said(policies.of(team))
    if reasons is not None:
        after["reasons"] = list(policies.read().reasons)
    words = "" if team is None else team.name
    what = What("", "monitoring.policy", target_kind="team" if team else "", target_words=words)
    trail.changed(who, what, before, after)


def preset(who: Who, name: str) -> None:
    """From now on the panel has this preset's."""
    change(who, None, dict(PRESETS[name].modes))


def _said(modes: Modes) -> dict[str, Any]:
    return {mode: {"told": policy.told, "reason_required": policy.reason} for mode, policy in modes}
