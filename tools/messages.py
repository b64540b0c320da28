"""The program's words into `locale/`, and compiled: `python -m tools.messages`; `--check` only says what is wrong.

Done with Babel, since a fresh Debian has no gettext tools and so no `makemessages`. No line numbers, no dates and no
tool versions are written: the files change when the words change. A translation belongs to its exact English text;
when that changes, the old one goes (git has it), rather than being guessed at.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "phoenix_panel.settings")

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("ru",)  # English is what the program is written in
DOMAINS = ("django", "djangojs")
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


class Words(Catalog):
    """A catalogue whose header holds only what a program needs to read it."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Project-Id-Version", "Phoenix Panel"),
            ("Language", str(self.locale)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]


def sources(domain: str) -> Iterator[tuple[Path, str, bytes]]:
    """(file, Babel's method, its text as that method reads it), in the order of the names."""
    if domain == "djangojs":
        for path in sorted((ROOT / "static" / "js").rglob("*.js")):
            yield path, "javascript", path.read_bytes()
        return
    apps = sorted(path.parent for path in ROOT.glob("*/apps.py"))
    for app in apps:
        for path in sorted(app.rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, "python", path.read_bytes()
    for folder in [ROOT / "templates", *(app / "templates" for app in apps)]:
        for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.txt")]):
            # Django turns a template into something like Python; in brackets, so that its indentation means nothing.
            text = templatize(path.read_text(encoding="utf-8"), origin=str(path))
            yield path, "python", f"({text}\n)".encode()


def template(domain: str) -> Catalog:
    """Every text of the domain, with the files that it stands in."""
    found = Catalog(charset="utf-8", fuzzy=False)
    for path, method, text in sources(domain):
        place = (str(path.relative_to(ROOT)), 0)
        for _, message, comments, context in extract(
            method, io.BytesIO(text), KEYWORDS, ("Translators:",), {"parse_template_string": True}
        ):
            found.add(message, None, [place], auto_comments=comments, context=context)
    return found


def translated(language: str, domain: str, found: Catalog) -> Words:
    """The texts found, with the translations that the catalogue on disk has for them."""
    words = Words(
        locale=language, domain=domain, charset="utf-8", fuzzy=False, header_comment="# Phoenix Panel's words"
    )
    path = folder(language) / f"{domain}.po"
    old = Catalog(language)
    if path.exists():
        old = read_po(io.BytesIO(path.read_bytes()), locale=language, domain=domain)
    for message in found:
        if not message.id:
            continue
        known = old.get(message.id[0] if message.pluralizable else message.id, message.context)
        keep = known is not None and known.pluralizable == message.pluralizable and known.id == message.id
        words.add(
            message.id,
            known.string if keep and known is not None else None,
            # Each file once: the same word twice in one file is one place without line numbers.
            sorted(set(message.locations)),
            flags=[flag for flag in (known.flags if keep and known is not None else ()) if flag == "fuzzy"],
            auto_comments=message.auto_comments,
            user_comments=known.user_comments if keep and known is not None else (),
            context=message.context,
        )
    return words


def folder(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES"


def po(words: Words) -> bytes:
    out = io.BytesIO()
    write_po(out, words, width=100, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def mo(words: Words) -> bytes:
    out = io.BytesIO()
    write_mo(out, words)
    return out.getvalue()


def faults(words: Words) -> Iterator[str]:
    """What keeps a catalogue from being good: missing or fuzzy translations, placeholders lost or invented."""
    for message in words:
        if not message.id:
            continue
        texts, forms = _each(message.id), _each(message.string)
        if message.fuzzy:
            yield f"fuzzy: {texts[0]!r}"
        if len(forms) != (words.num_plurals if message.pluralizable else 1) or not all(forms):
            yield f"not translated: {texts[0]!r}"
            continue
        wanted = {name for text in texts for name in PLACEHOLDER.findall(text)}
        # One form of a plural may say its number in a word, none may use what isn't given.
        for form in forms:
            used = set(PLACEHOLDER.findall(form))
            if used - wanted or (not message.pluralizable and used != wanted):
                yield f"other placeholders: {texts[0]!r} → {form!r}"


def _each(texts: str | Sequence[str] | None) -> list[str]:
    """One text, or the forms of a plural."""
    return [texts] if isinstance(texts, str) else list(texts or ())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if anything is stale or missing")
    check = parser.parse_args().check
    wrong: list[str] = []
    for domain in DOMAINS:
        found = template(domain)
        for language in LANGUAGES:
            words = translated(language, domain, found)
            wrong += [f"{language}/{domain}: {fault}" for fault in faults(words)]
            for suffix, wanted in ((".po", po(words)), (".mo", mo(words))):
                path = folder(language) / f"{domain}{suffix}"
                if path.exists() and path.read_bytes() == wanted:
                    continue
                if check:
                    wrong.append(f"{path.relative_to(ROOT)} is stale: run `make messages`")
                else:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(wanted)
    for line in wrong:
        print(f"messages: {line}")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
