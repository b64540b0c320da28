"""`manage.py setphone NAME PBX=DIAL`: which phone rings for a user on a PBX; `PBX=` takes it away."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Phone, User


class Command(BaseCommand):
    help = "Sets the phone of a user on a PBX: listening and picking up ring it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what she signs in with")
        parser.add_argument("phone", metavar="PBX=DIAL", help="as in office=PJSIP/900; office= takes it away")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['name']}.")
        pbx, equals, dial_string = options["phone"].partition("=")
        if not equals:
            raise CommandError(f"{options['phone']}: write PBX=DIAL, as in office=PJSIP/900.")
        if not dial_string:
            Phone.objects.filter(user=user, pbx=pbx).delete()
            self.stdout.write(f"{user.username} has no phone on {pbx}")
            return
        phone = Phone.objects.filter(user=user, pbx=pbx).first() or Phone(user=user, pbx=pbx)
        phone.dial_string = dial_string
        try:
            phone.save()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{user.username} is rung at {dial_string} on {pbx}")
