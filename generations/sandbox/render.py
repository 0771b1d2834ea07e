"""What a job of each kind becomes: sound, pictures, video, an object, or text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from generations.catalogue.load import UnknownModel, get
from generations.catalogue.spec import Kind
from generations.sandbox import lyrics, songs, spoken
from generations.sandbox.encode import encode
from generations.sandbox.films import videos
from generations.sandbox.made import Made, UnusableSample
from generations.sandbox.objects import objects
from generations.sandbox.pictures import enlarged, pictures
from generations.sandbox.replies import reply
from generations.sandbox.separation import separated
from generations.sandbox.soundtrack import soundtrack
from generations.sandbox.voices import Traits, traits_of

PARTED_SECONDS, PARTED_QUICK_SECONDS = 120.0, 4.0
"""The first so many seconds of a video are taken apart."""
LIP_SYNC_SPEECH = "kling-lip-sync/tts"
DESCRIBED_SPEECH = "bytedance/doubao-seed-audio-1.0"
VOICE_DESIGN = "minimax/voice-design"
VOCAL_CLONE = "mureka-ai/vocal-clone"
COVER, COVER_PREPARED = "minimax/music-cover", "minimax/music-cover-preprocess"
ONE_STEM = {"rhart-audio/extract-vocal": 0, "rhart-audio/extract-background": 1}
"""Which of the two stems the models give that do not give both."""


def make(
    kind: str,
    params: Mapping[str, Any],
    *,
    traits: Traits | None,
    sample: bytes | None,
    quick: bool,
    endpoint: str = "",
) -> list[Made]:
    """The results of one job, the same for the same arguments. Raises UnusableSample."""
    match _gives(endpoint):
        case "image" if "upscale" in endpoint or "image-enhance" in endpoint:
            return enlarged(params, sample)
        case "image":
            return pictures(params, sample, quick=quick)
        case "video":
            return videos(params, sample, quick=quick)
        case "3d":
            return objects(params, quick=quick)
        case "text" if kind in (Kind.TEXT, Kind.VIDEO, Kind.OBJECT):
            return reply(endpoint, params)
    match kind:
        case Kind.VOICE.value if endpoint == VOICE_DESIGN:
            return spoken.designed(params, quick=quick)
        case Kind.VOICE.value if endpoint == VOCAL_CLONE:
            return [spoken.singer(params, sample)]
        case Kind.VOICE.value:
            return [spoken.cloned(params, sample, quick=quick)]
        case Kind.SPEECH.value if endpoint == LIP_SYNC_SPEECH:
            return spoken.lip_sync_speech(params, quick=quick)
        case Kind.SPEECH.value if endpoint == DESCRIBED_SPEECH:
            return [spoken.described_speech(params, sample, quick=quick)]
        case Kind.SPEECH.value:
            voice = traits or traits_of(str(params.get("voice_id", "")))
            return [spoken.speech(params, voice, quick=quick)]
        case Kind.LYRICS.value:
            return [Made("txt", text=str(lyrics.write(str(params.get("prompt", "")))))]
        case Kind.SONG.value if "extendAt" in params:
            return [songs.extended(params, sample, quick=quick)]
        case Kind.SONG.value:
            return songs.songs(params, traits, quick=quick)
        case Kind.SEPARATION.value:
            return _stems(sample, endpoint, quick=quick)
        case Kind.MUSIC.value if endpoint == COVER:
            return [songs.cover(params, sample, quick=quick)]
        case Kind.MUSIC.value if endpoint == COVER_PREPARED:
            return [_prepared(params, sample)]
        case Kind.MUSIC.value if "n" in params:
            return songs.songs(params, None, quick=quick)
    return [songs.music(params, quick=quick)]


def _gives(endpoint: str) -> str:
    """What the catalogue says that the model gives, "" for none of its models."""
    try:
        return get(endpoint).output
    except UnknownModel:
        return ""


def _prepared(params: Mapping[str, Any], sample: bytes | None) -> Made:
    """The id of the recording and its words; the real form of the answer is not documented."""
    told = {"coverFeatureId": params["coverFeatureId"], "lyrics": songs.heard(sample)}
    return Made("txt", text=json.dumps(told, ensure_ascii=False))


def _stems(sample: bytes | None, endpoint: str, *, quick: bool) -> list[Made]:
    """The voice, the background, or both in this order, as WAV: nothing more is lost, whatever the rate."""
    if sample is None:
        raise UnusableSample("file processing failed: the video cannot be fetched")
    try:
        sound, rate = soundtrack(sample, PARTED_QUICK_SECONDS if quick else PARTED_SECONDS)
    except ValueError as error:
        raise UnusableSample(f"file processing failed: {error}") from error
    if sound.shape[1] < rate // 10:
        raise UnusableSample("file processing failed: the sound is too short")
    stems = separated(sound, rate)
    chosen = [stems[ONE_STEM[endpoint]]] if endpoint in ONE_STEM else list(stems)
    return [Made("wav", encode(stem, rate, "wav")) for stem in chosen]
