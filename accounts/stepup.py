"""Dangerous things are done by who has lately said who she is: a panel found open is no administrator.

    @recent(minutes=10)
    def people(request): ...

Password, authenticator app, recovery code or passkey; who signs in by an identity provider alone goes there again.
Signing in counts.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

View = Callable[..., HttpResponseBase]


def recent(minutes: int = 10, *, keep: bool = True) -> Callable[[View], View]:
    """The view for who has said who she is in the last so many minutes. Others are asked first, and then are where
    they wanted to be: a form that they sent is done, unless ``keep`` is False. (It is kept in the session, so no form
    with a secret in it.) Who isn't signed in signs in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if is_recent(request, minutes):
                return view(request, *args, **kwargs)
            where = _where(request)
            if keep and request.user.is_authenticated:
                response: HttpResponseBase = suspend_request(request, where)
                return response
            return redirect(f"{where}?{urlencode({'next': request.get_full_path()})}")

        return ask_first

    return decorate


def is_recent(request: HttpRequest, minutes: int = 10) -> bool:
    if not request.user.is_authenticated:
        return False
    return time.time() - max((r["at"] for r in get_authentication_records(request, request.user)), default=0.0) < (
        minutes * 60
    )


def _where(request: HttpRequest) -> str:
    if request.user.is_anonymous:
        return reverse("login")
    methods = get_adapter().get_reauthentication_methods(request.user)
    if methods:
        return str(methods[0]["url"])
    if settings.PHOENIX_OIDC is None:
        raise PermissionDenied  # there is nothing that she could say
    return reverse("sso_again")
