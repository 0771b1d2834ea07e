"""From a brief to a score: harmony first, then melody, bass, accompaniment and drums, section by section."""

from __future__ import annotations

import random

from generations.sandbox.music.accompany import accompaniment, bass_line
from generations.sandbox.music.brief import Brief
from generations.sandbox.music.form import plan
from generations.sandbox.music.grooves import strokes
from generations.sandbox.music.melody import Tune
from generations.sandbox.music.score import Note, Score, Section, Stroke
from generations.sandbox.music.theory import PROGRESSIONS, TURNS, Chord, progression, voiced

LEVELS = {"intro": 0.35, "verse": 0.6, "chorus": 1.0, "bridge": 0.7, "outro": 0.4}
"""How full each kind of section is."""
HIGHEST = {"verse": 79, "chorus": 84, "bridge": 81, "intro": 79, "outro": 79}
SUNG_HIGHEST = {"verse": 69, "chorus": 73, "bridge": 71}
"""The top of the melody, as MIDI pitch; a singer stays lower than an instrument."""


def compose(brief: Brief, lyrics: str = "") -> Score:
    """The same brief and lyrics give the same score."""
    dice = random.Random(brief.seed + 1)
    sections = plan(brief, lyrics)
    score = Score(brief.meter, sections[-1].first_bar + sections[-1].bars, sections)
    harmony = _harmony(brief, sections, dice)
    tunes = {
        kind: Tune(
            brief.key,
            dice,
            meter=brief.meter,
            density=min(brief.style.density * (1.15 if kind == "chorus" else 0.9), 1),
            pentatonic=brief.style.pentatonic,
            high=(SUNG_HIGHEST if lyrics else HIGHEST).get(kind, 79),
        )
        for kind in ("verse", "chorus", "bridge")
    }
    played = Tune(brief.key, dice, meter=brief.meter, density=0.3, pentatonic=brief.style.pentatonic, high=79)
    before: tuple[int, ...] | None = None
    for section in sections:
        chords = harmony[section.first_bar : section.first_bar + section.bars]
        voicings = []
        for chord in chords:
            before = voiced(chord, before)
            voicings.append(before)
        _melody(brief, score, section, chords, tunes, played)
        _backing(brief, score, section, chords, voicings, dice)
    _ending(brief, score, harmony[-1], before or ())
    _breathe(brief, score, dice)
    return score


def _harmony(brief: Brief, sections: list[Section], dice: random.Random) -> list[Chord]:
    """A chord for each bar; verse and chorus have progressions of their own, the piece ends on its tonic."""
    mode, size = brief.key.mode, brief.style.size
    pool = TURNS.get(mode, PROGRESSIONS[mode]) if brief.style.turns else PROGRESSIONS[mode]
    verse, chorus = dice.sample(pool, 2)
    bridge = dice.choice(PROGRESSIONS[mode])
    chosen = {"verse": verse, "chorus": chorus, "bridge": bridge, "intro": verse, "outro": verse}
    bars: list[Chord] = []
    for section in sections:
        degrees = tuple(chosen[section.kind][bar % 4] for bar in range(section.bars))
        if section.kind == "outro":
            degrees = (*degrees[:-1], 0)
        bars += progression(brief.key, degrees, size)
    return bars


def _melody(
    brief: Brief, score: Score, section: Section, chords: list[Chord], tunes: dict[str, Tune], played: Tune
) -> None:
    meter = brief.meter
    if section.lines:
        for index, line in enumerate(section.lines):
            bars = chords[index * 2 : index * 2 + 2]
            first = float((section.first_bar + index * 2) * meter)
            closing = index == len(section.lines) - 1
            score.sung.append(tunes[section.kind].line(line, bars, first, closing=closing))
        return
    if not brief.lead or section.kind == "outro":
        return
    if section.kind == "intro":
        if section.bars >= 4 and brief.energy > 0.3:
            half = section.bars // 2
            first = float((section.first_bar + half) * meter)
            score.parts["lead"] += played.phrase(chords[half:], first, closing=False)
        return
    for start in range(0, section.bars, 4):
        bars = chords[start : start + 4]
        first = float((section.first_bar + start) * meter)
        score.parts["lead"] += tunes[section.kind].phrase(bars, first, closing=start + 4 >= section.bars)


def _backing(
    brief: Brief,
    score: Score,
    section: Section,
    chords: list[Chord],
    voicings: list[tuple[int, ...]],
    dice: random.Random,
) -> None:
    level = LEVELS[section.kind] * (0.8 + 0.4 * brief.energy)
    meter = brief.meter
    for index, (chord, pitches) in enumerate(zip(chords, voicings, strict=True)):
        bar = section.first_bar + index
        first = float(bar * meter)
        following = chords[index + 1] if index + 1 < len(chords) else chords[0]
        is_last = bar == score.bars - 1
        figure = "block" if is_last else brief.style.figure
        score.parts["chords"] += accompaniment(figure, pitches, chord, first, meter, level)
        if brief.pad and (section.kind != "intro" or not brief.drums):
            score.parts["pad"] += [
                Note(first, meter * 1.02, pitch, 0.35 + 0.25 * level) for pitch in pitches[-4:]
            ]
        if brief.bass and (section.kind != "intro" or index >= section.bars // 2 or not brief.drums):
            walk = "long" if is_last or section.kind == "intro" else brief.style.walk
            score.parts["bass"] += bass_line(walk, chord, following, first, meter)
        if brief.drums and not is_last:
            fill = index == section.bars - 1 and section.kind not in ("intro", "outro")
            score.strokes += strokes(
                brief.drums, section.kind, first, meter, level, dice, fill=fill, opening=index == 0
            )


def _ending(brief: Brief, score: Score, chord: Chord, pitches: tuple[int, ...]) -> None:
    """The last chord rings on past the final bar, under a last note of the melody."""
    last = float((score.bars - 1) * brief.meter)
    if brief.lead and not score.sung:
        score.parts["lead"].append(Note(last, brief.meter + 2.0, brief.key.pitch(0), 0.6))
    if brief.drums:
        score.strokes.append(Stroke(last, "taiko" if brief.drums == "taiko" else "kick", 0.7))
        if brief.drums in ("rock", "pop", "taiko", "gated"):
            score.strokes.append(Stroke(last, "crash", 0.5))
    for part in ("chords", "pad"):
        held = [note for note in score.parts[part] if note.start >= last]
        score.parts[part] = [note for note in score.parts[part] if note.start < last]
        score.parts[part] += [Note(n.start, brief.meter + 2.5, n.pitch, n.loud) for n in held]
    if not score.parts["chords"] and pitches:
        score.parts["chords"] = [Note(last, brief.meter + 2.5, pitch, 0.5) for pitch in pitches]


def _breathe(brief: Brief, score: Score, dice: random.Random) -> None:
    """Swing the second halves of the beats, and let no two hands be exactly together."""
    swing = brief.swing

    def placed(start: float, spread: float) -> float:
        part = start % 1
        late = swing * (1 - abs(part - 0.5) * 4) if 0.25 < part < 0.75 else 0.0
        return max(start + late + dice.uniform(-spread, spread), 0.0)

    loose = 0.012 if brief.name in ("house", "chiptune", "synthwave") else 0.022
    for part, notes in score.parts.items():
        spread = 0.0 if part == "pad" else loose * brief.tempo / 120
        score.parts[part] = [
            Note(placed(n.start, spread), n.beats, n.pitch, min(n.loud * dice.uniform(0.9, 1.08), 1.0))
            for n in notes
        ]
    score.strokes = [
        Stroke(placed(s.start, loose * 0.35), s.drum, min(s.loud * dice.uniform(0.88, 1.1), 1.0))
        for s in score.strokes
    ]
