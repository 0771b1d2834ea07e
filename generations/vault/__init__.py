"""The voice vault: how a voice of a team gets its id, what is said about it, who may speak with it, what changes.

The rows are `generations.models.voice`. Which model makes a voice and which speaks with one is catalogue data: the
param with the widget "new_voice" and the one with "voice". No model is known by name here.
"""

from generations.vault.hidden import Hidden, hidden_from
from generations.vault.ids import allot, is_taken
from generations.vault.making import TAKEN, anew, make, maker, needs_consent, with_id
from generations.vault.speaking import GONE, cheapest, refuse_foreign, speaking, speech_models, spoken
from generations.vault.wish import Wish, wish_of

__all__ = [
    "GONE",
    "TAKEN",
    "Hidden",
    "Wish",
    "allot",
    "anew",
    "cheapest",
    "hidden_from",
    "is_taken",
    "make",
    "maker",
    "needs_consent",
    "refuse_foreign",
    "speaking",
    "speech_models",
    "spoken",
    "wish_of",
    "with_id",
]
