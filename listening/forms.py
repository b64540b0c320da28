from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import policies
from accounts.models import MonitoringPolicy, Team
from accounts.monitoring_policy import LONGEST_REASON, MODES, Mode, Policy

MOST_REASONS = 20
"""Offered: what is more is not read by who wants to listen now."""

LABELS: dict[Mode, str | Promise] = {
    "listen": _("Listening"),
    "whisper": _("Whispering"),
    "barge": _("Barging in"),
}
AS_THE_PANEL = ("", _("as on the whole panel"))


class PolicyForm(forms.Form):
    """How those are told who are monitored, by mode; for a team, or for the panel, which offers reasons too."""

    reasons = forms.CharField(
        label=_("Reasons that are offered"),
        help_text=_("A line each. Another one can always be written."),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(self, team: Team | None, data: Any = None) -> None:
        super().__init__(data)
        self.team = team
        now = dict(policies.of(team))
        for mode in MODES:
            policy = now.get(mode, None if team else Policy())
            told = forms.ChoiceField(
                label=_("How they are told"),
                choices=[*([AS_THE_PANEL] if team else []), *MonitoringPolicy.Told.choices],
                required=team is None,
                initial=policy.told if policy else "",
            )
            self.fields[f"{mode}_told"] = told
            self.fields[f"{mode}_reason"] = forms.BooleanField(
                label=_("A reason is required"), required=False, initial=bool(policy and policy.reason)
            )
        if team is not None:
            del self.fields["reasons"]
        else:
            self.fields["reasons"].initial = "\n".join(gettext(text) for text in policies.read().reasons)

    @property
    def rows(self) -> list[tuple[str | Promise, forms.BoundField, forms.BoundField]]:
        return [(LABELS[mode], self[f"{mode}_told"], self[f"{mode}_reason"]) for mode in MODES]

    def clean_reasons(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["reasons"].splitlines()]
        found = [line for line in dict.fromkeys(lines) if line]
        if len(found) > MOST_REASONS:
            raise ValidationError(_("At most %(most)d reasons."), params={"most": MOST_REASONS})
        if any(len(line) > LONGEST_REASON for line in found):
            raise ValidationError(_("A reason has at most %(most)d signs."), params={"most": LONGEST_REASON})
        return found

    @property
    def modes(self) -> dict[Mode, Policy]:
        """What was chosen; of a team what it has of its own."""
        given = self.cleaned_data
        return {
            mode: Policy(given[f"{mode}_told"], given[f"{mode}_reason"]) for mode in MODES if given[f"{mode}_told"]
        }
