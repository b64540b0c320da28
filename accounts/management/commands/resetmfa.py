"""`manage.py resetmfa NAME`: for who has lost her telephone and her recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import mfa
from accounts.models import User


class Command(BaseCommand):
    help = "Takes a user's second factors away: she signs in by her password, and sets up a new one if she must."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what she signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['name']}.")
        self.stdout.write(f"taken away: {mfa.reset(user)}")
