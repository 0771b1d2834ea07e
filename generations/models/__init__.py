"""Rows: the truth of every generation. Only these modules and the pipeline's verbs write states."""

from generations.models.batch import Batch
from generations.models.clock import database_now
from generations.models.connection import Connection, current_site
from generations.models.draft import Draft, Preset, PresetDefault
from generations.models.generation import ACTIVE, OVER, Generation, State, search_text
from generations.models.heartbeat import Heartbeat
from generations.models.latest import latest_of_each
from generations.models.output import Output
from generations.models.upload import Upload, UpstreamCopy
from generations.models.voice import (
    Audience,
    FavouriteVoice,
    Origin,
    Voice,
    VoiceGrant,
    VoiceSample,
    VoiceUse,
)

__all__ = [
    "ACTIVE",
    "OVER",
    "Audience",
    "Batch",
    "Connection",
    "Draft",
    "FavouriteVoice",
    "Generation",
    "Heartbeat",
    "Origin",
    "Output",
    "Preset",
    "PresetDefault",
    "State",
    "Upload",
    "UpstreamCopy",
    "Voice",
    "VoiceGrant",
    "VoiceSample",
    "VoiceUse",
    "current_site",
    "database_now",
    "latest_of_each",
    "search_text",
]
