"""The web server of this portal, as every command starts it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

LISTENERS = 100
"""Threads of a process: one for each who is being sent to. Pages are made in fewer, see `rhweb.wsgi`."""


def web_server(bind: str, workers: int) -> list[str]:
    """What Python is called with to serve pages on `bind`."""
    return [
        *("-m", "gunicorn", "rhweb.wsgi:application", "--bind", bind),
        *("--workers", str(workers), "--worker-class", "gthread", "--threads", str(LISTENERS)),
        "--preload",
        *("--timeout", "120", "--log-level", "warning", "--no-control-socket"),
        # Longer than any pause between two requests of a page or a script: closing a connection just as the next
        # request comes in looks like a broken server. (gunicorn's own default is 2 seconds.)
        *("--keep-alive", "75"),
        *("--worker-tmp-dir", "/dev/shm" if Path("/dev/shm").is_dir() else str(settings.DATA_DIR)),  # noqa: S108
    ]
