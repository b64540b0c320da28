"""The panel's languages: whole, found by the extractor, and spoken by the pages."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation import gettext, ngettext, override

from tools import messages

ROOT = Path(__file__).resolve().parents[2]


def test_the_catalogues_are_whole_and_compiled() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.messages", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stdout


def test_the_extractor_misses_no_word_of_the_scripts() -> None:
    """Babel reads JavaScript in its own way: every literal that looks like a call must have been found."""
    found = {text for message in messages.template("djangojs") for text in messages._each(message.id)}
    for path in (ROOT / "static" / "js").rglob("*.js"):
        for text in re.findall(r"""\bn?gettext\(\s*"((?:[^"\\]|\\.)*)\"""", path.read_text(encoding="utf-8")):
            assert text.encode().decode("unicode_escape") in found or text in found, f"{path.name}: {text}"


def test_russian_counts_in_three_ways() -> None:
    one, many = (
        "Too many attempts. Try again in %(minutes)d minute.",
        "Too many attempts. Try again in %(minutes)d minutes.",
    )
    with override("ru"):
        said = [ngettext(one, many, n) % {"minutes": n} for n in (1, 2, 5, 11, 21)]
    assert [words.rsplit(" ", 1)[1] for words in said] == ["минуту.", "минуты.", "минут.", "минут.", "минуту."]


def test_actions_speak_the_users_language() -> None:
    with override("ru"):
        assert gettext("Hang up this call?") == "Завершить этот звонок?"
    with override("en"):
        assert gettext("Hang up this call?") == "Hang up this call?"


@pytest.mark.django_db
def test_the_scripts_words_follow_the_language_and_are_asked_by_their_tag(client: Client) -> None:
    russian = client.get("/jsi18n/", headers={"accept-language": "ru"})
    english = client.get("/jsi18n/", headers={"accept-language": "en"})
    assert json.dumps("Текущие звонки") in russian.content.decode()
    assert json.dumps("Текущие звонки") not in english.content.decode()
    assert russian["ETag"] != english["ETag"]
    again = client.get("/jsi18n/", headers={"accept-language": "ru", "if-none-match": russian["ETag"]})
    assert again.status_code == 304
    assert again["Cache-Control"] == "private, no-cache"
    other = client.get("/jsi18n/", headers={"accept-language": "en", "if-none-match": russian["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("", "not translated"),
        ("Через минуту", "other placeholders"),
        ("Через %(hours)d час", "other placeholders"),
    ],
)
def test_the_check_finds(wrong: str, words: str) -> None:
    catalogue = messages.Words(locale="ru", fuzzy=False)
    catalogue.add("In %(minutes)d minute", wrong)
    (fault,) = messages.faults(catalogue)
    assert words in fault


def test_the_check_finds_a_fuzzy_one() -> None:
    catalogue = messages.Words(locale="ru", fuzzy=False)
    catalogue.add("Talking", "Разговор", flags=["fuzzy"])
    (fault,) = messages.faults(catalogue)
    assert "fuzzy" in fault
