from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from api.answers import Problem
from api.operations import api


def nowhere(request: HttpRequest) -> HttpResponse:
    return Problem(404, "no_such_address", "There is nothing at this address: see openapi.json.").response()


urlpatterns = [path("", api.urls), re_path("", nowhere)]
