"""Who came, who went, and who was not let in, from Django's own signals."""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from audit import asking, trail


@receiver(user_logged_in, dispatch_uid="audit.signs")
def came(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What can't be written isn't done: the error ends the request, and the session is not kept."""
    trail.signed(asking.who(request, user), "sign.in")


@receiver(user_logged_out, dispatch_uid="audit.signs")
def went(sender: object, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        trail.signed(asking.who(request, user), "sign.out")


@receiver([password_changed, password_reset, password_set], dispatch_uid="audit.signs.password")
def password(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    trail.signed(asking.who(request, user), "sign.password")


@receiver([authenticator_added, authenticator_reset], dispatch_uid="audit.signs.factor")
def set_up(sender: object, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    trail.signed(asking.who(request, user), "sign.factor_set", factor=str(authenticator.type))


@receiver(authenticator_removed, dispatch_uid="audit.signs.factor_gone")
def removed(sender: object, request: HttpRequest, user: User, authenticator: Any, **kwargs: Any) -> None:
    trail.signed(asking.who(request, user), "sign.factor_removed", factor=str(authenticator.type))


@receiver(user_login_failed, dispatch_uid="audit.signs")
def failed(sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    """A name that nobody has is not written: people type their passwords there."""
    if request is None:
        return  # a program tried, not a person
    user = User.objects.filter(username=credentials.get("username", "")).first()
    asker = asking.who(request, user)
    if count := asking.times("failed", asker.user_id, asker.address):
        trail.signed(asker, "sign.failed", "no_entry", times=count)
