"""The form of a backup: one tar file with the rows as lines of JSON and the stored files beside them.

It does not depend on the database it came from, so a portal moves from SQLite to PostgreSQL, or to a bucket, by
backing up here and restoring there. Kept out: sessions, the queue, signs of life, and the copies that upstream has
of uploads; all of them come back by themselves.

    manifest.json            what it is, how many rows of each kind, which files were missing
    rows/<app>.<model>.jsonl
    files/<name in storage>
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.db import models

from accounts.models import (
    Allowance,
    ApiToken,
    AuditEntry,
    Invitation,
    LimitWarning,
    Membership,
    Notice,
    NoticeDismissal,
    Notification,
    Team,
    TeamDomain,
    Telling,
    TopUp,
    User,
)
from generations.models import (
    AccountSnapshot,
    AllowanceRequest,
    Batch,
    Change,
    Collection,
    CollectionItem,
    Connection,
    ConnectionKey,
    Delivery,
    Descent,
    Draft,
    Favourite,
    FavouriteVoice,
    Feed,
    Generation,
    HeldOrder,
    Inquiry,
    Lora,
    ModelRule,
    MonthlyReport,
    Output,
    Preset,
    PresetDefault,
    PriceDecision,
    Receiver,
    RetentionRule,
    SavedSearch,
    ShareLink,
    Tag,
    Tagging,
    TeamModel,
    TeamModelForm,
    TeamPrice,
    Upload,
    Voice,
    VoiceGrant,
    VoiceSample,
    VoiceUse,
)

FORMAT = 7
"""The first one knew no voices, batches, drafts and presets, the second no inquiries and no keys of teams,
the third no audit trail, invitations, requests and notices, the fourth no tags, collections, stars and saved
searches, no changes and receivers, no links for outsiders, the fifth no AI apps and workflows, the sixth no LoRAs.
A LoRA that RunningHub did not have yet is without its file, so it has to be uploaded again.

Keys of RunningHub are in it as they are stored: sealed with the secret key, which is not in it. Restored under another
secret key they cannot be read, and the Connections page asks for them again.
"""
MANIFEST = "manifest.json"
MODELS: tuple[type[models.Model], ...] = (
    User,
    EmailAddress,
    SocialAccount,
    Team,
    Membership,
    Allowance,
    ApiToken,
    AuditEntry,
    Notification,
    Notice,
    NoticeDismissal,
    Telling,
    ModelRule,
    TeamModel,
    TeamModelForm,
    Invitation,
    TeamDomain,
    TopUp,
    LimitWarning,
    Connection,
    ConnectionKey,
    Lora,
    Batch,
    Generation,
    Inquiry,
    Output,
    Descent,
    Tag,
    Tagging,
    Favourite,
    Collection,
    CollectionItem,
    ShareLink,
    SavedSearch,
    Upload,
    Voice,
    VoiceGrant,
    VoiceUse,
    VoiceSample,
    FavouriteVoice,
    Draft,
    Preset,
    PresetDefault,
    TeamPrice,
    PriceDecision,
    AccountSnapshot,
    MonthlyReport,
    RetentionRule,
    AllowanceRequest,
    HeldOrder,
    Feed,
    Change,
    Receiver,
    Delivery,
)
"""In this order every row finds those it refers to."""
SINCE: dict[type[models.Model], int] = {
    **dict.fromkeys(
        (Batch, Voice, VoiceGrant, VoiceUse, VoiceSample, FavouriteVoice, Draft, Preset, PresetDefault), 2
    ),
    Inquiry: 3,
    ConnectionKey: 3,
    AuditEntry: 4,
    Notification: 4,
    Notice: 4,
    NoticeDismissal: 4,
    Telling: 4,
    ModelRule: 4,
    Invitation: 4,
    TeamDomain: 4,
    SocialAccount: 4,
    TeamPrice: 4,
    PriceDecision: 4,
    AccountSnapshot: 4,
    MonthlyReport: 4,
    TopUp: 4,
    LimitWarning: 4,
    AllowanceRequest: 4,
    HeldOrder: 4,
    **dict.fromkeys((Descent, Tag, Tagging, Favourite, Collection, CollectionItem, RetentionRule), 5),
    **dict.fromkeys((Feed, Change, Receiver, Delivery, ShareLink, SavedSearch), 5),
    **dict.fromkeys((TeamModel, TeamModelForm), 6),
    Lora: 7,
}
"""The format that was the first to have rows of a kind; what is not here was there from the beginning."""


class Unusable(ValueError):
    """This file is no backup, or one that was cut or made by a later version."""


def label(model: type[models.Model]) -> str:
    return model._meta.label_lower


def rows_of(model: type[models.Model]) -> str:
    """The member with the rows of this model."""
    return f"rows/{label(model)}.jsonl"


def file_of(name: str) -> str:
    """The member with the file that storage calls `name`."""
    return f"files/{name}"


def stored(rows: Iterable[Any]) -> Iterator[Any]:
    """Of these outputs or uploads, those that have a file."""
    return (row for row in rows if row.file)


def manifest(archive: tarfile.TarFile) -> dict[str, Any]:
    """What the archive says of itself. Raises `Unusable`."""
    try:
        member = archive.extractfile(MANIFEST)
        said = json.load(member) if member else None
    except (KeyError, ValueError, tarfile.TarError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("format"), int):
        raise Unusable("This is no backup of this portal.")
    if said["format"] > FORMAT:
        raise Unusable("This backup was made by a later version. Restore it with that one.")
    return said
