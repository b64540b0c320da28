"""Which sessions are still good: not signed out, not expired, the user active, the password the one they began with.

A socket must not outlive its session. Sync ORM; in async code on a thread.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User


def living(keys: Iterable[str]) -> set[str]:
    """Those of the session keys that are good now. Two queries, however many there are."""
    sessions = Session.objects.filter(session_key__in=set(keys), expire_date__gt=timezone.now())
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
