"""Signing in by an identity provider (OpenID Connect), as the settings describe it."""

import hashlib
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from phoenix_panel.environment import Environment


@dataclass(frozen=True, slots=True)
class Oidc:
    issuer: str
    client_id: str
    secret: str
    name: str  # on the button
    claim: str  # which claim holds her groups
    roles: dict[str, str]  # {group there: role here}
    second_factor: bool  # it has asked for one: none of ours is asked of those whom it signs in

    @property
    def id(self) -> str:
        """What accounts are bound to, beside their `sub`: another issuer, even at the same host, is another one."""
        return "oidc-" + hashlib.sha256(self.issuer.encode()).hexdigest()[:24]

    def provider(self) -> dict[str, Any]:
        """As allauth wants it."""
        app = {
            "provider_id": self.id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.secret,
            "settings": {"server_url": self.issuer},
        }
        return {"openid_connect": {"APPS": [app], "OAUTH_PKCE_ENABLED": True}}


def read(env: Environment) -> Oidc | None:
    issuer = env.text("PHOENIX_OIDC_ISSUER").rstrip("/")
    if not issuer:
        return None
    parts = urlsplit(issuer)
    if not parts.hostname or (
        parts.scheme != "https"
        and (parts.scheme, parts.hostname) not in {("http", "localhost"), ("http", "127.0.0.1")}
    ):
        raise ImproperlyConfigured("PHOENIX_OIDC_ISSUER must look like https://idp.example.com/realms/office.")
    if find_spec("jwt") is None or find_spec("oauthlib") is None:
        raise ImproperlyConfigured("PHOENIX_OIDC_ISSUER needs more packages: pip install phoenix-panel[sso].")
    client_id, secret = env.text("PHOENIX_OIDC_CLIENT_ID"), env.text("PHOENIX_OIDC_SECRET")
    if not client_id or not secret:
        raise ImproperlyConfigured("PHOENIX_OIDC_ISSUER needs PHOENIX_OIDC_CLIENT_ID and PHOENIX_OIDC_SECRET.")
    return Oidc(
        issuer=issuer,
        client_id=client_id,
        secret=secret,
        name=env.text("PHOENIX_OIDC_NAME", "SSO") or "SSO",
        claim=env.text("PHOENIX_OIDC_GROUPS", "groups") or "groups",
        roles=_roles(env.text("PHOENIX_OIDC_ROLES")),
        second_factor=env.flag("PHOENIX_OIDC_MFA"),
    )


def _roles(text: str) -> dict[str, str]:
    """`group=Role; group=Role`. The role is after the last `=`: a directory's names of groups have some themselves."""
    found: dict[str, str] = {}
    for pair in re.split(r"[;\n]", text):
        group, role = (part.strip() for part in pair.rpartition("=")[::2])
        if group and role:
            found[group] = role
        elif pair.strip():
            raise ImproperlyConfigured("PHOENIX_OIDC_ROLES must look like panel-admins=Admin; panel-leads=Team lead.")
    if not found:
        raise ImproperlyConfigured("PHOENIX_OIDC_ISSUER needs PHOENIX_OIDC_ROLES: which of its groups is which role.")
    return found
