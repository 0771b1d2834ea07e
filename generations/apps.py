from django.apps import AppConfig


class GenerationsConfig(AppConfig):
    """The product: what can be made, the pipeline that makes it, and the library it lands in."""

    name = "generations"

    def ready(self) -> None:
        """Teams' own models are found like those of the catalogue; a fork lets go of the database."""
        from generations import own_models
        from generations.catalogue import load
        from generations.models import forking

        load.look_also(own_models.find)
        forking.guard()
