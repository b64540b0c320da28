"""Find the Debian mirror that this machine's own apt uses: we name none ourselves."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

APT = Path("/etc/apt")


@dataclass(frozen=True)
class Mirror:
    """One source of packages: where it is, and the key file that signs it ("" = apt's default keys)."""

    uri: str
    signed_by: str
    suites: tuple[str, ...]

    def options(self) -> str:
        """The bracketed options of a one-line source."""
        # Debian's archive ring holds the keys of old and coming suites as well.
        return f"[signed-by={self.signed_by}]" if self.signed_by else ""


def find_mirror(apt: Path = APT) -> Mirror | None:
    """The mirror of the distribution itself, or None. `$PHOENIX_LAB_MIRROR` overrides it.

    Of all sources the first one that carries this system's own release wins, security archives apart: they
    hold no whole suite, and third parties' archives hold no Asterisk.
    """
    named = os.environ.get("PHOENIX_LAB_MIRROR")
    if named:
        return Mirror(named, _default_key(), ())
    found = [source for source in _sources(apt) if "security" not in source.uri]
    release = _release()
    own = [source for source in found if release in source.suites]
    return next(iter(own or found), None)


def _default_key() -> str:
    ring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    return str(ring) if ring.exists() else ""


def _release() -> str:
    """This system's code name ("bookworm"), or "" when it does not say."""
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return ""
    match = re.search(r'^VERSION_CODENAME="?([\w-]+)', text, re.MULTILINE)
    return match.group(1) if match else ""


def _sources(apt: Path) -> Iterator[Mirror]:
    parts = apt / "sources.list.d"
    for path in sorted(parts.glob("*.sources")):
        for stanza in re.split(r"\n\s*\n", _read(path)):
            yield from _from_stanza(stanza)
    for path in (apt / "sources.list", *sorted(parts.glob("*.list"))):
        for line in _read(path).splitlines():
            yield from _from_line(line)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _from_stanza(stanza: str) -> Iterator[Mirror]:
    """One paragraph of a deb822 `.sources` file. An inline key has no file name, hence counts as none."""
    fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
    key = fields.get("Signed-By", "").strip()
    if fields.get("Enabled", "yes").strip() == "no" or "deb" not in fields.get("Types", "").split():
        return
    for uri in fields.get("URIs", "").split():
        yield Mirror(uri, key if key.startswith("/") else "", tuple(fields.get("Suites", "").split()))


def _from_line(line: str) -> Iterator[Mirror]:
    """One line of a `.list` file: `deb [options] uri suite component…`."""
    match = re.match(r"deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)", line.strip())
    if match:
        options = dict(part.partition("=")[::2] for part in shlex.split(match.group(1) or ""))
        yield Mirror(match.group(2), options.get("signed-by", ""), (match.group(3),))
