"""What a prompt asks for: style, tempo, key, metre, instruments, length. The rest is decided by its hash."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass

from generations.sandbox.music.styles import (
    HARMONY_INSTRUMENTS,
    INSTRUMENT_WORDS,
    PAD_INSTRUMENTS,
    STYLES,
    Style,
)
from generations.sandbox.music.theory import NAMES, Key

TEMPO = re.compile(r"(\d{2,3})\s*-?\s*bpm|\btempo\s*(?:of|:|=)?\s*(\d{2,3})", re.IGNORECASE)
KEY = re.compile(
    r"\b([A-G])(?:\s*[- ]?\s*(sharp|flat)|([#♯b♭]))?\s*[- ]?\s*"
    r"(major|minor|maj|min|dorian|lydian|mixolydian|phrygian)\b"
    r"|\b([A-G])(#|b)?m\b",
    re.IGNORECASE,
)
SECONDS = re.compile(r"\b(\d{2,3})[\s-]*(?:s|sec|secs|second|seconds|秒)\b", re.IGNORECASE)
WITHOUT = re.compile(
    r"\b(?:no|without|minus|sans)\s+(drum|percussion|beat|bass|pad|melody|lead|string)s?\b", re.IGNORECASE
)
SLOW = (
    "slow",
    "calm",
    "gentle",
    "peaceful",
    "relax",
    "soft",
    "tender",
    "sad",
    "melanchol",
    "quiet",
    "sleepy",
    "慢",
    "平静",
)
FAST = (
    "fast",
    "energetic",
    "upbeat",
    "driving",
    "intense",
    "frantic",
    "uptempo",
    "lively",
    "running",
    "快",
    "激烈",
)
DARK = ("sad", "dark", "melanchol", "tense", "ominous", "sorrow", "lonely", "haunting", "mysterious",
"brooding", "angry",
        "悲", "忧伤", "黑暗")  # fmt: skip
LIGHT = ("happy", "bright", "cheerful", "joy", "uplifting", "sunny", "hopeful", "warm", "playful",
"triumphant", "fun",
         "欢快", "快乐", "温暖", "明亮")  # fmt: skip
TEXTURES = {"rain": "rain", "雨": "rain", "vinyl": "vinyl", "crackle": "vinyl", "wind": "wind",
"ocean": "waves",
            "waves": "waves", "sea": "waves", "海": "waves"}  # fmt: skip
SHORTEST, LONGEST = 20, 60


@dataclass(frozen=True)
class Brief:
    """Everything the composer needs to know. ``seconds`` is a wish; the piece ends with a whole bar."""

    seed: int
    name: str
    style: Style
    tempo: float
    key: Key
    meter: int
    swing: float
    lead: str
    chords: str
    pad: str
    bass: str
    drums: str
    textures: tuple[str, ...]
    energy: float
    seconds: float

    @property
    def bar_seconds(self) -> float:
        return self.meter * 60 / self.tempo


def read_brief(prompt: str, lyrics: str = "", take: int = 0) -> Brief:
    """The same prompt, lyrics and take give the same brief; another take decides differently what was left open."""
    words = f"{prompt}\0{lyrics}" + (f"\0{take}" if take else "")
    seed = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big")
    dice = random.Random(seed)
    text = " " + re.sub(r"\s+", " ", prompt.lower()) + " "
    left_out = set(WITHOUT.findall(text))
    wanted = WITHOUT.sub(" ", text)
    name = _style_name(wanted, dice)
    style = STYLES[name]
    slow, fast = _count(wanted, SLOW), _count(wanted, FAST)
    dark, light = _count(wanted, DARK), _count(wanted, LIGHT)
    meter = _meter(wanted, style)
    lead, chords, pad = _instruments(wanted, style, dice)
    return Brief(
        seed=seed,
        name=name,
        style=style,
        tempo=_tempo(wanted, style, slow, fast, dice),
        key=_key(prompt, style, dark, light, dice),
        meter=meter,
        swing=max(style.swing, 0.28) if "swing" in wanted else style.swing,
        lead="" if left_out & {"melody", "lead"} else lead,
        chords=chords,
        pad="" if left_out & {"pad", "string"} else pad,
        bass="" if "bass" in left_out else style.bass,
        drums="" if left_out & {"drum", "percussion", "beat"} else _drums(wanted, style, meter),
        textures=tuple(
            dict.fromkeys([*style.texture, *(t for word, t in TEXTURES.items() if word in wanted)])
        ),
        energy=min(max(0.5 + 0.15 * (fast - slow), 0.15), 1.0),
        seconds=_seconds(wanted, dice),
    )


def _has(text: str, word: str) -> bool:
    """Whole words in languages with spaces, anywhere in those without."""
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None


def _count(text: str, stems: tuple[str, ...]) -> int:
    return sum(stem in text for stem in stems)


def _style_name(text: str, dice: random.Random) -> str:
    """The style whose words are found most, longer and earlier ones counting more; else one of the general
    ones.
    """
    scores: dict[str, float] = {}
    for name, style in STYLES.items():
        for word in style.words.split(","):
            if _has(text, word):
                specific = 2.0 if word not in INSTRUMENT_WORDS else 1.0
                scores[name] = scores.get(name, 0) + specific + len(word) / 20 - text.find(word) / 4000
    if not scores:
        return dice.choice(("pop", "piano", "lofi", "folk"))
    return max(scores, key=lambda name: scores[name])


def _tempo(text: str, style: Style, slow: int, fast: int, dice: random.Random) -> float:
    found = TEMPO.search(text)
    if found:
        return float(min(max(int(found.group(1) or found.group(2)), 40), 220))
    low, high = style.tempo
    place = dice.random() * 0.6 + 0.2 + 0.3 * (fast - slow)
    return float(round(low + (high - low) * min(max(place, -0.15), 1.15)))


def _key(prompt: str, style: Style, dark: int, light: int, dice: random.Random) -> Key:
    found = next((m for m in KEY.finditer(prompt) if m.group(5) is None or m.group(5).isupper()), None)
    if found:
        letter, word, sign, mode, short, short_sign = found.groups()
        sharp = (word or "").lower() == "sharp" or sign in ("#", "♯") or short_sign == "#"
        flat = (word or "").lower() == "flat" or sign in ("b", "♭") or short_sign == "b"
        tonic = (NAMES[(letter or short).lower()] + sharp - flat) % 12
        mode = (mode or "minor").lower()
        return Key(tonic, {"maj": "major", "min": "minor"}.get(mode, mode))
    mode = style.modes[0] if dice.random() < 0.65 else dice.choice(style.modes)
    if dark > light:
        mode = mode if mode in ("minor", "dorian", "phrygian") else "minor"
    elif light > dark:
        mode = mode if mode in ("major", "lydian", "mixolydian") else "major"
    return Key(dice.randrange(12), mode)


def _meter(text: str, style: Style) -> int:
    if _has(text, "waltz") or "3/4" in text or "6/8" in text:
        return 3
    return 4 if "4/4" in text else style.meter


def _instruments(text: str, style: Style, dice: random.Random) -> tuple[str, str, str]:
    """Lead, chords and pad: what the prompt names first, then what the style offers."""
    named: dict[int, str] = {}
    taken = text
    for word in sorted(INSTRUMENT_WORDS, key=len, reverse=True):
        at = taken.find(word)
        if at >= 0 and _has(taken, word):
            named.setdefault(at, INSTRUMENT_WORDS[word])
            taken = taken.replace(word, " " * len(word))
    order = list(dict.fromkeys(named[at] for at in sorted(named)))
    pad = next((PAD_INSTRUMENTS[name] for name in order if name in PAD_INSTRUMENTS), style.pad)
    solo = [name for name in order if name not in PAD_INSTRUMENTS]
    harmony = next((name for name in solo if name in HARMONY_INSTRUMENTS), None)
    melody = next((name for name in solo if name not in HARMONY_INSTRUMENTS), None) or next(
        (name for name in solo if name != harmony), None
    )
    lead = melody or (solo[0] if solo else dice.choice(style.lead))
    return lead, harmony or dice.choice(style.chords), pad


def _drums(text: str, style: Style, meter: int) -> str:
    if _has(text, "taiko"):
        return "taiko"
    if not style.drums and any(
        _has(text, word) for word in ("drums", "drum", "beat", "beats", "percussion", "鼓")
    ):
        return "brushes" if meter == 3 else "pop"
    return style.drums


def _seconds(text: str, dice: random.Random) -> float:
    found = SECONDS.search(text)
    if found:
        return float(min(max(int(found.group(1)), SHORTEST), LONGEST - 4))
    return 34 + dice.random() * 12
