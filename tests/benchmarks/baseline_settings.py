"""The settings of the portal, with Django's admin beside it."""

from rhweb.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]  # noqa: F405
ROOT_URLCONF = "tests.benchmarks.baselines"
MIDDLEWARE = [name for name in MIDDLEWARE if name != "accounts.middleware.SignInRequired"]  # noqa: F405
SILENCED_SYSTEM_CHECKS = ["files.E001", *(f"admin.E{n}" for n in (403, 406, 408, 409, 410))]
STORAGES = {
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
