"""What takes the network or the storage to see: writing and reading, each key, upstream's clock, the public address.

Every look is bounded in time; connections are asked beside one another.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from generations import upstream
from generations.doctor.finding import Finding, well, wrong
from generations.doctor.probe import answer_to
from generations.models import Connection
from generations.runninghub.errors import UpstreamError

MOST = 40
"""Connections asked in one look."""
AT_ONCE = 8
CLOCK_OFF = 60.0
PROBE_SECONDS = (5.0, 10.0)

Look = Callable[[], Iterator[Finding]]


def findings() -> list[Finding]:
    """Everything, in this order."""
    looks: list[Look] = [storage, checks, accounts, public_address]
    return [finding for look in looks for finding in look()]


def storage() -> Iterator[Finding]:
    """Writes a file, reads it again, deletes it."""
    try:
        begun = time.monotonic()
        saved = default_storage.save("doctor/probe.txt", ContentFile(b"probe"))
        with default_storage.open(saved, "rb") as file:
            fine = file.read() == b"probe"
        default_storage.delete(saved)
        took = f"writes and reads, in {1000 * (time.monotonic() - begun):.0f} ms"
        yield well("storage", took) if fine else wrong("storage", "gave back other bytes than were written.")
    except Exception as error:  # a storage may raise anything, and saying it is the doctor's work
        advice = "Look at RHWEB_DATA_DIR or RHWEB_STORAGE_URL."
        yield wrong("storage", f"cannot be used: {error}.", advice)


def checks() -> Iterator[Finding]:
    """Settings that do not go together."""
    found = [one for one in run_checks() if one.level >= WARNING and not one.is_silenced()]
    for message in found:
        yield wrong("settings", str(message.msg), str(message.hint or ""))
    if not found:
        yield well("settings", "nothing to object to")


def accounts() -> Iterator[Finding]:
    """Whether RunningHub takes the key of each connection, and how its clock differs from ours."""
    own = Connection.objects.filter(team__isnull=False, removed_at=None).exclude(sealed_key="")
    rows = [Connection.current(), *own.order_by("-is_used", "pk")[:MOST]]
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="doctor") as pool:
        for found in pool.map(_key, rows):
            yield from found


def _key(connection: Connection) -> list[Finding]:
    """Asks no database, so that it can run in a thread of its own."""
    what = _named(connection)
    whose = connection.team_id
    own = "Enter its key again on the Connections page."
    advice = "Look at RUNNINGHUB_BASE_URL and RUNNINGHUB_API_KEY." if connection.is_shared else own
    if connection.is_sandbox:
        advice = "Start `manage.py sandbox`."
    try:
        client = upstream.get_client(connection)
        told = client.queue_status()
    except upstream.NotConfigured as error:
        return [wrong("upstream", f"{what} cannot be asked: {error}.", advice, whose)]
    except UpstreamError as error:
        return [wrong("upstream", f"{what}: {error.member_text}", advice, whose)]
    slots = f"{told.running or 0} of {told.limit or '?'} slots in use"
    return [
        well("upstream", f"{what} takes the key; {slots}", "", whose),
        *_clock(what, client.base_url, whose),
    ]


def _clock(what: str, address: str, whose: int | None) -> list[Finding]:
    """By the Date of any answer of the address; without one nothing is said."""
    try:
        with requests.get(address, timeout=(5, 5), allow_redirects=False, stream=True) as answer:
            theirs = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError, TypeError):
        return []
    off = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(off) <= CLOCK_OFF:
        return [well("clock", f"{off:+.0f} s off the clock of {what}", "", whose)]
    said = f"This machine is {off:+.0f} s off the clock of {what}."
    return [wrong("clock", said, "Set it by NTP; results expire by their clock.", whose)]


def _named(connection: Connection) -> str:
    if connection.is_sandbox:
        return "the sandbox"
    return (
        connection.base_url
        if connection.is_shared
        else f"{connection.name or 'a connection'} at {connection.where}"
    )


def public_address() -> Iterator[Finding]:
    """Asks the portal's own public address a question that only this portal can answer."""
    if not settings.PUBLIC_URL:
        yield well("webhook", "off, because RHWEB_PUBLIC_URL is not set; asking again and again suffices")
        return
    nonce = secrets.token_hex(16)
    address = settings.PUBLIC_URL + reverse("probe", args=[nonce])
    advice = (
        "RunningHub’s calls then do not arrive either: results come a little later, and lost answers wait for a "
        "manager. Look at RHWEB_PUBLIC_URL, the proxy, the certificate and the firewall."
    )
    try:
        answer = requests.get(address, timeout=PROBE_SECONDS, allow_redirects=False)
        told = answer.text[:200].strip() if answer.status_code == 200 else ""
    except requests.RequestException as error:
        why = type(error).__name__
        yield wrong("webhook", f"{settings.PUBLIC_URL} cannot be reached from here ({why}).", advice)
        return
    if told == answer_to(nonce):
        said = f"{settings.PUBLIC_URL} leads here, as seen from this machine"
        yield well("webhook", said)
    else:
        said = f"{settings.PUBLIC_URL} answers {answer.status_code}, but it is not this portal that answers."
        yield wrong("webhook", said, advice)
