"""The pages: who may open them, what they show and find, and what a file of them holds."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.db import connection
from django.test import AsyncClient, Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Phone, User
from audit import export, heads, monitoring, queries
from audit.models import Entry
from audit.record import Began, Ended, Turned, What, Who
from audit.trail import changed, denied, intent, outcome
from tests.conftest import member

pytestmark = pytest.mark.django_db(transaction=True)
NASTY = '=HYPERLINK("//evil"),<b>'


@pytest.fixture(autouse=True)
def notes(tmp_path: Path, settings: LazySettings) -> Iterator[None]:
    settings.PHOENIX_AUDIT_HEADS = tmp_path / "heads.jsonl"
    yield
    heads.pen().flush()


@pytest.fixture
def ann(db: None) -> User:
    return member("Ann", "Auditor")


def act(
    user: User, number: int, verb: str = "calls.hangup", result: Any = "done", code: str = "", **more: Any
) -> None:
    who = Who(user.pk, user.name, "page", "192.0.2.1")
    what = What(f"{number:032x}", verb, "lab", "call", f"lab/{number}", "101 Anna → 201 Maria", **more)
    intent(who, what)
    if result:
        outcome(who, what, result, code)


def listen(id_: str, user: User | None, target: str = "201", since: float = 1_790_000_000.0, **more: Any) -> None:
    who = Who(user.pk, user.name, "page") if user else Who(None, "102", "desk")
    others = (("+12025550178", "Customer <b>"),)
    values = {"mode": "listen", "keys": False, "action": "", "since": since, "reason": "coaching", **more}
    monitoring.write(Began(id_ * 32, who, "lab", "PJSIP/900", "900 Bob", target, "Maria", others, "lab/1", **values))


def page(user: User, path: str, language: str = "en") -> str:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    response = client.get(path)
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", response.content.decode())


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-(?:entry|begun)="(\d+)"', text)]


# --- who may


@pytest.mark.parametrize(
    "path", ["/audit/monitoring/", "/audit/actions/", "/audit/actions.csv", "/audit/monitoring.jsonl"]
)
def test_who_has_no_right_is_denied_and_it_is_written(path: str, client: Client, bob: User) -> None:
    client.force_login(bob)
    for _ in range(5):
        assert client.get(path).status_code == 403
    found = Entry.objects.filter(kind="denied")
    assert [(e.user, e.verb, e.target_key, e.code, e.args["times"]) for e in found] == [
        (bob, "page.open", path, "no_right", count) for count in (1, 2, 4)
    ]


def test_who_is_not_signed_in_is_asked_to(client: Client) -> None:
    for path in ("/audit/", "/audit/monitoring/", "/audit/actions/", "/audit/mine/", "/audit/actions.csv"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_to_see_is_not_to_take_out(client: Client, ann: User) -> None:
    ann.groups.clear()
    from django.contrib.auth.models import Permission

    ann.user_permissions.add(Permission.objects.get(content_type__app_label="audit", codename="view"))
    client.force_login(ann)
    assert "actions.csv" not in client.get("/audit/actions/").content.decode()
    assert client.get("/audit/actions.csv").status_code == 403
    assert not Entry.objects.filter(verb="audit.export").exists()


def test_the_rail_leads_there_who_may(ann: User, bob: User) -> None:
    assert 'href="/audit/"' in page(ann, "/calls/")
    assert 'href="/audit/"' not in page(bob, "/calls/")
    Phone(user=bob, pbx="lab", dial_string="PJSIP/900").save()
    assert 'href="/audit/"' in page(bob, "/calls/")


# --- sign-ins


def test_who_comes_goes_and_fails_is_written(client: Client, bob: User) -> None:
    bob.set_password("a long password of Bob")
    bob.save()
    form = {"username": "bob", "password": "wrong"}
    for _ in range(4):
        client.post("/accounts/login/", form)
    client.post("/accounts/login/", {"username": "my password by mistake", "password": "x"})
    client.post("/accounts/login/", {"username": "bob", "password": "a long password of Bob"})
    client.post("/accounts/logout/")
    found = [(e.verb, e.user_name, e.outcome, e.args.get("times")) for e in Entry.objects.filter(kind="sign")]
    assert found == [
        ("sign.failed", "Bob", "refused", 1),
        ("sign.failed", "Bob", "refused", 2),
        ("sign.failed", "Bob", "refused", 4),
        ("sign.failed", "", "refused", 1),
        ("sign.in", "Bob", "", None),
        ("sign.out", "Bob", "", None),
    ]
    assert not [e for e in Entry.objects.all() if "mistake" in str(vars(e))]


# --- actions


def test_an_action_is_one_line_with_what_came_of_it(ann: User, bob: User) -> None:
    act(bob, 1)
    act(bob, 2, "calls.listen", "refused", "no_right")
    act(bob, 3, result="")
    text = page(ann, "/audit/actions/")
    assert len(numbers(text)) == 4  # and Ann's own sign-in
    assert "Hang up" in text
    assert "done" in text
    assert "no right to" in text
    assert "not known" in text
    russian = page(ann, "/audit/actions/", "ru")
    assert "Завершить" in russian
    assert "нет права" in russian


def test_filters(ann: User, bob: User, alice: User) -> None:
    act(bob, 1)
    act(bob, 2, "calls.listen", "refused", "no_right")
    act(alice, 3, "calls.listen")
    denied(Who(alice.pk, "Alice", "page"), What("", "page.open"), "no_right")
    changed(Who(alice.pk, "Alice", "page"), What("", "users.change"), {"role": "Agent"}, {"role": "<b>Admin"})

    def found(asked: str) -> list[str]:
        return [
            f"{Entry.objects.get(pk=number).user_name} {Entry.objects.get(pk=number).verb}"
            for number in numbers(page(ann, f"/audit/actions/?{asked}"))
        ]

    assert found("person=BOB") == ["Bob calls.listen", "Bob calls.hangup"]
    assert found("person=nobody") == []
    assert found("verb=calls.listen") == ["Alice calls.listen", "Bob calls.listen"]
    assert found("kind=denied") == ["Alice page.open", "Bob calls.listen"]
    assert found("kind=changed") == ["Alice users.change"]
    assert found("kind=sign&person=ann")[0] == "Ann sign.in"
    assert found("target=lab/3") == ["Alice calls.listen"]
    assert found("pbx=demo") == []
    assert found("q=calls.hang") == ["Bob calls.hangup"]
    assert found("q=%25") == []
    assert found("since=2999-01-01") == []
    assert found("until=2000-01-01") == []
    assert len(found("since=2020-01-01&until=2999-01-01&person=bob")) == 2
    assert len(found("since=nonsense&kind=nonsense&before=nonsense&person=bob")) == 2
    text = page(ann, "/audit/actions/?kind=changed")
    assert "Agent → &lt;b&gt;Admin" in text


def test_pages_go_on_where_the_last_one_ended(ann: User, bob: User) -> None:
    for number in range(120):
        act(bob, number)
    seen: list[int] = []
    path = "/audit/actions/?person=bob"
    while path:
        text = page(ann, path)
        seen += numbers(text)
        further = re.search(r'rel="next" href="([^"]*)"', text)
        path = "/audit/actions/" + further[1].replace("&amp;", "&") if further else ""
    mine = Entry.objects.filter(user=bob, kind="intent").order_by("-id")
    assert seen == [*mine.values_list("id", flat=True)]


def test_a_search_says_how_far_it_came(ann: User, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        act(bob, number, "calls.listen" if number == 2 else "calls.hangup")
    monkeypatch.setattr(queries, "WINDOW", 25)
    text = page(ann, "/audit/actions/?q=calls.listen")
    assert numbers(text) == []
    assert "Searched back to" in text
    assert "Nothing found so far" in text
    while not numbers(text):
        further = re.search(r'rel="next" href="([^"]*)"', text)
        assert further is not None
        text = page(ann, "/audit/actions/" + further[1].replace("&amp;", "&"))
    assert len(numbers(text)) == 1


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"person": "bob"}, "audit_user"),
        ({"kind": "sign"}, "audit_kind"),
        ({"verb": "calls.barge"}, "audit_verb"),
        ({"pbx": "lab"}, "audit_pbx"),
        ({"target": "lab/1"}, "audit_target"),
        ({"kind": "denied"}, "audit_code"),
    ],
)
def test_each_filter_goes_by_its_index(asked: dict[str, str], index: str, bob: User) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL looks at what there is: a table of a few rows it reads whole")
    assert index in queries.entries(asked)[:51].explain()


# --- monitoring


def test_monitoring_says_who_whom_how_and_for_how_long(alice: User, ann: User, bob: User) -> None:
    listen("a", bob)
    monitoring.write(Turned("a" * 32, "whisper", "e" * 32))
    monitoring.write(Ended("a" * 32, "target", 1_790_000_065.0))
    listen("b", None)
    text = page(alice, "/audit/monitoring/")
    assert len(numbers(text)) == 2
    for words in (
        "65 s",
        "the call ended",
        "→ Whisper: sent, can't be proved",
        "coaching",
        "desk phone",
        "goes on",
    ):
        assert words in text, words
    assert "+12025550178 Customer &lt;b&gt;" in text
    masked = page(ann, "/audit/monitoring/")  # she has no right to numbers
    assert "…0178" in masked
    assert "2025550178" not in masked
    assert len(numbers(page(ann, "/audit/monitoring/?person=bob"))) == 1
    assert len(numbers(page(ann, "/audit/monitoring/?source=desk"))) == 1
    assert len(numbers(page(ann, "/audit/monitoring/?target=201&mode=listen&q=maria"))) == 2
    assert numbers(page(ann, "/audit/monitoring/?target=299")) == []
    assert "Прослушивание" in page(ann, "/audit/monitoring/", "ru")


def test_one_sees_who_listened_to_her_and_no_more(bob: User, charlie: User, settings: LazySettings) -> None:
    Phone(user=charlie, pbx="lab", dial_string="PJSIP/201").save()
    listen("a", bob)
    listen("b", bob, "202")
    listen("c", bob, told="no")  # so the policy wanted it
    text = page(charlie, "/audit/mine/")
    assert len(numbers(text)) == 1
    assert "…0178" in text
    assert "2025550178" not in text
    assert "Customer" not in text
    client = Client()
    client.force_login(bob)  # he has no phone
    assert client.get("/audit/mine/").status_code == 403
    settings.PHOENIX_AUDIT_OWN = False
    client.force_login(charlie)
    assert client.get("/audit/mine/").status_code == 403


# --- files


async def taken(user: User, path: str) -> tuple[Any, bytes]:
    client = AsyncClient()
    await sync_to_async(client.force_login)(user)
    response = await client.get(path)
    assert response.status_code == 200
    return response, b"".join([piece async for piece in response.streaming_content])  # type: ignore[attr-defined]


async def test_a_csv_computes_nothing(ann: User, bob: User) -> None:
    await sync_to_async(act)(bob, 1, args={"note": NASTY})
    who = Who(bob.pk, NASTY, "page")
    await sync_to_async(intent)(who, What("b" * 32, "calls.call", target_words=NASTY, target_key="+12025550178"))
    response, body = await taken(ann, "/audit/actions.csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="actions-\d{8}-\d{6}\.csv"', response["Content-Disposition"])
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    row = next(row for row in rows if row["command"] == "b" * 32)
    assert (row["user_name"], row["target_words"], row["target_key"]) == (f"'{NASTY}", f"'{NASTY}", "'+12025550178")
    assert not [value for row in rows for value in row.values() if value.startswith(export.FORMULA)]
    assert body.decode("utf-8-sig").startswith('"id","at",')
    asked, done = [entry async for entry in Entry.objects.filter(verb="audit.export").order_by("id")]
    assert (asked.user_id, asked.outcome, done.outcome) == (ann.pk, "", "done")
    assert done.args["sha256"] == hashlib.sha256(body).hexdigest()


@given(st.text(max_size=30))
def test_no_cell_is_a_formula(text: str) -> None:
    cell = export.cell(text)
    assert not cell.startswith(export.FORMULA)
    assert cell in (text, f"'{text}")


async def test_a_jsonl_proves_itself(alice: User, bob: User, tmp_path: Path) -> None:
    for number in range(3):
        await sync_to_async(act)(bob, number, args={"n": number})
    _, body = await taken(alice, "/audit/actions.jsonl?person=bob")
    lines = [json.loads(line) for line in body.splitlines()]
    assert [(line["kind"], line["user_name"]) for line in lines] == [("intent", "Bob"), ("outcome", "Bob")] * 3
    file = tmp_path / "export.jsonl"
    file.write_bytes(body)
    assert await sync_to_async(export.check)(file) == (6, [], True)
    file.write_bytes(body.replace(b'"n": 1', b'"n": 7').replace(b"192.0.2.1", b"192.0.2.9", 1))
    assert await sync_to_async(export.check)(file) == (6, [1, 3, 4], False)


async def test_who_may_not_see_numbers_takes_none_out(ann: User, bob: User) -> None:
    who = Who(bob.pk, "Bob", "page")
    what = What(
        "b" * 32, "calls.call", target_words="201 → +12025550178", args={"number": "12025550178", "n": 12345678}
    )
    await sync_to_async(intent)(who, what)
    _, body = await taken(ann, "/audit/actions.jsonl?person=bob")
    (line,) = map(json.loads, body.splitlines())
    assert (line["target_words"], line["args"]) == ("201 → …0178", {"number": "…0178", "n": 12345678})
    assert (line["before"], line["mac"]) == ("", "")
    text = await sync_to_async(page)(ann, "/audit/actions/?person=bob")
    assert "…0178" in text
    assert "2025550178" not in text


async def test_the_listenings_as_a_file(alice: User, bob: User) -> None:
    await sync_to_async(listen)("a", bob)
    await sync_to_async(listen)("b", None, "202")
    _, body = await taken(alice, "/audit/monitoring.csv?target=202")
    (row,) = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    assert (row["target"], row["phone"], row["source"], row["others"]) == (
        "202",
        "900 Bob",
        "desk",
        "'+12025550178 Customer <b>",
    )
