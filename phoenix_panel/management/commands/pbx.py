"""`manage.py pbx calls|conferences|queues|… [--watch] [--json]`, and a subcommand for every action: docs/shell.md."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import override

from accounts.models import DIAL_STRING, User
from accounts.snapshots import snapshot_of
from audit.record import Who
from audit.trail import Trail
from floor import registry
from floor.registry import Action
from floor.worker import PbxConfig
from shell import NO_LINK, REFUSED, USAGE, arguments, words
from shell.book import ShellBook
from shell.tables import LOOKS
from shell.terminal import Shell
from switchboard import Ambiguous, NoLink, everything


class Command(BaseCommand):
    help = "Shows what is true on a PBX, and does what the panel can do, without a running panel: docs/shell.md."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for name, look in LOOKS.items():
            sub = subparsers.add_parser(name, help=look.help)
            _common(sub)
            sub.add_argument("--watch", action="store_true", help="go on, and show what changes, until Ctrl-C")
        names = arguments.subcommands(registry.ACTIONS.values(), taken=LOOKS)
        for action in sorted(registry.ACTIONS.values(), key=lambda action: action.verb):
            first, *others = names[action.verb]
            with override("en"):
                sub = subparsers.add_parser(first, aliases=others, help=f"{action.label} ({action.target})")
            sub.set_defaults(verb=action.verb)
            if action.target != "pbx":
                sub.add_argument("target", metavar=action.target.upper(), help="its id, or what people call it")
            _common(sub)
            sub.add_argument(
                "--phone", metavar="DIAL", help="what rings, as in PJSIP/900, and not the user's own phone"
            )
            arguments.add(sub, action)
        for short, verbs in arguments.shared(registry.ACTIONS.values(), taken=LOOKS).items():
            sub = subparsers.add_parser(short, help=f"several: {', '.join(verbs)}")
            sub.add_argument("rest", nargs="*", help=f"say which: {' or '.join(verbs)}")
            _common(sub)
            sub.set_defaults(several=verbs)

    def handle(self, *args: Any, **options: Any) -> None:
        with quiet(verbose=options["verbosity"] > 1):
            code = self._run(options)
        if code:
            sys.exit(code)

    def _run(self, options: dict[str, Any]) -> int:
        if options.get("several"):
            raise CommandError(f"say which: {' or '.join(options['several'])}", returncode=USAGE)
        config = pbx_config(options["pbx"], options.get("target", ""))
        user = user_named(options["as"]) if options["as"] else None
        action = registry.ACTIONS.get(options.get("verb", ""))
        trail = Trail()
        book = ShellBook(trail, _who(user), _phone(config.name, options.get("phone")))
        shell = Shell(config, book, self.stdout, self.stderr, options["json"])
        try:
            if action is not None:
                return asyncio.run(shell.act(action, options.get("target", ""), _given(action, options)))
            return self._look(shell, user, options)
        except NoLink as error:
            raise CommandError(words.link(config.name, error.code, str(error)), returncode=NO_LINK) from None
        except Ambiguous as error:
            raise CommandError(words.printable(error), returncode=USAGE) from None
        except KeyboardInterrupt:
            return 130  # as every shell has it
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        finally:
            trail.close()

    def _look(self, shell: Shell, user: User | None, options: dict[str, Any]) -> int:
        look = LOOKS[options["subcommand"]]
        rights = everything() if user is None else snapshot_of(user).rights
        kinds = registry.seen_by(rights) & set(look.kinds)
        if not kinds:
            raise CommandError(f"{options['as']} may not see {options['subcommand']}", returncode=REFUSED)
        if not options["watch"]:
            asyncio.run(shell.look(look, kinds))
            return 0
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(shell.watch(look, kinds))
        return 0


def _common(parser: ArgumentParser) -> None:
    parser.add_argument("--pbx", metavar="NAME", default="", help="which PBX, where there are several")
    parser.add_argument("--as", metavar="USER", default="", help="with this user's rights and phone")
    parser.add_argument("--json", action="store_true", help="JSON, an object a line")


def pbx_config(name: str, target: str) -> PbxConfig:
    """The PBX that is meant: named, or by the target's key, or the only one there is."""
    from phoenix_panel.wiring import pbx_configs

    configs = {config.name: config for config in pbx_configs()}
    if not configs:
        raise CommandError(
            "no PBX is named: set PHOENIX_PBX=ami://user:secret@host:5038 (the demo is inside runpanel alone)",
            returncode=USAGE,
        )
    place, slash, _ = target.partition("/")
    name = name or (place if slash and place in configs else "")
    if not name and len(configs) == 1:
        (name,) = configs
    if name not in configs:
        said = f"no PBX is called {words.printable(name)}" if name else "there are several PBXs"
        raise CommandError(f"{said}: --pbx {' or '.join(configs)}", returncode=USAGE)
    return configs[name]


def user_named(name: str) -> User:
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"there is no user {words.printable(name)}", returncode=USAGE)
    return user


def _who(user: User | None) -> Who:
    """As the audit has it: the user, from this shell; or the shell itself, which has the database and the secrets."""
    shell = f"shell:{_os_user()}"
    return Who(None, shell, "shell") if user is None else Who(user.pk, user.name, "shell", shell)


def _os_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name  # not the environment's word, which anybody writes
    except KeyError:
        return str(os.getuid())


def _phone(pbx: str, phone: str | None) -> tuple[str, str] | None:
    if not phone:
        return None
    if not DIAL_STRING.fullmatch(phone):
        raise CommandError("--phone: a dial string looks like PJSIP/900", returncode=USAGE)
    return pbx, phone


def _given(action: Action, options: dict[str, Any]) -> dict[str, Any]:
    try:
        return arguments.given(action, options)
    except ValueError as error:
        raise CommandError(words.printable(error), returncode=USAGE) from None


@contextlib.contextmanager
def quiet(*, verbose: bool) -> Iterator[None]:
    """What a panel would log of its link, the command says itself."""
    before = logging.root.manager.disable
    if not verbose:
        logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
