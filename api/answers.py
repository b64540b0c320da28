"""What a program is answered: JSON, one form for what went wrong, and the HTTP status of each outcome."""

from __future__ import annotations

from typing import Any, Final

import orjson
from django.http import HttpResponse

from audit.record import Record


class Problem(Exception):
    """Raised anywhere below a view: the request ends with this status, and `{code, detail}`."""

    def __init__(self, status: int, code: str, detail: str, *, wait: int = 0) -> None:
        super().__init__(status, code, detail)
        self.status, self.code, self.detail, self.wait = status, code, detail, wait

    def response(self) -> HttpResponse:
        response = json(self.status, {"code": self.code, "detail": self.detail})
        if self.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="Phoenix Panel"'
        if self.wait:
            response.headers["Retry-After"] = str(self.wait)
        return response


def json(status: int, body: Any) -> HttpResponse:
    """`body` as JSON, or as it is where that is JSON already."""
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    return HttpResponse(text, status=status, content_type="application/json")


REFUSED: Final = {
    "no_right": 403,
    "scope": 403,
    "protected": 403,
    "gone": 404,
    "pbx_unknown": 404,
    "bad_command": 422,
    "too_fast": 429,
    "link_down": 503,
    "audit_unavailable": 503,
}
"""Status by code. Any other refusal, of a feature's own too, is about the state that things are in: 409."""

STATUS: Final = {"done": 200, "pending": 202, "unknown": 504}
"""An `unknown` may have been done: it is no success, and nobody who only looks at the status may take it for one."""


def outcome(result: dict[str, Any]) -> HttpResponse:
    """A result frame as an answer."""
    status = STATUS.get(result["outcome"]) or REFUSED.get(result["code"], 409)
    response = json(status, result)
    if status == 429:
        response.headers["Retry-After"] = "1"
    return response


def result(id_: str, verb: str, kind: str, key: str, outcome: str, code: str = "", detail: str = "") -> dict[str, Any]:
    """As the `result` frame of docs/frames.md."""
    return {
        "type": "result",
        "id": id_,
        "verb": verb,
        "target": {"kind": kind, "key": key},
        "outcome": outcome,
        "code": code,
        "detail": detail,
    }


def recorded(record: Record, given_up: bool) -> dict[str, Any]:
    """What the audit says of a command. `given_up`: nobody works on it any more, so no outcome means `unknown`."""
    what = record.what
    found, code = record.outcome or "pending", record.code
    if not record.outcome and given_up:
        found, code = "unknown", "not_proved"
    return result(what.command, what.verb, what.target_kind, what.target_key, found, code, record.detail)
