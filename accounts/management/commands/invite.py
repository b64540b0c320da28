"""`manage.py invite NAME`: the link by which somebody sets her own password."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import invitations
from accounts.models import User


class Command(BaseCommand):
    help = "Prints a link by which a user sets her own password: the first (72 hours), or a new one (1 hour)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what she signs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no user {options['name']} who may come in.")
        self.stdout.write(invitations.link_for(user))
