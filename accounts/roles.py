"""Lays rights and roles into the database after every `migrate`, and keeps what administrators have changed since."""

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, router, transaction
from django.utils.translation import override

from accounts.rights import MFA_ROLES, RIGHTS, ROLES

# Rights are no model's: each app's hang on one content type of that app, named so.
CONTENT_TYPE_MODEL = "right"


def lay_out(
    sender: AppConfig | None = None, *, using: str = DEFAULT_DB_ALIAS, apps: Any = None, **kwargs: Any
) -> None:
    """Creates the missing permissions and groups.

    A right that is new to this database goes to the roles that ship with it. A right that was there already stays as
    it is: who took `calls.hangup` from the supervisors doesn't get it back by an upgrade.
    """
    if apps is None:
        from django.apps import apps
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    Group = apps.get_model("auth", "Group")
    try:
        RolePolicy = apps.get_model("accounts", "RolePolicy")
    except LookupError:  # migrated back to before there was one
        RolePolicy = None
    if not router.allow_migrate_model(using, Permission):
        return

    with transaction.atomic(using=using), override("en"):
        granted: dict[str, list[Any]] = {role: [] for role in ROLES}
        for right, words in RIGHTS.items():
            app_label, codename = right.split(".")
            content_type, _ = ContentType.objects.using(using).get_or_create(
                app_label=app_label, model=CONTENT_TYPE_MODEL
            )
            permission, new = Permission.objects.using(using).get_or_create(
                content_type=content_type, codename=codename, defaults={"name": str(words)}
            )
            if new:
                for role, rights in ROLES.items():
                    if right in rights:
                        granted[role].append(permission)
        for role, permissions in granted.items():
            group, _ = Group.objects.using(using).get_or_create(name=role)
            group.permissions.add(*permissions)
            if RolePolicy is not None:
                RolePolicy.objects.using(using).get_or_create(
                    group=group, defaults={"mfa_required": role in MFA_ROLES}
                )
