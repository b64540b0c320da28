"""Log lines: one line per event, JSON for machines, plain for a terminal; never a secret, never a forged line.

What is logged comes in part from strangers (caller IDs, user names, headers). Control characters are escaped, so that
no value can start a line of its own or drive a terminal; long values are cut; secrets are masked by key and in text.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

MASK = "•••"
MAX_VALUE = 256  # characters; enough for any identifier, short enough that one event can't flood a disk
MAX_MESSAGE = 2_000
MAX_TRACEBACK = 8_000  # its end is kept: that is where the error is

_SECRET_KEY = re.compile(r"secret|passw|authoriz|cookie|token|session_?key", re.IGNORECASE)
# In text: `ami://user:secret@host` (up to the last @, for a secret may hold one), `Secret: x`, `password=x`, and whole
# header lines of Authorization and Cookie, whose values have several words.
_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)\S*@", re.IGNORECASE)
_HEADER = re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE)
_PAIR = re.compile(
    r"\b([a-z_-]*(?:secret|password|passwd|token)[a-z_-]*)(['\"]?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;}]+)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\bphx_[a-z0-9]{8}_[A-Za-z0-9_-]{8,}")  # of the API: its beginning, which is no secret, stays
# C0, DEL, C1, and what some readers take for an end of line or that turns the order of the signs around.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def masked(text: str) -> str:
    """The text without the secrets that it shows."""
    text = _URL.sub(rf"\g<1>{MASK}@", text)
    text = _TOKEN.sub(lambda found: f"{found[0][:12]}_{MASK}", text)
    text = _HEADER.sub(rf"\g<1>\g<2>{MASK}", text)
    return _PAIR.sub(rf"\g<1>\g<2>{MASK}", text)


def one_line(text: str) -> str:
    """The text with every control character written as an escape, `\\r` and `\\n` included."""
    return _CONTROL.sub(lambda sign: sign[0].encode("unicode_escape").decode("ascii"), text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def _value(key: str, value: object) -> Any:
    if _SECRET_KEY.search(key):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _value(str(name), item) for name, item in list(value.items())[:32]}
    if isinstance(value, list | tuple | set | frozenset):
        return [_value("", item) for item in list(value)[:32]]
    return one_line(_cut(masked(str(value)), MAX_VALUE))


def _message(record: logging.LogRecord) -> str:
    return _cut(masked(record.getMessage()), MAX_MESSAGE)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller gave as `extra=`; Django's `request` object is left out (its headers hold the cookies)."""
    return {key: _value(key, item) for key, item in vars(record).items() if key not in _STANDARD and key != "request"}


class _Formatter(logging.Formatter):
    def traceback(self, record: logging.LogRecord) -> str:
        text = self.formatException(record.exc_info) if record.exc_info else (record.exc_text or "")
        if record.stack_info:
            text = f"{text}\n{record.stack_info}".strip()
        return masked(text)[-MAX_TRACEBACK:]


class JsonFormatter(_Formatter):
    """One JSON object a line: `t` (UTC, ISO 8601), `level`, `logger`, `message`, what came as extra, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "t": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": one_line(_message(record)),
        }
        line |= {key: value for key, value in _extra(record).items() if key not in line}
        if traceback := self.traceback(record):
            line["traceback"] = traceback
        # json escapes C0 and the quotes; the other signs that could break a line are escaped after it.
        return one_line(json.dumps(line, ensure_ascii=False, default=str))


class HumanFormatter(_Formatter):
    """`12:04:31 WARNING  ami.client  words  key=value`, in local time; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        extra = "".join(f"  {one_line(key)}={value}" for key, value in _extra(record).items())
        line = f"{time} {record.levelname:<8} {record.name}  {one_line(_message(record))}{extra}"
        traceback = self.traceback(record)
        return "\n".join([line, *(f"  {one_line(part)}" for part in traceback.splitlines())])


def plain_for_strangers(record: logging.LogRecord) -> bool:
    """A filter that keeps all, without the traceback of what Django refuses from strangers: an unknown host, a body
    too large, too many fields. The line says it; forty more for each request would fill a disk."""
    if record.name.startswith("django.security."):
        record.exc_info = record.exc_text = None
    return True


def config(*, level: str, human: bool) -> dict[str, Any]:
    """Django's `LOGGING`: everything to standard error."""
    formatter = HumanFormatter if human else JsonFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "filters": {"strangers": {"()": lambda: plain_for_strangers}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["strangers"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django gives these handlers of its own (a mail to the admins, and nothing without DEBUG).
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            "daphne": {"level": "WARNING"},  # at INFO it tells of its own parts
        },
    }
