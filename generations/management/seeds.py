"""Rows for a library of any size, quick to write and like those of a team: its words, models, people and habits."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction

from generations.models import State, search_text

MOODS = (
    *("slow", "calm", "wistful", "bright", "dark", "warm", "restless"),
    *("gentle", "heavy", "playful", "distant", "tender", "nervous", "proud"),
)
SOUNDS = (
    *("piano", "strings", "brass", "choir", "guitar", "drums", "synthesizer"),
    *("marimba", "cello", "flute", "harp", "organ", "clarinet", "banjo"),
)
PLACES = (
    *("harbour", "forest", "desert", "station", "kitchen", "mountain"),
    *("library", "cathedral", "market", "lighthouse", "bridge", "meadow"),
)
ENDS = (
    "over rain and a distant train, sparse, in no hurry at all",
    "building slowly to a wide final chorus with everybody",
    "for the opening of an episode, thirty seconds, no vocals",
    "as if heard through an open window on a summer night",
    "with a walking bass and brushes, close to the microphone",
)
SPOKEN = (
    "Welcome back. Today we walk along the {place} and listen to what the {sound} has to say.",
    "Chapter {n}. The {mood} {place} was empty, and nobody remembered who had left the {sound} there.",
    "Please mind the step. The next stop is the {place}, change here for all {mood} destinations.",
)
CHINESE = (
    "第{n}课：听力旁白，{place}边的故事",
    "夜晚的雨声与钢琴，缓慢而安静，适合{place}的清晨",
    "一首关于{place}的歌，女声，温柔，副歌重复两次",
    "欢迎收听今天的节目，我们来到{place}，聊一聊春天",
)
PLACES_ZH = ("港口", "森林", "沙漠", "车站", "厨房", "山谷", "图书馆", "教堂", "市场", "灯塔")
RARE, RARE_ZH, OLD = "zanzibar", "蝴蝶", "gramophone"
"""A word in one of 20,000, another in one of 5,000, and one that only the oldest third has, and often."""
MODELS = (
    ("minimax--music-2.6--text-to-instrumental", "music", "Music 2.6 Instrumental", "0.80", 90),
    ("minimax--music-2.6--text-to-music", "song", "Music 2.6", "1.05", 180),
    ("rhart-audio--text-to-audio--speech-2.8-hd", "speech", "Speech 2.8 HD", "0.05", 12),
    ("rhart-audio--text-to-audio--speech-2.8-turbo", "speech", "Speech 2.8 Turbo", "0.02", 25),
    ("mureka-ai--mureka-v9--generate-bgm", "music", "Mureka v9", "6.40", 60),
    ("kling-lip-sync--tts", "speech", "Kling TTS", "0.30", 8),
)
OFTEN = (40, 25, 20, 10, 4, 1)
PEAKS = " ".join(str(20 + (n * 37) % 80) for n in range(96))


def generations(
    team: int, authors: Sequence[int], here: int, count: int, end: datetime, chance: random.Random
) -> Iterator[dict[str, Any]]:
    """The columns of `count` generations, oldest first, a minute and a half apart, up to `end`."""
    for n in range(count):
        made = end - timedelta(seconds=95 * (count - n) + chance.random())
        slug, kind, name, price, usual = chance.choices(MODELS, OFTEN)[0]
        title, text = words(kind, n, chance)
        if n % 20_000 == 777:
            text += f" {RARE}"
        if n % 5_000 == 99:
            text += RARE_ZH
        if n < count // 3 and n % 2:
            text += f" {OLD}"
        key = "text" if kind == "speech" else "prompt"
        state, spread = State.SUCCEEDED, chance.random()
        if spread > 0.985:
            state = State.FAILED if spread < 0.996 else State.CANCELLED
        done = state == State.SUCCEEDED
        cost = (Decimal(price) * Decimal(chance.randint(50, 150)) / 100).quantize(Decimal("0.01"))
        length = round(min(usual * chance.lognormvariate(0, 0.7), 3600), 2) if done else None
        yield {
            "id": id_at(made, chance),
            "team": team,
            "author": chance.choices(authors, range(len(authors), 0, -1))[0],
            "connection": here,
            "model": slug,
            "kind": kind,
            "title": title,
            "params": {key: text, "format": "mp3"},
            "search_text": search_text(text, name),
            "status": state,
            "rating": chance.choices((0, 1, 2, 3, 4, 5), (900, 5, 10, 25, 40, 20))[0],
            "is_private": chance.random() < 0.02,
            "approved_at": made if done and chance.random() < 0.03 else None,
            "trashed_at": end if chance.random() < 0.01 else None,
            "length": length,
            "stored_bytes": int(length * 32_000) if length else 0,
            "cost_estimated": cost,
            "cost_actual": cost if done else Decimal(0),
            "created_at": made,
            "dispatched_at": made,
            "upstream_done_at": made,
            "finished_at": made + timedelta(seconds=30),
            "updated_at": made,
            "next_check_at": None,
        }


def outputs(made: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """One sound for each that ended well."""
    for one in made:
        if one["length"]:
            yield {
                "generation": one["id"],
                "index": 0,
                "kind": "audio",
                "content_type": "audio/mpeg",
                "extension": "mp3",
                "file": f"outputs/seeded/{one['id']}/0.mp3",
                "bytes": one["stored_bytes"],
                "sha256": one["id"].hex * 2,
                "duration": one["length"],
                "sample_rate": 44100,
                "channels": 2,
                "peaks_row": PEAKS,
                "created_at": one["created_at"],
            }


def words(kind: str, n: int, chance: random.Random) -> tuple[str, str]:
    """A title and a text; one in five is Chinese."""
    mood, sound, place = chance.choice(MOODS), chance.choice(SOUNDS), chance.choice(PLACES)
    if chance.random() < 0.2:
        text = chance.choice(CHINESE).format(n=n, place=chance.choice(PLACES_ZH))
        return text[:12], f"{text}。{chance.choice(CHINESE).format(n=n, place=chance.choice(PLACES_ZH))}"
    if kind == "speech":
        text = chance.choice(SPOKEN).format(n=n, mood=mood, sound=sound, place=place)
        return (
            f"{place.title()}, part {n}",
            f"{text} {chance.choice(SPOKEN).format(n=n, mood=mood, sound=sound, place=place)}",
        )
    return (
        f"{mood.title()} {sound} {n}",
        f"{mood.title()} {sound} in a {chance.choice(MOODS)} {place}, {chance.choice(ENDS)},"
        f" {chance.randint(60, 170)} bpm",
    )


def id_at(moment: datetime, chance: random.Random) -> uuid.UUID:
    """As `uuid7` would have made it then, and the same again from the same seed."""
    milliseconds, fraction = divmod(int(moment.timestamp() * 1_000_000), 1000)
    low = chance.getrandbits(62)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | (fraction << 2) << 64 | 0x2 << 62 | low)


def write(model: type[models.Model], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows of the same columns at once; what a row does not name is as the model begins with it."""
    if not rows:
        return
    blank = model()
    fields = [
        f for f in model._meta.concrete_fields if not f.generated and not isinstance(f, models.AutoField)
    ]
    given = [field for field in fields if field.name in rows[0]]
    rest = [field for field in fields if field.name not in rows[0]]
    same = [field.get_db_prep_save(field.pre_save(blank, add=True), connection) for field in rest]
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in [*given, *rest])
    values = ([*(f.get_db_prep_save(row[f.name], connection) for f in given), *same] for row in rows)
    table = quote(model._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for one in values:
                    copy.write_row(one)
            return
        places = ", ".join(["%s"] * len(fields))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values))  # noqa: S608
