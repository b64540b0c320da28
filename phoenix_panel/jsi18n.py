"""The page's words: Django's JavaScript catalogue, made once per language and asked again only by its tag."""

import hashlib
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe
from django.views.i18n import JavaScriptCatalog


@cache
def _script(language: str) -> tuple[bytes, str]:
    """(script, its ETag). Catalogues are read at the start, so the script stays the same while the process lives."""
    request = HttpRequest()
    request.method = "GET"
    with override(language):
        answer = JavaScriptCatalog.as_view()(request)
    assert isinstance(answer, HttpResponse)
    script = answer.content
    return script, f'"{hashlib.sha256(script).hexdigest()[:32]}"'


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    script, tag = _script(get_language() or "en")
    response = HttpResponse(script, content_type="text/javascript; charset=utf-8")
    response["ETag"] = tag
    # The address is the same in every language: a browser may keep the script, and asks whether it is still the one.
    response["Cache-Control"] = "private, no-cache"
    conditional = get_conditional_response(request, etag=tag, response=response)
    assert isinstance(conditional, HttpResponse)
    return conditional
