"""Words for users: marked for translation, translated when they are shown.

What a feature declares takes them from this room and not from Django, so that a script that has no Django, or one
without settings, has the declarations all the same, in English.
"""

from __future__ import annotations

import os
from typing import TypeAlias

try:
    from django.conf import ENVIRONMENT_VARIABLE, settings

    if not (settings.configured or os.environ.get(ENVIRONMENT_VARIABLE)):
        raise ImportError("Django is there and has no settings: it translates nothing, and says so by raising")
    from django.utils.functional import Promise
    from django.utils.translation import gettext_lazy, pgettext_lazy
except ImportError:
    Promise = str  # type: ignore[misc, assignment]

    def gettext_lazy(message: str) -> str:  # type: ignore[misc]
        return message

    def pgettext_lazy(context: str, message: str) -> str:  # type: ignore[misc]
        return message


Words: TypeAlias = str | Promise
"""For a user: translated when it is shown."""

__all__ = ["Words", "gettext_lazy", "pgettext_lazy"]
