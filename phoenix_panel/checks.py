"""What `manage.py check` (and so every start) says about settings that would let strangers in."""

from collections.abc import Sequence
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from packaging.version import Version

# The first versions without a hole that reaches this panel: daphne 4.2.2 bounded WebSocket messages and refused
# smuggled headers (CVE-2026-44545, CVE-2026-44546), 4.2.3 is its last fix; Django 5.2.19 is the last fixed 5.2.
FLOORS = {"daphne": "4.2.3", "Django": "5.2.19"}

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
