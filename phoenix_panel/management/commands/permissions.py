"""`manage.py permissions`: as people has it, and `explain`: why somebody may do something now, or can't."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import override

from accounts.explaining import explain
from accounts.snapshots import standing_of
from floor import registry
from floor.asking import Facts
from floor.worker import PbxConfig
from people.management.commands import permissions as people
from phoenix_panel.management.commands.pbx import pbx_config, quiet, user_named
from shell import DONE, NO_LINK, REFUSED, USAGE, words
from switchboard import Ambiguous, NoLink, Switchboard, Unwritten


class Command(people.Command):
    help = (
        "Who may do what: roles, teams and protected people as a file (docs/people.md), and why (docs/permissions.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        sub = self.words.add_parser("explain", help="why a user may do something on a PBX now, or can't")
        sub.add_argument("user", metavar="USER", help="what she signs in with")
        sub.add_argument("verb", metavar="VERB", choices=sorted(registry.ACTIONS), help="as calls.whisper")
        sub.add_argument("target", metavar="TARGET", nargs="?", default="", help="its id, or what people call it")
        sub.add_argument("--pbx", metavar="NAME", default="", help="which PBX, where there are several")
        sub.add_argument("--json", action="store_true", help="JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "explain":
            self._explain(options)
        else:
            super().handle(*args, **options)

    def _explain(self, options: dict[str, Any]) -> None:
        config, standing = pbx_config(options["pbx"], options["target"]), standing_of(user_named(options["user"]))

        async def ask(config: PbxConfig) -> Facts:
            async with Switchboard(config, Unwritten()) as board:
                return board.ask(options["verb"], options["target"], standing.user)

        try:
            with quiet(verbose=options["verbosity"] > 1):
                facts = asyncio.run(ask(config))
        except NoLink as error:
            raise CommandError(words.link(config.name, error.code, str(error)), returncode=NO_LINK) from None
        except Ambiguous as error:
            raise CommandError(words.printable(error), returncode=USAGE) from None
        action = registry.ACTIONS[options["verb"]]
        with override("en"):
            why = explain(standing, action.right, facts.target, state=facts.state)
        if options["json"]:
            said = {"allowed": why.allowed, "code": why.code, "reasons": why.reasons, "words": facts.words}
            self.stdout.write(json.dumps(said))
        else:
            first = f"{'yes' if why.allowed else 'no'}: {action.verb} {facts.words}".strip()
            for line in (first, *(f"  {reason}" for reason in why.reasons)):
                self.stdout.write(words.printable(line))
        sys.exit(DONE if why.allowed else REFUSED)
