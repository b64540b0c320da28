"""Pages for what goes wrong before a view is reached."""

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Says what to set when the panel is reached by a name it does not know: most often its owner stands before it."""
    unknown = isinstance(exception, DisallowedHost)
    host = split_domain_port(request.META.get("HTTP_HOST", ""))[0] if unknown else ""  # "" if it is no name at all
    return render(request, "400.html", {"unknown": unknown, "host": host}, status=400)
