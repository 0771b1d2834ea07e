"""Files that members give: what is kept, what is refused, and that a refusal leaves nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile

from accounts.models import Membership
from generations import uploads
from generations.models import Upload
from tests.conftest import tone


def stored() -> list[Path]:
    root = Path(default_storage.location)
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_file_is_kept_under_its_team_with_its_figures(bob: Membership) -> None:
    data = tone(2)
    kept = uploads.store(bob, SimpleUploadedFile("My voice.mp3", data, "image/png"), expected="audio")
    assert kept.file.name == f"uploads/{bob.team_id}/{kept.pk}.wav"
    assert kept.file.read() == data
    assert (kept.kind, kept.content_type, kept.extension) == ("audio", "audio/wav", "wav")
    assert (kept.bytes, kept.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert kept.duration == pytest.approx(2)
    assert kept.author == bob.user
    kept.file.close()


def test_a_file_that_the_browser_sent_to_disk_is_kept_too(bob: Membership) -> None:
    with TemporaryUploadedFile("voice.wav", "audio/wav", 0, None) as posted:
        posted.write(tone())
        posted.size = posted.tell()
        posted.flush()
        kept = uploads.store(bob, posted)
    assert default_storage.exists(kept.file.name)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "audio"),
        (b"<html><body>hello", "audio"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 40, "audio"),
        (tone(), "image"),
        (tone()[:30], "audio"),
        (b"plain text", None),
        (b"PK\x03\x04" + b"0" * 60, None),
    ],
)
def test_what_is_not_the_media_it_should_be_is_refused_without_a_trace(
    bob: Membership, data: bytes, expected: str | None
) -> None:
    with pytest.raises(uploads.BadUpload) as refused:
        uploads.store(bob, SimpleUploadedFile("voice.wav", data), expected=expected)
    assert refused.value.sentence.endswith(".")
    assert not Upload.objects.exists()
    assert not stored()


def test_a_file_over_the_limit_is_refused_before_it_is_read(bob: Membership, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    with pytest.raises(uploads.BadUpload, match="at most"):
        uploads.store(bob, SimpleUploadedFile("voice.wav", tone()))
    assert not stored()


NAMES = ["../../etc/passwd", "a\x00b.wav", "x" * 500 + ".wav", "", "\u202egpj.wav", "/.wav"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_made_harmless(bob: Membership, name: str) -> None:
    posted = SimpleUploadedFile("voice.wav", tone())
    posted._name = name
    kept = uploads.store(bob, posted)
    assert kept.name.endswith(".wav")
    assert len(kept.name) <= 200
    assert not set(kept.name) & set("/\\\x00\u202e")


def test_the_same_file_of_one_member_is_one_upload(bob: Membership, carol: Membership) -> None:
    first = uploads.store(bob, SimpleUploadedFile("voice.wav", tone()))
    assert uploads.store(bob, SimpleUploadedFile("voice.wav", tone())) == first
    assert uploads.store(bob, SimpleUploadedFile("other.wav", tone())) != first
    assert uploads.store(carol, SimpleUploadedFile("voice.wav", tone())) != first
    assert len(stored()) == 3


def test_a_file_whose_bytes_are_gone_is_kept_anew(bob: Membership) -> None:
    first = uploads.store(bob, SimpleUploadedFile("voice.wav", tone()))
    default_storage.delete(first.file.name)
    assert uploads.store(bob, SimpleUploadedFile("voice.wav", tone())) != first


def test_when_the_row_cannot_be_saved_the_file_goes(bob: Membership) -> None:
    bob.pk = 10**9
    with pytest.raises(Membership.DoesNotExist):
        uploads.store(bob, SimpleUploadedFile("voice.wav", tone()))
    assert not stored()


def test_two_posts_of_one_file_at_the_same_time_agree_on_one_upload(bob: Membership) -> None:
    class Overtaken(SimpleUploadedFile):
        """While it is being written, the other post of the same form is done."""

        other: Upload | None = None

        def chunks(self, chunk_size: int | None = None) -> Any:
            self.other = uploads.store(bob, SimpleUploadedFile("voice.wav", tone()))
            return super().chunks(chunk_size)

    posted = Overtaken("voice.wav", tone())
    assert uploads.store(bob, posted) == posted.other
    assert Upload.objects.count() == 1
    assert len(stored()) == 1
