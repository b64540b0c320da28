"""The panel's own settings, whatever this machine's environment or `.env` says, and static files without a build.

PHOENIX_TEST_DATABASE_URL puts the tests on another database than a SQLite file of their own.
"""

import atexit
import os
import shutil
import tempfile

_database = os.environ.get("PHOENIX_TEST_DATABASE_URL", "")
for _name in list(os.environ):
    if _name.startswith("PHOENIX_") or _name.removesuffix("_FILE") in ("DATABASE_URL", "SECRET_KEY"):
        del os.environ[_name]
os.environ["PHOENIX_ENV_FILE"] = os.devnull
os.environ["PHOENIX_VAR"] = tempfile.mkdtemp(prefix="phoenix-test-")
os.mkdir(os.path.join(os.environ["PHOENIX_VAR"], "static"))
atexit.register(shutil.rmtree, os.environ["PHOENIX_VAR"], ignore_errors=True)
if _database:
    os.environ["DATABASE_URL"] = _database

from phoenix_panel.settings import *  # noqa: E402, F403

# {% static %} gives plain names here: the hashed ones exist only after collectstatic, which has a test of its own.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]
