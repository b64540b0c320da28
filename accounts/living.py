"""Which sessions are still good: not signed out, not expired, the user active, the password the one they began with.
And which tokens: not revoked, not expired, the user active. Both go by one key (`accounts.tokens.key_of`).

A socket must not outlive its session, nor its token. Sync ORM; in async code on a thread.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import tokens
from accounts.models import User
from accounts.permissions import UserSnapshot
from accounts.snapshots import user_snapshot


def living(keys: Iterable[str]) -> set[str]:
    """Those of the keys that are good now. Two queries for sessions and one for tokens, however many there are."""
    all_ = set(keys)
    of_tokens = {key for key in all_ if ":" in key}
    return _sessions(all_ - of_tokens) | _tokens(of_tokens)


def acting(user_id: int, key: str) -> UserSnapshot | None:
    """The user as she is now, with no more rights than what she came with grants; None if that has ended. ``key``: of
    a session or a token, "" for who needs none."""
    if not key:
        return user_snapshot(user_id)
    if ":" in key:
        token = tokens.good().filter(pk=key.partition(":")[2], user_id=user_id).first()
        user = user_snapshot(user_id) if token is not None else None
        return user.limited(frozenset(token.rights)) if user and token else None
    return user_snapshot(user_id) if _sessions({key}) else None


def _tokens(keys: set[str]) -> set[str]:
    ids = [key.partition(":")[2] for key in keys]
    return (
        {tokens.key_of(pk) for pk in tokens.good().filter(pk__in=ids).values_list("pk", flat=True)} if ids else set()
    )


def _sessions(keys: set[str]) -> set[str]:
    if not keys:
        return set()
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    data = {session.session_key: session.get_decoded() for session in sessions}
    ids = {int(values[SESSION_KEY]) for values in data.values() if SESSION_KEY in values}
    users = {str(user.pk): user for user in User.objects.filter(pk__in=ids, is_active=True)}
    return {key for key, values in data.items() if _good(values, users.get(str(values.get(SESSION_KEY))))}


def _good(values: dict[str, object], user: User | None) -> bool:
    if user is None or values.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return False
    began_with = str(values.get(HASH_SESSION_KEY, ""))
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(began_with, known) for known in hashes)
