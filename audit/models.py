from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnly(Exception):
    """Somebody tried to change or delete an entry: a mistake in the program, never in the data."""


def _refuse() -> NoReturn:
    raise AppendOnly("Audit entries are only ever added.")


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads as any other; every way to change what is there raises AppendOnly."""

    def update(self, **kwargs: Any) -> NoReturn:
        _refuse()

    def delete(self) -> NoReturn:
        _refuse()

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def bulk_create(self, objs: Iterable["Entry"], *args: Any, **kwargs: Any) -> "list[Entry]":
        if kwargs.get("update_conflicts"):
            _refuse()
        return super().bulk_create(objs, *args, **kwargs)

    # Their async twins are written on these: aupdate, adelete, abulk_update, aupdate_or_create.

    def _raw_delete(self, using: str | None) -> NoReturn:
        _refuse()


class Entry(models.Model):
    """One line of the trail. An action has an intent before it is sent, and one outcome or more after.

    An `unknown` outcome may be followed by another one when a re-read settles it: the last one counts.
    """

    class Kind(models.TextChoices):
        INTENT = "intent", _("asked for")
        OUTCOME = "outcome", _("outcome")
        DENIED = "denied", _("denied")

    class Source(models.TextChoices):
        PAGE = "page", _("page")
        API = "api", "API"
        SHELL = "shell", _("command line")

    class Outcome(models.TextChoices):
        NONE = "", ""
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")

    at = models.DateTimeField(auto_now_add=True, db_index=True)  # UTC
    kind = models.CharField(max_length=8, choices=Kind)
    command = models.CharField(max_length=32, db_index=True)  # 32 hex digits, made by who asked
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    user_name = models.CharField(max_length=150)  # as it was then: users are renamed
    source = models.CharField(max_length=8, choices=Source)
    address = models.CharField(max_length=64, blank=True)  # where the request came from
    verb = models.CharField(max_length=64)
    pbx = models.CharField(max_length=32, blank=True)
    target_kind = models.CharField(max_length=32, blank=True)
    target_key = models.CharField(max_length=200, blank=True)
    target_words = models.CharField(max_length=500, blank=True)  # who was on the call; the key says nothing next week
    args = models.JSONField(default=dict, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True, default="")
    code = models.CharField(max_length=32, blank=True)  # a result code of docs/frames.md
    detail = models.CharField(max_length=500, blank=True)  # Asterisk's own words, or the system's

    objects = EntryQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"  # Django's own inner look-ups go through the refusing query set too
        ordering: ClassVar = ["id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ()
        constraints: ClassVar = [
            # The same command again is the same command: its second intent is refused by the database itself.
            models.UniqueConstraint(fields=["command"], condition=models.Q(kind="intent"), name="one_intent"),
        ]

    def __str__(self) -> str:
        return (
            f"{self.at:%Y-%m-%d %H:%M:%S} {self.user_name} {self.verb} {self.target_key} {self.outcome or self.kind}"
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            _refuse()
        kwargs["force_insert"] = True  # with the number of one that is there it is an IntegrityError, never an update
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()
