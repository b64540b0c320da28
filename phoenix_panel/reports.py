"""Browsers tell here when the content security policy stopped something: a fault of ours, or somebody's attempt."""

import json
import logging
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from floor.consumers import Allowance

log = logging.getLogger(__name__)

ADDRESS: Final = "/csp/"
TOLD: Final = ("effective-directive", "blocked-uri", "document-uri", "source-file", "line-number")
LONGEST: Final = 16 * 1024
"""Bytes; a browser's report has about 1,000."""

_allowance = Allowance(per_s=1 / 6, burst=20)
"""Of the whole process: anybody may send reports, and the log is for others too."""


class CspReportsMiddleware(MiddlewareMixin):
    """Takes them before any view: browsers send them by themselves, without a form's token. What comes of one is a
    line in the log, at most; no form can have its type."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        sent = (request.method, request.path, request.content_type)
        if sent != ("POST", ADDRESS, "application/csp-report"):
            return None
        if _allowance.take():
            log.warning("a browser stopped something that the policy forbids", extra=_told(request))
        return HttpResponse(status=204)


def _told(request: HttpRequest) -> dict[str, Any]:
    try:
        report = json.loads(request.body[:LONGEST])["csp-report"]
        return {name.replace("-", "_"): report[name] for name in TOLD if isinstance(report.get(name), str | int)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"report": "not readable"}
