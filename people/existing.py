"""What there is on the floor now, for who writes a pattern: names to choose from, and how many it matches."""

from collections.abc import Iterable
from typing import Any, Final

import orjson
from django.conf import settings

from accounts.permissions import Aspect, Rule, Scope
from floor import hub
from floor.lenses import View

_OF: Final[dict[str, tuple[Aspect, str]]] = {
    "queue": ("queue", "name"),
    "room": ("conference", "name"),
    "extension": ("extension", "exten"),
}

_WHOLE: Final = View(frozenset(_OF))
"""Of what there is, whoever asks is shown the names that her own part has (``Floor.names``)."""


def pbxs() -> list[str]:
    """Those of the settings, and those that workers elsewhere tell of."""
    return sorted({*settings.PHOENIX_PBX_NAMES, *hub.current().pbxs(_WHOLE)})


class Floor:
    """The names of one moment, as far as this process has been told."""

    def __init__(self) -> None:
        self._names: dict[Aspect, set[tuple[str, str]]] = {
            "pbx": {(pbx, "") for pbx in pbxs()},
            "extension": set(),
            "queue": set(),
            "conference": set(),
        }
        now = hub.current()
        for pbx in now.pbxs(_WHOLE):
            entities: dict[str, dict[str, dict[str, Any]]] = orjson.loads(now.entities(pbx, _WHOLE, _WHOLE.kinds))
            for kind, (aspect, name) in _OF.items():
                self._names[aspect] |= {(pbx, str(fields[name])) for fields in entities.get(kind, {}).values()}

    def matched(self, rule: Rule) -> int:
        """How many of its kind it matches."""
        return sum(rule.covers(rule.aspect, pbx, name) for pbx, name in self._names[rule.aspect])

    def names(self, scope: Scope, aspects: Iterable[Aspect] = ("extension", "queue", "conference")) -> list[str]:
        """To choose from: those within a scope, each once."""
        return sorted(
            {name for aspect in aspects for pbx, name in self._names[aspect] if scope.covers(aspect, pbx, name)}
        )
