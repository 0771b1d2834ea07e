"""The environment: everything has a default, nonsense is refused with a sentence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rhweb import env

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("X", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("value", "wanted"),
    [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False), (" ", False)],
)
def test_a_flag(put: pytest.MonkeyPatch, value: str, wanted: bool) -> None:
    put.setenv("X", value)
    assert env.flag("X") is wanted


@pytest.mark.parametrize(
    ("reader", "value", "words"),
    [
        (lambda: env.flag("X"), "maybe", "write 1 or 0"),
        (lambda: env.integer("X", 3), "three", "whole number"),
        (lambda: env.integer("X", 3, most=9), "10", "from 0 to 9"),
        (lambda: env.integer("X", 3), "-1", "from 0"),
        (lambda: env.decimal("X", 1, least=0, most=2), "nan", "from 0 to 2"),
        (lambda: env.decimal("X", 1, least=0, most=2), "x", "write a number"),
        (lambda: env.url("X"), "runninghub.ai", "https://example.com"),
        (lambda: env.url("X"), "ftp://a", "https://example.com"),
        (lambda: env.url("X"), "http://a:99999", "https://example.com"),
        (lambda: env.url("X"), "http://a/?q=1", "https://example.com"),
        (lambda: env.database("X", Path("a")), "mysql://a/b", "postgres://"),
        (lambda: env.database("X", Path("a")), "postgres://a:5432", "names no database"),
        (lambda: env.database("X", Path("a")), "postgres://a:port/b", "no number"),
        (lambda: env.redis("X"), "foo", "redis://host"),
        (lambda: env.storage("X", Path("a")), "gs://bucket", "s3://bucket"),
        (lambda: env.storage("X", Path("a")), "s3://bucket?reagion=x", "reagion"),
        (lambda: env.email("X"), "mail.example.com", "smtp://"),
        (lambda: env.secret("X", Path("a")), "short", "32 characters"),
        (lambda: env.folder("X", Path("a")), __file__, "name a folder"),
    ],
)
def test_nonsense_is_refused_with_a_sentence_that_names_the_variable(
    put: pytest.MonkeyPatch, reader: object, value: str, words: str
) -> None:
    put.setenv("X", value)
    with pytest.raises(env.EnvError) as refusal:
        reader()  # type: ignore[operator]
    assert words in str(refusal.value)
    assert "X" in str(refusal.value) or value in str(refusal.value)


def test_the_secret_is_made_once_and_kept_for_its_owner_only(put: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "secret-key"
    first = env.secret("X", kept)
    assert len(first) >= 50
    assert env.secret("X", kept) == first
    assert kept.stat().st_mode & 0o077 == 0
    assert [path.name for path in kept.parent.iterdir()] == ["secret-key"]


def test_databases(put: pytest.MonkeyPatch) -> None:
    put.setenv("X", "postgres://me:p%40ss@db:5433/portal?sslmode=require")
    found = env.database("X", Path("a"))
    assert found["NAME"] == "portal"
    assert found["PASSWORD"] == "p@ss"
    assert found["PORT"] == "5433"
    assert found["OPTIONS"] == {"sslmode": "require"}
    put.setenv("X", "sqlite:////tmp/there.db")
    assert env.database("X", Path("a"))["NAME"] == "/tmp/there.db"
    put.setenv("X", "sqlite:///here.db")
    assert env.database("X", Path("a"))["NAME"] == "here.db"
    put.delenv("X")
    assert env.database("X", Path("/d/rhweb.sqlite3"))["NAME"] == "/d/rhweb.sqlite3"


def test_the_folder_of_an_sqlite_file_is_made_because_sqlite_does_not(
    put: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env.database("X", tmp_path / "deep" / "down" / "rhweb.sqlite3")
    assert (tmp_path / "deep" / "down").is_dir()
    (tmp_path / "file").touch()
    put.setenv("X", f"sqlite:///{tmp_path}/file/rhweb.sqlite3")
    with pytest.raises(env.EnvError, match=r"cannot be made: .* Look at X"):
        env.database("X", tmp_path)
    put.setenv("X", f"sqlite:///{tmp_path}")
    with pytest.raises(env.EnvError, match="names the folder"):
        env.database("X", tmp_path)


def test_storage_in_a_bucket(put: pytest.MonkeyPatch) -> None:
    put.setenv("X", "s3://songs?endpoint=http://127.0.0.1:9000&region=eu&key=k&secret=s&prefix=portal")
    options = env.storage("X", Path("a"))["OPTIONS"]
    assert options == {
        "bucket_name": "songs",
        "location": "portal",
        "file_overwrite": True,
        "querystring_auth": True,
        "endpoint_url": "http://127.0.0.1:9000",
        "region_name": "eu",
        "access_key": "k",
        "secret_key": "s",
    }


def test_mail(put: pytest.MonkeyPatch) -> None:
    put.setenv("X", "smtps://me:pw@mail.example.com")
    found = env.email("X")
    assert (found["EMAIL_PORT"], found["EMAIL_USE_SSL"], found["EMAIL_USE_TLS"]) == (465, True, False)


def manage(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": "/usr/bin:/bin", "RHWEB_DATA_DIR": str(tmp_path), **environment}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_project_starts_with_nothing_set(tmp_path: Path) -> None:
    done = manage(tmp_path, "check")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "secret-key").exists()


@pytest.mark.thorough
def test_a_wrong_variable_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", RHWEB_DEBUG="perhaps")
    assert done.returncode == 1
    assert done.stderr.strip() == "RHWEB_DEBUG is 'perhaps'; write 1 or 0."


ASK = """
import json, sys
from django.conf import settings
print(json.dumps([eval(expression, {"settings": settings}) for expression in json.load(sys.stdin)]))
"""


def settings_of(tmp_path: Path, *expressions: str, **environment: str) -> list[object]:
    """What the settings are under this environment, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "DJANGO_SETTINGS_MODULE": "rhweb.settings",
            "RHWEB_DATA_DIR": str(tmp_path),
            **environment,
        },
        input=json.dumps(expressions),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.thorough
def test_with_nothing_set_the_sandbox_answers_and_nothing_needs_https(tmp_path: Path) -> None:
    assert settings_of(
        tmp_path,
        "settings.USES_SANDBOX",
        "settings.RUNNINGHUB_BASE_URL",
        "len(settings.SANDBOX_KEY)",
        "settings.SESSION_COOKIE_SECURE",
        "settings.SECURE_SSL_REDIRECT",
        "settings.ALLAUTH_TRUSTED_PROXY_COUNT",
        "settings.CACHES['default']['BACKEND'].rpartition('.')[2]",
        "settings.DEBUG",
    ) == [True, "http://127.0.0.1:8188", 32, False, False, 0, "DatabaseCache", False]


def test_a_key_leads_to_runninghub_and_its_own_address_counts(tmp_path: Path) -> None:
    asked = ("settings.USES_SANDBOX", "settings.RUNNINGHUB_BASE_URL")
    key = {"RUNNINGHUB_API_KEY": "k" * 32}
    assert settings_of(tmp_path, *asked, **key) == [False, "https://www.runninghub.ai"]
    there = {"RUNNINGHUB_BASE_URL": "https://www.runninghub.cn/"}
    assert settings_of(tmp_path, *asked, **key, **there) == [False, "https://www.runninghub.cn"]
    assert settings_of(tmp_path, *asked, **there) == [True, "http://127.0.0.1:8188"]


@pytest.mark.thorough
def test_an_https_address_switches_on_what_a_proxy_in_front_needs(tmp_path: Path) -> None:
    assert settings_of(
        tmp_path,
        "settings.SESSION_COOKIE_SECURE",
        "settings.SECURE_SSL_REDIRECT",
        "settings.SECURE_HSTS_SECONDS > 0",
        "settings.CSRF_TRUSTED_ORIGINS",
        "'sound.example.com' in settings.ALLOWED_HOSTS",
        "settings.ALLAUTH_TRUSTED_PROXY_COUNT",
        "settings.DEFAULT_FROM_EMAIL",
        RHWEB_PUBLIC_URL="https://sound.example.com/",
    ) == [
        True,
        True,
        True,
        ["https://sound.example.com"],
        True,
        1,
        "Soundroom <no-reply@sound.example.com>",
    ]


@pytest.mark.thorough
def test_redis_keeps_cache_and_sessions_and_the_queue_stays_in_the_database(tmp_path: Path) -> None:
    assert settings_of(
        tmp_path,
        "settings.CACHES['default']['BACKEND'].rpartition('.')[2]",
        "settings.SESSION_ENGINE.rpartition('.')[2]",
        "settings.Q_CLUSTER['orm']",
        REDIS_URL="redis://127.0.0.1:6379/9",
    ) == ["RedisCache", "cached_db", "default"]


def test_every_variable_is_in_the_example_and_in_the_readme() -> None:
    named = set(
        re.findall(
            r'"((?:RHWEB|RUNNINGHUB)_[A-Z_]+|DATABASE_URL|REDIS_URL)"',
            (ROOT / "rhweb/settings.py").read_text(),
        )
    )
    assert len(named) > 15
    for document in (".env.example", "README.md"):
        text = (ROOT / document).read_text()
        assert not {name for name in named if name not in text}, document
