"""Settings of the tests: those of the portal, with a fast hasher and everything in a folder of its own."""

import os
import tempfile

os.environ["RHWEB_DATA_DIR"] = os.environ.get("RHWEB_TEST_DATA_DIR") or tempfile.mkdtemp(
    prefix="rhweb-tests-"
)
for _name in (
    "RUNNINGHUB_API_KEY",
    "RUNNINGHUB_BASE_URL",
    "RUNNINGHUB_SLOTS",
    "RHWEB_PUBLIC_URL",
    "RHWEB_STORAGE_URL",
    "RHWEB_OIDC_URL",
):
    os.environ.pop(_name, None)

from rhweb.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = [*ALLOWED_HOSTS, "testserver"]  # noqa: F405
# No test pulls the plug, so nothing waits for the disk, unless the test asks whether the portal does.
if "sqlite" in DATABASES["default"]["ENGINE"]:  # noqa: F405
    # A file, because threads of one test must see the same rows, which a database in memory makes awkward.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # noqa: F405
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"  # noqa: F405
else:
    DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"  # noqa: F405
CACHES["default"]["KEY_PREFIX"] = f"test-{os.getpid()}"  # noqa: F405
SPEECH_WAIT = 0.0
LISTENS = False  # threads beside a test; those that are about them say so
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405
if REDIS_URL:  # noqa: F405
    # A Redis database for each process, because emptying the cache empties the whole database.
    _number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    CACHES["default"]["LOCATION"] = f"{REDIS_URL.rpartition('/')[0]}/{15 - _number}"  # noqa: F405
