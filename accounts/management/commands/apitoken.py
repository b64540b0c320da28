"""`manage.py apitoken create NAME …`, `list`, `revoke`: personal tokens for the API, of any user."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tokens
from accounts.models import Token, User
from accounts.snapshots import snapshot_of


class Command(BaseCommand):
    help = "Makes, lists and revokes tokens for the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = parser.add_subparsers(dest="way", required=True)
        create = ways.add_parser("create", help="a new token, which is shown once")
        create.add_argument("user", help="whose: it never may do more than she may")
        create.add_argument("--name", required=True, help="what it is for")
        create.add_argument("--days", type=int, default=30, help="good for so long, at most 365 (30)")
        create.add_argument(
            "--right",
            action="append",
            default=[],
            help="as in calls.view; more than once for several (default: all hers)",
        )
        listing = ways.add_parser("list", help="the tokens that are good now")
        listing.add_argument("user", nargs="?", help="of this user only")
        revoke = ways.add_parser("revoke", help="end one, by how it begins, or all of a user")
        which = revoke.add_mutually_exclusive_group(required=True)
        which.add_argument("hint", nargs="?", help="how it begins: phx_ and eight signs")
        which.add_argument("--user", help="all tokens of this user")

    def handle(self, *args: Any, **options: Any) -> None:
        {"create": self.create, "list": self.list, "revoke": self.revoke}[options["way"]](options)

    def create(self, options: dict[str, Any]) -> None:
        user = self.user(options["user"])
        hers = snapshot_of(user).rights
        rights = frozenset(options["right"]) or hers
        try:
            _, secret = tokens.make(user, options["name"], rights, options["days"])
        except tokens.Unfit as error:
            words = {
                "name": "A name has 1 to 60 signs that can be written.",
                "days": f"--days is 1 to {tokens.LONGEST_DAYS}.",
                "many": f"{user.username} has {tokens.MOST} tokens: revoke one first.",
                "rights": f"{user.username} has not all of these rights, only: {', '.join(sorted(hers)) or 'none'}.",
            }
            raise CommandError(words[error.args[0]]) from None
        self.stdout.write(secret)

    def list(self, options: dict[str, Any]) -> None:
        found = tokens.good().select_related("user").order_by("user__username", "id")
        if options["user"]:
            found = found.filter(user=self.user(options["user"]))
        for token in found:
            used = f"{token.last_used:%Y-%m-%d}" if token.last_used else "never"
            self.stdout.write(
                f"{token.hint}  {token.user.username}  until {token.expires:%Y-%m-%d}  used {used}  "
                f"{token.name}  {' '.join(token.rights)}"
            )

    def revoke(self, options: dict[str, Any]) -> None:
        found = Token.objects.filter(revoked=None)
        if options["user"]:
            found = found.filter(user=self.user(options["user"]))
        else:
            found = found.filter(hint=options["hint"][:12])
        ended = found.update(revoked=timezone.now())
        if not ended:
            raise CommandError("There is no such token.")
        self.stdout.write(f"revoked: {ended}")

    def user(self, name: str) -> User:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name}.")
        return user
