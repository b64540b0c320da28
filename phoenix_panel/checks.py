"""What `manage.py check` (and so every start) says about settings that would let strangers in; and `check --deploy`,
before the panel is shown to others, about what is right for trying it out only."""

import stat
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from packaging.version import Version

from ami.address import Address
from phoenix_panel.environment import is_loopback

# The first versions without a hole that reaches this panel, as known on 2026-11-23: daphne 4.2.2 bounded WebSocket
# messages and refused smuggled headers (CVE-2026-44545, CVE-2026-44546), 4.2.3 is its last fix; Django 5.2.19 is the
# last fixed 5.2. Of channels and channels_redis the ones that all this was tried with.
FLOORS = {"daphne": "4.2.3", "Django": "5.2.19", "channels": "4.3.2", "channels_redis": "4.3.0"}

# Fragments of keys that documentation, templates and tutorials show.
KNOWN_SECRETS = (
    "django-insecure",
    "changeme",
    "change-me",
    "change_me",
    "secret_key",
    "your-secret",
    "example",
    "insecure",
)

# AMI secrets that PBX distributions, documentation and tutorials show; FreePBX's is the second.
KNOWN_AMI_SECRETS = frozenset(
    {
        "amp111",
        "mysecret",
        "secret",
        "password",
        "admin",
        "asterisk",
        "manager",
        "phoenix",
        "changeme",
        "mark",
        "12345",
    }
)
SHORTEST_AMI_SECRET = 12
"""Signs: AMI takes as many guesses a second as it is given."""


@register
def check_hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A `*` would let a hostile page that points its name at the panel (DNS rebinding) act as the user."""
    if settings.DEBUG:
        return []
    found: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "PHOENIX_HOSTS holds *.", hint="Name the hosts by which browsers reach the panel.", id="phoenix.E001"
            )
        )
    found += [
        Error(
            "PHOENIX_ORIGINS must hold whole origins, without *.",
            hint="As in https://panel.example.com or https://panel.example.com:8443.",
            id="phoenix.E002",
        )
        for origin in settings.CSRF_TRUSTED_ORIGINS
        if "*" in origin or urlsplit(origin).scheme not in ("http", "https") or urlsplit(origin).path
    ][:1]
    return found


@register
def check_secret(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Who knows SECRET_KEY signs sessions: anybody's."""
    key = settings.SECRET_KEY
    if len(key) >= 50 and len(set(key)) >= 10 and not any(known in key.lower() for known in KNOWN_SECRETS):
        return []
    return [
        Error(
            "SECRET_KEY is short or well known.",
            hint="Leave it out: the panel makes one. Or give 50 random characters.",
            id="phoenix.E003",
        )
    ]


@register
def check_versions(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{name} {metadata.version(name)} has known holes.",
            hint=f"Install {name} {floor} or later: pip install -r requirements.txt.",
            id="phoenix.E004",
        )
        for name, floor in FLOORS.items()
        if Version(metadata.version(name)) < Version(floor)
    ]


@register
def check_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Origins say https while cookies would go out over http as well: the two settings belong together."""
    if settings.HTTPS or not any(origin.startswith("https://") for origin in settings.CSRF_TRUSTED_ORIGINS):
        return []
    return [
        Warning(
            "PHOENIX_ORIGINS says https, PHOENIX_HTTPS is not set.",
            hint="Set PHOENIX_HTTPS=1: secure cookies, HSTS.",
            id="phoenix.W001",
        )
    ]


@register
def check_layer(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The other Redis layer of channels_redis keeps what nobody reads: a click could be done a minute late."""
    if not settings.CHANNEL_LAYERS["default"]["BACKEND"].startswith("channels_redis.core."):
        return []
    return [
        Error(
            "CHANNEL_LAYERS names channels_redis.core, which keeps commands for workers that are gone.",
            hint="Set PHOENIX_REDIS, and leave CHANNEL_LAYERS to the panel: it takes channels_redis.pubsub.",
            id="phoenix.E005",
        )
    ]


@register(deploy=True)
def check_pbxs(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Who reads the way to a PBX, or guesses its secret, has the panel's rights there."""
    found: list[CheckMessage] = []
    for name, url in _accounts():
        address = Address.parse(url)
        if not address.tls and not is_loopback(address.host):
            found.append(
                Warning(
                    f"The PBX {name} is reached without encryption.",
                    hint="amis:// and tlsenable = yes in its manager.conf; or a network that is your own all the way.",
                    id="phoenix.W002",
                )
            )
        secret = address.secret.casefold()
        if len(secret) < SHORTEST_AMI_SECRET or secret in KNOWN_AMI_SECRETS or secret == address.user.casefold():
            found.append(
                Warning(
                    f"The AMI secret of the PBX {name} is short or well known.",
                    hint="Give its account in manager.conf 20 random letters and digits.",
                    id="phoenix.W003",
                )
            )
    return found


def _accounts() -> list[tuple[str, str]]:
    recorders = [(f"{name} (recording)", url) for name, url in settings.PHOENIX_RECORDERS.items()]
    return [*settings.PHOENIX_PBXS.items(), *recorders]


@register(deploy=True)
def check_way(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """How browsers come: nothing of it matters while they come from this machine alone."""
    if all(is_loopback(host) for host in settings.ALLOWED_HOSTS):
        return []
    found: list[CheckMessage] = []
    if not settings.HTTPS:
        found.append(
            Warning(
                "Browsers of other machines come without https: who listens on the way has their sessions.",
                hint="A proxy with a certificate before the panel; PHOENIX_HTTPS=1, PHOENIX_PROXIES=1.",
                id="phoenix.W004",
            )
        )
    elif not settings.PHOENIX_PROXIES:
        # Daphne is run without TLS of its own: who has https has a proxy.
        found.append(
            Warning(
                "PHOENIX_HTTPS is set and PHOENIX_PROXIES is not: all browsers seem to have the proxy's address.",
                hint="PHOENIX_PROXIES=1, or as many proxies as there are: limits and audit go by addresses.",
                id="phoenix.W005",
            )
        )
    if settings.DEBUG:
        found.append(
            Error(
                "PHOENIX_DEBUG is on for other machines: its pages show settings and source.",
                hint="Leave it out.",
                id="phoenix.E006",
            )
        )
    return found


@register(deploy=True)
def check_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Keys in files are for the panel's own user: who reads one signs sessions, or a trail that was never written."""
    return [
        Error(
            f"{path} can be read by others.",
            hint=f"chmod 600 {path}",
            id="phoenix.E007",
        )
        for path in (Path(settings.VAR_DIR) / name for name in ("secret_key", "audit_key"))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
