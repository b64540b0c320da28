"""A PBX's worker without the web around it, for benchmarks that are about nothing else."""

from __future__ import annotations

import os


def django() -> None:
    """Make the worker importable: its trail is a Django model, though nothing here is written to it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django as package

    package.setup()
