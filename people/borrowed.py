"""What the pages use of sign-in, audit and decisions, each by one thin function."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from accounts.models import User
from audit import trail
from audit.record import What, Who

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def changed(
    who: Who, verb: str, kind: str, key: int, words: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Into the audit, in the transaction of the change: of both the fields that differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    args = {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }
    trail.outcome(who, _what(verb, kind, key, words, args), "done")


def denied(who: Who, verb: str, code: str, words: str) -> None:
    trail.denied(who, _what(verb, "", 0, words, {}), code)


def _what(verb: str, kind: str, key: int, words: str, args: Mapping[str, Any]) -> What:
    return What(uuid4().hex, verb, target_kind=kind, target_key=str(key or ""), target_words=words, args=args)


def recent(view: View) -> View:
    """For who has lately said who she is."""
    return view


def second_factors() -> set[int] | None:
    """Who has one; None while nobody can."""
    return None


def link_for(user: User, request: HttpRequest | None) -> str:
    """The link by which she sets her own password."""
    path = f"/accounts/invited/{user.pk}/"
    return request.build_absolute_uri(path) if request is not None else path


def end_sessions(user: User) -> int:
    """How many there were."""
    held = [
        session.session_key
        for session in Session.objects.filter(expire_date__gt=timezone.now())
        if session.get_decoded().get(SESSION_KEY) == str(user.pk)
    ]
    return Session.objects.filter(session_key__in=held).delete()[0]
