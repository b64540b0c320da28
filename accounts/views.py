import math
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language as django_set_language

from accounts import throttle, tokens
from accounts.addresses import client_address
from accounts.forms import BUSY, SignInForm, TokenForm
from accounts.models import User
from accounts.rights import RIGHTS


def remote_address(request: HttpRequest) -> str:
    """Where the request came from; X-Forwarded-For only the part that PHOENIX_PROXIES says is our proxies'."""
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).encode("latin-1", "replace")
    peer = str(request.META.get("REMOTE_ADDR", ""))
    return client_address([(b"x-forwarded-for", forwarded)], peer, settings.PHOENIX_PROXIES)


class SignIn(LoginView):
    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    wait = 0  # seconds for which this attempt is refused
    busy = False  # its password was not looked at: too many others are

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        attempt = throttle.attempt(request.POST.get("username", "").strip(), remote_address(request))
        self.wait = attempt.wait
        response = super().post(request, *args, **kwargs)
        if self.wait:
            response.status_code = 429
            response.headers["Retry-After"] = str(self.wait)
        elif self.busy:
            throttle.unchecked(attempt)
            response.status_code = 503
            response.headers["Retry-After"] = "5"
        elif request.user.is_authenticated:
            throttle.succeeded(attempt)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"wait_minutes": math.ceil(self.wait / 60)}

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        self.busy = form.has_error(NON_FIELD_ERRORS, BUSY)
        return super().form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Brings her language along; the first time, what this page is in becomes hers.

        What comes over the WebSocket, where there is no page to ask, is then in the language of the page.
        """
        response = super().form_valid(form)
        user = form.get_user()
        assert isinstance(user, User)
        if user.language:
            _set_language_cookie(response, user.language)
        else:
            User.objects.filter(pk=user.pk).update(language=get_language() or settings.LANGUAGE_CODE)
        return response


class SignOut(LogoutView):
    """POST only (Django's rule): a picture in a mail can't sign anybody out."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def token_page(request: HttpRequest) -> HttpResponse:
    """One's own tokens. A new one is shown in the answer to the form and never again."""
    user = request.user
    assert isinstance(user, User)
    made = None
    form = TokenForm(user, remote_address(request), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        made = form.make()
        form = TokenForm(user, remote_address(request)) if made else form
    held = [
        (token, [RIGHTS[right] for right in token.rights if right in RIGHTS])
        for token in tokens.good().filter(user=user)
    ]
    return render(request, "accounts/tokens.html", {"form": form, "made": made, "held": held})


@login_required
@require_POST
def revoke_token(request: HttpRequest) -> HttpResponse:
    """Another's token is as one that never was."""
    pk = request.POST.get("token", "")
    if pk.isascii() and pk.isdigit() and len(pk) < 19:
        tokens.good().filter(user=request.user, pk=int(pk)).update(revoked=timezone.now())  # type: ignore[misc]
    return redirect("tokens")


@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Django's, and the user keeps it: the next sign-in, and what the panel says over the WebSocket, are in it too."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return django_set_language(request)


def _set_language_cookie(response: HttpResponse, language: str) -> None:
    """As Django's own view sets it."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
