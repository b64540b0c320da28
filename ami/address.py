"""Where a PBX is, who we are there, and how the way to it is kept private."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote, urlsplit

DEFAULT_PORT = 5038
DEFAULT_TLS_PORT = 5039  # as in Asterisk's own manager.conf.sample


@dataclass(frozen=True, slots=True)
class Address:
    """``repr`` hides the secret.

    Without ``tls``, only this machine is spoken to, unless ``plaintext`` says otherwise: who can listen on the way has
    all that is told of callers, and who can change it has our rights. Raises ``ValueError``, one line that never shows
    the secret.

    ``tls`` checks certificate and host name. ``cafile``: the PEM file of the authority to trust, a self-signed
    certificate itself included; without one, the system's (OpenSSL's SSL_CERT_FILE names others).
    """

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    tls: bool = False
    plaintext: bool = False
    cafile: str = ""

    def __post_init__(self) -> None:
        if not self.tls and not self.plaintext and not _is_this_machine(self.host):
            raise ValueError(
                "ami:// to another machine is not encrypted: use amis:// (TLS), "
                "or add ?plaintext=yes when every network on the way is your own"
            )

    @classmethod
    def parse(cls, url: str) -> Self:
        """``ami://user:secret@host:5038``, or ``amis://`` for TLS; its port is 5039 unless given. IPv6 in brackets.

        ``?plaintext=yes`` may follow the one, ``?cafile=/path/of/ca.pem`` the other. Raises ``ValueError`` as above.
        """
        # Before urlsplit, which drops some of these in silence; and a user with a line feed is an attack.
        if any(ord(char) <= 32 or ord(char) == 127 for char in url):
            raise ValueError("the address has a blank or a control character in it: percent-encode it")
        try:
            parts = urlsplit(url)
            host, user, secret = parts.hostname, parts.username, parts.password
        except ValueError:
            # urlsplit's own words quote the address, secret and all.
            raise ValueError("the address is not of the form ami://user:secret@host:5038") from None
        if parts.scheme not in ("ami", "amis"):
            raise ValueError("the address must begin with ami:// or amis:// (TLS)")
        if parts.path not in ("", "/") or parts.fragment:
            raise ValueError("nothing may follow the port; in user and secret, percent-encode / ? and #")
        tls = parts.scheme == "amis"
        plaintext, cafile = _options(parts.query, tls)
        if not user or not secret:
            raise ValueError("the address needs user and secret: ami://user:secret@host:5038")
        if not host:
            raise ValueError("the address names no host")
        try:
            port = parts.port
        except ValueError:
            raise ValueError("the port is not a number from 1 to 65535") from None
        if port == 0:
            raise ValueError("the port is not a number from 1 to 65535")
        try:
            user, secret = unquote(user, errors="strict"), unquote(secret, errors="strict")
        except UnicodeDecodeError:
            raise ValueError("user or secret is percent-encoded from something else than UTF-8") from None
        if any(ord(char) < 32 or ord(char) == 127 for char in user):
            raise ValueError("the user has a control character in it")
        return cls(host, port or (DEFAULT_TLS_PORT if tls else DEFAULT_PORT), user, secret, tls, plaintext, cafile)

    def tls_context(self) -> ssl.SSLContext | None:
        """What the connection is checked by, or None without TLS. Reads ``cafile``: ``ValueError`` if that fails."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.cafile or None)
        except ssl.SSLError:
            raise ValueError(f"cafile: {self.cafile} holds no certificate in PEM") from None
        except OSError as error:
            raise ValueError(f"cafile: {self.cafile}: {error.strerror}") from None


def _options(query: str, tls: bool) -> tuple[bool, str]:
    """What follows the question mark: whether plain text is allowed, and the authority's file."""
    key, _, value = query.partition("=")
    if not query:
        return False, ""
    if key == "plaintext" and value == "yes" and not tls:
        return True, ""
    if key == "cafile" and value and tls:
        return False, unquote(value)
    raise ValueError(
        "after the port only ?plaintext=yes (ami) or ?cafile=FILE (amis) may follow; "
        "in user and secret, percent-encode / ? and #"
    )


def _is_this_machine(host: str) -> bool:
    if host == "localhost":  # no name below it: those are looked up in the DNS, which may answer anything
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
