from django.apps import AppConfig


class PhoenixPanelConfig(AppConfig):
    name = "phoenix_panel"
    verbose_name = "Phoenix Panel"

    def ready(self) -> None:
        from phoenix_panel import checks  # noqa: F401  # importing it registers the checks
