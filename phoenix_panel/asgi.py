"""The two doors: HTTP to Django, the WebSocket to the floor, for pages of our own origin only."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "phoenix_panel.settings")
_django = get_asgi_application()  # loads the apps: what follows needs them

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http.request import validate_host  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from floor.consumers import PanelConsumer  # noqa: E402

Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


def same_origin(scope: Scope) -> bool:
    """True if the page that opens the socket came from here: scheme, host and port.

    Channels' own validator compares the host alone, so any port and scheme of a host passes (measured), and a PBX's
    host often serves other web pages. Browsers always send Origin; who sends none or two is no browser of ours.
    """
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(origins) != 1 or len(hosts) != 1:
        return False
    origin, host = origins[0].decode("latin-1").lower(), hosts[0].decode("latin-1").lower()
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    scheme = {"ws": "http", "wss": "https"}[scope.get("scheme", "ws")]
    try:
        bare = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # `[`: strangers write what they like
        return False
    allowed = validate_host(f"[{bare}]" if ":" in bare else bare, settings.ALLOWED_HOSTS)
    return allowed and origin == f"{scheme}://{host}"


def token(scope: Scope) -> str | None:
    """What `Authorization: Bearer` says, None without it. No page can set it on a socket, so no Origin is asked for;
    and no cookie is looked at. (Browsers do send `Basic`, to a proxy that asks for a password.)"""
    for name, value in scope["headers"]:
        scheme, _, secret = str(value, "latin-1").partition(" ")
        if name == b"authorization" and scheme.lower() == "bearer":
            return secret.strip()
    return None


def never_waits(send: Any) -> bool:
    """True for a ``send`` that is done when it returns: Daphne's hands the message to Twisted, which buffers."""
    return getattr(getattr(send, "func", None), "__module__", "") == "daphne.server"  # the method's, ours inherits it


class OriginGate:
    """Turns away sockets that pages of other origins open."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if same_origin(scope):
            await self._app(scope, receive, send)
        else:
            await WebsocketDenier()(scope, receive, send)


class Gate:
    """Tells programs, who have a token, from pages, and the consumer what kind of server it has."""

    def __init__(self, pages: App, programs: App) -> None:
        self._pages, self._programs = pages, programs

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        scope = {**scope, "phoenix.send": send if never_waits(send) else None}
        said = token(scope)
        if said is None:
            await self._pages(scope, receive, send)
        else:
            await self._programs({**scope, "phoenix.token": said}, receive, send)


_sockets = URLRouter(
    [
        path("ws/panel/", PanelConsumer.as_asgi()),
        # Without it the router raises for every other address, and a stranger fills the log.
        re_path("", WebsocketDenier.as_asgi()),
    ]
)

application = ProtocolTypeRouter(
    {"http": _django, "websocket": Gate(OriginGate(AuthMiddlewareStack(_sockets)), _sockets)}
)
