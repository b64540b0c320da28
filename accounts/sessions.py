"""How long a session lives: SESSION_COOKIE_AGE after the last page was opened."""

import time

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

_MOVED = "moved"  # when the session's end was last moved on, whole seconds of Unix time
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
        return response
