"""The one door to the environment: what the process was given, and `.env` beside it, read once.

Every reader raises `ImproperlyConfigured` with one line that names the variable and says what would be right. It never
repeats a value: any of them may hold a secret.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

Value = TypeVar("Value")

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"", "0", "false", "no", "off"})

# Other database engines would start, and then fail at the first lock: only these two are tested.
DATABASES = {"sqlite": "django.db.backends.sqlite3", "postgres": "django.db.backends.postgresql"}
DATABASES["postgresql"] = DATABASES["postgres"]


def is_loopback(host: str) -> bool:
    """A name or an address of this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Environment:
    """Variables by name; `NAME_FILE` names a file that holds the value of `NAME` (and wins over it)."""

    def __init__(self, variables: Mapping[str, str], dotenv: Path | None = None) -> None:
        class Reader(Env):  # type: ignore[misc]  # django-environ has no types
            ENVIRON = dict(variables)

        if dotenv is not None and dotenv.is_file():
            try:
                Reader.read_env(dotenv)
            except UnicodeDecodeError:
                raise ImproperlyConfigured(f"{dotenv.name} must be UTF-8 text.") from None
        self.variables: dict[str, str] = Reader.ENVIRON

    def names(self, prefix: str) -> list[str]:
        """Names of the variables that begin with `prefix`, sorted, `_FILE` variants under their plain name."""
        return sorted({name.removesuffix("_FILE") for name in self.variables if name.startswith(prefix)})

    def text(self, name: str, default: str = "") -> str:
        file = self.variables.get(f"{name}_FILE", "")
        if file:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not UTF-8 text"
                raise ImproperlyConfigured(f"{name}_FILE: its file can't be read ({reason}).") from None
        return self.variables.get(name, default).strip()

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value not in YES | NO:
            raise ImproperlyConfigured(f"{name} must be 1 or 0.")
        return value in YES

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,12}", value) or not least <= int(value) <= most:
            raise ImproperlyConfigured(f"{name} must be a whole number from {least} to {most}.")
        return int(value)

    def words(self, name: str, default: str = "") -> list[str]:
        """A list, its items parted by commas or white space."""
        return [word for word in re.split(r"[\s,]+", self.text(name, default)) if word]

    def choice(self, name: str, default: str, choices: Mapping[str, Value]) -> Value:
        value = self.text(name, default)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} must be one of: {', '.join(choices)}.")
        return choices[value]

    def pattern(self, name: str, default: str) -> re.Pattern[str]:
        try:
            return re.compile(self.text(name, default) or default)
        except re.error as error:
            raise ImproperlyConfigured(f"{name} must be a regular expression: {error}.") from None

    def word(self, name: str, default: str) -> str:
        """A short name: 1 to 16 small letters, digits, _ or -."""
        value = self.text(name, default)
        if not re.fullmatch(r"[a-z0-9_-]{1,16}", value):
            raise ImproperlyConfigured(f"{name} must have 1 to 16 small letters, digits, _ or -.")
        return value

    def redis(self, name: str) -> str:
        """A `redis://`, `rediss://` (TLS) or `unix://` URL; "" if there is none."""
        url = self.text(name)
        if not url:
            return ""
        wanted = f"{name} must look like redis://:secret@host:6379/0, rediss://… (TLS) or unix:///path/to/socket."
        try:
            parts = urlsplit(url)
            there = parts.path.strip("/") if parts.scheme == "unix" else parts.hostname
            number = parts.path.strip("/") if parts.scheme != "unix" else ""
            good = parts.scheme in ("redis", "rediss", "unix") and there and (not number or number.isdecimal())
            good = good and parts.port != 0  # reading it raises where it is no number
        except ValueError:
            good = False
        if not good:
            raise ImproperlyConfigured(wanted)
        return url

    def matching(self, name: str, default: str, wanted: str, pattern: str) -> str:
        """The text, if all of it matches; `wanted` says in words what it has to be."""
        value = self.text(name, default)
        if not re.fullmatch(pattern, value):
            raise ImproperlyConfigured(f"{name} has {wanted}.")
        return value

    def checked(self, name: str, default: str, check: Callable[[str], object], wanted: str) -> str:
        """The text, if `check` raises nothing for it; `wanted` says in words what it should be."""
        value = self.text(name, default)
        try:
            check(value)
        except Exception:  # noqa: BLE001  # whatever a checker raises, the answer to the user is the same
            raise ImproperlyConfigured(f"{name} must be {wanted}.") from None
        return value

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's `DATABASES` entry for a `sqlite:///file` or `postgres://user:password@host/name` URL."""
        url = self.text(name) or default
        engine = DATABASES.get(url.partition(":")[0])
        wanted = f"{name} must look like sqlite:////var/lib/panel.sqlite3 or postgres://user:password@host/name."
        if engine is None:
            raise ImproperlyConfigured(wanted)
        try:
            config: dict[str, Any] = dict(Env.db_url_config(url, engine=engine))
        except Exception:  # noqa: BLE001  # django-environ raises what urllib raises; the URL holds a password
            raise ImproperlyConfigured(wanted) from None
        if not config.get("NAME") or config["NAME"] == ":memory:":
            raise ImproperlyConfigured(wanted)
        return config
