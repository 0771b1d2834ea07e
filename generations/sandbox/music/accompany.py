"""How chords are broken up and what the bass plays under them, a bar at a time."""

from __future__ import annotations

from generations.sandbox.music.score import Note
from generations.sandbox.music.theory import Chord, bass_pitch


def accompaniment(
    figure: str, pitches: tuple[int, ...], chord: Chord, first: float, meter: int, level: float
) -> list[Note]:
    """One bar of a figure; ``pitches`` is the voicing from low to high, ``level`` how full the section is."""
    loud = 0.45 + 0.25 * level
    if figure == "arpeggio":
        line = [*pitches, pitches[0] + 12, *reversed(pitches)]
        step = 0.5 if level < 0.5 else 0.25
        return [
            Note(
                first + index * step,
                step * 1.1,
                line[index % len(line)] + 12 * (level > 0.9),
                loud * (1 - 0.2 * (index % 4 > 0)),
            )
            for index in range(int(meter / step))
        ]
    if figure == "broken":
        line = [bass_pitch(chord.root, 43), *pitches, pitches[-1] + (12 if level > 0.7 else 0)]
        order = (0, 1, 2, 3, 4, 3, 2, 1) if meter == 4 else (0, 2, 3, 4, 3, 2)
        rings = meter * 0.9
        return [
            Note(
                first + i * 0.5,
                max(rings - i * 0.5, 0.9),
                line[min(place, len(line) - 1)],
                loud * (1.0 if i % 4 == 0 else 0.8),
            )
            for i, place in enumerate(order)
        ]
    return [
        Note(first + start + index * strum, beats, pitch, loud * weight)
        for start, beats, weight, strum in _hits(figure, meter, level)
        for index, pitch in enumerate(pitches)
    ]


def _hits(figure: str, meter: int, level: float) -> list[tuple[float, float, float, float]]:
    """Start, length, weight and the delay from string to string of each chord in a bar."""
    if figure == "offbeat":
        return [(beat + 0.5, 0.4, 1.0, 0.0) for beat in range(meter)]
    if figure == "pulse":
        return [(index * 0.5, 0.42, 1.0 if index % 4 == 0 else 0.75, 0.0) for index in range(meter * 2)]
    if figure == "strum":
        if meter == 3:
            return [(0, 1, 1, 0.02), (1, 0.9, 0.7, 0.02), (2, 0.9, 0.75, 0.02)]
        down = [
            (0.0, 1.4, 1.0, 0.025),
            (1.5, 0.5, 0.65, 0.015),
            (2.0, 1.0, 0.85, 0.025),
            (3.0, 0.5, 0.75, 0.02),
        ]
        return [*down, (3.5, 0.5, 0.6, 0.015)] if level > 0.5 else down[:3]
    if figure == "comp":
        if meter == 3:
            return [(0, 1.6, 1, 0.01), (2, 0.8, 0.75, 0.01)]
        return [(0, 1.3, 1.0, 0.012), (1.5, 0.45, 0.7, 0.008), (2.5, 1.3, 0.85, 0.012)]
    if meter == 3:
        return [(1, 0.8, 0.8, 0.0), (2, 0.8, 0.7, 0.0)] if level > 0.4 else [(0, 2.9, 1.0, 0.01)]
    return [(0, 1.95, 1.0, 0.008), (2, 1.9, 0.85, 0.008)] if level > 0.5 else [(0, 3.9, 1.0, 0.012)]


def bass_line(walk: str, chord: Chord, following: Chord, first: float, meter: int) -> list[Note]:
    """One bar of bass, leading into the following chord where the style walks."""
    root = bass_pitch(chord.root)
    fifth = root + ((chord.classes[2] - root) % 12)
    if walk == "long":
        return [Note(first, meter * 0.98, root, 0.8)]
    if walk == "waltz" or (meter == 3 and walk != "walking"):
        return [Note(first, 1.4, root, 0.85)]
    if walk == "eighths":
        return [Note(first + i * 0.5, 0.45, root, 0.85 if i % 2 == 0 else 0.7) for i in range(meter * 2)]
    if walk == "octaves":
        return [
            Note(first + i * 0.5, 0.42, root + 12 * (i % 2), 0.85 if i % 2 == 0 else 0.7)
            for i in range(meter * 2)
        ]
    if walk == "offbeat":
        return [Note(first + beat + 0.5, 0.45, root, 0.85) for beat in range(meter)]
    if walk == "walking":
        third = root + ((chord.classes[1] - root) % 12)
        target = bass_pitch(following.root)
        approach = target + (1 if target < fifth else -1)
        line = [root, third, fifth, approach] if meter == 4 else [root, third, approach]
        return [
            Note(first + beat, 0.92, pitch, 0.85 if beat % 2 == 0 else 0.75)
            for beat, pitch in enumerate(line)
        ]
    return [
        Note(first, 1.45, root, 0.9),
        Note(first + 1.5, 0.45, root, 0.65),
        Note(first + 2, 1.4, fifth if fifth < root + 8 else root, 0.8),
        Note(first + 3.5, 0.45, root, 0.6),
    ]
