import math
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import get_language
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as django_set_language

from accounts import throttle
from accounts.addresses import client_address
from accounts.forms import BUSY, SignInForm
from accounts.models import User


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
