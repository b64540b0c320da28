from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from audit import words
from audit.models import Entry
from audit.record import VERBS

ANY = ("", _("Any"))


class Filter(forms.Form):
    """What a page of the audit shows. A value that makes no sense is as none."""

    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    person = forms.CharField(label=_("Who"), required=False, max_length=150)
    pbx = forms.ChoiceField(label=_("PBX"), required=False)
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("To"), required=False)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self._choices("pbx", [(name, name) for name in settings.PHOENIX_PBX_NAMES])
        self.fields["q"].widget = forms.TextInput(attrs={"type": "search", "autocomplete": "off"})
        self.fields["person"].widget = forms.TextInput(attrs={"list": "people", "autocomplete": "off"})
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [ANY, *choices]

    def given(self) -> dict[str, Any]:
        """Name → value of all that is asked for."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class ActionsFilter(Filter):
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    verb = forms.ChoiceField(label=_("Action"), required=False)
    target = forms.CharField(label=_("Target"), required=False, max_length=200)

    field_order = ("q", "person", "kind", "verb", "target", "pbx", "since", "until")

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        hidden = (Entry.Kind.OUTCOME, Entry.Kind.LISTEN)
        self._choices("kind", [(kind.value, kind.label) for kind in Entry.Kind if kind not in hidden])
        verbs = {code: words.verb(code) for code in (*VERBS, *words.OWN) if not code.startswith("monitor.")}
        self._choices("verb", sorted(verbs.items(), key=lambda pair: pair[1]))


class MonitoringFilter(Filter):
    target = forms.CharField(label=_("Whom"), required=False, max_length=80)
    mode = forms.ChoiceField(label=_("Mode"), required=False)
    source = forms.ChoiceField(label=_("From where"), required=False)

    field_order = ("q", "person", "target", "mode", "source", "pbx", "since", "until")

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self._choices("mode", [*words.MODES.items()])
        self._choices("source", [*Entry.Source.choices])
