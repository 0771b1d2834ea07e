"""Rows: the truth of every generation. Only these modules and the pipeline's verbs write states."""

from generations.models.connection import Connection
from generations.models.generation import ACTIVE, OVER, Generation, State, search_text
from generations.models.heartbeat import Heartbeat
from generations.models.output import Output
from generations.models.upload import Upload, UpstreamCopy

__all__ = [
    "ACTIVE",
    "OVER",
    "Connection",
    "Generation",
    "Heartbeat",
    "Output",
    "State",
    "Upload",
    "UpstreamCopy",
    "search_text",
]
