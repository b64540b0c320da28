"""Everything that the panel keeps works on a real PostgreSQL as it does on SQLite."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.postgres


def manage(url: str, var: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "PHOENIX_VAR": str(var), "PHOENIX_ENV_FILE": os.devnull}
        | {"DJANGO_SETTINGS_MODULE": "phoenix_panel.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout


def test_a_new_database_is_set_up(postgres_url: str, tmp_path: Path) -> None:
    manage(postgres_url, tmp_path, "migrate", "--no-input")
    assert "supervisor" in manage(postgres_url, tmp_path, "firstusers")
    assert manage(postgres_url, tmp_path, "firstusers") == ""
    manage(postgres_url, tmp_path, "migrate", "--check")
    folder = postgres_url.removeprefix("postgres://panel@/").rpartition("/")[0]
    with psycopg.connect(host=folder, user="panel", dbname="panel") as database:
        for statement in ("TRUNCATE audit_entry", "TRUNCATE accounts_user CASCADE"):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="only ever added"):
                database.execute(statement)
            database.rollback()


def test_accounts_and_audit_pass_there_too(postgres_url: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/audit",
            "tests/accounts/test_roles.py",
            "tests/accounts/test_commands.py",
            "tests/people/test_last_admin.py",
        ],
        cwd=ROOT,
        env={**os.environ, "PHOENIX_TEST_DATABASE_URL": postgres_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stdout[-6000:] + done.stderr[-2000:]
