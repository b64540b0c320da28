"""Who acts from a shell, and how the audit has it."""

from __future__ import annotations

import dataclasses

from accounts.permissions import WHOLE_FLOOR, UserSnapshot
from audit.record import Outcome, Record, What, Who
from audit.trail import Trail
from switchboard import everything


class ShellBook:
    """The audit's trail, for the one who sits here.

    ``who`` without a user id is whoever has this shell, and with it the database and the secrets: he may do all. With
    one it is that user, with her rights and her phones, as they are when it is decided. ``phone``: (PBX, dial string)
    of what rings instead of hers; it is written down with the arguments.
    """

    def __init__(self, trail: Trail, who: Who, phone: tuple[str, str] | None = None) -> None:
        self._trail, self._who, self._phone = trail, who, phone

    async def begin(self, who: Who, what: What, session: str) -> tuple[Record | None, UserSnapshot | None]:
        earlier, user = await self._trail.begin(self._who, self._with_phone(what), session)
        if self._who.user_id is None:
            user = UserSnapshot(id=0, name=self._who.name, active=True, rights=everything(), scope=WHOLE_FLOOR)
        if user is not None and self._phone is not None:
            user = dataclasses.replace(user, phones=(self._phone,))
        return earlier, user

    async def end(self, who: Who, what: What, outcome_: Outcome, code: str, detail: str) -> None:
        await self._trail.end(self._who, self._with_phone(what), outcome_, code, detail)

    async def users(self, ids: set[int], phones: set[str], pbx: str) -> list[UserSnapshot]:
        return await self._trail.users(ids, phones, pbx)

    def _with_phone(self, what: What) -> What:
        if self._phone is None:
            return what
        return dataclasses.replace(what, args={**what.args, "phone": self._phone[1]})
