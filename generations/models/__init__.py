"""Rows: the truth of every generation. Only these modules and the pipeline's verbs write states."""

from generations.models.batch import Batch
from generations.models.clock import database_now
from generations.models.connection import Connection, ConnectionKey
from generations.models.draft import Draft, Preset, PresetDefault
from generations.models.examination import Examination
from generations.models.generation import ACTIVE, OVER, Bell, Generation, State, search_text
from generations.models.heartbeat import Heartbeat
from generations.models.ids import read_id
from generations.models.inquiry import Finding, Inquiry, Question
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
    "Bell",
    "Connection",
    "ConnectionKey",
    "Draft",
    "Examination",
    "FavouriteVoice",
    "Finding",
    "Generation",
    "Heartbeat",
    "Inquiry",
    "Origin",
    "Output",
    "Preset",
    "PresetDefault",
    "Question",
    "State",
    "Upload",
    "UpstreamCopy",
    "Voice",
    "VoiceGrant",
    "VoiceSample",
    "VoiceUse",
    "database_now",
    "latest_of_each",
    "read_id",
    "search_text",
]
