"""Settings that one PBX may have of its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings


def setting(pbx: str, name: str) -> Any:
    """The value of this setting for this PBX: its own, else that for all."""
    return settings.PHOENIX_OWN.get(pbx, {}).get(name, getattr(settings, name))
