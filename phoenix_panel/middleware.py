"""Headers that Django and django-csp don't set, who may send us what, and the user's own time zone."""

import zoneinfo

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

HEADERS = {
    # The microphone is for whispering and barging in; nothing else of the machine is ours.
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class HeadersMiddleware(MiddlewareMixin):
    """`Permissions-Policy` and `Cross-Origin-Resource-Policy` everywhere, `no-store` on all that says nothing else.

    Pages show who talks to whom: neither a shared cache nor the browser's back button after signing out may show them.
    A view whose answer holds nothing of anybody (the words in jsi18n) sets its own `Cache-Control`.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class FetchMetadataMiddleware(MiddlewareMixin):
    """A browser says where a request comes from: a form, or a script's request, of another site is refused before any
    view. Beside the token in each form, which a page of a sub-domain could get around by setting cookies. Programs
    say nothing of the kind."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            return None
        if request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none"):
            return None
        return HttpResponse("This came from another site.\n", status=403, content_type="text/plain; charset=utf-8")


class TimeZoneMiddleware(MiddlewareMixin):
    """Times on the page are in the user's time zone, or in TIME_ZONE for who has none."""

    def process_request(self, request: HttpRequest) -> None:
        name = getattr(request.user, "time_zone", "") if request.user.is_authenticated else ""
        try:
            timezone.activate(zoneinfo.ZoneInfo(name)) if name else timezone.deactivate()
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            timezone.deactivate()
