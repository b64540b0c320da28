"""What every page's template knows of the floor."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def demo(request: HttpRequest) -> dict[str, bool]:
    """``demo``: made-up calls are among those that the pages show, and must be called so."""
    return {"demo": settings.PHOENIX_DEMO}
