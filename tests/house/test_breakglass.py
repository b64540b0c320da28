"""Django's own admin: not there by default; when it is, for superusers, by the panel's own rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tests.browser.running import Panel

SCRIPT = """
import json
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from accounts.models import User
from audit.models import Entry
settings.ALLOWED_HOSTS.append("testserver")
root, alice = User.objects.get(username="root"), User.objects.get(username="alice")
admin = Group.objects.get(name="Admin").pk
client, said = Client(), {}
said["stranger"] = client.get("/break-glass/", follow=True).redirect_chain[-1][0]
client.force_login(alice)
said["administrator"] = client.get("/break-glass/", follow=True).status_code
root.set_password("correct horse battery")
root.save()
client.logout()
client.post("/accounts/login/", {"username": "root", "password": "correct horse battery"})
pages = ["", "accounts/user/", f"accounts/user/{alice.pk}/change/", "accounts/team/", "auth/group/", "audit/entry/"]
said["superuser"] = [client.get("/break-glass/" + page).status_code for page in pages]
said["add"] = [client.get(f"/break-glass/{page}/add/").status_code for page in ("accounts/user", "auth/group")]
where = f"/break-glass/accounts/user/{alice.pk}/change/"
client.post(where, {"is_active": "", "groups": [admin], "is_superuser": "on", "username": "eve"})
alice.refresh_from_db()
said["alice"] = [alice.username, alice.is_active, alice.is_superuser]
said["audit"] = list(Entry.objects.filter(verb="people.breakglass").values_list("args", flat=True))
where = f"/break-glass/accounts/user/{root.pk}/change/"
said["last"] = "Nobody would be left" in client.post(where, {"groups": []}, follow=True).content.decode()
root.refresh_from_db()
said["root"] = root.is_active
print(json.dumps(said))
"""


@pytest.mark.django_db
def test_it_is_not_there(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/break-glass/").status_code == 404


def test_it_is_for_superusers_and_by_the_rules(tmp_path: Path) -> None:
    panel = Panel(tmp_path, PHOENIX_ADMIN="yes")
    panel.manage("migrate", "-v0")
    panel.user("root", "", "--superuser")
    panel.user("alice", "Admin")
    panel.manage("collectstatic", "--noinput", "-v0")
    said = json.loads(panel.manage("shell", "-v0", "-c", SCRIPT).splitlines()[-1])
    assert said == {
        "stranger": "/accounts/login/?next=/break-glass/",
        "administrator": 403,
        "superuser": [200] * 6,
        "add": [403, 403],
        "alice": ["alice", False, False],
        "audit": [{"before": {"active": True}, "after": {"active": False}}],
        "last": True,
        "root": True,
    }
