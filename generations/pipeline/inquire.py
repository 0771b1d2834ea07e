"""Inquire: asks RunningHub on behalf of a page or of a webhook, which cannot or must not ask themselves.

Three questions. Is the task that somebody named the one of this generation? It is attached only when RunningHub knows
it and nothing speaks against it. What did the account look like after an answer was lost? And where is the webhook of
a task? Each question is a row, so a lost message or a killed worker loses nothing: the sweep has it asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from generations import queue, upstream
from generations.catalogue import load
from generations.models import (
    Bell,
    Connection,
    Finding,
    Generation,
    Inquiry,
    Question,
    State,
)
from generations.models.ids import since
from generations.pipeline import pacing, resolve, webhook
from generations.runninghub import Client
from generations.runninghub.errors import ReadRefused, UpstreamError
from generations.runninghub.replies import TaskReply, WebhookEvent

logger = logging.getLogger("rhweb.inquire")

LEASE = timedelta(seconds=90)
TRIES = 6
"""So often a question is asked while no answer comes, over about a minute."""
AT_ONCE = 20
RINGS_WITHIN = timedelta(seconds=90)
"""A webhook that has not come so long after the end is overdue."""
COUNTED_WITHIN = timedelta(seconds=20)
LOOKED_AT = timedelta(hours=6)
"""Overdue webhooks are noted for generations that were asked for since."""
LOOK_UP_EVERY = timedelta(hours=1)
SAID = 120
KINDS = {
    "audio": {"mp3", "wav", "flac", "ogg", "m4a", "aac", "opus", "audio"},
    "image": {"png", "jpg", "jpeg", "webp", "gif", "image"},
    "video": {"mp4", "mov", "mkv", "avi", "webm", "video"},
    "text": {"txt", "text", "json", "lrc", "srt"},
}


def begin(generation: Generation) -> None:
    """Keeps what was known of the account when the answer was lost, and has it looked at now."""
    connection = Connection.objects.get(pk=generation.connection_id)
    checked = connection.checked_at.isoformat() if connection.checked_at else ""
    before = {"balance": connection.balance, "currency": connection.currency, "at": checked}
    inquiry, _ = Inquiry.objects.get_or_create(generation=generation)
    fresh = Inquiry.objects.filter(pk=inquiry.pk, lost_at=None)
    if fresh.update(lost_at=timezone.now(), before=before, after=None):
        queue.ring_inquiry()


def tend() -> None:
    """Finds what nobody was told about: answers lost without a note, webhooks that never came, questions left over."""
    now = timezone.now()
    unnoted = Generation.objects.filter(Q(inquiry=None) | Q(inquiry__lost_at=None), status=State.UNCONFIRMED)
    for generation in unnoted[:AT_ONCE]:
        begin(generation)
    _look_again(now)
    _note_silence(now)
    if Inquiry.objects.due(now).exists() or _unobserved().exists():
        queue.ring_inquiry()


def work() -> int:
    """Asks what there is to ask; gives how many questions were answered."""
    answered = 0
    for inquiry in list(Inquiry.objects.due(timezone.now()).order_by("due_at")[:AT_ONCE]):
        if inquiry.claim(timezone.now() + LEASE):
            answered += answer(Inquiry.objects.select_related("generation__connection").get(pk=inquiry.pk))
    waiting = _unobserved().values_list("generation__connection", flat=True)
    for connection in Connection.objects.filter(pk__in=set(waiting)):
        observe(connection)
    return answered


def answer(inquiry: Inquiry) -> bool:
    """Asks one claimed question. False when it has to be asked again, or somebody else settled it."""
    generation = inquiry.generation
    try:
        client = upstream.get_client(generation.connection)
        if inquiry.question == Question.TASK:
            finding, detail = _is_it(generation, inquiry.task, client)
        else:
            finding, detail = _where_is_the_bell(generation, client)
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.warning("generation %s: %s was not answered: %s", generation.pk, inquiry.question, error)
        if inquiry.tries < TRIES:
            inquiry.later(timezone.now() + timedelta(seconds=pacing.after_fault(inquiry.tries + 1)))
            return False
        said = error.member_text if isinstance(error, UpstreamError) else ""
        finding, detail = Finding.NO_ANSWER, {"said": said}
    if finding == Finding.EXISTS:
        finding = _attach(generation, inquiry.task)
    return inquiry.settle(finding, detail)


def _attach(generation: Generation, task: str) -> Finding:
    """The task is the one: followed from now on. Whoever was first has settled it, also if that was we ourselves."""
    try:
        resolve.attach(generation, task)
    except resolve.TaskTaken:
        return Finding.TAKEN
    except resolve.CutOff:
        return Finding.NO_ANSWER
    return Finding.EXISTS


def _is_it(generation: Generation, task: str, client: Client) -> tuple[Finding, dict[str, Any]]:
    """What RunningHub says about a task that was named. Raises `UpstreamError` when it says nothing."""
    if _owner(task, generation) is not None:
        return Finding.TAKEN, {}
    try:
        reply = client.query(task)
    except ReadRefused as error:
        if error.reason != "missing":
            raise
        other = _other_account(task, generation)
        return (Finding.ELSEWHERE, {"account": other}) if other else (Finding.UNKNOWN, {"said": error.detail})
    event = _event(client, task)
    bell = "" if event is None else webhook.names(event.url)
    detail: dict[str, Any] = {
        "status": reply.status,
        "charged": str(reply.usage.charged() or ""),
        "bell": bell == generation.pk.hex,
    }
    if detail["bell"]:
        return Finding.EXISTS, detail
    differences = _differences(generation, reply)
    if bell or (event is not None and generation.webhook != Bell.NOT_ASKED):
        # It was given another address to ring at, so it was sent for something else.
        theirs = bell or (event.url[:SAID] if event else "")
        differences.insert(0, {"what": "webhook", "ours": generation.pk.hex, "theirs": theirs})
    detail["differences"] = differences
    return (Finding.DIFFERS if differences else Finding.EXISTS), detail


def _owner(task: str, generation: Generation) -> Generation | None:
    rows = Generation.objects.filter(connection=generation.connection_id, upstream_id=task)
    return rows.exclude(pk=generation.pk).first()


def _other_account(task: str, generation: Generation) -> str:
    """The name of another connection of this team that knows this task, "" when none does or can be asked. Those of
    other teams are nobody's business.
    """
    for other in Connection.usable(generation.team).exclude(pk=generation.connection_id):
        try:
            upstream.get_client(other).query(task)
        except (UpstreamError, upstream.NotConfigured):
            continue
        return str(other)
    return ""


def _event(client: Client, task: str) -> WebhookEvent | None:
    """The event of a task; that there is none, or that it cannot be asked for, proves nothing."""
    try:
        return client.webhook_event(task)
    except UpstreamError as error:
        logger.info("the webhook of task %s is not known: %s", task, error)
        return None


def _differences(generation: Generation, reply: TaskReply) -> list[dict[str, str]]:
    """Where the task is another one than was asked for, as far as the reply says (API.md 3: mostly very little)."""
    found: list[dict[str, str]] = []
    try:
        spec = load.get(generation.made_with)
    except load.UnknownModel:
        return found
    if spec.run is None and reply.model and reply.model.strip("/").replace("/", "--") != spec.slug:
        found.append({"what": "model", "ours": spec.title, "theirs": reply.model[:SAID]})
    media = {param.key for param in spec.params if param.type.is_media}
    for key, ours in generation.params.items():
        theirs = reply.params.get(key)
        if key in media or theirs is None or _plain(theirs) == _plain(ours):
            continue
        found.append({"what": key, "ours": _plain(ours)[:SAID], "theirs": _plain(theirs)[:SAID]})
    made = {kind for result in reply.results for kind, words in KINDS.items() if result.output_type in words}
    if made and spec.output in KINDS and spec.output not in made and made != {"text"}:
        found.append({"what": "result", "ours": spec.output, "theirs": ", ".join(sorted(made))})
    return found


def _plain(value: Any) -> str:
    return " ".join(str(value).split())


def _where_is_the_bell(generation: Generation, client: Client) -> tuple[Finding, dict[str, Any]]:
    """What became of the webhook of a task; one that did not arrive is sent again while it is still of use."""
    if not generation.upstream_id:
        return Finding.NO_EVENT, {}
    event = client.webhook_event(generation.upstream_id)
    if event is None:
        return Finding.NO_EVENT, {}
    detail = {"status": event.status, "response": event.response, "retries": event.retries}
    address = webhook.address(generation.pk)
    if generation.is_over or not address:
        return Finding.LOOKED_UP, detail
    client.retry_webhook(event.id, address)
    return Finding.RESENT, detail


def _unobserved() -> QuerySet[Inquiry]:
    return Inquiry.objects.filter(
        generation__status=State.UNCONFIRMED, lost_at__isnull=False, after__isnull=True
    )


def observe(connection: Connection) -> bool:
    """Writes what the account says now into every lost answer that has nothing yet. False when it says nothing."""
    known = Generation.objects.filter(
        connection=connection, status__in=[State.RUNNING, State.DISPATCHING]
    ).values_list("pk", flat=True)
    try:
        client = upstream.get_client(connection)
        before = set(known.all())
        told = client.queue_status()
        # Ours, whether they began or ended while upstream was counting.
        ours = len(before.union(known.all()))
        account = client.account_status()
    except (UpstreamError, upstream.NotConfigured) as error:
        logger.info("account of %s is not known: %s", connection, error)
        return False
    running = told.total if told.total is not None else account.running
    after = {
        "balance": "" if account.balance is None else str(account.balance),
        "currency": account.currency,
        "running": running,
        "known": ours,
        "outside": connection.used_outside,
        "at": timezone.now().isoformat(),
    }
    rows = _unobserved().filter(generation__connection=connection)
    lost = rows.count()
    Inquiry.objects.filter(pk__in=list(rows.values_list("pk", flat=True)), after__isnull=True).update(
        after={**after, "lost": lost}
    )
    return True


def _look_again(now: datetime) -> None:
    """A look right after the loss may come before the task is counted; where it found none too many, a second one."""
    late = Inquiry.objects.filter(
        generation__status=State.UNCONFIRMED,
        lost_at__gt=now - 20 * COUNTED_WITHIN,
        lost_at__lt=now - COUNTED_WITHIN,
        after__isnull=False,
    )
    for inquiry in late:
        seen, lost_at = inquiry.after, inquiry.lost_at
        if seen is None or lost_at is None:
            continue
        early = datetime.fromisoformat(seen["at"]) < lost_at + COUNTED_WITHIN
        if early and (seen["running"] is None or seen["running"] <= seen["known"] + seen["outside"]):
            Inquiry.objects.filter(pk=inquiry.pk).update(after=None)


def _note_silence(now: datetime) -> None:
    """Notes whose webhook never came although it was asked for; now and then one of them is looked up, to say why."""
    rows = Generation.objects.filter(
        pk__gte=since(now - LOOKED_AT), webhook=Bell.ASKED, upstream_done_at__lt=now - RINGS_WITHIN
    )
    silent = list(rows.order_by("-pk")[:AT_ONCE])
    Generation.objects.filter(pk__in=[row.pk for row in silent], webhook=Bell.ASKED).update(
        webhook=Bell.SILENT
    )
    for connection in {row.connection_id for row in silent}:
        lately = Inquiry.objects.filter(
            generation__connection=connection, asked_by=None, asked_at__gt=now - LOOK_UP_EVERY
        )
        if not lately.exists():
            _ask_about(row for row in silent if row.connection_id == connection)


def _ask_about(rows: Iterable[Generation]) -> None:
    for row in rows:
        if row.upstream_id and Inquiry.ask(row, Question.WEBHOOK, by=None):
            queue.ring_inquiry()
            return
