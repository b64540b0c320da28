"""A demo PBX whose phones do what a test says, and settings that name it ``lab``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from live.manners import Manners
from tests.demo.stages import DemoStage, demo_stage
from tests.shell.running import url


@pytest.fixture
def stage(settings: LazySettings) -> Iterator[DemoStage]:
    with demo_stage() as stage:
        settings.PHOENIX_PBXS = {"lab": url(stage)}
        settings.PHOENIX_MANNERS = {"lab": Manners(ring_s=2)}
        yield stage


@pytest.fixture
def talking(stage: DemoStage) -> DemoStage:
    """201 talks with 101."""
    stage.dial("201", "101")
    stage.answer("101")
    stage.quiet()
    return stage


@pytest.fixture
def conference(stage: DemoStage) -> DemoStage:
    """201 and 202 sit in 801."""
    stage.dial("201", "801")
    stage.dial("202", "801")
    stage.quiet()
    return stage
