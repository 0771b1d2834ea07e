from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.media import sniff
from tests.generations.media import samples


def found(head: bytes) -> tuple[str, str, str]:
    media = sniff(head[:8192])
    return media.kind, media.content_type, media.extension


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (samples.mp3_bytes(), ("audio", "audio/mpeg", "mp3")),
        (samples.id3(50) + samples.mp3_bytes(), ("audio", "audio/mpeg", "mp3")),
        (samples.id3(200_000), ("audio", "audio/mpeg", "mp3")),
        (bytes(300) + samples.mp3_bytes(), ("audio", "audio/mpeg", "mp3")),
        (samples.wav_bytes(), ("audio", "audio/wav", "wav")),
        (samples.adts(4), ("audio", "audio/aac", "aac")),
        (samples.id3(50) + samples.adts(4), ("audio", "audio/aac", "aac")),
        (samples.mp4(handlers=(b"soun",), brand=b"M4A "), ("audio", "audio/mp4", "m4a")),
        (samples.mp4(handlers=(b"vide",)), ("video", "video/mp4", "mp4")),
        (samples.mp4(handlers=(b"vide",), brand=b"qt  "), ("video", "video/quicktime", "mov")),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", ("video", "video/quicktime", "mov")),
        (samples.webm(track_types=(1, 2)), ("video", "video/webm", "webm")),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", ("video", "video/x-matroska", "mkv")),
        (b"RIFF\x10\0\0\0AVI LIST", ("video", "video/x-msvideo", "avi")),
        (b"FORM\0\0\0\x10AIFFCOMM", ("audio", "audio/aiff", "aiff")),
        (samples.png(), ("image", "image/png", "png")),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", ("image", "image/jpeg", "jpg")),
        (b"GIF89a\x01\0\x01\0", ("image", "image/gif", "gif")),
        (samples.webp(), ("image", "image/webp", "webp")),
        (samples.box(b"ftyp", b"avif", bytes(4), b"mif1"), ("image", "image/avif", "avif")),
        (samples.box(b"ftyp", b"mif1", bytes(4), b"mif1avif"), ("image", "image/avif", "avif")),
        (samples.glb(), ("3d", "model/gltf-binary", "glb")),
        (samples.archive(), ("archive", "application/zip", "zip")),
        (samples.HTML, ("text", "text/html", "html")),
        (b"\xef\xbb\xbf  <!-- hello --><!-- again -->\n<HTML>", ("text", "text/html", "html")),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", ("text", "application/xml", "xml")),
        (samples.SVG, ("image", "image/svg+xml", "svg")),
        (b"<svg viewBox='0 0 1 1'/>", ("image", "image/svg+xml", "svg")),
        (samples.JSON, ("text", "application/json", "json")),
        (b"[1, 2]", ("text", "application/json", "json")),
        ("[Verse]\nMoonlight über the sea".encode(), ("text", "text/plain", "txt")),
        (b"[1st chorus]\nAgain", ("text", "text/plain", "txt")),
        (b"The moov in the herd", ("text", "text/plain", "txt")),
        (b"ID3 tags are useful", ("text", "text/plain", "txt")),
        ("月光".encode()[:-1], ("text", "text/plain", "txt")),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head: bytes, expected: tuple[str, str, str]) -> None:
    assert found(head) == expected


@pytest.mark.parametrize(
    ("form", "subtype", "expected"),
    [
        ("FLAC", "PCM_16", ("audio", "audio/flac", "flac")),
        ("OGG", "VORBIS", ("audio", "audio/ogg", "ogg")),
        ("OGG", "OPUS", ("audio", "audio/ogg", "opus")),
        ("AIFF", "PCM_16", ("audio", "audio/aiff", "aiff")),
        ("MP3", "MPEG_LAYER_III", ("audio", "audio/mpeg", "mp3")),
        ("RF64", "PCM_16", ("audio", "audio/wav", "wav")),
    ],
)
def test_what_an_encoder_wrote_is_known(
    tmp_path: Path, form: str, subtype: str, expected: tuple[str, str, str]
) -> None:
    sound = samples.tone(0.3, rate=48_000)
    path = samples.write(tmp_path / "x.bin", sound, rate=48_000, format=form, subtype=subtype)
    assert found(path.read_bytes()) == expected


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0",
        bytes(5000),
        b"\xff\xfe<\0h\0t\0m\0l\0>\0",
        b"\xff\xfb\x90\x64" + b"\x55" * 2000,
        b"\xff\xf1\x50\x80\x0c\x9f\xfc" + b"\x55" * 2000,
        b"text with a \0 in it",
        b"caf\xe9 in Latin-1",
    ],
)
def test_bytes_that_fit_nothing_are_unknown(head: bytes) -> None:
    assert found(head) == ("unknown", "application/octet-stream", "bin")


def test_one_frame_is_enough_only_when_the_bytes_end_before_the_next() -> None:
    sound = samples.mp3_bytes()
    assert sniff(sound[:300]).extension == "mp3"
    assert sniff(sound[:300] + b"\x55" * 3000).extension == "bin"


def test_frames_of_different_streams_are_no_stream() -> None:
    first = samples.mp3_bytes()[:417]
    assert sniff(first + b"\xff\xfb\x90\x64" + bytes(600)).extension == "mp3"
    assert sniff(first + b"\xff\xf3\x90\x64" + bytes(600)).extension == "bin"


@given(st.binary(max_size=300))
def test_no_bytes_make_sniffing_fail(data: bytes) -> None:
    assert sniff(data).content_type


@given(
    st.sampled_from([
        samples.mp3_bytes(0.1), samples.wav_bytes(0.01), samples.adts(3), samples.id3(20), samples.SVG,
        samples.mp4(handlers=(b"soun",))[:200], samples.webm(track_types=(2,)), samples.HTML, samples.glb(),
    ]),
    st.integers(0, 400),
    st.binary(max_size=40),
)  # fmt: skip
def test_no_damage_to_a_real_file_makes_sniffing_fail(data: bytes, at: int, junk: bytes) -> None:
    assert sniff(data[:at] + junk + data[at + len(junk) :]).content_type
    assert sniff(data[:at]).content_type


def test_many_comments_in_front_of_a_page_do_not_slow_sniffing() -> None:
    assert sniff(b"<!-- a -->" * 800 + b"x").extension == "txt"
