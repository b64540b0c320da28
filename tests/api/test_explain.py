"""Why may she, or can't she? Asked by who manages roles; answered by the PBX's worker, in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.test import AsyncClient

from accounts.models import User
from audit.models import Entry
from tests.api.stage import Floor, Program
from tests.conftest import member

pytestmark = pytest.mark.django_db(transaction=True)

ABOUT = "explain?user={}&verb={}&target={}"


async def test_why_not_and_why(program: Callable[..., Program], floor: Floor, alice: User, bob: User) -> None:
    floor.desk.talk()
    asks = program(alice)
    lead = await sync_to_async(member)("Dana", "Team lead")
    status, told = await asks.get(ABOUT.format("dana", "calls.whisper", "lab/a"))
    assert (status, told["allowed"], told["code"]) == (200, False, "no_right")
    assert told["words"] == "201 Name 201 → 101 Name 101"
    # By what people call it; and a supervisor who has no phone.
    told = (await asks.get(ABOUT.format("bob", "calls.whisper", "lab/101")))[1]
    assert (told["allowed"], told["code"]) == (False, "no_phone")
    assert told["reasons"][-1] == "No phone of the user is known on this PBX: it could not ring."
    await bob.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    told = (await asks.get(ABOUT.format("bob", "calls.whisper", "lab/101")))[1]
    assert (told["allowed"], told["code"]) == (True, "")
    told = (await asks.get(ABOUT.format("dana", "calls.listen", "lab/101")))[1]
    assert told["code"] == "hidden"
    await sync_to_async(lead.groups.clear)()
    assert (await asks.get(ABOUT.format("dana", "calls.listen", "lab/777")))[1]["code"] == "no_right"
    assert (await asks.get(ABOUT.format("bob", "calls.listen", "lab/777")))[1]["code"] == "gone"
    assert not floor.desk.link.posted, "nothing is done"
    assert not await Entry.objects.aexists(), "and nothing written"


async def test_who_may_not_ask(program: Callable[..., Program], floor: Floor, bob: User) -> None:
    status, told = await program(bob).get(ABOUT.format("bob", "calls.listen", "lab/a"))
    assert (status, told["code"]) == (403, "no_right")


async def test_what_is_not_there(program: Callable[..., Program], floor: Floor, alice: User) -> None:
    asks = program(alice)
    assert (await asks.get(ABOUT.format("nobody", "calls.listen", "lab/a")))[0] == 404
    assert (await asks.get(ABOUT.format("alice", "calls.nothing", "lab/a")))[0] == 422
    status, told = await asks.get(ABOUT.format("alice", "calls.listen", "elsewhere/a"))
    assert (status, told["code"]) == (404, "pbx_unknown")


async def test_who_explains_sees_no_further_than_her_own_part(
    program: Callable[..., Program], floor: Floor, alice: User, bob: User
) -> None:
    """Of a token that has not the whole floor, say."""
    floor.desk.talk()
    group = await Group.objects.aget(name="Admin")
    await group.permissions.aremove(*[p async for p in group.permissions.filter(codename="everywhere")])
    told = (await program(alice).get(ABOUT.format("bob", "calls.listen", "lab/a")))[1]
    # Nothing of that PBX is hers: there is none.
    assert told["code"] == "pbx_unknown"


async def test_the_page_says_it_of_the_live_call(floor: Floor, alice: User, bob: User) -> None:
    """The page's view has a thread of its own, and asks on the loop where the hub is."""
    floor.desk.talk()
    client = AsyncClient(headers={"accept-language": "en"})
    await client.aforce_login(alice)
    question = {"username": "bob", "verb": "calls.whisper", "pbx": "lab", "target": "101"}
    page = (await client.get("/people/explain/", question)).content.decode()
    assert "No phone of the user is known on this PBX" in page
    await bob.phones.acreate(pbx="lab", dial_string="PJSIP/900")
    page = (await client.get("/people/explain/", question)).content.decode()
    assert "She can<" in page
    page = (await client.get("/people/explain/", {**question, "target": "777"})).content.decode()
    assert "There is no such thing on the PBX now." in page
    page = (await client.get("/people/explain/", {**question, "pbx": "elsewhere"})).content.decode()
    assert "The panel knows no such PBX" in page
