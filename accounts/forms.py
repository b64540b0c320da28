import math
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
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
                raise ValidationError(_("Too many people are signing in right now. Try again in a moment."), code=BUSY)
            return super().clean()


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


class TokenForm(forms.Form):
    """A new token of one's own. With the password: who finds a panel open must not take a year of it along."""

    name = forms.CharField(
        label=_("What it is for"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    days = forms.TypedChoiceField(
        label=_("Good for"),
        coerce=int,
        initial=30,
    )
    rights = forms.MultipleChoiceField(label=_("What it may do"), widget=forms.CheckboxSelectMultiple)
    password = forms.CharField(
        label=_("Your password"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, user: User, address: str, data: Any = None) -> None:
        super().__init__(data)
        self._user, self._address = user, address
        hers = snapshot_of(user).rights
        days = self.fields["days"]
        assert isinstance(days, forms.TypedChoiceField)
        days.choices = [(n, ngettext("%d day", "%d days", n) % n) for n in (1, 7, 30, 90, tokens.LONGEST_DAYS)]
        rights = self.fields["rights"]
        assert isinstance(rights, forms.MultipleChoiceField)
        rights.choices = [(right, words) for right, words in RIGHTS.items() if right in hers]
        rights.initial = [right for right in hers if right.endswith(".view") or right in (EVERYWHERE, NUMBERS)]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given  # the password is not looked at: nothing would come of it
        attempt = throttle.attempt(self._user.get_username(), self._address)
        if attempt.wait:
            raise too_many(math.ceil(attempt.wait / 60))
        with throttle.turns.turn() as mine:
            if not mine:
                throttle.unchecked(attempt)
                raise ValidationError(_("Too many people are signing in right now. Try again in a moment."), code=BUSY)
            if not self._user.check_password(given["password"]):
                raise ValidationError(_("This is not your password."), code="password")
        throttle.succeeded(attempt)
        return given

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
