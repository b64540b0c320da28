"""Signing in, and one's own account. What django-allauth looks for by name is among them; of its other pages, none."""

from typing import Any

from allauth.account import views as allauth_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as code_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as passkey_views
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, path
from django.views.generic import RedirectView

from accounts import me, views
from accounts.stepup import View, recent

CONFIRM = "accounts/confirm.html"
own = recent(minutes=10)


def _own(view: Any, template: str) -> View:
    return login_required(own(view.as_view(template_name=template)))


urlpatterns: list[URLPattern] = [
    path("login/", views.SignIn.as_view(), name="login"),
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("login/passkey/", me.PasskeySignIn.as_view(), name="mfa_login_webauthn"),
    path(
        "login/second/",
        mfa_views.AuthenticateView.as_view(template_name="accounts/second.html"),
        name="mfa_authenticate",
    ),
    path("logout/", views.SignOut.as_view(), name="logout"),
    # who she is, once more
    path(
        "confirm/",
        allauth_views.ReauthenticateView.as_view(template_name=CONFIRM),
        name="account_reauthenticate",
    ),
    path("confirm/code/", mfa_views.ReauthenticateView.as_view(template_name=CONFIRM), name="mfa_reauthenticate"),
    path(
        "confirm/passkey/",
        me.PasskeyConfirm.as_view(template_name=CONFIRM),
        name="mfa_reauthenticate_webauthn",
    ),
    # her own account
    path("me/", me.account, name="account"),
    path("me/", me.account, name="mfa_index"),
    path("me/", me.account, name="mfa_list_webauthn"),
    path("me/password/", me.password, name="password"),
    path("me/sessions/end/", me.end_sessions, name="end_sessions"),
    path("me/app/", _own(me.ActivateApp, "accounts/app.html"), name="mfa_activate_totp"),
    path("me/app/remove/", _own(totp_views.DeactivateTOTPView, "accounts/remove.html"), name="mfa_deactivate_totp"),
    path("me/passkeys/add/", _own(passkey_views.AddWebAuthnView, "accounts/passkey.html"), name="mfa_add_webauthn"),
    path(
        "me/passkeys/<int:pk>/remove/",
        _own(passkey_views.RemoveWebAuthnView, "accounts/remove.html"),
        name="mfa_remove_webauthn",
    ),
    path("me/codes/", _own(code_views.ViewRecoveryCodesView, "accounts/codes.html"), name="mfa_view_recovery_codes"),
    path(
        "me/codes/new/",
        _own(code_views.GenerateRecoveryCodesView, "accounts/new_codes.html"),
        name="mfa_generate_recovery_codes",
    ),
    path("tokens/", views.token_page, name="tokens"),
    path("tokens/revoke/", views.revoke_token, name="revoke_token"),
    # how accounts begin
    path("invitation/<str:token>/", me.invitation, name="invitation"),
]

if settings.PHOENIX_OIDC is not None:
    from accounts import sso

    provider = {"provider_id": settings.PHOENIX_OIDC.id}
    urlpatterns += [
        path("sso/", sso.login, provider, name="openid_connect_login"),
        path("sso/again/", sso.again, provider, name="sso_again"),
        path("sso/callback/", sso.callback, provider, name="openid_connect_callback"),
        path("sso/cancelled/", RedirectView.as_view(pattern_name="login"), name="socialaccount_login_cancelled"),
    ]
