"""The page of conferences."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def board(request: HttpRequest) -> HttpResponse:
    """Rooms and who is in them; they come over the socket."""
    if not request.user.has_perm("conferences.view"):
        raise PermissionDenied
    return render(request, "conferences/board.html")
