"""What every page's template knows of the floor."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def demo(request: HttpRequest) -> dict[str, bool]:
    """``demo``: made-up calls are among those that the pages show, and must be called so.

    ``pbxs``: there is something to show. Where workers are processes of their own, they tell which PBXs there are.
    """
    return {"demo": settings.PHOENIX_DEMO, "pbxs": bool(settings.PHOENIX_PBX_NAMES or settings.PHOENIX_REDIS)}
