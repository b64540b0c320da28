"""Who comes in: by a token in the `Authorization` header, and by nothing else. No cookie is ever looked at."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from ninja.security.base import AuthBase

from accounts.tokens import Bearer, TooMany, bearer, burn
from accounts.views import remote_address
from api.answers import Problem
from floor.consumers import BURST, COMMANDS_PER_S, Allowance

READS_PER_S: Final = 5.0
READS_BURST: Final = 20
"""Of one token in one process. A picture of 5,000 calls has 6 MB; who wants every change opens the stream."""

WAITING: Final = 10
"""Commands of one token that may be waited for at the same time. Each holds a thread here: Django's middleware is
not all async."""

LONGEST: Final = 16 * 1024
"""Bytes of one request's body. What an action takes is bounded at a quarter of it."""

TOKENS: Final = 1_000
"""Whose allowances are remembered; who was forgotten begins with a full one."""


class Door(AuthBase):
    openapi_type = "http"
    openapi_scheme = "bearer"

    async def __call__(self, request: HttpRequest) -> Bearer:
        query = request.META.get("QUERY_STRING", "")
        if "phx_" in query and await sync_to_async(burn)(query):
            detail = "A token came in the URL, which logs keep: it is revoked. Make another; send it as a header."
            raise Problem(400, "token_in_url", detail)
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(401, "no_token", "Send a token: Authorization: Bearer phx_…")
        found = await sync_to_async(bearer)(secret.strip(), remote_address(request))
        if isinstance(found, TooMany):
            raise Problem(429, "too_fast", "Too many tokens from this address were none.", wait=found.wait)
        if found is None:
            raise Problem(401, "no_token", "This token is unknown, revoked or expired.")
        if not allowances.of(found.token_id, request.method == "POST").take():
            raise Problem(429, "too_fast", "This token asks too often.", wait=1)
        if len(request.body) > LONGEST:
            raise Problem(413, "too_long", f"The body has more than {LONGEST} bytes.")
        return found


class Allowances:
    """What each token may still ask for, of either kind."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[int, bool], Allowance] = OrderedDict()
        self.waiting: dict[int, int] = {}
        """How many commands of each token are waited for now."""

    def of(self, token_id: int, commands: bool) -> Allowance:
        key = (token_id, commands)
        if key not in self._of:
            self._of[key] = Allowance(COMMANDS_PER_S, BURST) if commands else Allowance(READS_PER_S, READS_BURST)
            while len(self._of) > TOKENS:
                self._of.popitem(last=False)
        self._of.move_to_end(key)
        return self._of[key]


allowances = Allowances()


def who(request: HttpRequest) -> Bearer:
    """Whom the door let in."""
    found = request.auth  # type: ignore[attr-defined]  # ninja's
    assert isinstance(found, Bearer)
    return found
