"""Rows: the truth of every generation. Only these modules and the pipeline's verbs write states."""

from generations.models.account import AccountAnswer
from generations.models.alteration import Alteration
from generations.models.batch import Batch
from generations.models.change import Change, Feed
from generations.models.clock import database_now
from generations.models.collection import Collection, CollectionItem
from generations.models.connection import Connection, ConnectionKey
from generations.models.descent import Descent, Way
from generations.models.draft import Draft, Preset, PresetDefault
from generations.models.examination import Examination
from generations.models.findable import AUTHOR, TAG, TEAM, Findable, Pairs, Trigrams, mark, number_of
from generations.models.generation import (
    ACTIVE,
    COSTS,
    IMPORTED,
    LENGTHS,
    OVER,
    Bell,
    Generation,
    State,
    counted_cost,
    search_text,
)
from generations.models.heartbeat import Heartbeat
from generations.models.held import HeldOrder
from generations.models.ids import read_id, since
from generations.models.inquiry import Finding, Inquiry, Question
from generations.models.latest import ever_made, latest_of_each
from generations.models.lora import Lora
from generations.models.model_rule import ModelRule
from generations.models.monthly_report import MonthlyReport
from generations.models.output import Output
from generations.models.prepared import Counts, Given, Rows, Update
from generations.models.price import PriceDecision, TeamPrice
from generations.models.price_check import PriceCheck
from generations.models.receiver import Delivery, Receiver
from generations.models.request import AllowanceRequest
from generations.models.retention import RetentionRule
from generations.models.saved_search import SavedSearch
from generations.models.share import ShareLink
from generations.models.snapshot import AccountSnapshot
from generations.models.tag import Favourite, Tag, Tagging
from generations.models.tally import LibraryCounts, Tally
from generations.models.team_model import TeamModel, TeamModelForm
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
    "AUTHOR",
    "COSTS",
    "IMPORTED",
    "LENGTHS",
    "OVER",
    "TAG",
    "TEAM",
    "AccountAnswer",
    "AccountSnapshot",
    "AllowanceRequest",
    "Alteration",
    "Audience",
    "Batch",
    "Bell",
    "Change",
    "Collection",
    "CollectionItem",
    "Connection",
    "ConnectionKey",
    "Counts",
    "Delivery",
    "Descent",
    "Draft",
    "Examination",
    "Favourite",
    "FavouriteVoice",
    "Feed",
    "Findable",
    "Finding",
    "Generation",
    "Given",
    "Heartbeat",
    "HeldOrder",
    "Inquiry",
    "LibraryCounts",
    "Lora",
    "ModelRule",
    "MonthlyReport",
    "Origin",
    "Output",
    "Pairs",
    "Preset",
    "PresetDefault",
    "PriceCheck",
    "PriceDecision",
    "Question",
    "Receiver",
    "RetentionRule",
    "Rows",
    "SavedSearch",
    "ShareLink",
    "State",
    "Tag",
    "Tagging",
    "Tally",
    "TeamModel",
    "TeamModelForm",
    "TeamPrice",
    "Trigrams",
    "Update",
    "Upload",
    "UpstreamCopy",
    "Voice",
    "VoiceGrant",
    "VoiceSample",
    "VoiceUse",
    "Way",
    "counted_cost",
    "database_now",
    "ever_made",
    "latest_of_each",
    "mark",
    "number_of",
    "read_id",
    "search_text",
    "since",
]
