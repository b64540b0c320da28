"""What the templates of signing in know."""

from django.conf import settings
from django.http import HttpRequest


def signing_in(request: HttpRequest) -> dict[str, str | bool]:
    """``sso``: what the identity provider is called, "" without one. ``demo_alone``: all that there is to see is made
    up, so that nobody is asked for a second factor."""
    return {
        "sso": settings.PHOENIX_OIDC.name if settings.PHOENIX_OIDC is not None else "",
        "demo_alone": settings.PHOENIX_DEMO_ALONE,
    }
