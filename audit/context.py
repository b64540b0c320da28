"""What every page's template knows of the audit."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from audit.views import own_numbers


def rail(request: HttpRequest) -> dict[str, object]:
    """``listened_to``: true where there is a page that shows who listened to this user."""
    user = getattr(request, "user", None)
    if user is None or not settings.PHOENIX_AUDIT_OWN:
        return {"listened_to": False}
    return {"listened_to": SimpleLazyObject(lambda: user.is_authenticated and bool(own_numbers(user)))}
