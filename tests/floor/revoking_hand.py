"""An administrator's hand in a running panel's database: `python -m tests.floor.revoking_hand`, a JSON list a line.

`["make", cause, number]` makes users who see one call by one team of their own each, and says how they come in;
`["take", cause, user_id]` takes it from one of them, and says when that was done.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts import tokens  # noqa: E402
from accounts.models import Protected, Team, Token, User  # noqa: E402

SEEN = ("101", "201")
"""The extensions that each of their teams sees: the two of the call."""


def make(cause: str, number: int) -> list[dict[str, Any]]:
    return [_one(f"{cause}-{time.time_ns()}-{index}", by_token=cause.startswith("token")) for index in range(number)]


def _one(name: str, *, by_token: bool) -> dict[str, Any]:
    user = User(username=name)
    user.set_unusable_password()
    user.save()
    user.groups.add(Group.objects.get(name="Team lead"))
    team = Team.objects.create(name=name)
    team.members.add(user)
    for extension in SEEN:
        team.rules.create(aspect="extension", name=extension)
    if by_token:
        rights = frozenset({"calls.view", "calls.listen"})
        return {"id": user.pk, "token": tokens.make(user, "bench", rights, 1)[1]}
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"id": user.pk, "session": session.session_key, "cookie": settings.SESSION_COOKIE_NAME}


def _password(user: User) -> None:
    user.set_password("another one, twelve long")
    user.save()


def _end_session(user: User) -> None:
    for session in Session.objects.all():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def _deactivate(user: User) -> None:
    user.is_active = False
    user.save()


TAKE: dict[str, Callable[[User], object]] = {
    "password": _password,
    "session": _end_session,
    "deactivated": _deactivate,
    "deleted": User.delete,
    "role": lambda user: user.groups.clear(),
    "team": lambda user: user.teams.clear(),
    "rule": lambda user: user.teams.get().rules.all().delete(),
    "protected": lambda user: Protected.objects.create(pbx="lab", extension=SEEN[0]),
    "token revoked": lambda user: Token.objects.filter(user=user).update(revoked=timezone.now()),
    "token expired": lambda user: Token.objects.filter(user=user).update(expires=timezone.now()),
}


def take(cause: str, user_id: int) -> float:
    TAKE[cause](User.objects.get(pk=user_id))
    return time.time()


def give_back() -> None:
    """What is everybody's: nobody is protected."""
    Protected.objects.all().delete()


if __name__ == "__main__":
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(globals()[name](*arguments)), flush=True)
