"""The trail's pen: one intent per command, outcomes after it, whatever strangers put into it."""

from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from audit.models import Entry
from audit.record import What, Who
from audit.trail import denied, find, intent, outcome

pytestmark = pytest.mark.django_db
COMMAND = "0123456789abcdef0123456789abcdef"


def who(user: User) -> Who:
    return Who(user_id=user.pk, name=user.name, source="page", address="192.0.2.1")


def what(command: str = COMMAND, **changes: Any) -> What:
    values: dict[str, Any] = {
        "command": command,
        "verb": "calls.hangup",
        "pbx": "lab",
        "target_kind": "call",
        "target_key": "lab/1795412884.225",
        "target_words": "101 Anna → 102 Boris",
        "args": {"reason": "test"},
    }
    return What(**(values | changes))


def test_an_intent_then_its_outcome(bob: User) -> None:
    assert find(COMMAND) is None
    assert intent(who(bob), what()) is True
    record = find(COMMAND)
    assert record is not None
    assert (record.who, record.what, record.outcome) == (who(bob), what(), "")
    outcome(who(bob), what(), "done")
    record = find(COMMAND)
    assert record is not None
    assert (record.outcome, record.code) == ("done", "")
    assert list(Entry.objects.values_list("kind", flat=True)) == ["intent", "outcome"]


def test_the_same_command_again_is_no_second_intent(bob: User, alice: User) -> None:
    assert intent(who(bob), what())
    assert not intent(who(bob), what())
    assert not intent(who(alice), what(verb="calls.view"))  # not even somebody else's
    assert Entry.objects.count() == 1
    record = find(COMMAND)
    assert record is not None
    assert record.who.user_id == bob.pk


def test_a_refused_intent_leaves_the_callers_transaction_whole(bob: User) -> None:
    with transaction.atomic():
        intent(who(bob), what())
        assert not intent(who(bob), what())
        assert intent(who(bob), what("f" * 32))
    assert Entry.objects.count() == 2


def test_unknown_may_be_settled_later(bob: User) -> None:
    intent(who(bob), what())
    outcome(who(bob), what(), "unknown", "not_proved")
    outcome(who(bob), what(), "refused", "asterisk", "No such channel")
    record = find(COMMAND)
    assert record is not None
    assert (record.outcome, record.code, record.detail) == ("refused", "asterisk", "No such channel")


def test_a_denial_is_written_and_is_no_record_of_the_command(charlie: User) -> None:
    denied(who(charlie), what(), "no_right")
    entry = Entry.objects.get()
    assert (entry.kind, entry.outcome, entry.code, entry.user) == ("denied", "refused", "no_right", charlie)
    assert find(COMMAND) is None
    assert intent(who(charlie), what())  # the right may have been given since


def test_the_name_stays_as_it_was(bob: User) -> None:
    intent(who(bob), what())
    bob.display_name = "Robert"
    bob.save()
    assert Entry.objects.get().user_name == "Bob"


def test_what_strangers_write_is_storable(bob: User) -> None:
    nasty = "\0\ud800\udfff\r\n\x1b[2J‮<script>" + "x" * 10_000
    written = what(target_words=nasty, args={"note": [nasty[:20], {"k\0": "v\0"}], "n": 1, "none": None})
    assert intent(who(bob), written)
    outcome(who(bob), written, "refused", "asterisk", nasty)
    entry = Entry.objects.get(kind="intent")
    assert len(entry.target_words) == 500
    assert entry.target_words.startswith("\N{REPLACEMENT CHARACTER}??")
    assert entry.args["n"] == 1
    assert entry.args["note"][1] == {"k\N{REPLACEMENT CHARACTER}": "v\N{REPLACEMENT CHARACTER}"}


def test_what_no_user_does_is_written_too(db: None) -> None:
    assert intent(Who(None, "shell", "shell"), what())
    assert Entry.objects.get().user is None
