"""The audit, for who has a shell: is it whole, take it out, what is kept and for how long."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import ArgumentTypeError
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from accounts.models import User
from audit import export, monitoring, retention
from audit.chain import KeyMissing
from audit.models import Entry, Listening
from audit.record import Who
from audit.verify import verify


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text} is no date: 2026-03-01, or 2026-03-01T12:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _head(text: str) -> tuple[int, str]:
    number, _, mac = text.partition(":")
    if not number.isdigit() or len(mac) != 64:
        raise ArgumentTypeError("a head is NUMBER:MAC, as in the line `audit head` of the log")
    return int(number), mac.lower()


class Command(BaseCommand):
    help = "Verifies the audit, exports it, purges what is old, and keeps what must be kept."

    def add_arguments(self, parser: CommandParser) -> None:
        doing = parser.add_subparsers(dest="do", required=True, metavar="verify|export|purge|hold|release|rebuild")
        one = doing.add_parser("verify", help="is it as it was written? Exit code 1 if not")
        one.add_argument("--json", action="store_true", help="one JSON object")
        one.add_argument(
            "--head", action="append", default=[], type=_head, help="NUMBER:MAC of a line `audit head` of the log"
        )
        one.add_argument("--file", type=Path, help="an exported JSONL instead of the log itself")
        one = doing.add_parser("export", help="entries to standard output")
        one.add_argument("--format", choices=sorted(export.TYPES), default="jsonl")
        one.add_argument("--what", choices=("entries", "monitoring"), default="entries")
        one.add_argument("--since", type=_moment, help="from this moment on (UTC)")
        one.add_argument("--until", type=_moment, help="before this moment (UTC)")
        one = doing.add_parser("purge", help="remove what is older than PHOENIX_AUDIT_DAYS; without --yes only say it")
        one.add_argument("--yes", action="store_true", help="do it")
        one = doing.add_parser("hold", help="keep entries from being purged; without arguments, list the holds")
        one.add_argument("--person", default="", help="username of who did it")
        one.add_argument("--call", default="", help="the key of a call, or of what else it was done to")
        one.add_argument("--since", type=_moment, help="from this moment on (UTC)")
        one.add_argument("--until", type=_moment, help="before this moment (UTC)")
        one.add_argument("--reason", default="", help="why; needed")
        one = doing.add_parser("release", help="end a hold")
        one.add_argument("id", help="as `audit hold` lists it")
        one.add_argument("--reason", required=True, help="why")
        doing.add_parser("rebuild", help="make the table of listenings anew from the entries")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['do']}")(options)
        except KeyMissing as error:
            raise CommandError(str(error)) from None

    def _verify(self, options: dict[str, Any]) -> None:
        if options["file"] is not None:
            self._verify_file(options["file"])
            return
        report = verify(Path(settings.PHOENIX_AUDIT_HEADS), options["head"])
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(report), "whole": report.whole}))
        else:
            self.stdout.write(f"{report.entries} entries, {report.first} to {report.last}, head {report.head}")
            if report.purged:
                self.stdout.write(f"purged up to {report.purged}")
            for problem in report.problems:
                self.stdout.write(str(problem))
            if report.more:
                self.stdout.write(f"and {report.more} more")
            if report.entries and not report.notes:
                self.stdout.write("Compared with no note of the head: whether its end was cut off, nobody knows.")
            self.stdout.write("It is whole." if report.whole else "IT IS NOT AS IT WAS WRITTEN.")
        if not report.whole:
            sys.exit(1)

    def _verify_file(self, path: Path) -> None:
        try:
            count, wrong, known = export.check(path)
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}") from None
        if wrong:
            raise CommandError(f"lines that are not as they were written: {', '.join(map(str, wrong[:20]))}")
        self.stdout.write(f"{count} lines, each as it was written.")
        words = "It was exported as it is." if known else "No export of this log was exactly this file."
        self.stdout.write(words)

    def _export(self, options: dict[str, Any]) -> None:
        asked = {name: str(options[name]) for name in ("since", "until") if options[name]}
        pieces = (
            export.entries(_me(), _between(Entry.objects.all(), "at", options), options["format"], asked)
            if options["what"] == "entries"
            else export.listenings(
                _me(), _between(Listening.objects.all(), "since", options), options["format"], asked
            )
        )
        for piece in pieces:
            self.stdout.write(piece.decode(), ending="")

    def _purge(self, options: dict[str, Any]) -> None:
        days = settings.PHOENIX_AUDIT_DAYS
        upto = retention.due(days)
        gone = retention.removable(upto)
        count, held = gone.count(), Entry.objects.filter(id__lte=upto).count()
        self.stdout.write(f"{count} entries are older than {days} days; {held - count} older ones are held.")
        if not count:
            return
        if not options["yes"]:
            self.stdout.write("Nothing is removed: --yes does it.")
            return
        removed = sum(retention.purge(_me(), upto))
        self.stdout.write(f"{removed} entries removed, up to {upto}.")

    def _hold(self, options: dict[str, Any]) -> None:
        asked = {name: options[name] for name in ("person", "call", "since", "until", "reason")}
        if not any(asked.values()):
            for one in retention.holds():
                said = " ".join(f"{name}={value}" for name, value in asdict(one).items() if value and name != "id")
                self.stdout.write(f"{one.id} {said}")
            return
        if asked["person"] and not User.objects.filter(username=asked["person"]).exists():
            raise CommandError(f"there is no user {asked['person']}.")
        try:
            self.stdout.write(retention.hold(_me(), **asked))
        except ValueError as error:
            raise CommandError(f"{error}.") from None

    def _release(self, options: dict[str, Any]) -> None:
        try:
            retention.release(_me(), options["id"], options["reason"])
        except LookupError:
            raise CommandError("there is no such hold.") from None

    def _rebuild(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{monitoring.rebuild()} listenings.")


def _me() -> Who:
    return Who(None, getpass.getuser(), "shell")


def _between(found: QuerySet[Any], column: str, options: dict[str, Any]) -> QuerySet[Any]:
    if options["since"]:
        found = found.filter(**{f"{column}__gte": options["since"]})
    if options["until"]:
        found = found.filter(**{f"{column}__lt": options["until"]})
    return found
