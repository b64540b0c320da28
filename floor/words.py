"""Words for users: marked for translation, translated when they are shown.

What a feature declares takes them from this room and not from Django, so that a script that has no Django has the
declarations all the same, in English.
"""

from __future__ import annotations

from typing import TypeAlias

try:
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
