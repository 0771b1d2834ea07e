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
from generations.catalogue.param import ParamSpec, ParamType
from generations.models import Upload
from generations.uploads.incoming import scratch
from tests.conftest import content, tone
from tests.generations.media.samples import archive, webm, write
from tests.generations.media.samples import tone as sound

SAMPLE = ParamSpec(
    "audio", ParamType.AUDIO, "Recording", accept=("mp3", "wav"), max_size_mb=1, min_seconds=2, max_seconds=60
)


def stored() -> list[Path]:
    root = Path(default_storage.location)
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_file_is_kept_under_its_team_with_its_figures(bob: Membership) -> None:
    data = tone(2)
    kept = uploads.store(bob, SimpleUploadedFile("My voice.mp3", data, "image/png"), expected="audio")
    assert kept.file.name == f"uploads/{bob.team_id}/{kept.pk}.wav"
    assert content(kept) == data
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


NAMES = [
    "../../etc/passwd",
    "a\x00b.wav",
    "quo\"te's.wav",
    "a\r\nSet-Cookie: x.wav",
    "n" * 300,
    "x" * 500 + ".wav",
    "",
    "\u202egpj.wav",
    "/.wav",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_made_harmless(bob: Membership, name: str) -> None:
    posted = SimpleUploadedFile("voice.wav", tone())
    posted._name = name
    kept = uploads.store(bob, posted)
    assert kept.name.endswith(".wav")
    assert len(kept.name) <= 200
    assert not set(kept.name) & set('/\\\x00\u202e\r\n"')


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


def posted(tmp_path: Path, extension: str, seconds: float, rate: int = 16_000) -> SimpleUploadedFile:
    path = write(tmp_path / f"in.{extension}", sound(seconds, rate=rate, channels=1), rate=rate)
    return SimpleUploadedFile(f"My take.{extension}", path.read_bytes())


@pytest.mark.parametrize(
    ("extension", "seconds", "to"), [("ogg", 3, "wav"), ("flac", 8, "mp3"), ("aiff", 4, "wav")]
)
def test_sound_of_another_type_is_kept_as_one_that_the_param_takes(
    bob: Membership, tmp_path: Path, extension: str, seconds: float, to: str
) -> None:
    kept = uploads.fit(bob, posted(tmp_path, extension, seconds), SAMPLE)
    assert (kept.upload.extension, kept.upload.name) == (to, f"My take.{to}")
    assert kept.note == f"Kept as {to.upper()}, because the model does not take {extension.upper()}."
    assert kept.upload.duration == pytest.approx(seconds, abs=0.06)
    assert hashlib.sha256(content(kept.upload)).hexdigest() == kept.upload.sha256
    kept.upload.file.close()
    assert uploads.fit(bob, posted(tmp_path, extension, seconds), SAMPLE).upload == kept.upload
    assert len(stored()) == 1
    assert not list(scratch().glob("upload-*"))


def test_what_fits_is_kept_as_it_is(bob: Membership) -> None:
    data = tone(3)
    kept = uploads.fit(bob, SimpleUploadedFile("a.wav", data), SAMPLE)
    assert (kept.note, content(kept.upload)) == ("", data)
    kept.upload.file.close()


def refused_by_the_param(tmp_path: Path) -> dict[str, tuple[SimpleUploadedFile, str]]:
    return {
        "what no library decodes": (
            SimpleUploadedFile("a.webm", webm(track_types=(2,))),
            "WEBM is not accepted here. Use MP3 or WAV.",
        ),
        "a zip called mp3": (
            SimpleUploadedFile("song.mp3", archive()),
            "Sound was expected, but the file is an archive.",
        ),
        "too short": (SimpleUploadedFile("a.wav", tone(1)), "At least 2 seconds; this has 1.0 seconds."),
        "too long": (
            SimpleUploadedFile("a.wav", tone(61, 4000)),
            "At most 1 minute; this has 1 minute 1 second.",
        ),
        "too long of another type": (
            posted(tmp_path, "flac", 61, 4000),
            "At most 1 minute; this has 1 minute 1 second.",
        ),
        "too large": (SimpleUploadedFile("a.wav", tone(40, 16_000)), "At most 1 MB; this file has 1.2 MB."),
        "empty": (SimpleUploadedFile("a.wav", b""), "The file is empty. Choose another one."),
    }


@pytest.mark.parametrize(
    "what",
    ["what no library decodes", "a zip called mp3", "too short", "too long", "too long of another type", "too large",
     "empty"],
)  # fmt: skip
def test_what_the_param_does_not_take_is_refused_without_a_trace(
    bob: Membership, tmp_path: Path, what: str
) -> None:
    file, sentence = refused_by_the_param(tmp_path)[what]
    with pytest.raises(uploads.BadUpload) as refused:
        uploads.fit(bob, file, SAMPLE)
    assert refused.value.sentence == sentence
    assert not Upload.objects.exists()
    assert not stored()
    assert not list(scratch().glob("upload-*"))


def lying(**changes: int) -> bytes:
    """A WAV of one second whose header says something else: field and value."""
    where = {"riff": (4, 4), "channels": (22, 2), "rate": (24, 4), "bits": (34, 2), "data": (40, 4)}
    data = bytearray(tone(1))
    for field, value in changes.items():
        at, size = where[field]
        data[at : at + size] = value.to_bytes(size, "little")
    return bytes(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"data": 999_999_999},
        {"riff": 36 + 8000, "data": 8000},
        {"rate": 0},
        {"rate": 1},
        {"rate": 2**32 - 1},
        {"channels": 0},
        {"channels": 65_535},
        {"bits": 0},
        {"bits": 65_535},
    ],
)
def test_a_wav_whose_header_lies_is_refused_without_a_trace(bob: Membership, changes: dict[str, int]) -> None:
    with pytest.raises(uploads.BadUpload) as refused:
        uploads.store(bob, SimpleUploadedFile("a.wav", lying(**changes)), expected="audio")
    assert refused.value.sentence.endswith(".")
    assert not stored()
    assert not Upload.objects.exists()


def test_a_wav_of_unknown_length_as_recorders_stream_it_is_measured(bob: Membership) -> None:
    kept = uploads.store(bob, SimpleUploadedFile("a.wav", lying(riff=2**32 - 1, data=2**32 - 1)))
    assert kept.duration == pytest.approx(1)


def test_a_disk_that_is_full_leaves_no_half_file(bob: Membership) -> None:
    class Full(SimpleUploadedFile):
        """Its first part goes to the disk, its second does not."""

        def chunks(self, chunk_size: int | None = None) -> Any:
            yield b"half"
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        uploads.store(bob, Full("voice.wav", tone()))
    assert not stored()
    assert not Upload.objects.exists()
