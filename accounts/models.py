import re
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.monitoring_policy import LONGEST_REASON


def validate_time_zone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError(_("There is no such time zone."), code="time_zone") from None


class User(AbstractUser):
    """Somebody who signs in. Her roles are Django groups; `is_superuser` (all rights) is given from the shell only."""

    first_name = None  # type: ignore[assignment]  # one name, as she wants to be called, is enough
    last_name = None  # type: ignore[assignment]
    display_name = models.CharField(_("name shown"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)  # one of LANGUAGES; "" is the browser's
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.display_name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class RolePolicy(models.Model):
    """What a role asks of those who have it. A role without a row asks nothing."""

    group = models.OneToOneField("auth.Group", on_delete=models.CASCADE, primary_key=True, related_name="policy")
    mfa_required = models.BooleanField(default=False)  # a second factor: accounts.mfa

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.group.name


# A dial string goes into AMI headers as it is: technology, slash, resource, and nothing that parts or ends a header,
# forks a call (&), carries dial options (,) or names a context of the dial plan.
DIAL_STRING = re.compile(r"^(PJSIP|SIP|IAX2|DAHDI|SCCP)/[A-Za-z0-9_.+-]{1,64}\Z")


class Phone(models.Model):
    """The phone that rings for a user on one PBX."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="phones")
    pbx = models.CharField(
        _("PBX"), max_length=32, validators=[RegexValidator(r"^[a-z0-9_-]{1,32}\Z", _("There is no such PBX."))]
    )
    dial_string = models.CharField(
        _("dial string"),
        max_length=80,
        validators=[RegexValidator(DIAL_STRING, _("A dial string looks like PJSIP/900."))],
    )

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "pbx"], name="one_phone_per_pbx")]

    def __str__(self) -> str:
        return f"{self.pbx}: {self.dial_string}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Checked however it is made: what is saved here is dialled."""
        self.clean_fields()
        super().save(*args, **kwargs)


# No control signs, which no name on a PBX has. `*` and `?` are patterns' (accounts.permissions.Rule).
_NAMED = RegexValidator(r"^[^\x00-\x1f\x7f]{1,80}\Z", _("There is no such name."))


class Team(models.Model):
    """People who have the same part of the floor."""

    name = models.CharField(_("name"), max_length=80, unique=True, validators=[_NAMED])
    members = models.ManyToManyField(User, blank=True, related_name="teams")

    class Meta:
        ordering: ClassVar = ["name"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class TeamRule(models.Model):
    """One part of a team's floor: a PBX, or extensions, queues or conferences there, by name or pattern."""

    class Of(models.TextChoices):
        PBX = "pbx", _("a whole PBX")
        EXTENSION = "extension", _("extension")
        QUEUE = "queue", _("queue")
        CONFERENCE = "conference", _("conference")

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="rules")
    aspect = models.CharField(max_length=10, choices=Of)
    pbx = models.CharField(_("PBX"), max_length=80, default="*", validators=[_NAMED])
    name = models.CharField(_("name"), max_length=80, default="*", validators=[_NAMED])

    class Meta:
        ordering: ClassVar = ["aspect", "pbx", "name"]
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "aspect", "pbx", "name"], name="rule_once")]

    def __str__(self) -> str:
        return f"{self.aspect} {self.name} ({self.pbx})"


class Protected(models.Model):
    """An extension, or several by a pattern, that nobody may listen to, speak to unasked, or record."""

    pbx = models.CharField(_("PBX"), max_length=80, default="*", validators=[_NAMED])
    extension = models.CharField(_("extension"), max_length=80, validators=[_NAMED])
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["pbx", "extension"]
        default_permissions = ()
        constraints: ClassVar = [models.UniqueConstraint(fields=["pbx", "extension"], name="protected_once")]

    def __str__(self) -> str:
        return f"{self.extension} ({self.pbx})"


class MonitoringPolicy(models.Model):
    """How those are told who are monitored in one mode, and whether a reason must be given: for a team's part of the
    floor, or (no team) the panel's own. What is not there is as accounts.monitoring_policy has it until somebody
    decides."""

    class Mode(models.TextChoices):
        LISTEN = "listen", _("Listen")
        WHISPER = "whisper", _("Whisper")
        BARGE = "barge", _("Barge in")

    class Told(models.TextChoices):
        SCREEN = "screen", _("on their own screen")
        TONE = "tone", _("by a tone, and on their screen")
        NO = "no", _("not at all")

    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="monitoring")
    mode = models.CharField(max_length=8, choices=Mode)
    told = models.CharField(max_length=8, choices=Told, default=Told.SCREEN)
    reason_required = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["team", "mode"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "mode"], name="policy_once"),
            # NULLs are never equal: the panel's own needs a constraint of its own.
            models.UniqueConstraint(fields=["mode"], condition=models.Q(team=None), name="panels_policy_once"),
        ]

    def __str__(self) -> str:
        return f"{self.team or '*'} {self.mode}: {self.told}"


class MonitoringReason(models.Model):
    """A reason that is offered to who must give one."""

    text = models.CharField(max_length=LONGEST_REASON, unique=True)

    class Meta:
        ordering: ClassVar = ["id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.text


class Token(models.Model):
    """A personal token for the API: somebody's program does with it what she may, or part of it, until it expires.

    What it grants is fixed when it is made; what she may herself is asked each time it is used (accounts.tokens).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the token, hex: of 256 random bits it is enough
    hint = models.CharField(max_length=16)  # how it begins, for its owner to know it again
    rights = models.JSONField(default=list)  # strings of accounts.rights
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField()
    last_used = models.DateTimeField(null=True, blank=True)  # to ten minutes
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.hint}… {self.name}"
