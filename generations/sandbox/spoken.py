"""What is said: speech, the previews of new voices, and the texts that carry their ids."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from generations.sandbox.dsp import Floats, Sound, filtered, resampled
from generations.sandbox.encode import decode, encode
from generations.sandbox.made import Made, UnusableSample
from generations.sandbox.songs import is_mp4
from generations.sandbox.speech import SPEECH_RATE, speak
from generations.sandbox.voices import Traits, traits_described, traits_of, traits_of_sample

BITRATE = 128_000
SAMPLE_SECONDS = 60
QUOTED = re.compile('[“"「『](.+?)[”"」』]', re.DOTALL)
FILES = {"ogg_opus": "ogg"}
"""Formats whose files have another extension."""


def speech(params: Mapping[str, Any], voice: Traits, *, quick: bool) -> Made:
    """The text in this voice."""
    return Made("mp3", encode(speak(params, voice, quick=quick), SPEECH_RATE, "mp3", BITRATE))


def lip_sync_speech(params: Mapping[str, Any], *, quick: bool) -> list[Made]:
    """The sound, and a text with the id a lip-sync video asks for; the real form of the answer is not documented."""
    said = {"text": params.get("text", ""), "speed": params.get("voiceSpeed", 1)}
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).digest()
    told = json.dumps({"audioId": str(int.from_bytes(digest[:8], "big") % 10**18)})
    voice = traits_of(str(params.get("voiceId", "")))
    return [speech(said, voice, quick=quick), Made("txt", text=told)]


def described_speech(params: Mapping[str, Any], sample: bytes | None, *, quick: bool) -> Made:
    """What a description has in quotes, else all of it, in the voice of the speaker, recording or description."""
    prompt = str(params.get("text_prompt", ""))
    quoted = " ".join(QUOTED.findall(prompt))
    if "speaker" in params:
        voice = traits_of(str(params["speaker"]))
    elif "audio_url" in params:
        voice = _heard(sample, "")
    else:
        voice = traits_described(QUOTED.sub("", prompt) if quoted else "", str(params.get("image_url", "")))
    said = {
        "text": quoted or prompt,
        "speed": 1 + int(params.get("speech_rate", 0)) / 100,
        "volume": 1 + int(params.get("loudness_rate", 0)) / 100,
        "pitch": int(params.get("pitch_rate", 0)),
    }
    form, rate = str(params.get("format", "wav")), int(params.get("sample_rate", "24000"))
    sound = _at_rate(speak(said, voice, quick=quick), rate)
    return Made(FILES.get(form, form), encode(sound, rate, form, BITRATE))


def cloned(params: Mapping[str, Any], sample: bytes | None, *, quick: bool) -> Made:
    """A voice after a recording, with its preview."""
    traits = _heard(sample, str(params.get("custom_voice_id", "")))
    return Made("mp3", speech(params, traits, quick=quick).data, traits=traits)


def designed(params: Mapping[str, Any], *, quick: bool) -> list[Made]:
    """A voice after a description: its preview, and a text with its id; the real form of the answer is not known."""
    voice_id = str(params["voiceId"])
    traits = traits_described(str(params.get("prompt", "")), voice_id)
    sound = speak({"text": params.get("previewText", "")}, traits, quick=quick)
    if params.get("aigcWatermark"):
        sound = np.concatenate([sound, _mark()])
    preview = Made("mp3", encode(sound, SPEECH_RATE, "mp3", BITRATE), traits=traits)
    return [preview, Made("txt", text=json.dumps({"voiceId": voice_id}))]


def singer(params: Mapping[str, Any], sample: bytes | None) -> Made:
    """A voice that can sing: a text with its id; the real form of the answer is not documented."""
    vocal_id = str(params["vocalId"])
    return Made("txt", text=json.dumps({"vocalId": vocal_id}), traits=_heard(sample, vocal_id))


def _heard(sample: bytes | None, seed: str) -> Traits:
    """The voice of a recording; of one in AAC, which cannot be read here, some voice that is always the same."""
    if sample is None:
        raise UnusableSample("file processing failed: the sample cannot be fetched")
    try:
        sound, rate = decode(sample, SAMPLE_SECONDS)
    except ValueError as error:
        if is_mp4(sample):
            return traits_of(hashlib.sha256(sample).hexdigest())
        raise UnusableSample(f"file processing failed: {error}") from error
    if len(sound) < rate // 2:
        raise UnusableSample("file processing failed: the sample is too short")
    return traits_of_sample(sound, rate, seed)


def _at_rate(sound: Sound, rate: int) -> Sound:
    def curve(hz: Floats) -> Floats:
        return np.asarray(1 / np.sqrt(1 + (hz / (0.42 * rate)) ** 24))

    return resampled(filtered(sound, SPEECH_RATE, curve), rate / SPEECH_RATE)


def _mark() -> Sound:
    """Long, short, short: a rhythm that no voice makes."""
    parts = []
    for seconds in (0.18, 0.07, 0.07):
        t = np.arange(int(seconds * SPEECH_RATE)) / SPEECH_RATE
        parts += [0.2 * np.sin(2 * np.pi * 880 * t) * np.hanning(len(t)), np.zeros(SPEECH_RATE // 12)]
    return np.concatenate(parts).astype(np.float32)
