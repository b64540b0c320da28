"""How long a session lives: SESSION_COOKIE_AGE after the last page was opened, PHOENIX_SESSION_DAYS in all; and which
ones are somebody's own."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from accounts.living import living
from accounts.models import User

_BEGAN = "began"  # when she signed in, whole seconds of Unix time
_MOVED = "moved"  # when the session's end was last moved on
# A write for each page would make each page wait for the disk: SQLite has one writer, and the audit needs it.
EVERY = 600  # seconds


class SlidingSessionMiddleware(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Moves the end of a signed-in session on, at most every ten minutes (a shorter life: every tenth of it)."""
        session = getattr(request, "session", None)
        # Not `accessed`: nothing was asked of the session, so nobody is known to be there.
        if session is None or not session.accessed or "_auth_user_id" not in session:
            return response
        now = int(time.time())
        if now - int(session.get(_MOVED, 0)) >= min(EVERY, settings.SESSION_COOKIE_AGE // 10):
            session[_MOVED] = now
            left = session.setdefault(_BEGAN, now) + settings.PHOENIX_SESSION_DAYS * 86_400 - now
            session.set_expiry(max(1, min(settings.SESSION_COOKIE_AGE, left)))
            UserSession.objects.create_from_request(request)  # seen now, from here
        return response


@dataclass(frozen=True, slots=True)
class Held:
    """A session of somebody's, for her list of them."""

    id: int
    key: str
    browser: str
    address: str
    began: datetime
    seen: datetime  # to ten minutes


def held(user: User) -> list[Held]:
    """Her sessions that are good now, the one seen last first."""
    found = list(UserSession.objects.filter(user=user).order_by("-last_seen_at"))
    good = living(session.session_key for session in found)
    return [
        Held(s.pk, s.session_key, browser(s.user_agent), s.ip, s.created_at, s.last_seen_at)
        for s in found
        if s.session_key in good
    ]


def end(user: User, *, only: Iterable[int] | None = None, but: str = "") -> int:
    """End her sessions: all, or `only` those ids, and never the one whose key is `but`. The next look of the
    guard closes their sockets. How many there were."""
    found = UserSession.objects.filter(user=user).exclude(session_key=but)
    if only is not None:
        found = found.filter(pk__in=list(only))
    keys = list(found.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    found.delete()
    return len(keys)


# In this order: each of these browsers says that it is the later ones too.
_BROWSERS = [("Edg", "Edge"), ("OPR/", "Opera"), ("YaBrowser", "Yandex"), ("Firefox/", "Firefox")]
_BROWSERS += [("Chrome/", "Chrome"), ("Safari/", "Safari")]
_SYSTEMS = [("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")]
_SYSTEMS += [("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")]


def browser(user_agent: str) -> str:
    """A browser's own words as people say them: `Firefox, Linux`."""
    named = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return ", ".join(filter(None, (named, system))) or _("Another program")
