"""What every page's template knows of the monitoring policy."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from accounts import policies


def unanswered(request: HttpRequest) -> dict[str, bool]:
    """``must_answer``: on a real PBX nobody has decided yet how people are told, and who looks may."""
    real = bool(settings.PHOENIX_PBXS or settings.PHOENIX_REDIS)
    user = getattr(request, "user", None)
    asked = real and user is not None and user.is_authenticated and user.has_perm("accounts.roles")
    return {"must_answer": asked and not policies.answered()}
