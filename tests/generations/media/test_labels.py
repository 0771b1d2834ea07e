"""What files say about themselves comes off whole, and labels go on, while every sample stays what it was."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import mutagen
import mutagen.id3
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.apev2 import APEv2
from mutagen.flac import Picture

from generations.media import labels, probe
from generations.media.labels import Labels, Opaque
from generations.media.splice import Spliced, is_plain, length
from tests.effort import tries
from tests.generations.media import samples

SECRET = "task-20240607-secret"
LABELS = Labels("Rain, 雨", "Bob", "Harbour", "2026-05-31", "Made with a model.")


def through(path: Path, given_labels: Labels | None) -> bytes:
    """The whole file as it would be sent."""
    size = path.stat().st_size
    file = path.open("rb")
    pieces = labels.labelled(file, size, path.suffix[1:], given_labels)
    with Spliced(file, pieces) as spliced:
        data = spliced.read()
    assert len(data) == length(pieces)
    return data


def sound(data: bytes | Path) -> Any:
    return sf.read(data if isinstance(data, Path) else io.BytesIO(data), always_2d=True)[0]


def tagged_wav(path: Path) -> None:
    data = samples.wav_bytes(0.5)
    info = b"INFOISFT" + struct.pack("<I", len(SECRET)) + SECRET.encode()
    extra = b"LIST" + struct.pack("<I", len(info)) + info
    bext = b"bext" + struct.pack("<I", 602) + SECRET.encode().ljust(602, b"\0")
    body = data[8:36] + bext + data[36:] + extra
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def tagged_mp3(path: Path) -> None:
    path.write_bytes(samples.mp3_bytes(1.0))
    tag = mutagen.id3.ID3()
    tag.add(mutagen.id3.TIT2(encoding=3, text=[SECRET]))
    tag.add(mutagen.id3.TXXX(encoding=3, desc="task", text=[SECRET]))
    tag.save(path, v1=0)
    ape = APEv2()
    ape["Comment"] = SECRET
    ape.save(path)
    with path.open("ab") as file:
        file.write(b"TAG" + SECRET.encode().ljust(125, b"\0"))


def tagged_flac(path: Path) -> None:
    samples.write(path, samples.tone(0.5))
    file = mutagen.File(path)
    file["description"] = SECRET
    picture = Picture()
    picture.data = SECRET.encode()
    file.add_picture(picture)
    file.save()


def tagged_ogg(path: Path) -> None:
    samples.write(path, samples.tone(1.0), format="OGG", subtype="VORBIS")
    file = mutagen.File(path)
    file["description"] = SECRET
    file["lyrics"] = "la " * 400
    file.save()


def tagged_opus(path: Path) -> None:
    samples.write(path, samples.tone(1.0, rate=48_000), rate=48_000, format="OGG", subtype="OPUS")
    file = mutagen.File(path)
    file["description"] = SECRET
    file.save()


def tagged_aiff(path: Path) -> None:
    samples.write(path, samples.tone(0.5), format="AIFF", subtype="PCM_16")
    file = mutagen.File(path)
    file.add_tags()
    file.tags.add(mutagen.id3.TIT2(encoding=3, text=[SECRET]))
    file.save()


MAKERS = {
    "wav": tagged_wav, "mp3": tagged_mp3, "flac": tagged_flac, "ogg": tagged_ogg, "opus": tagged_opus,
    "aiff": tagged_aiff,
}  # fmt: skip


@pytest.fixture(params=MAKERS)
def tagged(request: Any, tmp_path: Path) -> Path:
    path = tmp_path / f"sound.{request.param}"
    MAKERS[request.param](path)
    assert SECRET.encode() in path.read_bytes()
    return path


def test_nothing_is_said_any_more_and_every_sample_stays(tagged: Path) -> None:
    before = sound(tagged)
    clean = through(tagged, None)
    assert SECRET.encode() not in clean
    assert np.array_equal(sound(clean), before)
    tagged.write_bytes(clean)
    assert probe(tagged, expected="audio").type.extension == tagged.suffix[1:]
    assert not mutagen.File(tagged).tags


def test_labels_go_on(tagged: Path) -> None:
    before = sound(tagged)
    made = through(tagged, LABELS)
    assert SECRET.encode() not in made
    assert np.array_equal(sound(made), before)
    tagged.write_bytes(made)
    probe(tagged, expected="audio")
    said = mutagen.File(tagged).tags
    told = str(said) if tagged.suffix in (".flac", ".ogg", ".opus") else " ".join(map(str, said.values()))
    for word in ("Rain, 雨", "Bob", "Harbour", "2026", "Made with a model."):
        assert word in told


def test_what_is_clean_already_is_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "plain.wav"
    path.write_bytes(samples.wav_bytes())
    assert through(path, None) == path.read_bytes()
    mp3 = tmp_path / "plain.mp3"
    mp3.write_bytes(samples.mp3_bytes())
    with mp3.open("rb") as file:
        assert is_plain(labels.labelled(file, mp3.stat().st_size, "mp3", None), mp3.stat().st_size)


@pytest.mark.parametrize("index_first", [True, False])
def test_an_index_before_the_sound_still_leads_to_it(index_first: bool, tmp_path: Path) -> None:
    """The chunk offsets of the tracks point at the same bytes afterwards."""
    mdat = samples.box(b"mdat", b"0123456789" * 50)
    ftyp = samples.box(b"ftyp", b"M4A ", bytes(4), b"M4A ")

    def moov(at: int) -> bytes:
        stco = samples.box(b"stco", struct.pack(">III", 0, 1, at))
        stbl = samples.box(b"stbl", stco)
        hdlr = samples.box(b"hdlr", bytes(8), b"soun", bytes(12), SECRET.encode(), b"\0")
        mdia = samples.box(b"mdia", samples.box(b"mdhd", bytes(24)), hdlr, samples.box(b"minf", stbl))
        udta = samples.box(b"udta", samples.box(b"name", SECRET.encode()))
        trak = samples.box(b"trak", samples.box(b"tkhd", bytes(84)), mdia, udta)
        return samples.box(b"moov", samples.box(b"mvhd", bytes(100)), trak, udta)

    free = samples.box(b"uuid", SECRET.encode())
    head = len(ftyp) + len(free) + (len(moov(0)) if index_first else 0) + 8
    parts = [ftyp, free, moov(head), mdat] if index_first else [ftyp, free, mdat, moov(head)]
    path = tmp_path / "film.mp4"
    path.write_bytes(b"".join(parts))
    for given_labels in (None, LABELS):
        made = through(path, given_labels)
        assert SECRET.encode() not in made
        at = made.index(b"stco") + 12
        (place,) = struct.unpack(">I", made[at : at + 4])
        assert made[place : place + 10] == b"0123456789"
    assert "Rain, 雨".encode() in through(path, LABELS)


def test_an_m4a_that_was_labelled_is_read_by_others(tmp_path: Path) -> None:
    path = tmp_path / "sound.m4a"
    path.write_bytes(samples.mp4(handlers=(b"soun",), brand=b"M4A "))
    path.write_bytes(through(path, LABELS))
    assert mutagen.File(path).tags["\xa9nam"] == ["Rain, 雨"]
    path.write_bytes(through(path, None))
    assert not mutagen.File(path).tags


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_png_keeps_its_picture_alone(tmp_path: Path) -> None:
    plain = samples.png()
    said = chunk(b"tEXt", b"prompt\0" + SECRET.encode()) + chunk(b"eXIf", SECRET.encode())
    path = tmp_path / "picture.png"
    path.write_bytes(plain[:33] + said + plain[33:] + SECRET.encode())
    assert through(path, None) == plain


def test_a_jpeg_keeps_its_picture_alone(tmp_path: Path) -> None:
    def segment(mark: int, body: bytes) -> bytes:
        return bytes([0xFF, mark]) + struct.pack(">H", len(body) + 2) + body

    head = b"\xff\xd8" + segment(0xE0, b"JFIF\0" + bytes(9)) + segment(0xDB, bytes(65))
    scan = segment(0xDA, bytes(6)) + b"\x12\xff\x00\x34\xff\xd0\x56"
    said = segment(0xE1, b"Exif\0\0" + SECRET.encode()) + segment(0xFE, SECRET.encode())
    again = segment(0xC4, bytes(20)) + segment(0xDA, bytes(6)) + b"\x77"
    path = tmp_path / "picture.jpg"
    path.write_bytes(
        head + said + scan + segment(0xFE, SECRET.encode()) + again + b"\xff\xd9" + SECRET.encode()
    )
    assert through(path, None) == head + scan + again + b"\xff\xd9"


def test_a_webp_keeps_its_picture_alone(tmp_path: Path) -> None:
    def part(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)

    body = b"WEBP" + part(b"VP8X", bytes([0x0C]) + bytes(9)) + part(b"VP8L", bytes(11))
    body += part(b"EXIF", SECRET.encode()) + part(b"XMP ", SECRET.encode())
    path = tmp_path / "picture.webp"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    clean = through(path, None)
    assert SECRET.encode() not in clean
    assert clean[20] == 0
    assert int.from_bytes(clean[4:8], "little") == len(clean) - 8


@pytest.mark.parametrize(
    "extension", ["wav", "mp3", "flac", "ogg", "m4a", "png", "jpg", "webp", "aiff", "gif", "zip"]
)
@pytest.mark.parametrize("data", [b"", b"RIFF", b"<html>", bytes(5000), b"\xff" * 3000, b"OggS" * 20])
def test_what_cannot_be_read_is_said_to_be_opaque(extension: str, data: bytes) -> None:
    try:
        pieces = labels.labelled(io.BytesIO(data), len(data), extension, None)
    except Opaque:
        return
    assert extension in ("mp3",)
    assert length(pieces) <= len(data)


@settings(max_examples=tries(60), deadline=None)
@given(st.sampled_from(sorted(labels.CLEANED)), st.data())
def test_damage_never_breaks_anything(extension: str, data: Any) -> None:
    start = {
        "wav": samples.wav_bytes(0.05), "png": samples.png(), "m4a": samples.mp4(handlers=(b"soun",)),
        "webp": samples.webp(),
    }.get(extension, samples.mp3_bytes(0.2))  # fmt: skip
    broken = bytearray(start[:4000])
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        pieces = labels.labelled(io.BytesIO(bytes(broken)), len(broken), extension, LABELS)
    except Opaque:
        return
    with Spliced(io.BytesIO(bytes(broken)), pieces) as file:
        assert len(file.read()) == length(pieces)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_part_of_the_pieces_is_a_part_of_the_whole(data: bytes, draw: Any) -> None:
    spans = st.tuples(st.integers(0, len(data)), st.integers(0, len(data))).map(
        lambda two: tuple(sorted(two))
    )
    pieces = draw.draw(st.lists(st.one_of(st.binary(max_size=9), spans), max_size=6))
    whole = b"".join(one if isinstance(one, bytes) else data[one[0] : one[1]] for one in pieces)
    with Spliced(io.BytesIO(data), pieces) as file:
        assert file.size == len(whole)
        start = draw.draw(st.integers(0, len(whole) + 2))
        file.seek(start)
        assert file.read() == whole[start:]
