"""Django's SECRET_KEY when nobody gave one: made once, kept in a file that only its owner reads."""

import contextlib
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_or_make(path: Path) -> str:
    """The key in `path`, made there if there is none; two processes that start at once get the same one."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} can't be read or written ({error.strerror}): make its folder writable, or set SECRET_KEY."
        ) from None
    if len(key) < 50:
        raise ImproperlyConfigured(f"{path} is damaged: delete it (everybody signs in again), or set SECRET_KEY.")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64) + "\n")
    # A link appears whole or not at all, and fails if another process was first: then its key is the key.
    with contextlib.suppress(FileExistsError):
        os.link(whole, path)
    whole.unlink()
