"""Pages for what goes wrong before a view is reached, or in it."""

import logging

from django.core.exceptions import DisallowedHost
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render

from audit import asking, trail
from audit.chain import KeyMissing
from audit.record import What

log = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Says what to set when the panel is reached by a name it does not know: most often its owner stands before it."""
    unknown = isinstance(exception, DisallowedHost)
    host = split_domain_port(request.META.get("HTTP_HOST", ""))[0] if unknown else ""  # "" if it is no name at all
    return render(request, "400.html", {"unknown": unknown, "host": host}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Somebody signed in opens what her rights don't reach: denied, and written down."""
    try:
        asker = asking.who(request)
        if asker.user_id is not None and (count := asking.times("denied", asker.user_id, request.path)):
            what = What("", "page.open", target_kind="page", target_key=request.path, args={"times": count})
            trail.denied(asker, what, "no_right")
    except (Error, KeyMissing) as error:  # she sees nothing all the same
        log.error("a denial could not be written: %s", error)
    return render(request, "403.html", status=403)
