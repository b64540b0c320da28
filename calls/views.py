"""The page of live calls."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def board(request: HttpRequest) -> HttpResponse:
    """The table of live calls; its rows come over the socket."""
    if not request.user.has_perm("calls.view"):
        raise PermissionDenied
    return render(request, "calls/board.html")
