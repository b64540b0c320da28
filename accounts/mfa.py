"""The second factor: of whom it is asked, who has none yet, and codes that are good once.

Passkeys, authenticator apps and recovery codes are django-allauth's.
"""

import hmac
from collections.abc import Collection
from typing import Any, Final

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext_lazy as _

from accounts.models import RolePolicy, User

FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)

# What she reaches who has to set one up first. All else leads to the page where she does.
OPEN: Final = frozenset(
    {
        "account",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_view_recovery_codes",
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "openid_connect_login",
        "openid_connect_callback",
        "login",
        "logout",
        "set_language",
        "jsi18n",
        "livez",
    }
)


def required(user: User) -> bool:
    """One of her roles asks for a second factor; a superuser's rights are an administrator's."""
    return bool(_required_of([user]))


def _required_of(users: Collection[User]) -> set[int]:
    if not settings.PHOENIX_MFA:
        return set()
    asked = RolePolicy.objects.filter(mfa_required=True, group__user__in=users).values_list("group__user", flat=True)
    roles = set(asked)
    # Whose only way in is the provider: it has asked.
    elsewhere = settings.PHOENIX_OIDC is not None and settings.PHOENIX_OIDC.second_factor
    return {
        user.pk
        for user in users
        if (user.is_superuser or user.pk in roles) and not (elsewhere and not user.has_usable_password())
    }


def enabled(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def missing(user: User) -> bool:
    """She must have one, and has none."""
    return bool(missing_of([user]))


def missing_of(users: Collection[User]) -> set[int]:
    """The ids of those who must have one, and have none."""
    required = _required_of(users)
    having = Authenticator.objects.filter(user__in=required, type__in=FACTORS) if required else ()
    return required - {one.user_id for one in having}


def reset(user: User) -> int:
    """Takes all of hers away: she has lost them, and sets up new ones. How many there were."""
    with transaction.atomic():
        count = int(Authenticator.objects.filter(user=user, type__in=FACTORS).count())
        Authenticator.objects.filter(user=user).delete()
    return count


class Middleware(MiddlewareMixin):
    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Leads who has to set up a second factor there, before any other page."""
        match = request.resolver_match
        if not isinstance(request.user, User) or (match is not None and match.url_name in OPEN):
            return None
        if match is not None and match.namespace.startswith("api"):
            return None  # knows no session: it asks accounts.snapshots about the token's owner
        if not missing(request.user):
            return None
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return redirect("account")


class _OnceMixin:
    """A code of an app is good once, and with it all that came before: also for another process, and also while it has
    not run out. allauth's own mark of used codes lives in one process's cache, for less long than a code is good."""

    authenticator: Authenticator

    def clean_code(self) -> str:
        with transaction.atomic():  # SQLite: nobody else writes from here
            code: str = super().clean_code()  # type: ignore[misc]
            found = Authenticator.objects.select_for_update().get(pk=self.authenticator.pk)
            if found.type == Authenticator.Type.TOTP:
                counter = _counter(decrypt(found.data["secret"]), code)
                if counter is None or counter <= found.data.get("last", 0):
                    raise get_adapter().validation_error("incorrect_code")
                found.data["last"] = counter
                found.save(update_fields=["data"])
                self.authenticator.data = found.data  # what is saved after this must not undo it
        return code


def _counter(secret: str, code: str) -> int | None:
    """Which of the codes that are good now it is, the latest one if two are alike."""
    for counter in reversed(list(yield_hotp_counters_from_time())):
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, counter)), normalize_user_code(code)):
            return int(counter)
    return None


class CodeForm(_OnceMixin, AuthenticateForm):  # type: ignore[misc]
    """When signing in."""


class CodeAgainForm(_OnceMixin, ReauthenticateForm):  # type: ignore[misc]
    """When confirming who she is."""


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey. Always one that can sign in alone: it asks for a finger, a face or a PIN, and is two factors."""

    name = forms.CharField(label=_("Name"), max_length=60, required=False)
    passwordless = forms.BooleanField(initial=True, required=True, widget=forms.HiddenInput)
