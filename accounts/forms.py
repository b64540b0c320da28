import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import throttle, tokens
from accounts.models import Token, User
from accounts.permissions import EVERYWHERE, NUMBERS
from accounts.rights import RIGHTS
from accounts.snapshots import snapshot_of

BUSY = "busy"  # the error's code when too many passwords are being checked already


class SignInForm(AuthenticationForm):
    """Django's form; the same words whatever was wrong, so that nobody learns which names exist."""

    error_messages = {
        "invalid_login": _("This name and password don't go together."),
        "inactive": _("This name and password don't go together."),
    }

    def __init__(self, *args: Any, wait_minutes: int = 0, **kwargs: Any) -> None:
        """`wait_minutes` > 0: too many attempts; the password is not even looked at."""
        super().__init__(*args, **kwargs)
        self.wait_minutes = wait_minutes

    def clean(self) -> dict[str, Any]:
        if self.wait_minutes:
            raise too_many(self.wait_minutes)
        with throttle.turns.turn() as mine:
            if not mine:
                raise busy()
            return super().clean()


def busy() -> ValidationError:
    return ValidationError(_("Too many people are signing in right now. Try again in a moment."), code=BUSY)


def too_many(minutes: int) -> ValidationError:
    return ValidationError(
        ngettext(
            "Too many attempts. Try again in %(minutes)d minute.",
            "Too many attempts. Try again in %(minutes)d minutes.",
            minutes,
        ),
        code="too_many",
        params={"minutes": minutes},
    )


class PasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # no subscript at run time
    """Her new password, twice. For an invitation, for who has forgotten hers, for who is signed in: she is known."""

    error_messages = {"password_mismatch": _("The two are not alike.")}


class FirstForm(PasswordForm):
    """The first administrator, by who can read the server's terminal."""

    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        validators=[User.username_validator],
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}),
    )
    field_order = ["username"]

    def clean_username(self) -> str:
        """Hers now: the password is compared with it."""
        name = str(User.normalize_username(self.cleaned_data["username"]))
        self.user.username = name
        return name


class OwnForm(forms.ModelForm):  # type: ignore[type-arg]
    """What of her own account she may change herself."""

    class Meta:
        model = User
        fields = ["language", "time_zone"]

    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        default = _("The panel's: %(name)s") % {"name": settings.TIME_ZONE}
        field.choices = [("", default), *((name, name.replace("_", " ")) for name in _zones())]


def _zones() -> list[str]:
    """Those that people live in: `Etc/GMT+5` and its like are for programs."""
    return sorted(
        name
        for name in zoneinfo.available_timezones()
        if "/" in name and not name.startswith(("Etc/", "posix/", "right/", "SystemV/", "US/"))
    )


class TokenForm(forms.Form):
    """A new token of one's own."""

    name = forms.CharField(
        label=_("What it is for"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    days = forms.TypedChoiceField(
        label=_("Good for"),
        coerce=int,
        initial=30,
    )
    rights = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self._user = user
        hers = snapshot_of(user).rights
        days = self.fields["days"]
        assert isinstance(days, forms.TypedChoiceField)
        days.choices = [(n, ngettext("%d day", "%d days", n) % n) for n in (1, 7, 30, 90, tokens.LONGEST_DAYS)]
        rights = self.fields["rights"]
        assert isinstance(rights, forms.MultipleChoiceField)
        rights.choices = [(right, words) for right, words in RIGHTS.items() if right in hers]
        rights.initial = [right for right in hers if right.endswith(".view") or right in (EVERYWHERE, NUMBERS)]

    def make(self) -> tuple[Token, str] | None:
        """The token and its secret; None, and an error in the form, if it can't be made."""
        given = self.cleaned_data
        try:
            return tokens.make(self._user, given["name"], frozenset(given["rights"]), given["days"])
        except tokens.Unfit as error:
            self.add_error(None, UNFIT[error.args[0]])
            return None


UNFIT = {
    "name": _("This name can't be written."),
    "rights": _("You don't have all of these rights any more."),
    "many": _("You have as many tokens as anybody may have. Revoke one first."),
}
