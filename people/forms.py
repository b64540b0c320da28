"""What administrators fill in. What a form may not decide is decided by people.services, whose words it then shows."""

import zoneinfo
from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import DIAL_STRING, TeamRule, User
from accounts.rights import RIGHTS
from floor.registry import ACTIONS
from people import existing
from people.services import Change, Refused
from people.sheets import LONGEST

AREAS: dict[str, str | Promise] = {
    "calls": _("Calls"),
    "conferences": _("Conferences"),
    "queues": _("Queues"),
    "floor": _("The floor"),
    "accounts": _("People"),
    "audit": _("Audit"),
}

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class Boxes(forms.CheckboxSelectMultiple):
    """Of which some can't be ticked: what she may not give."""

    barred: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.barred and not option["selected"]:
            option["attrs"]["disabled"] = True
        return option


class Form(forms.Form):
    def take(self, error: ValidationError | Refused) -> None:
        """Show what a service said, at the field that it is about where there is one."""
        if isinstance(error, Refused):
            self.add_error(None, error.words)
        elif not hasattr(error, "error_dict"):
            self.add_error(None, error)
        else:
            for name, errors in error.error_dict.items():
                self.add_error(name if name in self.fields else None, errors)


class PersonForm(Form):
    """Somebody, new (``user`` None) or not, as far as ``change.power`` reaches."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        help_text=_("What she signs in with. It stays."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    display_name = forms.CharField(label=_("Name shown"), max_length=100, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False, widget=forms.EmailInput(attrs=_PLAIN))
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.CharField(
        label=_("Time zone"), required=False, max_length=64, widget=forms.TextInput(attrs={**_PLAIN, "list": "zones"})
    )
    roles = forms.MultipleChoiceField(label=_("Roles"), required=False, widget=Boxes)
    teams = forms.MultipleChoiceField(label=_("Teams"), required=False, widget=Boxes)

    def __init__(self, change: Change, user: User | None = None, data: Any = None) -> None:
        held = {} if user is None else dict(user.phones.values_list("pbx", "dial_string"))
        initial: dict[str, Any] = {f"phone_{pbx}": dial for pbx, dial in held.items()}
        if user is not None:
            names = ("display_name", "email", "language", "time_zone")
            initial |= {name: getattr(user, name) for name in names}
            initial["roles"] = list(user.groups.values_list("name", flat=True))
            initial["teams"] = list(user.teams.values_list("name", flat=True))
        super().__init__(data, initial=initial)
        if user is not None:
            del self.fields["username"]
        self._choices("language", [("", _("As her browser has it")), *settings.LANGUAGES])
        self._offer("roles", {role.name: change.may_touch(("role", pk)) for pk, role in change.before.roles.items()})
        self._offer("teams", {team.name: change.may_touch(("team", pk)) for pk, team in change.before.teams.items()})
        self._pbxs = sorted({*existing.pbxs(), *held})
        for pbx in self._pbxs:
            self.fields[f"phone_{pbx}"] = forms.CharField(
                label=pbx,
                required=False,
                validators=[RegexValidator(DIAL_STRING, _("A dial string looks like PJSIP/900."))],
                widget=forms.TextInput(attrs={**_PLAIN, "placeholder": "PJSIP/900"}),
            )

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def _offer(self, name: str, offered: dict[str, bool]) -> None:
        self._choices(name, [(one, one) for one in sorted(offered)])
        boxes = self.fields[name].widget
        assert isinstance(boxes, Boxes)
        boxes.barred = frozenset(one for one, may in offered.items() if not may)

    @property
    def phones(self) -> list[BoundField]:
        return [self[f"phone_{pbx}"] for pbx in self._pbxs]

    @property
    def zones(self) -> list[str]:
        return sorted(zoneinfo.available_timezones())

    def fill(self, user: User) -> dict[str, Any]:
        """Onto the user; and what services.save_person wants beside her."""
        given = self.cleaned_data
        for name in ("username", "display_name", "email", "language", "time_zone"):
            if name in given:
                setattr(user, name, given[name])
        phones = {pbx: given[f"phone_{pbx}"] for pbx in self._pbxs if given[f"phone_{pbx}"]}
        return {"roles": given["roles"], "teams": given["teams"], "phones": phones}


class RoleForm(Form):
    name = forms.CharField(label=_("Name"), max_length=150, widget=forms.TextInput(attrs=_PLAIN))
    second_factor = forms.BooleanField(label=_("Ask a second factor of who has it"), required=False)
    rights = forms.MultipleChoiceField(label=_("Rights"), required=False, choices=list(RIGHTS.items()), widget=Boxes)

    def __init__(self, change: Change, initial: dict[str, Any], data: Any = None, *, shipped: bool = False) -> None:
        super().__init__(data, initial=initial)
        boxes = self.fields["rights"].widget
        assert isinstance(boxes, Boxes)
        boxes.barred = frozenset(RIGHTS) - change.power.rights
        self.fields["name"].disabled = shipped

    def areas(self) -> Iterator[tuple[str | Promise, list[Any]]]:
        """The boxes by what they are about."""
        boxes = list(self["rights"])
        for area, words in AREAS.items():
            found = [box for box in boxes if str(box.data["value"]).startswith(f"{area}.")]
            if found:
                yield words, found


class TeamForm(Form):
    name = forms.CharField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs=_PLAIN))


class RuleForm(Form):
    aspect = forms.ChoiceField(label=_("What"), choices=TeamRule.Of, initial=TeamRule.Of.QUEUE)
    name = forms.CharField(
        label=_("Name or pattern"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={**_PLAIN, "list": "names", "placeholder": "sales*"}),
    )
    pbx = forms.CharField(
        label=_("On the PBX"), max_length=80, initial="*", widget=forms.TextInput(attrs={**_PLAIN, "list": "pbxs"})
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("name") and given.get("aspect") != TeamRule.Of.PBX:
            self.add_error("name", _("Write a name, or a pattern: * stands for any signs, ? for one."))
        return given


class MemberForm(Form):
    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={**_PLAIN, "list": "people"})
    )


class ProtectedForm(Form):
    extension = forms.CharField(
        label=_("Extension or pattern"), max_length=80, widget=forms.TextInput(attrs={**_PLAIN, "list": "names"})
    )
    pbx = forms.CharField(
        label=_("On the PBX"), max_length=80, initial="*", widget=forms.TextInput(attrs={**_PLAIN, "list": "pbxs"})
    )
    note = forms.CharField(label=_("Note"), max_length=200, required=False, widget=forms.TextInput(attrs=_PLAIN))


class ExplainForm(Form):
    username = forms.CharField(
        label=_("User name"), max_length=150, widget=forms.TextInput(attrs={**_PLAIN, "list": "people"})
    )
    verb = forms.ChoiceField(label=_("What she would do"))
    pbx = forms.CharField(
        label=_("On the PBX"), max_length=32, widget=forms.TextInput(attrs={**_PLAIN, "list": "pbxs"})
    )
    target = forms.CharField(
        label=_("To what"),
        max_length=200,
        help_text=_("An extension, a queue, a conference; or the key of a call."),
        widget=forms.TextInput(attrs={**_PLAIN, "list": "names"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        verbs = self.fields["verb"]
        assert isinstance(verbs, forms.ChoiceField)
        labels = {action.verb: f"{action.label} ({action.verb})" for action in ACTIONS.values()}
        verbs.choices = [(verb, labels[verb]) for verb in sorted(labels, key=labels.__getitem__)]


class FileForm(Form):
    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))

    def clean_file(self) -> str:
        """Its text."""
        if self.cleaned_data["file"].size > 2 * LONGEST:  # bytes; a Russian letter has two
            raise ValidationError(_("The file is too long. Split it."))
        try:
            text: str = self.cleaned_data["file"].read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValidationError(_("The file is not UTF-8. In Excel, save it as “CSV UTF-8”.")) from None
        return text
