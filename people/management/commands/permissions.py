"""`manage.py permissions export|diff|apply`: who may what, as a file that is reviewed like any other source."""

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import Who
from people import declared, services, state


class Command(BaseCommand):
    help = "Roles, teams and protected people as a JSON file: docs/people.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.words = words = parser.add_subparsers(dest="what", required=True)
        words.add_parser("export", help="write it to the standard output")
        diff = words.add_parser("diff", help="what apply would change")
        diff.add_argument("--check", action="store_true", help="exit with 1 if anything")
        apply = words.add_parser("apply", help="make it so, all or nothing")
        for one in (diff, apply):
            one.add_argument("file", help="- reads the standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "export":
            self.stdout.write(declared.dump(state.read()), ending="")
            return
        who = Who(None, f"shell:{getpass.getuser()}", "shell")
        try:
            text = sys.stdin.read() if options["file"] == "-" else Path(options["file"]).read_text(encoding="utf-8")
            wanted = declared.load(text)
            with services.changing(
                who, services.ROLES_TEAMS, "permissions.apply", dry=options["what"] == "diff"
            ) as change:
                declared.take(change, wanted)
        except (OSError, UnicodeDecodeError, services.Refused) as error:
            raise CommandError(str(error)) from None
        except declared.Faults as faults:
            raise CommandError("\n".join(map(str, faults.args))) from None
        for line in change.lines:
            self.stdout.write(line)
        if options["what"] == "diff" and options["check"] and change.differences:
            raise SystemExit(1)
