from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.management.audited import AuditedCommand
from accounts.models import Notice, audit


class Command(AuditedCommand):
    help = "Shows a sentence on every page of the portal, or takes such sentences down."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("text", nargs="?", default="", help="what to say, at most 500 characters")
        parser.add_argument("--level", default=Notice.Level.INFO.value, choices=Notice.Level.values)
        parser.add_argument("--from", dest="since", help="such as 2026-06-01T18:00+02:00; now without it")
        parser.add_argument("--until", help="as --from; without it until --end")
        parser.add_argument("--end", action="store_true", help="takes down what stands or is planned")

    @transaction.atomic
    def handle(
        self, *, text: str, level: str, since: str | None, until: str | None, end: bool, **options: Any
    ) -> None:
        text = " ".join(text.split())
        if bool(text) == end:
            raise CommandError("Give a text to show, or --end alone.")
        now = timezone.now()
        open_ones = Notice.objects.filter(Q(until=None) | Q(until__gt=now), team=None)
        if end:
            ended = [one for one in open_ones if one.end()]
            for one in ended:
                audit.note("notice.ended", team=None, subject=one.text)
            self.stdout.write(f"Took {len(ended)} down.")
            return
        begins, ends = _moment(since, "--from") or now, _moment(until, "--until")
        if len(text) > 500:
            raise CommandError("A notice has at most 500 characters.")
        if ends is not None and ends <= max(begins, now):
            raise CommandError("--until is over before it begins.")
        if open_ones.filter(text=text, level=level, until=ends).exists():
            self.stdout.write("It stands already.")
            return
        Notice.objects.create(text=text, level=level, since=begins, until=ends)
        audit.note(
            "notice.posted", team=None, subject=text, after={"level": level, "since": begins, "until": ends}
        )
        self.stdout.write(f"On every page from {begins:%Y-%m-%d %H:%M %Z}.")


def _moment(text: str | None, name: str) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{name} is {text!r}; write a time such as 2026-06-01T18:00+02:00.") from None
    return found if timezone.is_aware(found) else timezone.make_aware(found)
