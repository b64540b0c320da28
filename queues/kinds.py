"""What of queues is told to whom."""

from __future__ import annotations

from floor import registry
from floor.registry import Kind


def register() -> None:
    for name in ("queue", "member", "waiting"):
        registry.register_kind(Kind(name, right="queues.view"))
