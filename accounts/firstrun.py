"""The first administrator: made by who reads what the server says at its start, not by a stranger who comes first."""

from typing import Final

from django.core import signing
from django.db import DatabaseError

from accounts.models import User

SALT: Final = "accounts.firstrun"
GOOD_S: Final = 24 * 3600  # each start says a new one


def nobody() -> bool:
    """There is no user at all."""
    return not User.objects.exists()


def code() -> str:
    """What lets set up the first one, while there is none; "" if there is one, or no database to ask."""
    try:
        return signing.dumps("first", salt=SALT) if nobody() else ""
    except DatabaseError:  # not migrated: that is said elsewhere
        return ""


def good(code: str) -> bool:
    """Any process that knows SECRET_KEY can tell. It is good once: afterwards there is somebody."""
    try:
        signing.loads(code, salt=SALT, max_age=GOOD_S)
    except signing.BadSignature:
        return False
    return nobody()
