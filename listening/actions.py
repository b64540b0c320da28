"""What the floor is told of this feature: nothing that a user does, but what a policy may want before it is done."""

from __future__ import annotations

import functools

from floor import registry
from listening.tone import Toner


def register(audio_host: str = "") -> None:
    """Let the floor have tones. ``audio_host``: where PBXs send sound to, see ``Toner``."""
    registry.TONES.append(functools.partial(Toner, host=audio_host))
