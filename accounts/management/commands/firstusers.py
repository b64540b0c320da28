"""`manage.py firstusers`: to look at the demo, an administrator and a supervisor, their passwords shown once.

Where a PBX is real the first administrator makes herself, with a password of her own: accounts.firstrun.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts.models import Phone, User
from accounts.passwords import readable

FIRST = (("admin", "Admin", True), ("supervisor", "Supervisor", False))  # name, role, superuser

DEMO_PHONE = "PJSIP/2000"  # the supervisor's phone on the demo PBX: it answers by itself


class Command(BaseCommand):
    help = "Creates the demo's first users if there are none; says nothing otherwise."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.PHOENIX_DEMO_ALONE:
            return
        made: list[tuple[str, str]] = []
        with transaction.atomic():
            if User.objects.exists():
                return
            for name, role, superuser in FIRST:
                password = readable()
                user = User(username=name, is_superuser=superuser)
                user.set_password(password)
                user.save()
                user.groups.add(Group.objects.get(name=role))
                Phone.objects.create(user=user, pbx="demo", dial_string=DEMO_PHONE)
                made.append((name, password))
        self.stdout.write(
            box(["Sign in with (shown this once, write them down):", "", *(f"{n:<12}{p}" for n, p in made)])
        )


def box(lines: list[str]) -> str:
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 4) + "+"
    return "\n".join([edge, *(f"|  {line:<{width}}  |" for line in lines), edge])
