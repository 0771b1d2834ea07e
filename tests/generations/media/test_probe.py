from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.media import NotMedia, pcm_to_wav, probe, read_text
from tests.effort import tries
from tests.generations.media import samples

pytestmark = pytest.mark.thorough


def stored(folder: Path, data: bytes, name: str = "output.bin") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("form", "subtype", "rate", "channels"),
    [
        ("WAV", "PCM_16", 44_100, 2),
        ("WAV", "PCM_24", 48_000, 1),
        ("WAV", "FLOAT", 32_000, 2),
        ("FLAC", "PCM_16", 44_100, 2),
        ("OGG", "VORBIS", 44_100, 2),
        ("OGG", "OPUS", 48_000, 2),
        ("AIFF", "PCM_16", 22_050, 1),
        ("MP3", "MPEG_LAYER_III", 44_100, 2),
        ("MP3", "MPEG_LAYER_III", 16_000, 1),
    ],
)
def test_sound_is_measured_by_decoding_it(
    tmp_path: Path, form: str, subtype: str, rate: int, channels: int
) -> None:
    sound = samples.tone(2.5, rate=rate, channels=channels)
    path = samples.write(tmp_path / "wrong.name", sound, rate=rate, format=form, subtype=subtype)
    result = probe(path, expected="audio")
    assert result.type.kind == "audio"
    assert result.duration == pytest.approx(2.5, abs=0.01)
    assert (result.sample_rate, result.channels) == (rate, channels)
    assert result.bit_rate == pytest.approx(path.stat().st_size * 8 / 2.5, rel=0.06)
    assert (len(result.peaks_row), len(result.peaks_stage)) == (96, 360)


@pytest.mark.parametrize("name", ["song.raw", "song.vox", "song.wav", "song"])
def test_the_name_of_a_file_decides_nothing(tmp_path: Path, name: str) -> None:
    result = probe(stored(tmp_path, samples.mp3_bytes(2), name), expected="audio")
    assert result.type.content_type == "audio/mpeg"
    assert result.duration == pytest.approx(2.0, abs=0.1)


def test_an_mp3_keeps_its_bit_rate_and_length_with_a_cover_in_front_and_a_tag_behind(tmp_path: Path) -> None:
    plain = probe(stored(tmp_path, samples.mp3_bytes(5, bit_rate=192)))
    cover, tag = samples.id3(300_000, fill=b"\xff\xd8"), b"APETAGEX" + b"x" * 3000
    tagged = cover + samples.mp3_bytes(5, bit_rate=192) + tag
    result = probe(stored(tmp_path, tagged), expected="audio")
    assert plain.bit_rate == pytest.approx(192_000, rel=0.001)
    assert result.bit_rate == pytest.approx(192_000, rel=0.001)
    assert result.duration == pytest.approx(plain.duration, abs=0.05)


def test_a_variable_mp3_without_a_frame_count_is_measured_right(tmp_path: Path) -> None:
    sound = np.concatenate([samples.tone(5, level=0.0), samples.tone(5)])
    noise = np.random.default_rng(1).normal(0, 0.2, (len(sound) // 2, 2))
    sound[len(sound) // 2 :] += noise.astype(np.float32)
    path = samples.write(tmp_path / "v.mp3", sound, format="MP3")
    data = path.read_bytes()
    assert data[36:40] == b"Xing"
    path.write_bytes(data[:36] + bytes(140) + data[176:])
    result = probe(path, expected="audio")
    assert result.duration == pytest.approx(10.0, abs=0.1)
    assert {*result.peaks_row[:46]} == {0}
    assert min(result.peaks_row[50:95]) > 60


def test_a_flac_that_does_not_know_its_length_is_counted(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.flac", samples.tone(2), format="FLAC")
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)
    assert probe(path, expected="audio").duration == pytest.approx(2.0, abs=0.001)


def test_a_wav_written_to_a_pipe_is_counted(tmp_path: Path) -> None:
    data = bytearray(samples.wav_bytes(2))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert probe(stored(tmp_path, bytes(data)), expected="audio").duration == pytest.approx(2.0, abs=0.001)


CUT = "The file is cut off: it says it is longer than it is."
DAMAGED = "The file is damaged and cannot be read."


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (samples.HTML, "Sound was expected, but the file is a web page."),
        (samples.JSON, "Sound was expected, but the file is a JSON text."),
        (samples.archive(), "Sound was expected, but the file is an archive."),
        (samples.png(), "Sound was expected, but the file is a picture."),
        (samples.mp4(handlers=(b"vide", b"soun")), "Sound was expected, but the file is a video."),
        (b"\x01\x02\x03" * 500, "Sound was expected, but the file is something unreadable."),
        (samples.mp3_bytes()[:300], DAMAGED),
        (samples.id3(30) + samples.HTML, DAMAGED),
        (samples.wav_bytes()[:30], DAMAGED),
        (samples.wav_bytes()[: 44 + 60_000], CUT),
        (samples.mp4(handlers=(b"soun",), brand=b"M4A ")[:-900], CUT),
        (samples.mp4(handlers=(), brand=b"M4A "), DAMAGED),
        (samples.webm(track_types=(2,))[:-9], CUT),
        (samples.adts(1), DAMAGED),
    ],
)
def test_what_is_not_the_expected_sound_is_refused_with_a_sentence(
    tmp_path: Path, data: bytes, sentence: str
) -> None:
    with pytest.raises(NotMedia) as refused:
        probe(stored(tmp_path, data, "song.mp3"), expected="audio", declared_extension="mp3")
    assert str(refused.value) == sentence


@pytest.mark.parametrize("declared", [44, 4_000, 2**31, 2**32 - 2])
def test_a_wav_whose_header_lies_about_its_length_is_refused(tmp_path: Path, declared: int) -> None:
    data = samples.wav_bytes(2)
    lying = data[:40] + struct.pack("<I", declared) + data[44:]
    with pytest.raises(NotMedia):
        probe(stored(tmp_path, lying), expected="audio")


@pytest.mark.parametrize(
    ("form", "subtype"), [("FLAC", "PCM_16"), ("AIFF", "PCM_16"), ("MP3", "MPEG_LAYER_III")]
)
def test_sound_cut_in_half_is_refused(tmp_path: Path, form: str, subtype: str) -> None:
    path = samples.write(tmp_path / "x", samples.tone(8), format=form, subtype=subtype)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(NotMedia, match="cut off"):
        probe(path, expected="audio")


def test_an_mp3_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    data = bytearray(samples.mp3_bytes(20))
    data[60_000:200_000] = np.random.default_rng(1).bytes(140_000)
    with pytest.raises(NotMedia):
        probe(stored(tmp_path, bytes(data)), expected="audio")


def test_sound_with_absurd_properties_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    many = samples.write(tmp_path / "many.wav", samples.tone(0.1, channels=64), format="WAV")
    slow = samples.write(tmp_path / "slow.wav", samples.tone(0.1), rate=1, format="WAV")
    for path in (many, slow):
        with pytest.raises(NotMedia, match="no player takes"):
            probe(path, expected="audio")


def test_sound_of_many_hours_in_a_few_bytes_is_not_decoded(tmp_path: Path) -> None:
    path = samples.write(tmp_path / "a.flac", samples.tone(1, rate=8000, channels=1), rate=8000)
    data = bytearray(path.read_bytes())
    data[22:26] = (7 * 3600 * 8000).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(NotMedia, match="longer than six hours"):
        probe(path, expected="audio")


def test_an_mp3_with_a_huge_cover_is_not_taken_for_hours_of_sound(tmp_path: Path) -> None:
    encoder_floor = samples.mp3_bytes(2, bit_rate=32)
    data = samples.id3(100_000_000) + encoder_floor
    assert probe(stored(tmp_path, data), expected="audio").duration == pytest.approx(2.0, abs=0.1)


def test_aac_frames_are_counted(tmp_path: Path) -> None:
    frames = 6000
    data = samples.id3(700) + samples.adts(frames) + b"TAG" + bytes(125)
    result = probe(stored(tmp_path, data), expected="audio")
    assert result.type.content_type == "audio/aac"
    assert result.duration == pytest.approx(frames * 1024 / 44_100)
    assert (result.sample_rate, result.channels, result.peaks_row) == (44_100, 2, [])


@pytest.mark.parametrize("brand", [b"M4A ", b"isom"])
def test_mp4_without_pictures_is_sound(tmp_path: Path, brand: bytes) -> None:
    result = probe(stored(tmp_path, samples.mp4(handlers=(b"soun",), brand=brand)), expected="audio")
    assert result.type.content_type == "audio/mp4"
    assert (result.duration, result.sample_rate, result.channels) == (3.0, 44_100, 2)
    assert result.peaks_row == result.peaks_stage == []


def test_a_box_of_impossible_length_is_refused(tmp_path: Path) -> None:
    film = samples.mp4(handlers=(b"vide",))
    for length in (2**63, 2**64 - 1):
        data = film + struct.pack(">I4sQ", 1, b"free", length) + bytes(40)
        assert probe(stored(tmp_path, data), expected="video").duration == 3.0
        with pytest.raises(NotMedia):
            probe(stored(tmp_path, struct.pack(">I4sQ", 1, b"ftyp", length) + film))


def test_mp4_sound_of_an_unfamiliar_codec_keeps_the_length_of_its_index(tmp_path: Path) -> None:
    data = samples.mp4(handlers=(b"soun",), brand=b"M4A ", described=False)
    result = probe(stored(tmp_path, data), expected="audio")
    assert (result.duration, result.sample_rate) == (3.0, None)


def test_video_has_a_length(tmp_path: Path) -> None:
    film = probe(stored(tmp_path, samples.mp4(handlers=(b"vide", b"soun"), seconds=5)), expected="video")
    assert (film.type.content_type, film.duration) == ("video/mp4", 5.0)
    clip = probe(stored(tmp_path, samples.webm(track_types=(1, 2))), expected="video")
    assert (clip.type.content_type, clip.duration) == ("video/webm", 2.5)


@pytest.mark.parametrize(
    ("name", "form", "codec", "options"),
    [
        ("a.webm", "webm", "libvpx", {"live": "1"}),
        ("a.mp4", "mp4", "mpeg4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_a_video_that_does_not_declare_its_length_is_counted(
    name: str, form: str, codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / name
    with av.open(str(path), "w", format=form, options=options) as made:
        stream = made.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(25):
            made.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        made.mux(stream.encode())
    assert probe(path, expected="video").duration == pytest.approx(2.5, abs=0.11)


def test_a_recording_made_in_the_browser_is_sound_of_unknown_length(tmp_path: Path) -> None:
    result = probe(stored(tmp_path, samples.webm(track_types=(2,), seconds=None)), expected="audio")
    assert (result.type.content_type, result.duration) == ("audio/webm", None)
    assert (result.sample_rate, result.channels) == (48_000, 1)


@pytest.mark.parametrize(
    ("expected", "data", "content_type"),
    [
        ("image", samples.png(), "image/png"),
        ("image", samples.webp(), "image/webp"),
        ("image", b"\xff\xd8\xff\xe0" + bytes(200) + b"\xff\xd9", "image/jpeg"),
        ("image", b"GIF89a\x01\0\x01\0\0\0\0;", "image/gif"),
        ("image", samples.box(b"ftyp", b"avif", bytes(4)) + samples.box(b"meta", bytes(9)), "image/avif"),
        ("3d", samples.glb(), "model/gltf-binary"),
        ("3d", samples.archive(), "application/zip"),
        ("archive", samples.archive(), "application/zip"),
        ("text", b"[Verse]\nla la", "text/plain"),
        ("text", samples.JSON, "application/json"),
        (None, samples.HTML, "text/html"),
        (None, b"\x01\x02\x03", "application/octet-stream"),
    ],
)
def test_what_is_not_sound_has_a_type_and_no_waveform(
    tmp_path: Path, expected: str | None, data: bytes, content_type: str
) -> None:
    result = probe(stored(tmp_path, data), expected=expected)
    assert (result.type.content_type, result.duration, result.peaks_row) == (content_type, None, [])


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        ("image", samples.png()[:-12]),
        ("image", samples.png(width=0)),
        ("image", samples.webp()[:-5]),
        ("image", b"\xff\xd8\xff\xe0" + bytes(200)),
        ("image", b"GIF89a\x01\0\x01\0\0\0\0"),
        ("image", samples.HTML),
        ("image", samples.box(b"ftyp", b"avif", bytes(4))),
        ("video", samples.mp4(handlers=(b"vide",))[:-100]),
        ("video", samples.mp3_bytes()),
        ("video", samples.webm(track_types=())),
        ("3d", samples.glb()[:-1]),
        ("text", samples.HTML),
        ("text", b"\x01\x02"),
        ("archive", samples.HTML),
    ],
)
def test_what_is_cut_or_something_else_is_refused(tmp_path: Path, expected: str, data: bytes) -> None:
    with pytest.raises(NotMedia):
        probe(stored(tmp_path, data), expected=expected)


def test_a_3d_text_is_believed_by_its_declared_extension_only(tmp_path: Path) -> None:
    path = stored(tmp_path, b"# cube\nv 0 0 0\nv 1 0 0\n")
    assert probe(path, expected="3d", declared_extension=".OBJ").type.content_type == "model/obj"
    with pytest.raises(NotMedia):
        probe(path, expected="3d")


def test_headerless_samples_take_their_rate_from_the_hints(tmp_path: Path) -> None:
    data = (samples.tone(2) * 32767).astype("<i2").tobytes()
    path = stored(tmp_path, data + b"\x01")
    result = probe(path, expected="audio", declared_extension="pcm", sample_rate_hint=44_100, channels_hint=2)
    assert (result.type.content_type, result.duration, result.bit_rate) == ("audio/pcm", 2.0, 1_411_200)
    assert len(result.peaks_row) == 96
    unknown = probe(path, expected="audio", declared_extension="pcm")
    assert (unknown.duration, unknown.sample_rate, len(unknown.peaks_stage)) == (None, None, 360)
    with pytest.raises(NotMedia):
        probe(path, expected="audio", declared_extension="mp3")


@pytest.mark.parametrize("data", [samples.HTML, samples.JSON, samples.archive(), b"Not found"])
def test_an_error_page_is_not_taken_for_headerless_samples(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NotMedia):
        probe(stored(tmp_path, data), expected="audio", declared_extension="pcm", sample_rate_hint=44_100)


def test_headerless_samples_become_a_wav_with_the_same_samples(tmp_path: Path) -> None:
    data = (samples.tone(3) * 32767).astype("<i2").tobytes()
    source = stored(tmp_path, data + b"\x01\x02\x03")
    pcm_to_wav(source, tmp_path / "a.wav", 44_100, 2)
    assert (tmp_path / "a.wav").read_bytes()[44:] == data
    assert probe(tmp_path / "a.wav", expected="audio").duration == 3.0
    assert source.read_bytes() == data + b"\x01\x02\x03"


def test_text_is_read_with_plain_line_ends(tmp_path: Path) -> None:
    assert read_text(stored(tmp_path, b"\xef\xbb\xbfa\r\nb\rc"), 100) == "a\nb\nc"


@pytest.mark.parametrize("data", [b"x" * 11, b"\xff\xfe", b"a\0b"])
def test_long_text_and_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NotMedia):
        read_text(stored(tmp_path, data), 10)


def test_an_unknown_expectation_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="music"):
        probe(stored(tmp_path, b"x"), expected="music")


@settings(max_examples=tries(400), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.sampled_from([
        samples.mp4(handlers=(b"soun",), brand=b"M4A "), samples.mp4(handlers=(b"vide",)),
        samples.webm(track_types=(1, 2)), samples.wav_bytes(0.05), samples.adts(20), samples.mp3_bytes(0.3),
        samples.png(), samples.glb(),
        samples.box(b"ftyp", b"avif", bytes(4)) + samples.box(b"meta", bytes(9)),
    ]),
    damage=st.lists(st.tuples(st.integers(0, 600), st.binary(min_size=1, max_size=8)), max_size=6),
    length=st.integers(1, 10_000),
)  # fmt: skip
def test_a_damaged_file_is_measured_or_refused_and_never_crashes(
    tmp_path: Path, data: bytes, damage: list[tuple[int, bytes]], length: int
) -> None:
    for at, junk in damage:
        data = data[:at] + junk + data[at + len(junk) :]
    try:
        result = probe(stored(tmp_path, data[:length]))
    except NotMedia:
        return
    assert result.duration is None or result.duration > 0
