"""One's own account: password, second factor, sessions, language and time zone. And how accounts begin: by an
invitation, and the first one by who can read the server's terminal.
"""

from typing import Any

import qrcode
from allauth.account.internal.flows.password_change import finalize_password_change
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import LoginWebAuthnView, ReauthenticateWebAuthnView
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import firstrun, invitations, mfa, sessions
from accounts.forms import FirstForm, OwnForm, PasswordForm
from accounts.models import User
from accounts.stepup import recent
from accounts.views import set_language_cookie, signed_in


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    if mfa.missing(user):
        return render(request, "accounts/must.html")
    form = OwnForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_bound and form.is_valid():
        form.save()
        with translation.override(user.language):  # the next page is in it already
            messages.success(request, _("Saved."))
        response = redirect("account")
        set_language_cookie(response, user.language)
        return response
    held = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    one = {kind: next((a for a in held if a.type == kind), None) for kind in Authenticator.Type}
    codes = one[Authenticator.Type.RECOVERY_CODES]
    found = sessions.held(user)
    return render(
        request,
        "accounts/account.html",
        {
            "form": form,
            "app": one[Authenticator.Type.TOTP],
            "passkeys": [a for a in held if a.type == Authenticator.Type.WEBAUTHN],
            "codes_left": len(codes.wrap().get_unused_codes()) if codes is not None else 0,
            "codes": codes,
            "required": mfa.required(user),
            "sessions": found,
            "here": request.session.session_key,
            "others": any(session.key != request.session.session_key for session in found),
        },
    )


@login_required
@recent(minutes=10, keep=False)
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """A new one. All other sessions of hers end by it: they began with the old one."""
    user = signed_in(request)
    form = PasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        form.save()
        finalize_password_change(request, user)
        messages.success(request, _("Your password is changed. All your other sessions have ended."))
        return redirect("account")
    return render(request, "accounts/password.html", {"form": form})


@login_required
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """One of hers by its id, or all but this one. Another's is as one that never was."""
    which = request.POST.get("session", "")
    here = request.session.session_key or ""
    if which == "others":
        sessions.end(signed_in(request), but=here)
    elif which.isascii() and which.isdigit() and len(which) < 19:
        sessions.end(signed_in(request), only=[int(which)], but=here)
    return redirect("account")


class ActivateApp(ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        side, path = qr_path(context["totp_url"])
        secret = context["form"].secret
        spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        return context | {"side": side, "path": path, "secret": spaced}


class PasskeySignIn(LoginWebAuthnView):  # type: ignore[misc]
    def form_invalid(self, form: Any) -> HttpResponse:
        """allauth's own way out says nothing on our pages."""
        messages.error(self.request, _("That passkey is not known here."))
        return redirect("login")


class PasskeyConfirm(ReauthenticateWebAuthnView):  # type: ignore[misc]
    def form_invalid(self, form: Any) -> HttpResponse:
        messages.error(self.request, _("That passkey is not known here."))
        return redirect(self.request.get_full_path())


def qr_path(text: str) -> tuple[int, str]:
    """A QR code as the side of its square and the `d` of one SVG path, with the four empty modules that readers need
    around it."""
    code = qrcode.QRCode(border=4)
    code.add_data(text)
    code.make()
    rows = code.get_matrix()
    dots = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return len(rows), "".join(dots)


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """She sets her own password, and then signs in as always: with her second factor, if she has one."""
    user = invitations.whose(token)
    if user is None:
        return render(request, "accounts/no_invitation.html", status=404)
    form = PasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        # Once more, and now nobody else at the same time: of two who send the form at once, one is too late.
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            if invitations.whose(token) is None:
                return render(request, "accounts/no_invitation.html", status=404)
            form.save()
        return redirect("login")
    return render(request, "accounts/invitation.html", {"form": form, "name": user.get_username()})


@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, code: str) -> HttpResponseBase:
    """The first administrator. As if it weren't there for who has no code, and for all as soon as there is a user."""
    if not firstrun.good(code):
        raise Http404
    form = FirstForm(User(is_superuser=True), request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            role = Group.objects.select_for_update().get(name="Admin")
            if not firstrun.nobody():
                raise Http404
            form.save()
            form.user.groups.add(role)
        return redirect("login")
    return render(request, "accounts/setup.html", {"form": form})
