"""Typed readers of the environment. Each refuses nonsense with one sentence that says what to write instead.

A variable that is unset or blank gives the default, so that an empty line in a .env file changes nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class EnvError(SystemExit):
    """A variable holds something that cannot be meant. Ends the program with the sentence, without a traceback."""


def text(name: str, default: str = "") -> str:
    """The value without outer white space."""
    return os.environ.get(name, "").strip() or default


def redis(name: str) -> str:
    """The address of a Redis, empty when none is named."""
    value = text(name)
    if value and not re.match(r"(rediss?|unix)://.", value):
        raise EnvError(f"{name} must look like redis://host:6379/0.")
    return value


def flag(name: str, default: bool = False) -> bool:
    """`1 true yes on` or `0 false no off`, in any case."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise EnvError(f"{name} is {value!r}; write 1 or 0.")


def integer(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """A whole number between `least` and `most`, both included."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise EnvError(f"{name} is {value!r}; write a whole number.") from None
    if not least <= number <= most:
        raise EnvError(f"{name} is {number}; write a number from {least} to {most}.")
    return number


def decimal(name: str, default: float, *, least: float, most: float) -> float:
    """A number between `least` and `most`, both included."""
    value = text(name)
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        raise EnvError(f"{name} is {value!r}; write a number.") from None
    if not least <= number <= most:
        raise EnvError(f"{name} is {value}; write a number from {least:g} to {most:g}.")
    return number


def names(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Words separated by commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Networks such as 10.1.0.0/16, separated by commas."""
    try:
        return [ipaddress.ip_network(word) for word in names(name)]
    except ValueError as error:
        raise EnvError(f"{name}: {error}; write networks such as 10.1.0.0/16.") from None


def url(name: str, default: str = "") -> str:
    """An http or https address, without the slash at its end."""
    value = text(name, default)
    return _address(name, value) if value else ""


def _address(name: str, value: str) -> str:
    try:
        parts = urlsplit(value)
        fits = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment:
        raise EnvError(f"{name} is {value!r}; write an address such as https://example.com.")
    return value.rstrip("/")


def urls(name: str) -> list[str]:
    """Addresses separated by commas, each as `url`."""
    return [_address(name, word) for word in names(name)]


def folder(name: str, default: Path) -> Path:
    """A folder as an absolute path; created by whoever first writes there."""
    path = Path(text(name, str(default))).expanduser().resolve()
    if path.exists() and not path.is_dir():
        raise EnvError(f"{name} is {str(path)!r}, which is a file; name a folder.")
    return path


def secret(name: str, keep_in: Path) -> str:
    """The secret key: from the variable, else made once and kept in the file `keep_in` (mode 600).

    A start with nothing set must not sign everybody out at each restart, so the key is never random per process.
    """
    value = text(name)
    if value:
        if len(value) < 32:
            raise EnvError(
                f"{name} is too short; write at least 32 characters, for example from `openssl rand -hex 32`."
            )
        return value
    try:
        keep_in.parent.mkdir(parents=True, exist_ok=True)
        fresh = keep_in.with_name(f"{keep_in.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        with contextlib.suppress(FileExistsError):  # another process was first, whose key then counts
            os.link(fresh, keep_in)
        fresh.unlink()
        kept = keep_in.read_text().strip()
    except OSError as error:
        raise EnvError(f"The secret key cannot be kept in {keep_in}: {error.strerror}. Set {name}.") from None
    if len(kept) < 32:
        raise EnvError(f"{keep_in} is damaged; delete it (everybody must sign in again) or set {name}.")
    return kept


def secrets_of(name: str) -> list[str]:
    """Former secret keys, separated by commas, newest first."""
    found = names(name)
    if any(len(one) < 32 for one in found):
        raise EnvError(f"{name} holds one that is too short; each secret key had at least 32 characters.")
    return found


SQLITE = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
    "PRAGMA wal_autocheckpoint=65536; PRAGMA journal_size_limit=4194304;"
)


def database(name: str, sqlite_file: Path) -> dict[str, object]:
    """Django's database settings from `postgres://user:password@host:port/name` or `sqlite:///path`.

    Unset: the file `sqlite_file`. The folder of an SQLite file is made, because SQLite does not.

    SQLite: immediate transactions, WAL and a long busy timeout, because default transactions fail at once with
    "database is locked" as soon as two processes write.

    What is committed is on the disk (synchronous=FULL): a claim that a loss of power took back would be sent again.
    The log is moved into the database by `generations.models.writer.checkpoint`; SQLite's own way, which in versions
    before 3.51.3 can lose commits (sqlite.org/wal.html#walresetbug), is left for a log that nobody moved for long.
    """
    value = text(name)
    parts = urlsplit(value)
    if parts.scheme in {"postgres", "postgresql"}:
        database_name = unquote(parts.path.lstrip("/"))
        if not database_name:
            raise EnvError(f"{name} names no database; write postgres://user:password@host:5432/database.")
        try:
            port = parts.port
        except ValueError:
            raise EnvError(f"{name} has a port that is no number.") from None
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database_name,
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    if value and parts.scheme != "sqlite":
        raise EnvError(f"{name} starts with {parts.scheme or value!r}; write postgres://… or sqlite:///path.")
    file = Path(unquote(parts.path)[1:] or "/").expanduser() if value else sqlite_file
    if file.is_dir():
        raise EnvError(f"{name} names the folder {file}; write sqlite:////path/to/a/file.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvError(
            f"The folder {file.parent} cannot be made: {error.strerror}. Look at {name}."
        ) from None
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": SQLITE,
        },
    }


def storage(name: str, media: Path) -> dict[str, object]:
    """Django's storage settings from `s3://bucket?endpoint=…&region=…&key=…&secret=…&prefix=…`.

    Unset: files under `media`.

    Both overwrite: a file's name follows from its generation, so a copy that is made again replaces the one
    that a killed worker left.
    """
    value = text(name)
    if not value:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(media), "allow_overwrite": True, "base_url": None},
        }
    parts = urlsplit(value)
    if parts.scheme != "s3" or not parts.hostname:
        raise EnvError(f"{name} is not an S3 address; write s3://bucket?endpoint=https://….")
    asked = dict(parse_qsl(parts.query.replace("+", "%2B")))  # a plus in a secret is a plus, not a space
    known = {"endpoint": "endpoint_url", "region": "region_name", "key": "access_key", "secret": "secret_key"}
    unknown = set(asked) - set(known) - {"prefix"}
    if unknown:
        raise EnvError(
            f"{name} has the unknown part {sorted(unknown)[0]!r}; known are endpoint, region, key, secret, prefix."
        )
    return {
        "BACKEND": "generations.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": parts.hostname,
            "location": asked.get("prefix", parts.path.strip("/")),
            "file_overwrite": True,
            "querystring_auth": True,
            **{option: asked[word] for word, option in known.items() if word in asked},
        },
    }


def email(name: str) -> dict[str, object]:
    """Django's mail settings from `smtp://user:password@host:587` or `smtps://…:465`; unset: to the console."""
    value = text(name)
    if not value:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise EnvError(f"{name} is not a mail address; write smtp://user:password@host:587 or smtps://….")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and bool(parts.username),
        "EMAIL_TIMEOUT": 20,
    }
