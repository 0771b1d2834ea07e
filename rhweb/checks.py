"""System checks: combinations of settings that work by accident or not at all, each with what to change."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.database)
def queue_settings(**_: Any) -> list[CheckMessage]:
    """A task that outlives `retry` runs twice; `retry` counts from when it was fetched, not from when it began."""
    cluster: dict[str, Any] = settings.Q_CLUSTER
    rounds = 2 + (cluster["queue_limit"] + 1) / cluster["workers"]
    if cluster["retry"] <= cluster["timeout"] * rounds:
        return [Error("Q_CLUSTER retry is too short for its timeout.", hint="Raise retry.", id="rhweb.E001")]
    if not cluster["ack_failures"] or cluster["max_attempts"] != 1:
        return [
            Error(
                "Q_CLUSTER would repeat failed tasks.",
                hint="Set ack_failures, max_attempts=1.",
                id="rhweb.E002",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def public_address(**_: Any) -> list[CheckMessage]:
    """A portal that others reach needs its address, for links in mails and for secure cookies."""
    if settings.PUBLIC_URL.startswith("https://"):
        return []
    return [
        Warning(
            "RHWEB_PUBLIC_URL is not an https address.",
            hint="Set it to the address people use.",
            id="rhweb.W001",
        )
    ]


@register()
def upstream_key(**_: Any) -> list[CheckMessage]:
    """RunningHub's keys have 32 characters (API.md 1); another length is most likely a slip of the paste."""
    key = settings.RUNNINGHUB_API_KEY
    if key and (len(key) != 32 or not key.isascii() or any(c.isspace() for c in key)):
        return [
            Warning(
                f"RUNNINGHUB_API_KEY has {len(key)} characters; RunningHub's keys have 32.",
                hint="Copy it again.",
                id="rhweb.W002",
            )
        ]
    return []


@register()
def files_nginx_can_serve(**_: Any) -> list[CheckMessage]:
    """nginx serves a folder; what lies in a bucket it cannot find."""
    storage: Any = settings.STORAGES["default"]
    if settings.ACCEL_PREFIX and "FileSystem" not in storage["BACKEND"]:
        return [
            Error(
                "RHWEB_ACCEL_PREFIX needs files in the data folder, but RHWEB_STORAGE_URL puts them elsewhere.",
                hint="Unset one of them.",
                id="rhweb.E003",
            )
        ]
    return []
