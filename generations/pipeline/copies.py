"""Copies: each upload goes upstream once and is remembered for as long as upstream keeps it.

Whoever needs a copy that is not there takes the lease on its row and sends the bytes; anybody else who needs it
meanwhile goes back to the queue for a moment. No transaction is open while bytes travel: the lease is renewed as
they are read, so the lease of a process that died ends soon and the next one sends.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from generations.models import Connection, Upload, UpstreamCopy
from generations.pipeline.persist import persist
from generations.runninghub import Client

COPY_LIVES = timedelta(hours=22)
"""Upstream keeps a file for one day (API.md 5); what is left of it is for the wait in the line."""
LEASE = timedelta(seconds=90)
"""Longer than upstream may take to answer after the last byte."""
RENEW_EVERY = 15.0
LOOK_AGAIN = 2.0
"""Seconds after which somebody who waits for another's copy looks again."""


class BeingCopied(Exception):
    """Somebody else sends this upload just now."""


class _Leased:
    """A file whose lease is renewed while it is read."""

    def __init__(self, file: BinaryIO, lease: _Lease) -> None:
        self._file, self._lease, self._renewed = file, lease, time.monotonic()

    def read(self, size: int = -1) -> bytes:
        if time.monotonic() - self._renewed > RENEW_EVERY:
            self._lease.renew()
            self._renewed = time.monotonic()
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)


class _Lease:
    """The right to send one copy. `until` is also its mark: whoever took it over has another."""

    def __init__(self, copy: int) -> None:
        self.copy, self.until = copy, timezone.now() + LEASE

    def take(self) -> bool:
        now = timezone.now()
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        stale = UpstreamCopy.objects.filter(free, pk=self.copy, expires_at__lte=now)
        return stale.update(lease_until=self.until) == 1

    def renew(self) -> None:
        until = timezone.now() + LEASE
        if self._mine().update(lease_until=until):
            self.until = until

    def end(self, **found: Any) -> None:
        persist(lambda: self._mine().update(lease_until=None, **found))

    def _mine(self) -> Any:
        return UpstreamCopy.objects.filter(pk=self.copy, lease_until=self.until)


def known(upload: Upload, connection: Connection, *, named: bool = False) -> str | None:
    """The address of a copy that upstream still has; `named`: what upstream calls it, where it said so."""
    rows = UpstreamCopy.objects.filter(upload=upload, connection=connection, expires_at__gt=timezone.now())
    found = rows.values_list("url", "file_name").first()
    return found and (found[1] or found[0] if named else found[0])


def made(upload: Upload, connection: Connection, client: Client, *, named: bool = False) -> str:
    """Sends the upload and gives its address upstream, or its name as `known` does.

    Raises `BeingCopied` when somebody else is at it, `UpstreamError` or OSError when it could not be sent; then the
    next one may try at once.
    """
    copy, _ = UpstreamCopy.objects.get_or_create(
        upload=upload, connection=connection, defaults={"expires_at": timezone.now()}
    )
    lease = _Lease(copy.pk)
    if not lease.take():
        if (address := known(upload, connection, named=named)) is not None:
            return address
        raise BeingCopied
    try:
        begun = timezone.now()
        with upload.file.open("rb") as file:
            sent = client.upload(
                cast("BinaryIO", _Leased(cast("BinaryIO", file), lease)),
                name=f"{upload.pk.hex}.{upload.extension}",
                content_type=upload.content_type,
            )
    except BaseException:
        lease.end()
        raise
    name = sent.file_name[:200]
    lease.end(url=sent.download_url, file_name=name, expires_at=begun + COPY_LIVES)
    return name or sent.download_url if named else sent.download_url


def forget(connection: Connection, uploads: Iterable[UUID]) -> None:
    """Upstream may not have these any more: whoever needs one next sends it anew."""
    copies = UpstreamCopy.objects.filter(connection=connection, upload__in=list(uploads))
    copies.update(expires_at=timezone.now())
