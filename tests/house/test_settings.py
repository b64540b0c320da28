"""Settings come from the environment; a wrong one stops the start with one line that names it and shows no secret."""

import os
import runpy
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from live.manners import SEED, Manners
from phoenix_panel import checks, secret_key
from phoenix_panel.environment import Environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """settings.py as a fresh process with these variables would read it."""

    def fresh(**variables: str) -> dict[str, Any]:
        for name in list(os.environ):
            if name.startswith("PHOENIX_") or name in ("DATABASE_URL", "SECRET_KEY"):
                monkeypatch.delenv(name)
        monkeypatch.setenv("PHOENIX_ENV_FILE", os.devnull)
        monkeypatch.setenv("PHOENIX_VAR", str(tmp_path / "var"))
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "phoenix_panel" / "settings.py"))

    return fresh


PBX = "ami://panel:s3cret-word@192.0.2.10:5038?plaintext=yes"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PHOENIX_DEBUG", "maybe", "1 or 0"),
        ("PHOENIX_HTTPS", "si", "1 or 0"),
        ("PHOENIX_SESSION_HOURS", "0", "whole number from 1"),
        ("PHOENIX_SESSION_HOURS", "twelve", "whole number from 1"),
        ("PHOENIX_SESSION_HOURS", "١٢", "whole number from 1"),
        ("PHOENIX_SESSION_DAYS", "0", "whole number from 1"),
        ("PHOENIX_MFA", "no", "one of: policy, off"),
        ("PHOENIX_OIDC_ISSUER", "http://s3cret-word.example", "https://"),
        ("PHOENIX_OIDC_ISSUER", "https://idp.example", "PHOENIX_OIDC_CLIENT_ID"),
        ("PHOENIX_PROXIES", "-1", "whole number from 0"),
        ("PHOENIX_TIME_ZONE", "Mars/Olympus", "time zone"),
        ("PHOENIX_LANGUAGE", "tlh", "one of: en, ru"),
        ("PHOENIX_LOG_LEVEL", "loud", "one of: debug"),
        ("PHOENIX_LOG_FORMAT", "xml", "one of: auto"),
        ("PHOENIX_EXTENSIONS", "(", "regular expression"),
        ("PHOENIX_TRUNKS", "[", "regular expression"),
        ("PHOENIX_RING_SECONDS", "1", "whole number from 2"),
        ("PHOENIX_CALLER_LISTEN", 'a" <1>', "1 to 40 letters"),
        ("PHOENIX_CALLER_PICKUP", "Zoë", "1 to 40 letters"),
        ("DATABASE_URL", "mysql://root:s3cret-word@db/x", "must look like"),
        ("DATABASE_URL", "postgres://panel:s3cret-word@db:port/x", "must look like"),
        ("DATABASE_URL", "postgres://panel:s3cret-word@db", "must look like"),
        ("DATABASE_URL", "sqlite://", "must look like"),
        ("PHOENIX_PBX", "http://panel:s3cret-word@192.0.2.10", ""),
        ("PHOENIX_PBX", "s3cret-word", ""),
        ("PHOENIX_PBX", "ami://panel:s3cret-word@192.0.2.10:5038", "use amis:// (TLS), or add ?plaintext=yes"),
        ("PHOENIX_PBX", "amis://panel:s3cret-word@pbx.example?cafile=/no/such.pem", "cafile: /no/such.pem: No such"),
        ("PHOENIX_PBX_OFFICE", "ami://panel:s3cret-word@192.0.2.10:99999", ""),
        ("PHOENIX_PBX_" + "X" * 33, PBX, "1 to 32"),
        ("PHOENIX_PBX_", PBX, "1 to 32"),
        ("SECRET_KEY_FILE", "/no/such/file", "can't be read"),
        ("PHOENIX_REDIS", "s3cret-word", "must look like"),
        ("PHOENIX_REDIS", "http://:s3cret-word@redis", "must look like"),
        ("PHOENIX_REDIS", "redis://:s3cret-word@redis:port", "must look like"),
        ("PHOENIX_REDIS", "redis://:s3cret-word@redis/one", "must look like"),
        ("PHOENIX_REDIS", "redis://", "must look like"),
        ("PHOENIX_REDIS", "unix://", "must look like"),
        ("PHOENIX_REDIS_PREFIX", "a:b", "1 to 16"),
        ("PHOENIX_REDIS_FILE", "/no/such/file", "can't be read"),
    ],
)
def test_a_wrong_value_is_one_clear_line(name: str, value: str, words: str, read: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        read(**{name: value})
    said = str(caught.value)
    assert said.startswith(name)
    assert words in said
    assert "\n" not in said
    assert "s3cret-word" not in said
    assert caught.value.__cause__ is None
    # A cause would show the value in a traceback.
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_nothing_given_is_a_panel_on_this_machine(read: Any, tmp_path: Path) -> None:
    settings = read()
    assert settings["PHOENIX_PBXS"] == {}
    assert settings["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / "var" / "phoenix.sqlite3")
    assert not settings["DEBUG"]
    assert settings["PASSWORD_HASHERS"][0] == "accounts.hashers.Argon2"
    assert settings["SESSION_COOKIE_NAME"] == "phoenix"
    assert read()["SECRET_KEY"] == settings["SECRET_KEY"]
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_how_phones_are_rung_is_the_seeds_way_for_all_or_for_one(read: Any) -> None:
    assert read()["PHOENIX_MANNERS"] == {"demo": SEED}
    two = {"PHOENIX_PBX_OFFICE": PBX, "PHOENIX_PBX_PLANT": PBX}
    settings = read(**two, PHOENIX_RING_SECONDS="20", PHOENIX_CALLER_LISTEN="Ear", PHOENIX_CALLER_LISTEN_PLANT="Ohr")
    assert settings["PHOENIX_MANNERS"] == {
        "office": Manners(ring_s=20, listen="Ear"),
        "plant": Manners(ring_s=20, listen="Ohr"),
    }
    with pytest.raises(ImproperlyConfigured, match="PHOENIX_RING_SECONDS_PLANT must"):
        read(**two, PHOENIX_RING_SECONDS_PLANT="0")


def test_https_closes_the_cookies(read: Any) -> None:
    settings = read(PHOENIX_HTTPS="1", PHOENIX_HOSTS="panel.example.com")
    for name in ("SESSION", "CSRF"):
        assert settings[f"{name}_COOKIE_NAME"].startswith("__Host-")
        assert settings[f"{name}_COOKIE_SECURE"]
        assert settings[f"{name}_COOKIE_HTTPONLY"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://panel.example.com"]
    assert settings["SECURE_HSTS_SECONDS"] >= 31_536_000


def test_pbxs_by_name(read: Any) -> None:
    settings = read(
        PHOENIX_PBX=PBX,
        PHOENIX_PBX_OFFICE=PBX,
        PHOENIX_PBX_Branch_2=PBX,
        PHOENIX_PBX_OFFICE_REC=PBX.replace("panel", "recorder"),
        PHOENIX_PBX_EMPTY="",
    )
    assert settings["PHOENIX_PBXS"] == {"pbx": PBX, "office": PBX, "branch_2": PBX}
    assert settings["PHOENIX_RECORDERS"] == {"office": PBX.replace("panel", "recorder")}


@pytest.mark.parametrize(
    ("given", "runs"),
    [
        ({}, True),
        ({"PHOENIX_DEMO": "0"}, False),
        ({"PHOENIX_REDIS": "redis://r"}, False),
        ({"PHOENIX_PBX": PBX}, False),
        ({"PHOENIX_PBX": PBX, "PHOENIX_DEMO": "1"}, True),
    ],
)
def test_the_demo_runs_alone_or_when_asked_for(read: Any, given: dict[str, str], runs: bool) -> None:
    settings = read(**given)
    assert settings["PHOENIX_DEMO"] is runs
    named = ["pbx"] if "PHOENIX_PBX" in given else []
    assert settings["PHOENIX_PBX_NAMES"] == named + (["demo"] if runs else [])


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, False),
        ({"PHOENIX_PBX": PBX}, True),
        ({"PHOENIX_PBX": PBX, "PHOENIX_DEMO": "1"}, True),
        ({"PHOENIX_REDIS": "redis://r"}, True),
        ({"PHOENIX_DEMO": "0"}, True),
        ({"PHOENIX_PBX": PBX, "PHOENIX_MFA": "off"}, False),
    ],
)
def test_a_second_factor_is_asked_as_roles_say_where_a_pbx_is_real(
    read: Any, given: dict[str, str], asked: bool
) -> None:
    assert read(**given)["PHOENIX_MFA"] is asked


def test_a_pbx_named_demo_and_the_demo(read: Any) -> None:
    assert read(PHOENIX_PBX_DEMO=PBX)["PHOENIX_PBX_NAMES"] == ["demo"]
    with pytest.raises(ImproperlyConfigured, match="PHOENIX_PBX_DEMO"):
        read(PHOENIX_PBX_DEMO=PBX, PHOENIX_DEMO="1")


def test_two_variables_for_one_pbx(read: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="there already"):
        read(PHOENIX_PBX=PBX, PHOENIX_PBX_PBX=PBX)


def test_secrets_from_files(read: Any, tmp_path: Path) -> None:
    (tmp_path / "pbx").write_text(PBX + "\n")
    (tmp_path / "key").write_text("k" * 60 + "\n")
    settings = read(PHOENIX_PBX_OFFICE_FILE=str(tmp_path / "pbx"), SECRET_KEY_FILE=str(tmp_path / "key"))
    assert settings["PHOENIX_PBXS"] == {"office": PBX}
    assert settings["SECRET_KEY"] == "k" * 60


@pytest.mark.parametrize(
    "url", ["redis://:s3cret@r:6380/1", "rediss://u:p@r", "unix:///run/redis.sock", "redis://[::1]"]
)
def test_redis_is_for_commands_that_nobody_keeps(url: str, read: Any, tmp_path: Path) -> None:
    (tmp_path / "redis").write_text(url + "\n")
    settings = read(PHOENIX_REDIS_FILE=str(tmp_path / "redis"))
    layer = settings["CHANNEL_LAYERS"]["default"]
    assert layer["BACKEND"] == "channels_redis.pubsub.RedisPubSubChannelLayer"
    (host,) = layer["CONFIG"]["hosts"]
    assert (host["address"], host["socket_timeout"]) == (url, None)
    assert host["max_connections"] >= 500
    assert layer["CONFIG"]["symmetric_encryption_keys"] == [settings["SECRET_KEY"]]
    assert read()["CHANNEL_LAYERS"]["default"]["BACKEND"] == "channels.layers.InMemoryChannelLayer"


def test_postgresql(read: Any) -> None:
    database = read(DATABASE_URL="postgres://panel:p%40ss@db.example/floor")["DATABASES"]["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["USER"], database["PASSWORD"], database["NAME"]) == (
        "db.example",
        "panel",
        "p@ss",
        "floor",
    )
    assert database["OPTIONS"]["connect_timeout"] == 3


def test_a_dotenv_file_gives_what_the_environment_does_not(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('# comment\nA="from file"\nB=from file\nexport C=$5:@/#x\n', encoding="utf-8")
    before = dict(os.environ)
    env = Environment({"B": "from environment"}, tmp_path / ".env")
    assert (env.text("A"), env.text("B"), env.text("C")) == ("from file", "from environment", "$5:@/#x")
    assert os.environ == before  # a child process doesn't inherit what only we were told


@pytest.mark.parametrize(
    ("channel", "outside"),
    [
        ("PJSIP/trunk-00000001", True),
        ("PJSIP/sip-provider-00000001", True),
        ("SIP/Gateway2-0000000a", True),
        ("DAHDI/i1/5551234-1", True),
        ("PJSIP/101-00000001", False),
        ("DAHDI/3-1", False),
        ("Local/101@from-internal-00000001;2", False),
        ("PJSIP/anna-00000001", False),
    ],
)
def test_trunks_by_their_names(channel: str, outside: bool, read: Any) -> None:
    assert bool(read()["PHOENIX_TRUNKS"].search(channel)) is outside


def test_two_processes_that_start_at_once_make_one_key(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from phoenix_panel.secret_key import *; print(read_or_make(pathlib.Path(sys.argv[1])))"
    )
    path = tmp_path / "deep" / "secret_key"
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], cwd=ROOT, stdout=subprocess.PIPE) for _ in range(6)
    ]
    keys = {process.communicate()[0] for process in started}
    assert len(keys) == 1
    assert len(keys.pop()) > 64
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


def test_a_damaged_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(ImproperlyConfigured, match="damaged"):
        secret_key.read_or_make(tmp_path / "secret_key")


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"ALLOWED_HOSTS": ["*"]}, ["phoenix.E001"]),
        ({"ALLOWED_HOSTS": ["*"], "DEBUG": True}, []),
        ({"CSRF_TRUSTED_ORIGINS": ["https://*.example.com"], "HTTPS": True}, ["phoenix.E002"]),
        ({"CSRF_TRUSTED_ORIGINS": ["panel.example.com"]}, ["phoenix.E002"]),
        ({"CSRF_TRUSTED_ORIGINS": ["https://panel.example.com"]}, ["phoenix.W001"]),
        ({"SECRET_KEY": "django-insecure-" + "abcdefghijklmnopqrstuvwxyz0123456789"}, ["phoenix.E003"]),
        ({"SECRET_KEY": "x" * 64}, ["phoenix.E003"]),
        ({"SECRET_KEY": "too short"}, ["phoenix.E003"]),
        (
            {"CHANNEL_LAYERS": {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}}},
            ["phoenix.E005"],
        ),
    ],
)
def test_checks(changes: dict[str, Any], ids: list[str], settings: Any) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    ran = (checks.check_hosts, checks.check_secret, checks.check_versions, checks.check_https, checks.check_layer)
    assert [message.id for check in ran for message in check(None)] == ids


WAY = "ami://panel:Zk3vTq8Lw2Xs@192.0.2.10?plaintext=yes"


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"PHOENIX_PBXS": {"pbx": "amis://panel:Zk3vTq8Lw2Xs@192.0.2.10"}}, []),
        ({"PHOENIX_PBXS": {"pbx": "ami://panel:Zk3vTq8Lw2Xs@127.0.0.1"}}, []),
        ({"PHOENIX_PBXS": {"pbx": WAY}}, ["phoenix.W002"]),
        ({"PHOENIX_RECORDERS": {"pbx": WAY}}, ["phoenix.W002"]),
        ({"PHOENIX_PBXS": {"pbx": "ami://admin:amp111@127.0.0.1"}}, ["phoenix.W003"]),
        ({"PHOENIX_PBXS": {"pbx": "ami://phoenix-panel-1:Phoenix-Panel-1@127.0.0.1"}}, ["phoenix.W003"]),
        ({"ALLOWED_HOSTS": ["panel.example"]}, ["phoenix.W004"]),
        ({"ALLOWED_HOSTS": ["panel.example"], "HTTPS": True}, ["phoenix.W005"]),
        ({"ALLOWED_HOSTS": ["panel.example"], "HTTPS": True, "PHOENIX_PROXIES": 1}, []),
        ({"ALLOWED_HOSTS": ["192.0.2.7"], "DEBUG": True}, ["phoenix.W004", "phoenix.E006"]),
        ({"ALLOWED_HOSTS": ["localhost", "[::1]"], "DEBUG": True}, []),
    ],
)
def test_checks_before_others_come(changes: dict[str, Any], ids: list[str], settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    for name, value in changes.items():
        setattr(settings, name, value)
    found = [message for check in (checks.check_pbxs, checks.check_way) for message in check(None)]
    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)
    assert not any(secret in message.msg for message in found for secret in ("amp111", "Zk3vTq8Lw2Xs"))


@pytest.mark.parametrize("name", ["secret_key", "audit_key"])
def test_a_key_that_others_can_read(name: str, tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    key = tmp_path / name
    key.write_text("x")
    key.chmod(0o600)
    assert checks.check_keys(None) == []
    key.chmod(0o640)
    assert [message.id for message in checks.check_keys(None)] == ["phoenix.E007"]


def deployed(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("PHOENIX_")}
    given |= {"DJANGO_SETTINGS_MODULE": "phoenix_panel.settings", "PHOENIX_VAR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**given, "PHOENIX_ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_panel_that_is_set_up_well_has_nothing_to_be_told(tmp_path: Path) -> None:
    """Django's own checks included; and one that is not is told all of it at once."""
    good = {"PHOENIX_HOSTS": "panel.example", "PHOENIX_HTTPS": "1", "PHOENIX_PROXIES": "1"}
    done = deployed(tmp_path, **good, PHOENIX_PBX="amis://panel:Zk3vTq8Lw2Xs@pbx.example")
    assert done.returncode == 0, done.stderr
    done = deployed(tmp_path, PHOENIX_HOSTS="*", PHOENIX_DEBUG="1", PHOENIX_PBX="ami://x:x@192.0.2.1?plaintext=yes")
    assert done.returncode
    assert all(f"phoenix.{id_}" in done.stderr for id_ in ("W002", "W003", "W004", "E006"))


def test_a_version_with_holes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.FLOORS, "daphne", "99.0")
    assert [message.id for message in checks.check_versions(None)] == ["phoenix.E004"]


def test_manage_py_says_it_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "phoenix_panel.settings"}
        | {"PHOENIX_VAR": str(tmp_path), "PHOENIX_ENV_FILE": os.devnull, "PHOENIX_PBX": "ami://x:s3cret-word@h:0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "PHOENIX_PBX" in done.stderr.strip().splitlines()[-1]
    assert "s3cret-word" not in done.stderr + done.stdout
