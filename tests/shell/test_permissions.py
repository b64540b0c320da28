"""`manage.py permissions explain`: the question, on a demo PBX."""

from __future__ import annotations

import json

import pytest
from django.conf import LazySettings

from accounts.models import User
from shell import DONE, NO_LINK, REFUSED, USAGE
from tests.demo.stages import DemoStage
from tests.shell.running import run

pytestmark = pytest.mark.django_db(transaction=True)


def test_why_and_why_not(talking: DemoStage, bob: User) -> None:
    no = run("permissions", "explain", "bob", "calls.whisper", "101")
    assert no.code == REFUSED
    assert no.out.startswith("no: calls.whisper 201 ")
    assert no.out.splitlines()[-1] == "  No phone of the user is known on this PBX: it could not ring."
    bob.phones.create(pbx="lab", dial_string="PJSIP/202")
    yes = run("permissions", "explain", "bob", "calls.whisper", "101", "--json")
    assert yes.code == DONE
    told = json.loads(yes.out)
    assert (told["allowed"], told["code"]) == (True, "")


def test_what_cannot_be_answered(talking: DemoStage, bob: User, settings: LazySettings) -> None:
    assert run("permissions", "explain", "nobody", "calls.whisper", "101").code == USAGE
    settings.PHOENIX_PBXS = {"lab": "ami://nobody:x@127.0.0.1:1"}
    assert run("permissions", "explain", "bob", "calls.whisper", "101").code == NO_LINK
