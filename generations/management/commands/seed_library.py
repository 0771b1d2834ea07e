"""`manage.py seed_library`: a library of as many generations as wanted, to see that nothing slows down.

It writes rows without files, so use a database of its own: DATABASE_URL, or a folder of its own in RHWEB_DATA_DIR.
"""

from __future__ import annotations

import itertools
import random
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from accounts.models import Membership, Role, Team, User
from generations.management import seeds
from generations.migrations import _findable
from generations.models import (
    Collection,
    CollectionItem,
    Connection,
    Favourite,
    Generation,
    Output,
    Tag,
    Tagging,
    Voice,
    VoiceUse,
)
from generations.models.tag import folded

AT_ONCE = 10_000
PEOPLE = ("alice", "bob", "carol", "dave", "erin", "小明")
TAGS = ("trailer", "draft", "episode 12", "lesson", "loop", "sting", "voice-over", "雨", "配乐", "final mix")
COLLECTIONS = ("Trailer music", "Season two", "Lessons", "Lobby", "Ringtones")
TRIGGERED = ("generations_generation", "generations_tagging")
GIN = ("findable_trigrams", "findable_pairs", "findable_marks")


class Command(BaseCommand):
    help = "Fills the library of a team with generations that were never made, to measure with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--team", required=True, help="the slug of the team; made where there is none")
        parser.add_argument("--count", type=int, default=1_000_000, help="how many generations")
        parser.add_argument("--seed", type=int, default=1, help="the same number makes the same library")

    def handle(self, *, team: str, count: int, seed: int, **options: Any) -> None:
        if not 1 <= count <= 10_000_000:
            raise CommandError("Between one and ten million generations can be made; write another --count.")
        chance, begun = random.Random(seed), time.monotonic()
        into, _made = Team.objects.get_or_create(slug=team, defaults={"name": team.title()})
        if Generation.objects.filter(team=into).exists():
            raise CommandError(f"The team {team!r} has generations already; name another.")
        authors = [self._person(into, name) for name in PEOPLE]
        tags = [Tag.objects.create(team=into, name=name, folded=folded(name)) for name in TAGS]
        albums = [
            Collection.objects.create(team=into, author_id=authors[0], name=name) for name in COLLECTIONS
        ]
        self._stop_indexing()
        rows = seeds.generations(into.pk, authors, Connection.current().pk, count, timezone.now(), chance)
        voice: Voice | None = None
        done = 0
        while batch := list(itertools.islice(rows, AT_ONCE)):
            seeds.write(Generation, batch)
            seeds.write(Output, list(seeds.outputs(batch)))
            voice = voice or self._voice(into, authors[0], batch[0]["id"])
            self._mark(batch, tags, albums, authors, voice, chance)
            if not done:
                with connection.cursor() as cursor:  # what was planned for empty tables is planned anew
                    cursor.execute("ANALYZE")
            done += len(batch)
            if done % 100_000 == 0:
                self.stdout.write(f"{done:,} after {time.monotonic() - begun:.0f} s")
        self._index()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        self.stdout.write(f"{done:,} generations in {team!r} after {time.monotonic() - begun:.0f} s")

    def _stop_indexing(self) -> None:
        """On PostgreSQL the words are indexed at the end, at once, which is many times quicker."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for name in GIN:
                    cursor.execute(f"DROP INDEX IF EXISTS {name}")
                for table in TRIGGERED:
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")

    def _index(self) -> None:
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET maintenance_work_mem = '512MB'")
                for table in TRIGGERED:
                    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            with connection.schema_editor() as editor:
                _findable.fill(None, editor)
            with connection.schema_editor() as editor:
                _findable.install(None, editor)

    def _person(self, team: Team, name: str) -> int:
        user, _made = User.objects.get_or_create(
            email=f"seed-{PEOPLE.index(name)}-{team.slug}@example.com", defaults={"name": name.title()}
        )
        role = Role.OWNER if name == PEOPLE[0] else Role.MEMBER
        Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
        return user.pk

    def _voice(self, team: Team, owner: int, made_by: Any) -> Voice:
        return Voice.objects.create(
            team=team,
            owner_id=owner,
            name="Harbour",
            voice_id=f"Harbour{team.pk:06}",
            origin="cloned",
            audience="everyone",
            made_by_id=made_by,
            speaker="Ada",
            consent_at=timezone.now(),
            consent_by_id=owner,
        )

    def _mark(
        self,
        batch: list[dict[str, Any]],
        tags: list[Tag],
        albums: list[Collection],
        authors: list[int],
        voice: Voice,
        chance: random.Random,
    ) -> None:
        """Tags on one in twelve, the first of them most often; stars, albums and a voice on a few."""
        often = [2.0**-n for n in range(len(tags))]
        tagged, starred, collected, spoken = [], [], [], []
        for one in batch:
            pk = one["id"]
            if chance.random() < 0.08:
                tagged.append({"tag": chance.choices(tags, often)[0].pk, "generation": pk})
            if chance.random() < 0.02:
                starred.append({"user": chance.choice(authors), "generation": pk})
            if chance.random() < 0.005:
                collected.append(
                    {"collection": chance.choice(albums).pk, "generation": pk, "added_by": authors[0]}
                )
            if one["kind"] == "speech" and chance.random() < 0.1:
                spoken.append({"generation": pk, "voice": voice.pk})
        seeds.write(Tagging, tagged)
        seeds.write(Favourite, starred)
        seeds.write(CollectionItem, collected)
        seeds.write(VoiceUse, spoken)
