"""A secret that nobody gave: made once, kept in a file that only its owner reads. No Django."""

import contextlib
import os
import secrets
from pathlib import Path


def make(path: Path) -> None:
    """A new secret (512 random bits) in `path`. Of two processes that make one at once, the first one's counts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64) + "\n")
    # A link appears whole or not at all, and fails if another process was first: then its key is the key.
    with contextlib.suppress(FileExistsError):
        os.link(whole, path)
    whole.unlink()
