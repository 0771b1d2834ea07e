from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The wiring; an application only so that its system checks are known."""

    name = "rhweb"

    def ready(self) -> None:
        from rhweb import checks  # noqa: F401
