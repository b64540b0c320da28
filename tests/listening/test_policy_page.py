"""The page of the monitoring policy and its command: who may, what is kept, what the audit says."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import policies
from accounts.models import Team, User
from accounts.monitoring_policy import MODES, PRESETS, Policy
from audit.models import Entry
from tests.conftest import member

pytestmark = pytest.mark.django_db

URL = "/monitoring/policy/"
CHOSEN = {
    "listen_told": "no",
    "whisper_told": "tone",
    "whisper_reason": "on",
    "barge_told": "screen",
    "reasons": " Training \r\n\r\nA complaint\r\nTraining",
}


PASSWORD = "a password of twelve"


@pytest.fixture
def admin(alice: User, client: Client) -> Client:
    """Signed in a moment ago."""
    alice.set_password(PASSWORD)
    alice.save()
    client.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    return client


def test_a_panel_found_open_is_no_administrator(alice: User, client: Client) -> None:
    """She signed in, but long ago."""
    alice.set_password(PASSWORD)
    alice.save()
    client.force_login(alice)
    assert client.post(URL, CHOSEN).status_code == 302
    assert client.post(f"{URL}preset/", {"preset": "EU"}).status_code == 302
    assert not policies.answered()


@pytest.mark.parametrize("role", ["", "Agent", "Team lead", "Supervisor", "Auditor"])
def test_only_who_manages_roles_may(client: Client, role: str) -> None:
    client.force_login(member("Charlie", role))
    team = Team.objects.create(name="Sales")
    assert client.get(URL).status_code == 403
    assert client.post(URL, CHOSEN).status_code == 403
    assert client.post(f"{URL}{team.pk}/", CHOSEN).status_code == 403
    assert client.post(f"{URL}preset/", {"preset": "EU"}).status_code == 403
    assert not policies.answered()


def test_the_panels_own(admin: Client, alice: User) -> None:
    assert "Quality check" in admin.get(URL).content.decode()
    assert "Saved" in admin.post(URL, CHOSEN, follow=True).content.decode()
    found = policies.read()
    assert dict(found.panel) == {
        "listen": Policy("no"),
        "whisper": Policy("tone", reason=True),
        "barge": Policy("screen"),
    }
    assert found.reasons == ("Training", "A complaint")
    entry = Entry.objects.get(verb="monitoring.policy")
    assert (entry.kind, entry.user) == ("changed", alice)
    assert entry.args["before"]["reasons"][0] == "Quality check"
    assert entry.args["after"]["whisper"] == {"told": "tone", "reason_required": True}


@pytest.mark.parametrize("reasons", ["x" * 201, "\n".join(map(str, range(21)))])
def test_what_is_too_much(admin: Client, reasons: str) -> None:
    assert 'class="errors"' in admin.post(URL, {**CHOSEN, "reasons": reasons}).content.decode()
    assert admin.post(URL, {**CHOSEN, "barge_told": "aloud"}).status_code == 200
    assert not policies.answered()


def test_a_teams_own_and_as_the_panel_again(admin: Client) -> None:
    team = Team.objects.create(name="<b>Sales</b>")
    page = f"{URL}{team.pk}/"
    assert "<b>Sales" not in admin.get(URL).content.decode() + admin.get(page).content.decode()
    admin.post(page, {"listen_told": "tone", "whisper_told": "", "barge_told": ""})
    assert policies.of(team) == (("listen", Policy("tone")),)
    assert not policies.answered()
    admin.post(page, {"listen_told": "", "whisper_told": "", "barge_told": "", "listen_reason": "on"})
    assert policies.of(team) == ()
    assert admin.get(f"{URL}{team.pk + 1}/").status_code == 404


@pytest.mark.parametrize("name", PRESETS)
def test_presets_on_the_page_and_by_command(admin: Client, name: str) -> None:
    assert f'value="{name}"' in admin.get(URL).content.decode()
    admin.post(f"{URL}preset/", {"preset": name})
    assert dict(policies.of(None)) == dict(PRESETS[name].modes)
    policies.write(None, {})
    out = StringIO()
    call_command("monitoring", "preset", name, stdout=out)
    assert dict(policies.of(None)) == dict(PRESETS[name].modes)
    assert f"listen   told: {PRESETS[name].told}" in out.getvalue()
    assert [*Entry.objects.filter(verb="monitoring.policy").values_list("source", flat=True)] == ["page", "shell"]
    assert admin.post(f"{URL}preset/", {"preset": "none"}).status_code == 404


def test_it_is_asked_until_somebody_answers_and_of_nobody_else(
    admin: Client, bob: User, settings: Any, alice: User
) -> None:
    asks = "How are people told that somebody listens?"
    assert asks not in admin.get("/calls/").content.decode(), "of made-up calls nobody is asked"
    settings.PHOENIX_PBXS = {"office": "ami://…"}
    assert asks in admin.get("/calls/").content.decode()
    out = StringIO()
    call_command("monitoring", stdout=out)
    assert "Nobody has decided yet" in out.getvalue()
    supervisor = Client()
    supervisor.force_login(bob)
    assert asks not in supervisor.get("/calls/").content.decode()
    settings.PHOENIX_MONITORING = "EU"
    assert asks not in admin.get("/calls/").content.decode()
    settings.PHOENIX_MONITORING = ""
    policies.write(None, {mode: Policy("no") for mode in MODES})
    assert asks not in admin.get("/calls/").content.decode()
