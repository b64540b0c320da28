"""A small company: Alice administers, Lena leads Sales and manages people and teams, Ann is an agent of hers."""

from __future__ import annotations

from django.contrib.auth.models import Group

from accounts.models import Team, User
from accounts.rights import ROLES
from audit.record import Who
from people import services
from tests.accounts.conftest import give_password
from tests.conftest import member


def of(user: User | None) -> Who:
    return Who(user.pk, user.name, "page", "192.0.2.1") if user else Who(None, "shell:root", "shell")


def role(name: str, *rights: str) -> Group:
    made = Group()
    services.save_role(made, name, rights)
    return made


def team(name: str, *rules: tuple[str, str, str]) -> Team:
    made = Team.objects.create(name=name)
    for aspect, pbx, pattern in rules:
        services.add_rule(made, aspect, pbx, pattern)
    return made


class Company:
    """Lena holds the rights of a team lead, and both of managing; her floor is the team Sales."""

    def __init__(self) -> None:
        self.managing = role("Managing", *ROLES["Team lead"], "accounts.people", "accounts.roles")
        self.listening = role("Listening", "calls.view", "calls.listen", "calls.barge")
        self.sales = team("Sales", ("queue", "office", "sales*"), ("extension", "office", "2??"))
        self.support = team("Support", ("queue", "office", "support"))
        self.alice, self.lena = member("Alice", "Admin"), member("Lena", "Managing")
        self.ann, self.bob = member("Ann", "Agent"), member("Bob", "Supervisor")
        for user in (self.alice, self.lena, self.ann, self.bob):
            give_password(user)
        self.sales.members.add(self.lena, self.ann)
