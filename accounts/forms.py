from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import throttle

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
            raise ValidationError(
                ngettext(
                    "Too many attempts. Try again in %(minutes)d minute.",
                    "Too many attempts. Try again in %(minutes)d minutes.",
                    self.wait_minutes,
                ),
                code="too_many",
                params={"minutes": self.wait_minutes},
            )
        with throttle.turns.turn() as mine:
            if not mine:
                raise ValidationError(_("Too many people are signing in right now. Try again in a moment."), code=BUSY)
            return super().clean()
