"""The administrators' pages: what they do, what they say when it is wrong, and whom they don't know."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import tokens
from accounts.models import Protected, RolePolicy, Team, User
from accounts.rights import RIGHTS, ROLES
from audit.models import Entry
from floor import hub
from floor.frames import Snapshot
from live.changes import Entities
from tests.accounts.conftest import PASSWORD, send_password
from tests.people.stage import Company


def text(response: Any) -> str:
    return unescape(re.sub(r"\s+", " ", response.content.decode()))


@pytest.fixture
def alice(client: Client, company: Company) -> Client:
    send_password(client, company.alice)
    return client


@pytest.fixture
def lena(client: Client, company: Company) -> Client:
    send_password(client, company.lena)
    return client


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """An office with two queues, an extension and a room."""
    up: Entities = {
        "queue": {"office/sales": {"name": "sales"}, "office/sales-vip": {"name": "sales-vip"}},
        "extension": {"office/201": {"exten": "201"}},
        "room": {"office/800": {"name": "800"}},
    }
    monkeypatch.setattr(hub, "_hub", hub.Hub())
    hub.current().snapshot(Snapshot("office", 1, 1, 0, up))


def test_inviting(alice: Client, company: Company) -> None:
    given = {"username": "nina", "display_name": "Nina", "roles": ["Agent"], "teams": ["Sales"], "phone_demo": ""}
    page = text(alice.post("/people/new/", given))
    link = re.search(r"<pre data-link>(.*?)</pre>", page)
    assert link is not None
    nina = User.objects.get(username="nina")
    assert {group.name for group in nina.groups.all()} == {"Agent"}
    assert not nina.has_usable_password()
    assert link[1] not in text(alice.get(f"/people/{nina.pk}/"))
    entry = Entry.objects.get(verb="people.invite")
    assert (entry.user, entry.target_words, entry.args["after"]["teams"]) == (company.alice, "nina", ["Sales"])


def test_nothing_is_lost_when_something_is_wrong(alice: Client) -> None:
    given = {"username": "ANN", "display_name": "Nina", "email": "nina@example.com", "roles": ["Agent"]}
    for wrong, words in (
        ({}, "There is one of this name already."),
        ({"username": "nina", "time_zone": "Mars/Base"}, "There is no such time zone."),
        ({"username": "nina", "email": "nowhere"}, "valid email"),
        ({"username": "nina", "phone_demo": "Local/1@x"}, "A dial string looks like PJSIP/900."),
        ({"username": "ni na"}, "valid username"),
    ):
        page = text(alice.post("/people/new/", given | wrong))
        assert words in page
        assert 'value="Nina"' in page
        assert re.search(r'value="Agent"[^>]* checked', page)
    assert not User.objects.filter(username__startswith="n").exists()


def test_the_list_is_searched(alice: Client) -> None:
    assert "4 people" in text(alice.get("/people/"))
    page = text(alice.get("/people/?q=sales"))
    assert (">Ann</a>" in page, ">Lena</a>" in page, ">Bob</a>" in page) == (True, True, False)
    assert "Nobody is found by these words." in text(alice.get("/people/?q=zzz"))


def test_a_lead_sees_whom_she_manages(lena: Client, company: Company) -> None:
    page = text(lena.get("/people/"))
    assert (">Ann</a>" in page, ">Bob</a>" in page, ">Alice</a>" in page) == (True, False, False)
    assert "2 more hold more than you do and are not shown" in page
    for pk in (company.bob.pk, company.alice.pk, 0):
        assert lena.get(f"/people/{pk}/").status_code == 404
    boxes = text(lena.get(f"/people/{company.ann.pk}/"))
    assert re.search(r'value="Supervisor"[^>]* disabled', boxes)
    assert not re.search(r'value="Agent"[^>]* disabled', boxes)


def test_changing_somebody(lena: Client, company: Company) -> None:
    given = {"display_name": "Ann O.", "language": "ru", "roles": ["Agent"], "teams": ["Sales"]}
    page = lena.post(f"/people/{company.ann.pk}/", given, follow=True)
    assert "Kept." in text(page)
    company.ann.refresh_from_db()
    assert (company.ann.display_name, company.ann.language) == ("Ann O.", "ru")
    page = lena.post(f"/people/{company.ann.pk}/", given | {"roles": ["Supervisor"]})
    assert "would get rights that you don't hold" in text(page)
    assert lena.post(f"/people/{company.bob.pk}/", given).status_code == 404


def test_off_and_on_again(alice: Client, client: Client, company: Company) -> None:
    tokens.make(company.ann, "cron", frozenset({"calls.view"}), 7)
    hers = Client()
    send_password(hers, company.ann)
    assert re.search(r"Open sessions</dt><dd[^>]*>1<", text(alice.get(f"/people/{company.ann.pk}/")))
    for deed, words in (
        ("sessions", "1 session ended."),
        ("tokens", "1 token revoked."),
        ("off", "Her account is off."),
        ("link", "switched off"),
        ("on", "Her account is on."),
    ):
        assert words in text(alice.post(f"/people/{company.ann.pk}/{deed}/", follow=True)), deed
    assert hers.get("/calls/").status_code == 302
    assert "data-link" in text(alice.post(f"/people/{company.ann.pk}/link/"))
    assert alice.post(f"/people/{company.ann.pk}/eat/").status_code == 404
    assert alice.get(f"/people/{company.ann.pk}/off/").status_code == 405
    assert Entry.objects.filter(target_words="ann").count() == 5


def test_who_found_the_panel_open_changes_nothing(client: Client, company: Company) -> None:
    """A session of which nobody knows when she last said who she is: she is asked, and then it is done."""
    client.force_login(company.alice)
    for address in (f"/people/{company.ann.pk}/off/", "/people/new/", "/people/roles/new/", "/people/teams/new/"):
        assert client.post(address, {"name": "x", "username": "x"})["Location"].startswith("/accounts/confirm/")
    assert client.get("/people/files/")["Location"].startswith("/accounts/confirm/")
    assert (client.get("/people/").status_code, client.get("/people/new/").status_code) == (200, 200)
    off = f"/people/{company.ann.pk}/off/"
    where = client.post(off)["Location"]
    assert User.objects.get(pk=company.ann.pk).is_active
    client.post(where, {"password": PASSWORD, "next": off})
    company.ann.refresh_from_db()
    assert not company.ann.is_active


def test_a_lost_second_factor_is_taken_away(lena: Client, company: Company) -> None:
    for user in (company.ann, company.bob):
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    assert "1 second factor taken away." in text(lena.post(f"/people/{company.ann.pk}/factors/", follow=True))
    lena.post(f"/people/{company.bob.pk}/factors/")
    assert [one.user for one in Authenticator.objects.all()] == [company.bob]


def test_the_last_administrator_is_told(alice: Client, company: Company) -> None:
    company.lena.groups.clear()
    page = text(alice.post(f"/people/{company.alice.pk}/off/", follow=True))
    assert "Nobody would be left who manages both people and roles." in page
    assert User.objects.get(pk=company.alice.pk).is_active


def test_roles(alice: Client, company: Company) -> None:
    copy = f"/people/roles/new/?copy={Group.objects.get(name='Agent').pk}"
    page = text(alice.get(copy))
    assert 'value="Agent (copy)"' in page
    assert re.search(r'value="calls.view"[^>]* checked', page)
    made = alice.post(copy, {"name": "Night", "rights": ["calls.view", "calls.listen"]}, follow=True)
    assert "Kept." in text(made)
    night = Group.objects.get(name="Night")
    assert "There is one of this name already." in text(alice.post(copy, {"name": "night", "rights": []}))
    alice.post(f"/people/roles/{night.pk}/", {"name": "Late", "rights": ["calls.view"], "second_factor": "on"})
    night.refresh_from_db()
    assert (night.name, night.permissions.count()) == ("Late", 1)
    assert RolePolicy.objects.get(group=night).mfa_required
    assert re.search(r'name="second_factor"[^>]* checked', text(alice.get(f"/people/roles/{night.pk}/")))
    assert "is gone" in text(alice.post(f"/people/roles/{night.pk}/delete/", follow=True))
    agent = Group.objects.get(name="Agent")
    kept = {"name": "Operator", "rights": sorted(ROLES["Agent"])}
    alice.post(f"/people/roles/{agent.pk}/", kept)
    assert "stays" in text(alice.post(f"/people/roles/{agent.pk}/delete/", follow=True))
    agent.refresh_from_db()
    assert agent.name == "Agent"


def test_a_role_beyond_her_is_shown_and_not_changed(lena: Client, company: Company) -> None:
    pk = company.listening.pk
    assert re.search(r"<fieldset[^>]* disabled", text(lena.get(f"/people/roles/{pk}/")))
    page = lena.post(f"/people/roles/{pk}/", {"name": "Listening", "rights": ["calls.view"]})
    assert "gives more than you hold" in text(page)
    assert re.search(r'value="calls.barge"[^>]* disabled', text(lena.get("/people/roles/new/")))
    refused = lena.post("/people/roles/new/", {"name": "Trap", "rights": ["calls.barge"]})
    assert f"rights that you don't hold: {RIGHTS['calls.barge']}" in text(refused)
    assert 'value="Trap"' in text(refused)


def test_teams(alice: Client, company: Company, floor: None) -> None:
    made = alice.post("/people/teams/new/", {"name": "Night"}, follow=True)
    team = Team.objects.get(name="Night")
    page = text(made)
    assert '<option value="sales-vip">' in page
    assert '<option value="201">' in page
    where = f"/people/teams/{team.pk}"
    alice.post(f"{where}/rule/", {"aspect": "queue", "name": "sales*", "pbx": "*"})
    alice.post(f"{where}/rule/", {"aspect": "conference", "name": "9*", "pbx": "office"})
    alice.post(f"{where}/rule/", {"aspect": "pbx", "name": "", "pbx": "office"})
    page = re.sub("<[^>]+>", "", text(alice.get(where + "/")))
    for words in (r"Queue sales\* +2 now", r"Conference 9\* on office +0 now", r"PBX office +1 now"):
        assert re.search(words, page)
    wrong = text(alice.post(f"{where}/rule/", {"aspect": "queue", "name": "", "pbx": "lab"}))
    assert "Write a name, or a pattern" in wrong
    assert 'value="lab"' in wrong
    again = alice.post(f"{where}/rule/", {"aspect": "queue", "name": "sales*", "pbx": "*"})
    assert "already exists" in text(again)
    alice.post(f"{where}/member/", {"username": "ann"})
    assert "There is nobody of this name." in text(alice.post(f"{where}/member/", {"username": "nobody"}))
    assert list(team.members.all()) == [company.ann]
    alice.post(f"{where}/less/", {"aspect": "queue", "name": "sales*", "pbx": "*"})
    alice.post(f"{where}/leave/", {"username": "ann"})
    alice.post(f"{where}/", {"name": "Late"})
    team.refresh_from_db()
    assert (team.name, team.rules.count(), team.members.count()) == ("Late", 2, 0)
    assert "is gone" in text(alice.post(f"{where}/delete/", follow=True))
    assert alice.get(f"{where}/").status_code == 404


def test_a_lead_is_offered_her_part_only(lena: Client, company: Company, floor: None) -> None:
    page = text(lena.get(f"/people/teams/{company.sales.pk}/"))
    assert '<option value="sales-vip">' in page
    assert '<option value="800">' not in page
    assert "leave/" in page
    page = text(lena.get(f"/people/teams/{company.support.pk}/"))
    assert "so you can't change it" in page
    assert "rule/" not in page
    beyond = lena.post(f"/people/teams/{company.sales.pk}/rule/", {"aspect": "queue", "name": "*", "pbx": "*"})
    assert "would reach a part of the floor that you don't: queue * on *" in text(beyond)


def test_protected_people(alice: Client, company: Company, floor: None) -> None:
    alice.post("/people/protected/", {"extension": "2*", "pbx": "*", "note": "<b>The director"})
    page = alice.get("/people/protected/").content.decode()
    assert "&lt;b&gt;The director" in page
    assert "1 now" in page
    again = alice.post("/people/protected/", {"extension": "2*", "pbx": "*", "note": "x"})
    assert "already exists" in text(again)
    alice.post(f"/people/protected/{Protected.objects.get().pk}/remove/")
    assert not Protected.objects.exists()
    assert [entry.verb for entry in Entry.objects.filter(kind="changed")] == ["protected.change"] * 2


# --- files


def upload(client: Client, words: str | bytes) -> str:
    content = words if isinstance(words, bytes) else words.encode()
    return text(client.post("/people/files/", {"file": SimpleUploadedFile("x.csv", content)}))


def mark(page: str) -> str:
    found = re.search(r'name="mark" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_a_file_is_shown_then_done(alice: Client, company: Company) -> None:
    words = "username;name;roles\nann;Ann O.;Agent\nnina;Nina;Agent\n"
    page = upload(alice, words)
    assert "~ person ann: name Ann → Ann O." in page
    assert not User.objects.filter(username="nina").exists()
    done = text(alice.post("/people/files/", {"text": words, "mark": mark(page)}))
    assert "2 things changed." in done
    assert done.count("data-link") == 1
    assert User.objects.get(username="ann").display_name == "Ann O."


def test_what_changed_meanwhile_is_shown_again(alice: Client, company: Company) -> None:
    words = "username,name\nann,Ann O.\n"
    seen = mark(upload(alice, words))
    User.objects.filter(pk=company.ann.pk).update(display_name="Anna")
    page = text(alice.post("/people/files/", {"text": words, "mark": seen}))
    assert "Meanwhile something else has changed." in page
    assert "name Anna → Ann O." in page
    assert User.objects.get(pk=company.ann.pk).display_name == "Anna"


def test_faults_are_told_with_their_lines(alice: Client) -> None:
    page = upload(alice, "username,roles\nann,Agnet\nnina,Boss\n")
    assert "Line 2: roles: There is no role “Agnet”." in page
    assert "Line 3: roles: There is no role “Boss”." in page
    assert "not UTF-8" in upload(alice, "username,name\nann,Анна\n".encode("cp1251"))


def test_teams_need_the_other_right(client: Client, company: Company) -> None:
    company.bob.groups.set([Group.objects.get(name="Agent")])
    company.bob.user_permissions.set(Group.objects.get(name="Admin").permissions.filter(codename="people"))
    send_password(client, company.bob)
    assert "You may not do this any more." in upload(client, "team,aspect,pbx,name\nX,,,\n")
    assert client.get("/people/files/teams.csv").status_code == 403
    assert client.get("/people/files/people.csv").status_code == 200
    assert client.get("/people/roles/").status_code == 403


def test_a_lead_takes_out_what_she_manages(lena: Client) -> None:
    response = lena.get("/people/files/people.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="people.csv"'
    lines = response.content.decode("utf-8-sig").splitlines()
    assert [line.partition(",")[0] for line in lines] == ['"username"', '"ann"', '"lena"']


def test_the_rail_shows_them_to_who_may(lena: Client, company: Company) -> None:
    assert 'href="/people/"' in lena.get("/calls/").content.decode()
    lena.force_login(company.ann)
    assert "/people/" not in lena.get("/calls/").content.decode()


def test_explaining(lena: Client, company: Company) -> None:
    def ask(name: str, verb: str) -> str:
        return text(lena.get("/people/explain/", {"username": name, "verb": verb, "pbx": "office", "target": "201"}))

    assert "Ann lacks the right “Listen to calls”. It comes with:" in ask("ann", "calls.listen")
    assert "There is nobody like this whom you manage." in ask("bob", "calls.listen")
    assert "The role Managing gives Lena the right" in ask("lena", "calls.listen")
    assert "Select a valid choice" in ask("ann", "calls.eat")
