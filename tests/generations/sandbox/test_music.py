"""Music: what the prompt asks for, in key, in time, loud enough and never clipping."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from generations.sandbox.dsp import loudness
from generations.sandbox.encode import decode, encode
from generations.sandbox.music.brief import read_brief
from generations.sandbox.music.composer import compose
from generations.sandbox.music.melody import syllables
from generations.sandbox.music.patches import PATCHES
from generations.sandbox.music.perform import perform
from generations.sandbox.music.styles import INSTRUMENT_WORDS, STYLES
from generations.sandbox.music.synth import Instrument
from generations.sandbox.music.theory import Chord, Key, moved, voiced
from tests.effort import thorough

pytestmark = pytest.mark.thorough

PROMPTS = [style.words.split(",")[0] for style in STYLES.values()]
LYRICS = (
    "[Verse]\nI walk along the silver shore\nThe waves are calling out for more\n"
    "[Chorus]\nCarry me home tonight\n"
)


@pytest.mark.parametrize(
    ("prompt", "tempo", "tonic", "mode", "meter", "style"),
    [
        ("Epic taiko battle music, D minor, 138 bpm", 138, 2, "minor", 4, "cinematic"),
        ("a waltz for string quartet in G major at 96 BPM", 96, 7, "major", 3, "classical"),
        ("lo-fi, F# minor, tempo 75", 75, 6, "minor", 4, "lofi"),
        ("B flat major jazz, 120bpm", 120, 10, "major", 4, "jazz"),
        ("techno in Am, 130 bpm", 130, 9, "minor", 4, "house"),
    ],
)
def test_tempo_key_metre_and_style_are_read(
    prompt: str, tempo: float, tonic: int, mode: str, meter: int, style: str
) -> None:
    brief = read_brief(prompt)
    assert (brief.tempo, brief.key, brief.meter, brief.name) == (tempo, Key(tonic, mode), meter, style)


@pytest.mark.parametrize(
    ("prompt", "field", "value"),
    [
        ("ambient with flute", "lead", "flute"),
        ("jazz, saxophone and piano", "lead", "reed"),
        ("jazz, saxophone and piano", "chords", "piano"),
        ("pop song without drums", "drums", ""),
        ("rock, no bass", "bass", ""),
        ("piano in the rain", "textures", ("rain",)),
        ("古筝 与 长笛", "name", "eastern"),
    ],
)
def test_instruments_and_omissions_are_read(prompt: str, field: str, value: object) -> None:
    assert getattr(read_brief(prompt), field) == value


def test_moods_choose_between_major_and_minor_and_between_slow_and_fast() -> None:
    for name in ("piano", "folk", "pop"):
        assert read_brief(f"sad dark {name}").key.mode in ("minor", "dorian", "phrygian")
        assert read_brief(f"happy bright {name}").key.mode in ("major", "lydian", "mixolydian")
        assert read_brief(f"slow calm {name}").tempo < read_brief(f"fast energetic {name}").tempo


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_piece_is_in_key_and_between_20_and_60_seconds(prompt: str) -> None:
    brief = read_brief(prompt)
    score = compose(brief)
    assert 20 <= score.beats * 60 / brief.tempo + 3.5 <= 60
    for part, notes in score.parts.items():
        # A walking bass may approach the next root by a half step.
        if part == "bass" and brief.style.walk == "walking":
            continue
        assert all(brief.key.contains(note.pitch) for note in notes), part
        assert all(0 <= note.start <= score.beats and note.beats > 0 for note in notes), part
    assert score.parts["lead"]
    assert score.sections[0].kind == "intro"
    assert score.sections[-1].kind == "outro"
    assert {"verse", "chorus"} <= {section.kind for section in score.sections}


def test_every_tempo_gives_a_piece_of_usual_length() -> None:
    for tempo in (40, 55, 70, 100, 160, 220):
        brief = read_brief(f"piano {tempo} bpm")
        assert 20 <= compose(brief).beats * 60 / tempo + 3.5 <= 60


@pytest.mark.parametrize("mode", ["major", "minor", "dorian"])
def test_chords_move_by_small_steps(mode: str) -> None:
    key = Key(4, mode)
    before = None
    for degree in (0, 5, 3, 4, 0, 2, 3, 4):
        after = voiced(Chord(key, degree), before)
        assert {pitch % 12 for pitch in after} == set(Chord(key, degree).classes)
        if before is not None:
            assert moved(before, after) <= 7
        before = after


def test_the_motif_of_a_verse_comes_back() -> None:
    brief = read_brief("pop, 110 bpm")
    score = compose(brief)
    verses = [section for section in score.sections if section.kind == "verse"]
    rhythms = []
    for verse in verses[:2]:
        start = verse.first_bar * score.meter
        rhythms.append(
            [
                round(n.beats, 3)
                for n in score.parts["lead"]
                if start - 0.1 <= n.start < start + 2 * score.meter - 0.1
            ]
        )
    assert len(rhythms) == 2
    assert rhythms[0] == rhythms[1]


def test_the_words_of_a_prompt_decide_and_the_same_words_give_the_same_bytes() -> None:
    sounds = [
        encode(perform(p, rate=44_100, quick=True), 44_100, "mp3", 256_000) for p in ("harp", "harp", "Harp!")
    ]
    assert sounds[0] == sounds[1]
    assert sounds[0] != sounds[2]


@pytest.mark.parametrize(
    "prompt",
    [
        "upbeat pop, 120 bpm, 25 seconds",
        *map(thorough, ["epic taiko, 140 bpm, 22 seconds", "ambient, 20 seconds"]),
    ],
)
def test_a_whole_piece_is_loud_enough_never_clips_and_fades_out(prompt: str) -> None:
    sound = perform(prompt, rate=44_100)
    assert sound.shape[0] == 2
    assert 20 <= sound.shape[1] / 44_100 <= 60
    assert np.abs(sound).max() <= 0.86
    assert -16.5 < loudness(sound, 44_100) < -13.5
    assert np.abs(sound[:, -200:]).max() < 0.005
    assert np.isfinite(sound).all()
    left, right = sound
    assert not np.array_equal(left, right)
    assert np.corrcoef(left, right)[0, 1] > 0.2, "it stays together in mono"


@pytest.mark.parametrize("prompt", [PROMPTS[0], *map(thorough, PROMPTS[1:])])
def test_every_style_makes_a_sound_that_is_neither_silent_nor_clipping(prompt: str) -> None:
    sound = perform(prompt, rate=32_000, quick=True)
    assert 2 < sound.shape[1] / 32_000 < 3.5
    assert 0.05 < np.abs(sound).max() <= 0.86
    assert -22 < loudness(sound, 32_000) < -12


@pytest.mark.parametrize(
    "prompt", ["", " ", "!!!", "0 bpm", "999 bpm", "(" * 500, "没有", "\U0001f3b5" * 30, "x" * 2000]
)
def test_odd_prompts_make_music_too(prompt: str) -> None:
    assert np.abs(perform(prompt, rate=16_000, quick=True)).max() > 0.05


def test_lyrics_are_sung_syllable_by_syllable_in_their_sections() -> None:
    brief = read_brief("folk ballad, 100 bpm", LYRICS)
    score = compose(brief, LYRICS)
    assert [s.kind for s in score.sections if s.lines] == ["verse", "chorus"]
    assert [len(line.words) for line in score.sung] == [6, 7, 4]
    for line in score.sung:
        notes = [note for _, group in line.words for note in group]
        assert all(brief.key.contains(note.pitch) for note in notes)
        assert all(a.start < b.start for a, b in itertools.pairwise(notes))
        assert len(notes) == sum(syllables(word) for word, _ in line.words)


@pytest.mark.parametrize(
    ("word", "count"),
    [("shore", 1), ("silver", 2), ("calling", 2), ("tonight", 2), ("月", 1), ("a", 1), ("mm", 1)],
)
def test_syllables_are_counted(word: str, count: int) -> None:
    assert syllables(word) == count


@pytest.mark.thorough
def test_a_song_differs_from_its_instrumental_and_is_heard() -> None:
    song = perform("folk ballad, 100 bpm", LYRICS, rate=22_050)
    assert np.abs(song).max() <= 0.86
    assert -16.5 < loudness(song, 22_050) < -13.5
    other = perform("folk ballad, 100 bpm", LYRICS.replace("silver", "golden"), rate=22_050, quick=True)
    assert other.tobytes() != perform("folk ballad, 100 bpm", LYRICS, rate=22_050, quick=True).tobytes()


def test_long_lyrics_are_sung_as_far_as_a_minute_goes() -> None:
    lyrics = "[Verse]\n" + "we are walking down the long long road\n" * 90
    brief = read_brief("pop", lyrics)
    assert compose(brief, lyrics).beats * 60 / brief.tempo + 3.5 <= 60


def test_every_instrument_is_in_tune() -> None:
    names = {style.bass for style in STYLES.values()} | set(INSTRUMENT_WORDS.values()) | set(PATCHES)
    for name in sorted(names):
        pitch = 45 if name in ("sub", "808", "contrabass") else 69
        note = Instrument(name, 44_100).note(pitch, 1.2).mean(axis=0)
        spectrum = np.abs(np.fft.rfft(note[4410:], 1 << 18))
        hz = np.fft.rfftfreq(1 << 18, 1 / 44_100)
        wanted = 440 * 2 ** ((pitch - 69) / 12)
        near = (hz > wanted * 0.94) & (hz < wanted * 1.06)
        heard = hz[near][spectrum[near].argmax()]
        assert abs(1200 * np.log2(heard / wanted)) < 15, name


@pytest.mark.parametrize("form", ["mp3", "wav", "pcm"])
@pytest.mark.parametrize("rate", [thorough(16_000), thorough(24_000), thorough(32_000), 44_100])
def test_each_format_and_rate_is_what_was_asked_for(form: str, rate: int) -> None:
    sound = perform("pop", rate=rate, quick=True)
    data = encode(sound, rate, form, 128_000)
    if form == "pcm":
        assert len(data) == sound.size * 2
        assert np.abs(np.frombuffer(data, "<i2")).max() > 1000
        return
    heard, heard_rate = decode(data, 60)
    assert heard_rate == rate
    assert len(heard) / rate == pytest.approx(sound.shape[1] / rate, abs=0.15)
    assert 0.05 < np.abs(heard).max() < 1


def test_the_bit_rate_decides_the_size_of_an_mp3() -> None:
    sound = perform("pop", rate=44_100, quick=True)
    for bitrate in (64_000, 128_000, 256_000):
        expected = bitrate / 8 * sound.shape[1] / 44_100
        assert len(encode(sound, 44_100, "mp3", bitrate)) == pytest.approx(expected, rel=0.12)
