"""`manage.py monitoring preset EU`: how people are told that they are monitored, without a browser."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts import policies
from accounts.monitoring_policy import MODES, PRESETS, Policy
from audit.record import Who
from listening import services


class Command(BaseCommand):
    help = "Says how people are told that they are monitored; with `preset`, sets it (docs/monitoring-and-law.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="what")
        preset = commands.add_parser("preset", help="take a regime's switches for the whole panel")
        preset.add_argument("name", choices=[*PRESETS])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "preset":
            services.preset(Who(None, "manage.py monitoring", "shell"), options["name"])
        now = dict(policies.of(None))
        for mode in MODES:
            policy = now.get(mode, Policy())
            reason = ", with a reason" if policy.reason else ""
            self.stdout.write(f"{mode:8} told: {policy.told}{reason}")
        if not policies.answered():
            self.stdout.write("Nobody has decided yet: choose on the page, or by `manage.py monitoring preset NAME`.")
