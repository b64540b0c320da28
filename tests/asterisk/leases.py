"""A listening whose target is moved to somebody outside its owner's scope: by phones, by another AMI client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group

from accounts.models import Protected, Team, User
from tests.asterisk.desk import Desk
from tests.conftest import member
from tests.lab.checker import Checker
from tests.lab.instance import Asterisk
from tests.lab.phones import Call, Phone

AGENT, CUSTOMER, SECOND, BOSS, OWN = "101", "201", "102", "901", "900"
"""She may listen to 10x and 20x; the boss is nobody of hers."""

ROOM = "801"


def lead() -> User:
    """A team lead of 10x and 20x, whose phone is 900. Sync ORM."""
    user = member("Lea", "Team lead")
    user.phones.create(pbx="lab", dial_string=f"PJSIP/{OWN}")
    team = Team.objects.create(name="Tens")
    team.members.add(user)
    for name in ("10?", "20?"):
        team.rules.create(aspect="extension", pbx="lab", name=name)
    return user


class Leases:
    """The phones, the desk, and one listening after the other. Use as an async context manager."""

    def __init__(self, asterisk: Asterisk, owner: User) -> None:
        self.asterisk, self.owner = asterisk, owner
        self._phones: dict[str, Phone] = {}
        self.desk: Desk

    async def __aenter__(self) -> Self:
        def open_() -> None:
            for extension in (AGENT, CUSTOMER, SECOND, BOSS, OWN):
                phone = Phone(self.asterisk.sip_address(extension), extension, answer=0.01)
                self._phones[extension] = phone

        self._other = await asyncio.to_thread(Checker, self.asterisk)
        await asyncio.to_thread(open_)
        self.desk = await Desk(self.asterisk, user_id=self.owner.pk, monitored=True).__aenter__()
        await self.desk.live()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.desk.__aexit__(kind, error, trace)
        for phone in self._phones.values():
            await asyncio.to_thread(phone.close)
        self._other.close()

    async def listening(self) -> Call:
        """201 has called 101, and she listens at 101's leg; the call at her phone."""

        def talk() -> None:
            self.outgoing = self._phones[CUSTOMER].call(AGENT).wait_up()
            self.incoming = self._phones[AGENT].wait_incoming().wait_up()

        await asyncio.to_thread(talk)
        await self.desk.page.until(lambda: self.desk.page.calls("talking"))
        (key,) = self.desk.page.calls("talking")
        answer = await self.desk.click("calls.listen", key, self.owner.pk)
        assert (answer["outcome"], answer["code"]) == ("done", ""), answer
        await self.desk.page.until(lambda: self.desk.page.spies)
        return await asyncio.to_thread(lambda: self._phones[OWN].wait_incoming().wait_up())

    @property
    def spy(self) -> dict[str, Any]:
        (spy,) = self.desk.page.spies.values()
        return spy

    @property
    def heard(self) -> str:
        """Uniqueid of the leg that is listened to: the agent's."""
        return str(self.spy["party"]).partition("/")[2]

    async def ended(self, ear: Call, deed: Callable[[], Any]) -> float:
        """Seconds from the moment before the deed until her phone was let go."""
        began = time.monotonic()
        await asyncio.gather(asyncio.to_thread(deed), asyncio.to_thread(ear.wait_ended))
        return time.monotonic() - began

    async def clear(self) -> None:
        """Nobody is on the line."""
        for phone in self._phones.values():
            await asyncio.to_thread(phone.hangup)
        await asyncio.to_thread(self._other.hangup_all)
        page = self.desk.page
        await page.until(lambda: not page.spies and all(call["phase"] == "ended" for call in page.calls().values()))

    # --- what is done to 101

    def blind(self, to: str = BOSS) -> None:
        """The customer's phone sends it away."""
        self.outgoing.refer(to)

    def attended(self, to: str = BOSS) -> None:
        """The customer's phone has asked another one first, and joins the two."""
        second = self._phones[CUSTOMER].call(to).wait_up()
        self.outgoing.refer_to(second)

    def redirect(self, to: str = BOSS) -> None:
        """Another AMI client sends it to an extension."""
        self._other.action("Redirect", Channel=self.heard, Context="from-internal", Exten=to, Priority=1)

    def merge(self) -> None:
        """Another AMI client sends it into the room where the boss is."""
        self._phones[BOSS].call(ROOM).wait_up()
        self._other.wait_event("ConfbridgeJoin", Conference=ROOM)
        self.redirect(ROOM)

    def joined(self) -> None:
        """It sits in an empty room, and then the boss comes."""
        self.redirect(ROOM)
        self._other.wait_event("ConfbridgeJoin", Conference=ROOM, Uniqueid=self.heard)
        self._phones[BOSS].call(ROOM)


MOVES: tuple[str, ...] = ("blind", "attended", "redirect", "merge", "joined")


async def take_right(owner: User) -> None:
    await sync_to_async(owner.groups.clear)()


async def deactivate(owner: User) -> None:
    await User.objects.filter(pk=owner.pk).aupdate(is_active=False)


async def narrow(owner: User) -> None:
    """Her team's rules are others now."""
    team = await Team.objects.aget(members=owner)
    await team.rules.filter(name="10?").adelete()


async def leave_team(owner: User) -> None:
    await sync_to_async(owner.teams.clear)()


async def protect(owner: User) -> None:
    await Protected.objects.acreate(pbx="lab", extension=AGENT)


TAKEN: dict[str, Callable[[User], Awaitable[None]]] = {
    "role": take_right,
    "account": deactivate,
    "rule": narrow,
    "team": leave_team,
    "protected": protect,
}
"""What is taken from her while she listens."""


async def give_back(owner: User) -> None:
    """All of it."""
    await User.objects.filter(pk=owner.pk).aupdate(is_active=True)
    await owner.groups.aadd(await Group.objects.aget(name="Team lead"))
    team = await Team.objects.aget(name="Tens")
    await owner.teams.aadd(team)
    await team.rules.aget_or_create(aspect="extension", pbx="lab", name="10?")
    await Protected.objects.all().adelete()
