"""Django's SECRET_KEY when nobody gave one: made once, kept in a file that only its owner reads."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from audit import keyfile


def read_or_make(path: Path) -> str:
    """The key in `path`, made there if there is none; two processes that start at once get the same one."""
    try:
        if not path.exists():
            keyfile.make(path)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} can't be read or written ({error.strerror}): make its folder writable, or set SECRET_KEY."
        ) from None
    if len(key) < 50:
        raise ImproperlyConfigured(f"{path} is damaged: delete it (everybody signs in again), or set SECRET_KEY.")
    return key
