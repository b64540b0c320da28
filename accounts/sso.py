"""Who comes by the identity provider: bound to its issuer and her `sub` there, her roles those of her groups."""

import logging
from collections.abc import Callable
from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe
from requests import RequestException

from accounts.models import User

log = logging.getLogger(__name__)


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True  # pre_social_login has seen her roles

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """A new account. Its name is the one there, or, where somebody has that already, one like it: never hers. No
        e-mail address is taken over: allauth would look for whom it is."""
        user = sociallogin.user
        assert isinstance(user, User)
        user.username = str(data.get("username") or "")[:100]
        user.display_name = str(data.get("name") or "")[:100]
        sociallogin.email_addresses = []
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """At each sign-in, before anything comes of it: is it her provider, and what is she now?"""
        oidc = settings.PHOENIX_OIDC
        assert oidc is not None  # there are no addresses to come by
        if sociallogin.state.get("process") != "login":
            raise _refused(request)
        claims = sociallogin.account.extra_data
        inside, asked = claims.get("id_token") or {}, claims.get("userinfo") or {}
        if inside.get("iss", "").rstrip("/") != oidc.issuer or asked.get("sub", inside.get("sub")) != inside.get(
            "sub"
        ):
            log.warning("the identity provider is not who the settings say, or answers for another user")
            raise _refused(request)
        said = inside.get(oidc.claim, asked.get(oidc.claim, []))
        groups = {str(group) for group in (said if isinstance(said, list) else [said])}
        roles = {role for group, role in oidc.roles.items() if group in groups}
        found = list(Group.objects.filter(name__in=roles))
        if sociallogin.is_existing:
            sociallogin.user.groups.set(found)
        if not found:
            log.info("the identity provider's user %s has no group that is a role here", sociallogin.account.uid)
            raise _refused(request)
        sociallogin.state["roles"] = [group.pk for group in found]

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        user = super().save_user(request, sociallogin, form)
        assert isinstance(user, User)
        user.groups.set(sociallogin.state["roles"])
        return user


def _refused(request: HttpRequest) -> ImmediateHttpResponse:
    clear_login(request)
    return ImmediateHttpResponse(render(request, "socialaccount/authentication_error.html", status=403))


@require_safe
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the provider. A link and no form: the CSP lets no form of ours lead to another site."""
    return _go(request, provider_id)


@login_required
@require_safe
def again(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To confirm who she is: the provider is to ask her, even if she is signed in there."""
    return _go(request, provider_id, auth_params="prompt=login")


def _go(request: HttpRequest, provider_id: str, **more: str) -> HttpResponse:
    # Of what a link says, only where to go afterwards: allauth would take from it whose account to connect.
    given = QueryDict(mutable=True)
    given.update({"next": request.GET.get("next", ""), "process": "login", **more})
    request.GET = given  # type: ignore[assignment]
    return _answered(request, views.login, provider_id)


@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _answered(request, views.callback, provider_id)


def _answered(
    request: HttpRequest, view: Callable[[HttpRequest, str], HttpResponse], provider_id: str
) -> HttpResponse:
    """The provider is asked where it has what, which allauth takes for granted that it answers."""
    try:
        return view(request, provider_id)
    except RequestException as error:
        log.warning("the identity provider does not answer: %s", error)
        return render(request, "socialaccount/authentication_error.html", status=503)
