"""`manage.py createoperator NAME --role ROLE --phone PBX=DIAL`: a user, and the password that she begins with."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Phone, User
from accounts.passwords import readable


class Command(BaseCommand):
    help = "Creates a user with a random password, which is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what she signs in with")
        parser.add_argument("--display-name", default="", help="what others see (default: the name)")
        parser.add_argument("--role", action="append", default=[], help="a role, by name; may be given more than once")
        parser.add_argument(
            "--phone",
            action="append",
            default=[],
            metavar="PBX=DIAL",
            help="the phone that is hers on a PBX, as in office=PJSIP/900; once for each PBX",
        )
        parser.add_argument("--superuser", action="store_true", help="every right, now and later")

    def handle(self, *args: Any, **options: Any) -> None:
        password = readable()
        try:
            with transaction.atomic():
                user = User(
                    username=options["name"],
                    display_name=options["display_name"],
                    is_superuser=options["superuser"],
                )
                user.set_password(password)
                user.full_clean()
                user.save()
                user.groups.set([self.role(name) for name in options["role"]])
                for words in options["phone"]:
                    pbx, equals, dial_string = words.partition("=")
                    if not equals:
                        raise CommandError(f"--phone {words}: write PBX=DIAL, as in office=PJSIP/900.")
                    phone = Phone(user=user, pbx=pbx, dial_string=dial_string)
                    phone.full_clean()
                    phone.save()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{user.username} signs in with the password {password}")

    def role(self, name: str) -> Group:
        group = Group.objects.filter(name__iexact=name).first()
        if group is None:
            names = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"There is no role {name}. There are: {names}.")
        return group
