from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import roles

        post_migrate.connect(roles.lay_out, sender=self, dispatch_uid="accounts.roles")
