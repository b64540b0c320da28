"""What django-allauth asks of the panel: nobody signs herself up, no mail is sent, one throttle counts passwords."""

import base64
import hashlib
import ipaddress
import math
import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.encoding import force_bytes
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import mfa, throttle
from accounts.forms import busy, too_many
from accounts.models import User
from accounts.views import remote_address, set_language_cookie


class Account(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """The panel sends none."""

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our pages show what has changed; nobody would read these, and they would pile up in a cookie."""

    def get_client_ip(self, request: HttpRequest) -> str:
        address = remote_address(request)
        try:
            return str(ipaddress.ip_address(address))
        except ValueError:  # a proxy on a Unix socket that says nothing
            return "::"

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """By a passkey, or by the identity provider: the password's form has said no before."""
        return redirect("login")

    def reauthenticate(self, user: User, password: str) -> bool:
        """Her password again. Counted as when signing in: who finds a panel open could try as many as there."""
        attempt = throttle.attempt(user.get_username(), remote_address(context.request))
        if attempt.wait:
            raise too_many(math.ceil(attempt.wait / 60))
        with throttle.turns.turn() as mine:
            if not mine:
                throttle.unchecked(attempt)
                raise busy()
            right = user.check_password(password)
        if right:
            throttle.succeeded(attempt)
        return right

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Brings her language along; the first time, what this page is in becomes hers.

        What comes over the WebSocket, where there is no page to ask, is then in the language of the page.
        """
        # Who has just signed in has just said who she is: accounts.stepup asks for no more, and allauth's own pages
        # look for this mark.
        records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY)
        if records:
            records[-1]["reauthenticated"] = True
            request.session.modified = True
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if user.language:
            set_language_cookie(response, user.language)
        else:
            User.objects.filter(pk=user.pk).update(language=get_language() or settings.LANGUAGE_CODE)
        return response


class Mfa(DefaultMFAAdapter):  # type: ignore[misc]
    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Phoenix Panel"}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return _("Passkey") if not count else _("Passkey %(number)d") % {"number": count + 1}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last one of somebody who must have one: she adds the new one first."""
        left = Authenticator.objects.filter(user=authenticator.user, type__in=mfa.FACTORS).exclude(pk=authenticator.pk)
        return left.exists() or not mfa.required(authenticator.user)

    def build_totp_svg(self, url: str) -> str:
        return ""  # our page draws it without a style attribute: accounts.me.qr_path

    def encrypt(self, text: str) -> str:
        """Who reads the database, or an old copy of it, must not read the seeds of everybody's codes with it."""
        return _fernet(settings.SECRET_KEY).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                return _fernet(key).decrypt(encrypted_text.encode()).decode()
            except InvalidToken:
                continue
        # The key was changed: no code is right any more. `manage.py resetmfa NAME` lets her set up a new one.
        return base64.b32encode(secrets.token_bytes(20)).decode()


def _fernet(key: str | bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"accounts.mfa\0" + force_bytes(key)).digest()))
