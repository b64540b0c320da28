"""Words for users: marked for translation, translated when they are shown.

What a feature declares takes them from this room and not from Django, so that a script that has no Django, or one
without settings, has the declarations all the same, in English.
"""

from __future__ import annotations

import os
from typing import Any, Final, TypeAlias

from accounts.permissions import Scope

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

_ = gettext_lazy

_ALL_OF: Final = {
    "pbx": _("everything"),
    "queue": _("all queues"),
    "conference": _("all conferences"),
    "extension": _("all extensions"),
}


def scope_words(scope: Scope) -> dict[str, Any]:
    """Which part of the floor somebody is shown, in the language that is active now: ``whole`` (it is all of it) and
    ``words``."""
    if scope.everywhere:
        return {"whole": True, "words": str(_("Whole floor"))}
    order = [*_ALL_OF]
    rules = sorted(scope.rules, key=lambda rule: (order.index(rule.aspect), rule.name, rule.pbx))
    named = [(rule.aspect, rule.pbx if rule.aspect == "pbx" else rule.name) for rule in rules]
    names = dict.fromkeys(str(_ALL_OF[aspect]) if name == "*" else name for aspect, name in named)
    words = str(_("My part: %(names)s")) % {"names": ", ".join(names)} if names else str(_("My part: nothing yet"))
    return {"whole": False, "words": words}


__all__ = ["Words", "gettext_lazy", "pgettext_lazy", "scope_words"]
