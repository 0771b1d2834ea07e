"""Taking out: one file, several, a collection; with tags, provenance and what is missing."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import mutagen
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from generations import takeout
from generations.models import Generation, Output, Tag, Tagging, Upload, VoiceUse
from tests.conftest import content, tone
from tests.generations.test_sharing import album

ZIP, PAGE = "/t/tide/download/zip/", "/t/tide/download/"


def read(answer: Any) -> bytes:
    return answer.getvalue() if answer.streaming else answer.content


def unpacked(answer: Any) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.content[:300]
    data = read(answer)
    if answer.has_header("Content-Length"):
        assert int(answer["Content-Length"]) == len(data)
    found = zipfile.ZipFile(io.BytesIO(data))
    assert found.testzip() is None
    return found


def test_several_with_where_they_came_from(
    bob: Membership, carol: Membership, client_of: Any, make_generation: Any, make_voice: Any
) -> None:
    upload = Upload.objects.create(
        team=bob.team, author=bob.user, file="u.wav", name="me.wav", kind="audio", content_type="audio/wav",
        extension="wav", bytes=9, sha256="ab" * 32,
    )  # fmt: skip
    one = make_generation(
        bob, outputs=2, title="Rain", upstream_id="77", params={"prompt": "=Slow", "audio": upload.reference}
    )
    two = make_generation(carol, outputs=1, title="rain")
    voice = make_voice(carol, name="Harbour")
    VoiceUse.objects.create(generation=two, voice=voice)
    tag = Tag.objects.create(team=bob.team, name="Wet", folded="wet")
    Tagging.objects.create(tag=tag, generation=one)
    found = unpacked(
        client_of(bob).post(ZIP, {"ids": f"{one.pk} {two.pk}", "pattern": "{title} {take}", "sidecar": "on"})
    )
    assert found.namelist() == [
        "Rain A.wav", "Rain B.wav", "rain.wav", "Rain A.json", "rain.json", "provenance.csv",
    ]  # fmt: skip
    assert found.read("Rain A.wav") == tone()
    told = json.loads(found.read("Rain A.json"))
    assert told["author"] == "Bob"
    assert told["inputs"] == [{"name": "me.wav", "kind": "audio", "bytes": 9, "sha256": "ab" * 32}]
    assert told["tags"] == ["Wet"]
    assert (told["cost"], told["currency"], told["cost_is"]) == ("0.8", "CNY", "estimated") or told[
        "cost"
    ].startswith("0.8")
    assert [file["file"] for file in told["files"]] == ["Rain A.wav", "Rain B.wav"]
    spoken = json.loads(found.read("rain.json"))["voice"]
    assert spoken["name"] == "Harbour"
    assert spoken["speaker"] == "Ada"
    assert spoken["consent_noted_by"] == "Carol"
    rows = list(csv.DictReader(io.StringIO(found.read("provenance.csv").decode("utf-8-sig"))))
    assert [row["file"] for row in rows] == ["Rain A.wav", "Rain B.wav", "rain.wav"]
    assert rows[0]["text"] == "'=Slow", "no formula"
    assert rows[0]["upstream_id"] == "77"


def test_a_whole_collection_in_its_order(bob: Membership, client_of: Any, make_generation: Any) -> None:
    rows = [make_generation(bob, outputs=1, title=title) for title in ("Two", "One")]
    made = album(bob, *rows)
    answer = client_of(bob).get(ZIP, {"collection": made.pk, "pattern": "{collection}/{index} {title}"})
    assert 'filename="Album.zip"' in answer["Content-Disposition"]
    assert unpacked(answer).namelist() == ["Album/001 Two.wav", "Album/002 One.wav"]


def test_one_file_alone_is_that_file(bob: Membership, client_of: Any, make_generation: Any) -> None:
    row = make_generation(bob, outputs=1)
    answer = client_of(bob).get(ZIP, {"ids": row.pk, "pattern": "{date} {title}"})
    assert answer["Content-Type"] == "audio/wav"
    assert answer["Content-Disposition"].endswith(' Rain.wav"')
    assert read(answer) == tone()
    part = client_of(bob).get(ZIP, {"ids": row.pk, "pattern": "{title}"}, headers={"Range": "bytes=0-3"})
    assert (part.status_code, read(part)) == (206, b"RIFF")


def test_tags_are_written_on_the_way_out(
    bob: Membership, client_of: Any, make_generation: Any, tmp_path: Any
) -> None:
    row = make_generation(bob, outputs=1)
    made = album(bob, row)
    answer = client_of(bob).get(ZIP, {"collection": made.pk, "pattern": "{title}", "tags": "on"})
    path = tmp_path / "rain.wav"
    path.write_bytes(read(answer))
    tags = mutagen.File(path).tags
    assert str(tags["TIT2"]) == "Rain"
    assert str(tags["TPE1"]) == "Bob"
    assert str(tags["TALB"]) == "Album"
    assert "Slow piano over rain" in str(tags.getall("COMM"))
    assert content(row.outputs.get()) == tone(), "the file here stays as it is"
    packed = unpacked(
        client_of(bob).get(ZIP, {"collection": made.pk, "pattern": "{title}", "tags": "on", "sidecar": "on"})
    )
    assert packed.read("Rain.wav") == path.read_bytes()


def test_what_is_missing_is_said_in_the_zip(bob: Membership, client_of: Any, make_generation: Any) -> None:
    rows = [make_generation(bob, outputs=1, title=f"Rain {n}") for n in range(4)]
    lost = rows[1].outputs.get()
    lost.file.storage.delete(str(lost.file.name))
    Output.objects.filter(generation=rows[2]).update(bytes=999_999)
    answer = client_of(bob).post(ZIP, {"ids": [str(row.pk) for row in rows], "pattern": "{title}"})
    assert answer.has_header("Content-Length"), "known beforehand all the same"
    found = unpacked(answer)
    assert found.namelist() == ["Rain 0.wav", "Rain 3.wav", "MISSING.txt"]
    text = found.read("MISSING.txt").decode()
    assert "Rain 1.wav" in text
    assert "Rain 2.wav" in text


def test_only_what_one_sees(
    bob: Membership, carol: Membership, mona: Membership, vera: Membership, zoe: Membership, client_of: Any,
    make_generation: Any, make_voice: Any,
) -> None:  # fmt: skip
    open_one = make_generation(carol, outputs=1, title="Open")
    private = make_generation(carol, outputs=1, title="Private", is_private=True)
    trashed = make_generation(carol, outputs=1, title="Trashed", trashed_at=timezone.now())
    voice = make_voice(carol, name="Hidden", audience="owner")
    spoken = make_generation(carol, outputs=1, title="Spoken", params={"text": "Hi", "voice": voice.voice_id})
    VoiceUse.objects.create(generation=spoken, voice=voice)
    ids = [str(row.pk) for row in (open_one, private, trashed, voice.made_by, spoken)]
    wish = {"ids": ids, "pattern": "{title}", "sidecar": "on"}
    for who in (bob, vera):
        found = unpacked(client_of(who).post(ZIP, wish))
        assert {name for name in found.namelist() if name.endswith(".wav")} == {"Open.wav", "Spoken.wav"}
        everything = b"".join(found.read(name) for name in found.namelist()).decode("latin-1")
        assert voice.voice_id not in everything
        assert "Hidden" not in everything
    assert "Private.wav" in unpacked(client_of(mona).post(ZIP, wish)).namelist()
    assert client_of(zoe).post(ZIP, wish).status_code == 404
    assert client_of(zoe).post("/t/zoo/download/zip/", wish).status_code == 404
    assert Client().post(ZIP, wish).status_code == 302
    made = album(carol, open_one, is_private=True)
    assert client_of(bob).get(ZIP, {"collection": made.pk}).status_code == 404


def test_where_it_came_from_names_no_copy_of_what_another_keeps_private(
    bob: Membership, carol: Membership, mona: Membership, client_of: Any, make_generation: Any
) -> None:
    secret = make_generation(carol, outputs=1, title="Secret", is_private=True)
    copy = Upload.objects.create(
        team=bob.team, author=carol.user, file="u.wav", name="secret-plan.wav", kind="audio",
        content_type="audio/wav", extension="wav", bytes=9, sha256="cd" * 32, source=secret.outputs.get(),
    )  # fmt: skip
    row = make_generation(carol, outputs=1, title="Open", params={"prompt": "x", "audio": copy.reference})
    wish = {"ids": str(row.pk), "pattern": "{title}", "sidecar": "on"}
    for who, names in ((bob, []), (carol, ["secret-plan.wav"]), (mona, ["secret-plan.wav"])):
        found = unpacked(client_of(who).post(ZIP, wish))
        assert [one["name"] for one in json.loads(found.read("Open.json"))["inputs"]] == names
        table = found.read("provenance.csv").decode()
        assert ("secret-plan.wav" in table) == bool(names)


def test_the_page_shows_what_it_will_be(bob: Membership, client_of: Any, make_generation: Any) -> None:
    rows = [make_generation(bob, outputs=1, title=f"Rain {n}") for n in range(2)]
    unfinished = make_generation(bob, status="running")
    ids = [str(row.pk) for row in (*rows, unfinished)]
    text = client_of(bob).post(PAGE, {"ids": ids}).content.decode()
    assert "Download 2 files" in text
    assert "001 Rain 0.wav" in text
    assert "1 of those picked is not finished" in text
    assert client_of(bob).get(PAGE).status_code == 302
    assert client_of(bob).get(PAGE, {"ids": "nonsense"}).status_code == 302
    bad = client_of(bob).post(ZIP, {"ids": ids, "pattern": "{titel}"})
    assert bad.status_code == 422
    assert "{titel} is not known" in bad.content.decode()
    assert "{titel}" in bad.content.decode().partition('name="pattern"')[2][:200]
    assert client_of(bob).get(ZIP, {"ids": "nonsense"}).status_code == 404
    assert client_of(bob).get(ZIP, {"collection": "nonsense"}).status_code == 404


def test_too_many_at_once_are_asked_to_wait(bob: Membership, client_of: Any, make_generation: Any) -> None:
    rows = [make_generation(bob, outputs=1) for _ in range(2)]
    wish = {"ids": [str(row.pk) for row in rows], "pattern": "{title}"}
    client = client_of(bob)
    under_way = [client.post(ZIP, wish) for _ in range(takeout.gate.OF_A_TEAM)]
    refused = client.post(ZIP, wish)
    assert refused.status_code == 429
    assert refused["Retry-After"] == "60"
    assert client.get(PAGE, {"ids": wish["ids"]}).status_code == 200
    read(under_way[0])
    unpacked(client.post(ZIP, wish))
    read(under_way[1])
    assert client.head(ZIP, {"ids": wish["ids"]}).status_code == 200


def test_the_queries_are_the_same_however_many(bob: Membership, client_of: Any, make_generation: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, counts = client_of(bob), []
    for many in (2, 7):
        ids = [str(make_generation(bob, outputs=2).pk) for _ in range(many)]
        with CaptureQueriesContext(connection) as queries:
            unpacked(client.post(ZIP, {"ids": ids, "pattern": "{title}", "sidecar": "on", "tags": "on"}))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_names_say_when_and_with_what(bob: Membership, client_of: Any, make_generation: Any) -> None:
    when = timezone.now() - timedelta(days=400)
    rows = [make_generation(bob, outputs=1, created_at=when) for _ in range(2)]
    ids = [str(row.pk) for row in rows]
    pattern = "{kind}/{date} {model} {author}"
    names = unpacked(client_of(bob).post(ZIP, {"ids": ids, "pattern": pattern})).namelist()
    day = when.astimezone(bob.team.zone).date().isoformat()
    assert names[0].startswith(f"music/{day} ")
    assert names[0].endswith(" Bob.wav")
    assert names[1].endswith(" Bob (2).wav")


@pytest.mark.parametrize("ids", ["", "x" * 3000, "01a207b9-1bc9-7d00-bec8-9a3b522069ca", "\x00"])
def test_odd_ids_are_nothing(ids: str, bob: Membership, client_of: Any) -> None:
    assert client_of(bob).post(ZIP, {"ids": ids}).status_code == 404
    assert client_of(bob).post(PAGE, {"ids": ids}).status_code == 302
    assert Generation.objects.count() == 0


def test_the_bar_of_the_library_hands_over_what_is_picked(
    bob: Membership, make_generation: Any, client_of: Any
) -> None:
    rows = [make_generation(bob, title=f"Song {n}", outputs=1) for n in range(2)]
    page = client_of(bob).post("/t/tide/download/", {"pick": [str(one.pk) for one in rows], "deed": ""})
    assert page.status_code == 200
    assert "2 files" in page.content.decode()
