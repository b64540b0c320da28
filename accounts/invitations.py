"""Links by which somebody sets her own password: an invitation (72 h), or a new one for who has forgotten hers (1 h).

Nobody else ever chooses or learns it. Nothing is stored: a link holds who, since when, and a hash of her password as
it was, all signed, so that it is good once. It signs nobody in: the second factor is asked as always.
"""

from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User

INVITED_S: Final = 72 * 3600
FORGOTTEN_S: Final = 3600
SALT: Final = "accounts.invitations"


def link_for(user: User, request: HttpRequest | None = None) -> str:
    """The whole address, for her alone. An invitation that she has not used ends every earlier one of hers. Without a
    request, the panel's address is what the settings say of it."""
    if not user.has_usable_password():
        user.set_unusable_password()  # another one: earlier invitations don't fit it
        user.save(update_fields=["password"])
    token = signing.dumps([user.pk, _state(user)], salt=SALT)
    path = reverse("invitation", args=[token])
    return request.build_absolute_uri(path) if request is not None else origin() + path


def whose(token: str) -> User | None:
    """Whose link it is; None if it is none, or was used, or is too old, or she may not come in."""
    try:
        pk, state = signing.loads(token, salt=SALT, max_age=INVITED_S)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or not constant_time_compare(state, _state(user)):
        return None
    if user.has_usable_password():
        try:
            signing.loads(token, salt=SALT, max_age=FORGOTTEN_S)
        except signing.SignatureExpired:
            return None
    return user


def origin() -> str:
    """How browsers reach the panel, as far as the settings tell."""
    if settings.CSRF_TRUSTED_ORIGINS:
        return str(settings.CSRF_TRUSTED_ORIGINS[0])
    return f"http://{settings.ALLOWED_HOSTS[0]}:8000"


def _state(user: User) -> str:
    """Changes with her password, and when she signs in: who has found it again needs no link."""
    return salted_hmac(SALT, f"{user.password}\0{user.last_login}", algorithm="sha256").hexdigest()[:32]
