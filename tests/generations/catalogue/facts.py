"""What RunningHub takes for each model of sound, from its documentation and not from the catalogue's files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from generations.catalogue.load import models

FACTS: dict[str, Any] = json.loads((Path(__file__).parent / "facts.json").read_text(encoding="utf-8"))
ENDPOINTS = sorted(FACTS)
SOUNDS = tuple(spec for spec in models() if spec.endpoint in FACTS)
"""The models of sound as the catalogue has them."""
UPLOAD = "upload:0f8fad5b-d9cb-469f-a165-70867728950e"
ADDRESS = "https://files.example/voice.wav"

WORDS = "[Verse]\nSalt on the window, radio low"
ID = "ab12-cd34"
GIVEN: dict[str, dict[str, Any]] = {
    "bytedance/doubao-seed-audio-1.0": {"text_prompt": "A calm voice: good morning"},
    "minimax/music-2.6": {"lyrics": WORDS},
    "minimax/music-cover": {"prompt": "Bossa nova", "audioUrl": UPLOAD},
    "minimax/music-cover-preprocess": {"audioUrl": UPLOAD},
    "minimax/voice-design": {"prompt": "An old fisherman", "previewText": "Good morning"},
    "mureka-ai/generate-lyrics": {"prompt": "Rain"},
    "mureka-ai/vocal-clone": {"fileUrl": UPLOAD},
    **{f"mureka-ai/mureka-{v}/generate-song": {"lyrics": WORDS} for v in ("o2", "v7.6", "v8", "v9")},
    **{f"mureka-ai/mureka-{v}/generate-bgm": {} for v in ("v7.6", "v8", "v9")},
    **{f"mureka-ai/mureka-{v}/extend-song": {"lyrics": WORDS, "fileUrl": UPLOAD} for v in ("v7.6", "v8")},
    "kling-lip-sync/tts": {"text": "Good morning"},
    "minimax/music-2.6/text-to-instrumental": {"prompt": "Calm piano"},
    "minimax/music-2.6/text-to-music": {"prompt": "Folk ballad", "lyrics": "[Verse]\nSalt on the window"},
    **{
        f"rhart-audio/{name}": {"videoUrl": UPLOAD}
        for name in ("source-separation", "extract-vocal", "extract-background")
    },
    **{
        f"rhart-audio/suno-v{version}/{way}": given
        for version in ("4.5", "5", "5.5")
        for way, given in (
            ("single", {"description": "A song about rain"}),
            ("custom", {"title": "Rain", "prompt": "[Verse]\nRain on the roof", "tags": "folk, slow"}),
        )
    },
    "rhart-audio/suno/lyrics": {"prompt": "Rain"},
    "rhart-audio/text-to-audio/music-2.5": {"prompt": "Folk", "lyrics": "[Verse]\nSalt on the window"},
    **{
        f"rhart-audio/text-to-audio/speech-{version}": {"text": "Good morning"}
        for version in ("2.8-hd", "2.8-turbo", "2.6-hd", "2.6-turbo", "02-hd", "02-turbo")
    },
    "rhart-audio/text-to-audio/voice-clone": {
        "audio": UPLOAD,
        "custom_voice_id": "Harbour01",
        "text": "Good morning",
    },
}
"""The least a member has to give."""

APART: dict[str, list[tuple[str, str]]] = {
    "bytedance/doubao-seed-audio-1.0": [
        ("speaker", "audio_url"),
        ("speaker", "image_url"),
        ("audio_url", "image_url"),
    ],
    **{
        f"mureka-ai/mureka-{v}/generate-song": [
            ("melodyId", other) for other in ("prompt", "referenceId", "vocalId")
        ]
        for v in ("v7.6", "v8", "v9")
    },
    **{f"mureka-ai/mureka-{v}/generate-bgm": [("instrumentalId", "prompt")] for v in ("v7.6", "v8", "v9")},
}
"""Keys of which RunningHub takes only one at a time."""
NEEDED: dict[str, Callable[[Mapping[str, Any]], set[str]]] = {
    "minimax/music-2.6": lambda body: _needed_by_music(body),
    "minimax/music-cover": lambda body: {"lyrics"} if "coverFeatureId" in body else set(),
}
"""What else a body needs, for what it has."""


def _needed_by_music(body: Mapping[str, Any]) -> set[str]:
    if body.get("isInstrumental"):
        return {"prompt"}
    return {"lyrics"} if not body.get("lyricsOptimizer") or "prompt" not in body else set()


def refusals(endpoint: str, body: Mapping[str, Any]) -> list[str]:
    """Why RunningHub would refuse this body; empty when it would take it."""
    keys = {fact["key"]: fact for fact in FACTS[endpoint]["keys"]}
    wrong = [f"{key}: unknown" for key in body if key not in keys]
    wrong += [f"{key}: missing" for key, fact in keys.items() if fact["required"] and key not in body]
    wrong += [f"{a} and {b}" for a, b in APART.get(endpoint, []) if a in body and b in body]
    wrong += [f"{key}: needed" for key in NEEDED.get(endpoint, lambda _: set())(body) if key not in body]
    if [key for key in keys if key in body] != list(body):
        wrong.append("order")
    for key, sent in body.items():
        if key in keys:
            wrong += [f"{key}: {fault}" for fault in _faults(keys[key], sent)]
    return wrong


def _faults(fact: Mapping[str, Any], sent: Any) -> list[str]:
    if not fact.get("multiple"):
        return _fault(fact, sent)
    if type(sent) is not list or not sent or len(sent) > fact["max_count"]:
        return ["not an array of the right size"]
    return [fault for entry in sent for fault in _fault(fact, entry)]


def _fault(fact: Mapping[str, Any], sent: Any) -> list[str]:
    kind = fact["type"]
    if kind in ("STRING", "LIST", "AUDIO", "VIDEO", "IMAGE"):
        if type(sent) is not str or not sent.strip():
            return ["not a text"]
        sent.encode("utf-8")
        if len(sent) > fact.get("max_length", 9_999):
            return ["too long"]
        if len(sent) < fact.get("min_length", 0):
            return ["too short"]
        if fact["key"] == "sample_rate" and sent not in ("8000", "16000", "24000", "32000", "44100"):
            return ["not a rate"]
        if any(ord(character) < 32 and character not in "\n\t" for character in sent):
            return ["control character"]
        if "values" in fact and sent not in fact["values"]:
            return ["not a value of the list"]
        if fact["key"] == "pronunciation_dict" and not all(part.strip() for part in sent.split("/", 1)):
            return ["not a pair"]
        if kind in ("AUDIO", "VIDEO", "IMAGE") and not sent.startswith("https://"):
            return ["not an address"]
        return []
    if kind == "BOOLEAN":
        return [] if type(sent) is bool else ["not a boolean"]
    if type(sent) not in ((int,) if kind == "INT" else (int, float)):
        return ["not a number"]
    if type(sent) is float and sent == int(sent):
        return ["a whole number written as a fraction"]
    return [] if fact["min"] <= sent <= fact["max"] else ["out of range"]
