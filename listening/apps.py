from django.apps import AppConfig
from django.conf import settings


class ListeningConfig(AppConfig):
    name = "listening"

    def ready(self) -> None:
        from listening import actions

        actions.register(settings.PHOENIX_AUDIO_HOST)
