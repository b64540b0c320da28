import math
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language as django_set_language

from accounts import firstrun, throttle, tokens
from accounts.addresses import client_address
from accounts.forms import BUSY, SignInForm, TokenForm
from accounts.models import Token, User
from accounts.rights import RIGHTS
from accounts.stepup import recent


def remote_address(request: HttpRequest) -> str:
    """Where the request came from; X-Forwarded-For only the part that PHOENIX_PROXIES says is our proxies'."""
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).encode("latin-1", "replace")
    peer = str(request.META.get("REMOTE_ADDR", ""))
    return client_address([(b"x-forwarded-for", forwarded)], peer, settings.PHOENIX_PROXIES)


def signed_in(request: HttpRequest) -> User:
    """Whom a view behind `login_required` has."""
    assert isinstance(request.user, User)
    return request.user


class SignIn(LoginView):
    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    wait = 0  # seconds for which this attempt is refused
    busy = False  # its password was not looked at: too many others are
    right = False  # it was the right one

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A new beginning: who has given a password and no second factor comes as somebody else, or another way."""
        clear_login(request)
        return super().get(request, *args, **kwargs)

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
        elif self.right:
            throttle.succeeded(attempt)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"wait_minutes": math.ceil(self.wait / 60)}

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        self.busy = form.has_error(NON_FIELD_ERRORS, BUSY)
        return super().form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponseBase:  # type: ignore[override]
        """The password was right: allauth asks for the second factor, if she has one, and signs her in."""
        self.right = True
        user = form.get_user()
        assert isinstance(user, User)
        login = Login(user=user, redirect_url=self.get_redirect_url() or None)
        response: HttpResponseBase = perform_password_login(self.request, {"username": user.get_username()}, login)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"nobody": firstrun.nobody()}


class SignOut(LogoutView):
    """POST only (Django's rule): a picture in a mail can't sign anybody out."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def token_page(request: HttpRequest) -> HttpResponseBase:
    """One's own tokens. A new one is shown in the answer to the form and never again."""
    return make_token(request) if request.method == "POST" else _tokens(request, TokenForm(signed_in(request)))


@recent(minutes=10)
def make_token(request: HttpRequest) -> HttpResponse:
    """Who finds a panel open must not take a year of it along."""
    form = TokenForm(signed_in(request), request.POST)
    made = form.make() if form.is_valid() else None
    return _tokens(request, TokenForm(signed_in(request)) if made else form, made)


def _tokens(request: HttpRequest, form: TokenForm, made: tuple[Token, str] | None = None) -> HttpResponse:
    held = [
        (token, [RIGHTS[right] for right in token.rights if right in RIGHTS])
        for token in tokens.good().filter(user=signed_in(request))
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


def set_language_cookie(response: HttpResponse, language: str) -> None:
    """As Django's own view sets it."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
