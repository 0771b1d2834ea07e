"""How a voice id sounds: the language, variant, pitch and size of voice that stand for it.

System voices follow the catalogue's language and gender; a clone follows what is heard in its sample, and a
designed voice its description.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from generations.catalogue.load import voices
from generations.sandbox.dsp import Sound

LANGUAGES = {
    "Chinese (Mandarin)": "cmn", "Cantonese": "yue", "English": "en-us", "Portuguese": "pt-br",
    "Korean": "ko",
    "Spanish": "es-419", "Japanese": "ja", "Indonesian": "id", "Russian": "ru", "French": "fr-fr",
    "Italian": "it",
    "Thai": "th", "Polish": "pl", "Romanian": "ro", "German": "de", "Greek": "el", "Czech": "cs",
    "Finnish": "fi",
    "Hindi": "hi", "Dutch": "nl", "Arabic": "ar", "Turkish": "tr", "Ukrainian": "uk", "Vietnamese": "vi",
}  # fmt: skip
FEMALE = ("f1", "f2", "f3", "f4", "f5")
MALE = ("m1", "m2", "m3", "m4", "m7", "m8")
FEMALE_HZ, MALE_HZ = 190.0, 105.0
"""About where the variants speak; a clone's pitch is shifted from here."""

WOMEN = ("female", "wom[ae]n", "girl", "lady", "mother", "grandmother", "aunt", "she ", "her ", "女")
MEN = ("male", "m[ae]n(?![a-z])", "boy", "father", "grandfather", "uncle", "he ", "his ", "fisherman", "男")
DESCRIPTIONS: tuple[tuple[tuple[str, ...], float, float, float], ...] = (
    (("old", "elder", "aged", "grand", "wise", "老"), -1.5, 0.97, 0.88),
    (("child", "kid", "girl", "boy", "toddler", "童"), 4.0, 1.1, 1.05),
    (("young", "teen", "年轻"), 1.5, 1.03, 1.03),
    (("deep", "low", "bass", "gravel", "rumbling", "低沉"), -3.0, 0.95, 1.0),
    (("high", "bright", "squeaky", "shrill"), 3.0, 1.04, 1.0),
    (("slow", "calm", "unhurried", "gentle", "慢"), 0.0, 1.0, 0.85),
    (("fast", "quick", "energetic", "excited", "hurried", "快"), 0.5, 1.0, 1.18),
)
"""Words, and what they do: semitones added, factors on size and pace."""


@dataclass(frozen=True)
class Traits:
    """``semitones`` against the variant's own pitch; ``size`` above 1 is a smaller throat."""

    language: str = "en-us"
    variant: str = "f2"
    semitones: float = 0.0
    size: float = 1.0
    pace: float = 1.0

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Traits:
        return cls(**record)


def traits_of(voice_id: str) -> Traits:
    """The same id always sounds the same; ids of one language and gender differ from each other."""
    known = next((voice for voice in voices() if voice.voice_id == voice_id), None)
    digest = hashlib.sha256(voice_id.encode()).digest()
    gender = known.gender if known else "unknown"
    female = gender == "female" or (gender == "unknown" and digest[0] % 2 == 0)
    choice = FEMALE if female else MALE
    name = voice_id.lower()
    semitones = (digest[2] / 255 - 0.5) * 4
    size = 1 + (digest[3] / 255 - 0.5) * 0.1
    if any(word in name for word in ("deep", "magnetic", "gravel", "imposing")):
        semitones, size = semitones - 2.5, size * 0.95
    if any(word in name for word in ("girl", "boy", "kid", "child", "cute", "bunny", "elf", "bestie")):
        semitones, size = semitones + 2.5, size * 1.07
    slow = any(word in name for word in ("wise", "calm", "elder", "grand", "serious", "narrator", "patient"))
    return Traits(
        language=LANGUAGES.get(known.language, "") if known else "",
        variant=choice[digest[1] % len(choice)],
        semitones=round(semitones, 2),
        size=round(size, 3),
        pace=round((0.92 if slow else 1.0) + (digest[4] / 255 - 0.5) * 0.08, 3),
    )


def traits_described(description: str, seed: str) -> Traits:
    """The voice a description asks for: gender, age, pitch and pace as far as it names them, the rest by chance.

    The same description and seed give the same voice.
    """
    text = f" {description.lower()} "
    base = traits_of(f"{description}\0{seed}")
    women, men = (any(re.search(rf"(?<![a-z]){word}", text) for word in words) for words in (WOMEN, MEN))
    family = FEMALE if women else MALE if men else ()
    variant = base.variant
    if family and variant not in family:
        variant = family[int(base.variant[1:]) % len(family)]
    semitones, size, pace = base.semitones / 2, base.size, base.pace
    for words, higher, smaller, faster in DESCRIPTIONS:
        if any(re.search(rf"(?<![a-z]){word}", text) for word in words):
            semitones, size, pace = semitones + higher, size * smaller, pace * faster
    return Traits("", variant, round(semitones, 2), round(size, 3), round(pace, 3))


def median_pitch(sound: Sound, rate: int) -> float:
    """The median pitch in Hz of the voiced parts, by autocorrelation; 0 when there are none."""
    size, low, high = int(rate * 0.04), int(rate / 420), int(rate / 65)
    count = min(len(sound) // size, 1500)
    if count == 0:
        return 0.0
    frames = sound[: count * size].reshape(count, size)
    energy = (frames**2).mean(axis=1)
    frames = frames[energy > max(energy.max() * 0.05, 1e-7)]
    if len(frames) == 0:
        return 0.0
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(size).astype(np.float32), size * 2, axis=1)) ** 2
    likeness = np.fft.irfft(spectrum, axis=1)
    likeness /= likeness[:, :1] + 1e-12
    lag = likeness[:, low:high].argmax(axis=1) + low
    voiced = likeness[np.arange(len(lag)), lag] > 0.35
    return float(np.median(rate / lag[voiced])) if voiced.any() else 0.0


def traits_of_sample(sound: Sound, rate: int, seed: str) -> Traits:
    """The nearest to a sample: gender and pitch by its median pitch, size by its spectrum."""
    pitch = median_pitch(sound, rate) or 150.0
    female = pitch > 150
    digest = hashlib.sha256(seed.encode()).digest()
    choice = FEMALE if female else MALE
    semitones = 12 * np.log2(pitch / (FEMALE_HZ if female else MALE_HZ))
    spectrum = np.abs(np.fft.rfft(sound[: rate * 10])) ** 2
    hz = np.fft.rfftfreq(min(len(sound), rate * 10), 1 / rate)
    centre = float((spectrum * hz).sum() / max(float(spectrum.sum()), 1e-9))
    return Traits(
        language="",
        variant=choice[digest[0] % len(choice)],
        semitones=round(float(np.clip(semitones, -9, 9)), 2),
        size=round(float(np.clip(1 + (centre - 700) / 12_000, 0.93, 1.08)), 3),
    )
