from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit import chain, heads


class AppendOnly(Exception):
    """Somebody tried to change or delete an entry: a mistake in the program, never in the data."""


def _refuse() -> NoReturn:
    raise AppendOnly("Audit entries are only ever added.")


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads as any other; every way to change what is there raises AppendOnly. What is added enters the chain."""

    def update(self, **kwargs: Any) -> NoReturn:
        _refuse()

    def delete(self) -> NoReturn:
        _refuse()

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()

    def bulk_create(self, objs: Iterable["Entry"], *args: Any, **kwargs: Any) -> "list[Entry]":
        if kwargs.get("update_conflicts") or kwargs.get("ignore_conflicts"):
            _refuse()  # of what is ignored, nobody knows which: its place in the chain would be empty
        added = list(objs)
        with transaction.atomic(using=self.db):
            head = chain.link(added, self.db)
            super().bulk_create(added, *args, **kwargs)
            transaction.on_commit(lambda: heads.pen().wrote(*head), using=self.db)
        return added

    # Their async twins are written on these: aupdate, adelete, abulk_update, aupdate_or_create.

    def _raw_delete(self, using: str | None) -> NoReturn:
        _refuse()

    def purge(self) -> int:
        """Remove these, as many as they are. Only `audit.retention` may: the database asks for its entry first."""
        return models.QuerySet._raw_delete(self, self.db)


class Entry(models.Model):
    """One line of the trail. An action has an intent before it is sent, and one outcome or more after.

    An `unknown` outcome may be followed by another one when a re-read settles it: the last one counts.
    """

    class Kind(models.TextChoices):
        INTENT = "intent", _("action")
        OUTCOME = "outcome", _("outcome")
        DENIED = "denied", _("denied")  # before there was anything to send; a PBX's worker denies by an outcome
        CHANGED = "changed", _("settings")
        SIGN = "sign", _("sign-in")
        LISTEN = "listen", _("monitoring")
        KEEPING = "keeping", _("the audit itself")

    class Source(models.TextChoices):
        PAGE = "page", _("page")
        API = "api", "API"
        SHELL = "shell", _("command line")
        DESK = "desk", _("desk phone")
        PANEL = "panel", _("panel")  # a leg that the panel made, and this process does not know for whom

    class Outcome(models.TextChoices):
        NONE = "", ""
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")

    at = models.DateTimeField(default=timezone.now, db_index=True)  # UTC
    kind = models.CharField(max_length=8, choices=Kind)
    command = models.CharField(max_length=32, db_index=True)  # 32 hex digits, made by who asked
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # there is one with the number, below
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
    before = models.BinaryField(max_length=32, default=b"")  # the MAC of the entry before it
    mac = models.BinaryField(max_length=32, default=b"")  # audit.chain

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
        # Each for one filter of the page, newest first. What most entries have is no filter and in no index.
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="audit_user"),
            models.Index(fields=["kind", "-id"], name="audit_kind"),
            models.Index(fields=["verb", "-id"], name="audit_verb"),
            models.Index(fields=["pbx", "-id"], name="audit_pbx"),
            models.Index(fields=["target_key", "-id"], name="audit_target", condition=~models.Q(target_key="")),
            models.Index(fields=["code", "-id"], name="audit_code", condition=~models.Q(code="")),
        ]

    def __str__(self) -> str:
        return (
            f"{self.at:%Y-%m-%d %H:%M:%S} {self.user_name} {self.verb} {self.target_key} {self.outcome or self.kind}"
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            _refuse()
        kwargs["force_insert"] = True
        using = kwargs["using"] = kwargs.get("using") or self._state.db or "default"
        with transaction.atomic(using=using):
            head = chain.link([self], using)
            super().save(*args, **kwargs)
            transaction.on_commit(lambda: heads.pen().wrote(*head), using=using)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse()


class Listening(models.Model):
    """Somebody listened to somebody: what the entries of kind `listen` say, once more so that it can be looked up.

    The entries are what counts: `manage.py audit rebuild` makes this table anew from them, `audit verify` compares.
    """

    class Why(models.TextChoices):
        STOPPED = "stopped", _("stopped")
        TARGET = "target", _("the call ended")
        LEG = "leg", _("hung up")
        SCOPE = "scope", _("out of scope")
        LOST = "lost", _("link lost")  # it was over when the link was back
        UNKNOWN = "unknown", _("not known")  # the panel was not there

    command = models.CharField(max_length=32, unique=True)  # of its entries; none that anybody gave
    begun = models.BigIntegerField(unique=True)  # the number of its first entry
    pbx = models.CharField(max_length=32)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    user_name = models.CharField(max_length=150, blank=True)  # "" if nobody is known but the phone
    phone = models.CharField(max_length=200)  # where it was heard: number and name
    target = models.CharField(max_length=80)  # whose leg was heard: the number
    target_name = models.CharField(max_length=200, blank=True)
    others = models.CharField(max_length=500, blank=True)  # who else was on the call: numbers and names
    others_masked = models.CharField(max_length=500, blank=True)
    call = models.CharField(max_length=200, blank=True)  # its key
    mode = models.CharField(max_length=8)  # as it began
    switches = models.CharField(
        max_length=200, blank=True
    )  # modes it was turned to after: sent, nobody can prove them
    keys = models.BooleanField(default=False)  # its phone could turn it by its own keys, which nobody is told of
    source = models.CharField(max_length=8, choices=Entry.Source)
    action = models.CharField(max_length=32, blank=True)  # the command that made it
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)  # None too when it is over and nobody knows when
    why = models.CharField(max_length=8, choices=Why, blank=True)  # it ended; "" as long as it goes on
    told = models.CharField(max_length=16, blank=True)  # how the one who was listened to was told
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-begun"]
        indexes: ClassVar = [
            models.Index(fields=["user", "-begun"], name="listening_user"),
            models.Index(fields=["target", "-begun"], name="listening_target"),
            models.Index(fields=["pbx", "-begun"], name="listening_pbx"),
            models.Index(fields=["since"], name="listening_since"),
            models.Index(fields=["pbx"], name="listening_open", condition=models.Q(why="")),
        ]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S} {self.user_name or self.phone} {self.mode} {self.target}"
