"""Every setting, read from the environment (and `.env` in the project's root) once, when the process starts.

A wrong value stops the start with one line that names the variable. Each `NAME` may be given as `NAME_FILE`, a file
that holds the value: that is how secrets stay out of `docker inspect` and of process lists.
"""

import ipaddress
import os
import sys
import tempfile
import zoneinfo
from pathlib import Path
from typing import Any

from accounts.monitoring_policy import PRESETS
from live import manners
from phoenix_panel import __version__, logs, pbxs, secret_key, sso
from phoenix_panel.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ, BASE_DIR / os.environ.get("PHOENIX_ENV_FILE", ".env"))
VAR_DIR = Path(env.text("PHOENIX_VAR") or BASE_DIR / "var").absolute()  # all that the panel writes itself

PHOENIX_VERSION = __version__  # pages learn from it that the panel was renewed under them
DEBUG = env.flag("PHOENIX_DEBUG")
HTTPS = env.flag("PHOENIX_HTTPS")  # browsers reach the panel by https: secure cookies, HSTS
SECRET_KEY = env.text("SECRET_KEY") or secret_key.read_or_make(VAR_DIR / "secret_key")

# The PBXs ------------------------------------------------------------------------------------------------------------

PHOENIX_PBXS: dict[str, str] = pbxs.read(env)  # {name: AMI address with its secret}
PHOENIX_RECORDERS: dict[str, str] = pbxs.recorders(env, PHOENIX_PBXS)  # {name: the account that may record}
PHOENIX_DEMO = pbxs.demo(env, PHOENIX_PBXS)  # whether the built-in demo PBX runs; alone when no PBX is named
PHOENIX_DEMO_ALONE = PHOENIX_DEMO and not PHOENIX_PBXS  # all that there is to see is made up
PHOENIX_PBX_NAMES = [*PHOENIX_PBXS, *([pbxs.DEMO] if PHOENIX_DEMO else [])]  # all that the pages show
PHOENIX_EXTENSIONS = env.pattern("PHOENIX_EXTENSIONS", manners.EXTENSIONS)
PHOENIX_TRUNKS = env.pattern("PHOENIX_TRUNKS", manners.TRUNKS)
PHOENIX_MANNERS = pbxs.manners(env, PHOENIX_PBX_NAMES)  # {name: how phones are rung there}

# How people are told that they are monitored, until the panel's own page says otherwise (docs/monitoring-and-law.md).
PHOENIX_MONITORING = env.choice("PHOENIX_MONITORING", "", {"": "", **{name: name for name in PRESETS}})
# Who is shown to be listening: the user by name, or what she is.
PHOENIX_MONITORING_SHOWS = env.choice("PHOENIX_MONITORING_SHOWS", "name", {"name": "name", "role": "role"})
# Where PBXs send sound to, an IP address of this machine; "": the one that a PBX's AMI connection comes from.
PHOENIX_AUDIO_HOST = env.checked(
    "PHOENIX_AUDIO_HOST", "", lambda text: text and ipaddress.ip_address(text), "an IP address"
)

# Who did what --------------------------------------------------------------------------------------------------------

PHOENIX_AUDIT_KEY = env.text("PHOENIX_AUDIT_KEY")  # what the audit's entries are sealed with; "" is that of this file
PHOENIX_AUDIT_KEY_PATH = VAR_DIR / "audit_key"
PHOENIX_AUDIT_HEADS = Path(env.text("PHOENIX_AUDIT_HEADS") or VAR_DIR / "audit-heads.jsonl").absolute()
PHOENIX_AUDIT_DAYS = env.number("PHOENIX_AUDIT_DAYS", 400, least=1, most=36500)  # PCI DSS 10.5.1 asks for a year
PHOENIX_AUDIT_OWN = env.flag("PHOENIX_AUDIT_OWN", True)  # everybody sees who listened to her own phone

# Where it is found ---------------------------------------------------------------------------------------------------

ALLOWED_HOSTS = env.words("PHOENIX_HOSTS", "localhost,127.0.0.1,[::1]")
# Whole origins, as browsers say them (`https://panel.example.com:8443`): for forms and the WebSocket behind a proxy.
CSRF_TRUSTED_ORIGINS = env.words("PHOENIX_ORIGINS") or [f"https://{host}" for host in ALLOWED_HOSTS if HTTPS]

# Proxies of ours before the panel: so many entries of X-Forwarded-For are believed, from the right.
PHOENIX_PROXIES = env.number("PHOENIX_PROXIES", 0, least=0, most=9)

ROOT_URLCONF = "phoenix_panel.urls"
ASGI_APPLICATION = "phoenix_panel.asgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "phoenix_panel",
    "accounts",
    "audit",
    "floor",
    "calls",
    "conferences",
    "queues",
    "listening",
    "people",
    "api",
]

PHOENIX_ADMIN = env.flag("PHOENIX_ADMIN")  # Django's own admin, for superusers: phoenix_panel.breakglass
if PHOENIX_ADMIN:
    INSTALLED_APPS.append("django.contrib.admin.apps.SimpleAdminConfig")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "phoenix_panel.middleware.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.sessions.SlidingSessionMiddleware",
    "accounts.mfa.Middleware",
    "phoenix_panel.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Last, so that what they answer themselves has the headers of the others.
    "phoenix_panel.middleware.FetchMetadataMiddleware",
    "phoenix_panel.reports.CspReportsMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "floor.context.demo",
                "listening.context.unanswered",
                "audit.context.rail",
                "accounts.context.signing_in",
            ],
        },
    },
]

# What it keeps -------------------------------------------------------------------------------------------------------

VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
_database = env.database("DATABASE_URL", f"sqlite:///{VAR_DIR / 'phoenix.sqlite3'}")
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "timeout": 2,  # seconds; a click must not wait longer for the audit than its own time to live
        # A transaction takes the write lock when it begins: one that turns writer later fails without waiting.
        "transaction_mode": "IMMEDIATE",
        # FULL: a commit is on the disk when it returns. The audit's intent must survive a power cut: the send follows.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=2000;",
    }
    # A file, since the audit writes from a thread of its own; one for each run, so that two runs don't meet.
    _database["TEST"] = {"NAME": str(Path(tempfile.gettempdir()) / f"phoenix-test-{os.getpid()}.sqlite3")}
else:
    _database["OPTIONS"] = {
        "connect_timeout": 3,  # seconds
        # A locked table is an answer after 2 s; no query of ours needs 10.
        "options": "-c lock_timeout=2000 -c statement_timeout=10000 -c idle_in_transaction_session_timeout=30000",
        **_database.get("OPTIONS", {}),
    }
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        # Counts of failed sign-ins live here: with the default 300 entries, 300 invented names would push them out.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# Between processes ---------------------------------------------------------------------------------------------------

PHOENIX_REDIS = env.redis("PHOENIX_REDIS")  # a URL with its secret, or "": everything in one process
# Two panels on one Redis need a prefix each: its databases (`/1` in the URL) don't part what is published.
PHOENIX_REDIS_PREFIX = env.word("PHOENIX_REDIS_PREFIX", "phx")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
if PHOENIX_REDIS:
    CHANNEL_LAYERS["default"] = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [
                {
                    "address": PHOENIX_REDIS,
                    # None: who listens waits as long as nothing is said. redis-py 8 would give up after 5 s.
                    "socket_timeout": None,
                    "socket_connect_timeout": 2,  # seconds
                    "socket_keepalive": True,
                    "max_connections": 500,
                }
            ],
            "prefix": PHOENIX_REDIS_PREFIX,
            # A command says who gives it: nobody may say so but processes of this panel.
            "symmetric_encryption_keys": [SECRET_KEY],
        },
    }

# Who may come in -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "calls:board"
LOGOUT_REDIRECT_URL = "login"
# By user name only; accounts.views.SignIn checks passwords, and counts who tries them. allauth does what comes after.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ACCOUNT_ADAPTER = "accounts.adapters.Account"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600  # seconds; accounts.stepup says so too
# Only what isn't counted elsewhere: codes, by user. With three codes good at a time, 30 guesses a day find one in
# thirty years. Only who knows the password can use them up.
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,30/d/key", "login": None, "reauthenticate": None}
MFA_ADAPTER = "accounts.adapters.Mfa"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Phoenix Panel"
MFA_TOTP_TOLERANCE = 1  # a code more before and after: telephones' clocks, and slow fingers
MFA_FORMS = {
    "authenticate": "accounts.mfa.CodeForm",
    "reauthenticate": "accounts.mfa.CodeAgainForm",
    "add_webauthn": "accounts.mfa.PasskeyForm",
}
# Whether a second factor is asked of those whose role says so. Not where there is nothing real to protect.
PHOENIX_MFA = env.choice("PHOENIX_MFA", "policy", {"policy": True, "off": False})
PHOENIX_MFA = PHOENIX_MFA and not PHOENIX_DEMO_ALONE

PHOENIX_OIDC = sso.read(env)  # the identity provider by which people may sign in too; None without one
if PHOENIX_OIDC is not None:
    INSTALLED_APPS += ["allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"]
    SOCIALACCOUNT_ADAPTER = "accounts.sso.Adapter"
    SOCIALACCOUNT_LOGIN_ON_GET = True  # accounts.sso.login says why
    SOCIALACCOUNT_PROVIDERS = PHOENIX_OIDC.provider()
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# `__Host-` binds a cookie to this host and to https; over plain http browsers don't store such a cookie at all.
_host = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{_host}phoenix"
CSRF_COOKIE_NAME = f"{_host}csrf"
LANGUAGE_COOKIE_NAME = "language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
# Signed out so long after the last page was opened. accounts.sessions moves it on, not more than every few minutes.
SESSION_COOKIE_AGE = 3600 * env.number("PHOENIX_SESSION_HOURS", 12, least=1, most=24 * 30)
SESSION_SAVE_EVERY_REQUEST = False
PHOENIX_SESSION_DAYS = env.number("PHOENIX_SESSION_DAYS", 7, least=1, most=365)  # and never longer than so

SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Django would have these of every site: HSTS for all sub-domains and in the browsers' own list (whose those are, we
# don't know), and a redirect to https (the proxy's, who alone knows how a request came).
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "security.W008"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # bytes; no form of ours comes near
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'"],
        "media-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["lit-html", "phoenix"],
        "report-uri": ["/csp/"],
    },
}

# Files for the browser -----------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "phoenix_panel.storage.HashedStaticFiles"},
}

# Words and times -----------------------------------------------------------------------------------------------------

USE_I18N = True
LANGUAGE_CODE = env.choice("PHOENIX_LANGUAGE", "en", {"en": "en", "ru": "ru"})
LANGUAGES = [("en", "English"), ("ru", "Русский")]  # each in itself: who looks for hers reads only hers
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True  # UTC inside; TIME_ZONE is for those who read
TIME_ZONE = env.checked("PHOENIX_TIME_ZONE", "UTC", zoneinfo.ZoneInfo, "a time zone's name, as in Europe/Kyiv")

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logs.config(
    level=env.choice(
        "PHOENIX_LOG_LEVEL",
        "info",
        {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR"},
    ),
    human=env.choice("PHOENIX_LOG_FORMAT", "auto", {"auto": sys.stderr.isatty(), "json": False, "human": True}),
)
