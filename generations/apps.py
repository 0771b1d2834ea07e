from django.apps import AppConfig


class GenerationsConfig(AppConfig):
    """The product: what can be made, the pipeline that makes it, and the library it lands in."""

    name = "generations"
