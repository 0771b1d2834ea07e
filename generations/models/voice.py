"""Voices that a team made: whose they are, who agreed, who may speak with them, and when they were last used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from accounts.models import Membership, Team, User
from generations.models.generation import Generation, State
from generations.models.ids import uuid7
from generations.models.upload import Upload

KEPT_FOR = timedelta(hours=168)
"""MiniMax deletes a cloned voice which nobody used for so long. Unconfirmed for RunningHub (API.md 11)."""
WARNED_BEFORE = timedelta(days=2)


class Origin(models.TextChoices):
    CLONED = "cloned", "Cloned"
    DESIGNED = "designed", "Designed"


class Audience(models.TextChoices):
    """Who besides its owner and the managers may hear and use a voice."""

    EVERYONE = "everyone", "Everyone in the team"
    SOME = "some", "Some people"
    OWNER = "owner", "Only me"


class VoiceQuerySet(models.QuerySet["Voice"]):
    def for_member(self, membership: Membership) -> VoiceQuerySet:
        """The voices of the team this member may see, archived ones included. Managers see all."""
        rows = self.filter(team=membership.team_id)
        if membership.may_manage:
            return rows
        granted = VoiceGrant.objects.filter(user=membership.user_id).values("voice")
        open_to_all = Q(audience=Audience.EVERYONE)
        named = Q(audience=Audience.SOME, pk__in=granted)
        return rows.filter(open_to_all | named | Q(owner=membership.user_id))

    def hidden_from(self, membership: Membership) -> VoiceQuerySet:
        """The voices of the team this member must not learn of."""
        if membership.may_manage:
            return self.none()
        return self.filter(team=membership.team_id).exclude(pk__in=self.for_member(membership).values("pk"))

    def usable(self, membership: Membership) -> VoiceQuerySet:
        """The voices this member may speak with now: made, not archived, and theirs to use.

        A clone whose speaker has not agreed is for its owner and the managers alone, whoever it is open to.
        """
        rows = self.for_member(membership).filter(archived_at=None, made_by__status=State.SUCCEEDED)
        if membership.may_manage:
            return rows
        return rows.filter(self.agreed() | Q(owner=membership.user_id))

    @staticmethod
    def agreed() -> Q:
        """A person has agreed, or there is none: a designed voice is nobody's."""
        return Q(origin=Origin.DESIGNED) | Q(consent_at__isnull=False)

    def with_use(self) -> VoiceQuerySet:
        """Adds `used_in` (generations that spoke with it) and `last_used_at` (when it was made or last spoke)."""
        return self.annotate(used_in=Count("uses", filter=SPOKE), last_used_at=_last_use())

    def fading(self, now: datetime) -> VoiceQuerySet:
        """Those that disappear within two days, as `with_use`: made, not archived, and silent for five days or more.

        That they were made so long ago is asked first, since the database need not look at the use of others.
        """
        near, gone = now - KEPT_FOR + WARNED_BEFORE, now - KEPT_FOR
        aged = self.filter(archived_at=None, made_by__status=State.SUCCEEDED, made_by__finished_at__lte=near)
        return aged.annotate(used_in=Count("uses", filter=SPOKE), last_used_at=_last_use()).filter(
            last_used_at__lte=near, last_used_at__gt=gone
        )


SPOKE = Q(uses__generation__status=State.SUCCEEDED)


def _last_use() -> Greatest:
    made = F("made_by__finished_at")
    return Greatest(made, Coalesce(Max("uses__generation__finished_at", filter=SPOKE), made))


class Voice(models.Model):
    """A voice of the team. Whether it exists upstream follows from the generation that makes it, `made_by`.

    `voice_id` is the name upstream knows it by, allotted by us and never given twice.
    `speaker` is the person whose voice it is; without `consent_at` nobody but owner and managers may use it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="voices")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="voices")
    voice_id = models.CharField(max_length=256, unique=True)
    name = models.CharField(max_length=80)
    language = models.CharField(max_length=40, blank=True)
    origin = models.CharField(max_length=8, choices=Origin)
    made_by = models.OneToOneField(Generation, on_delete=models.PROTECT, related_name="made_voice")
    sample = models.ForeignKey(Upload, on_delete=models.PROTECT, null=True, related_name="voices")
    audience = models.CharField(max_length=8, choices=Audience, default=Audience.OWNER)
    speaker = models.CharField(max_length=120, blank=True)
    consent_at = models.DateTimeField(null=True)
    consent_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    warned_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[models.Manager[Voice]] = VoiceQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["team", "-id"], name="voice_of_team")]

    def __str__(self) -> str:
        return self.name

    @property
    def times_used(self) -> int:
        """The generations that spoke with it; of a row that came through `with_use` or `fading`."""
        return int(self.__dict__["used_in"])

    @property
    def last_use(self) -> datetime:
        """When it was made or last spoke; of a row that came through `with_use` or `fading`."""
        found: datetime = self.__dict__["last_used_at"]
        return found

    @property
    def is_agreed(self) -> bool:
        """As `VoiceQuerySet.agreed`."""
        return self.origin == Origin.DESIGNED or self.consent_at is not None

    @staticmethod
    def kept_until(last_used_at: datetime) -> datetime:
        """When the provider is expected to delete a voice that was last used then."""
        return last_used_at + KEPT_FOR


class VoiceGrant(models.Model):
    """A person who may use a voice that is open to some."""

    voice = models.ForeignKey(Voice, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["voice", "user"], name="voice_granted_once")]

    def __str__(self) -> str:
        return f"{self.user_id} may use {self.voice_id}"


class VoiceUse(models.Model):
    """A generation that speaks with a voice of the team."""

    generation = models.OneToOneField(
        Generation, on_delete=models.CASCADE, primary_key=True, related_name="voice_use"
    )
    voice = models.ForeignKey(Voice, on_delete=models.PROTECT, related_name="uses")

    class Meta:
        indexes = [models.Index(fields=["voice", "generation"], name="what_a_voice_said")]

    def __str__(self) -> str:
        return f"{self.generation_id} speaks with {self.voice_id}"


class FavouriteVoice(models.Model):
    """A voice, of the system or of the team, that a member wants at hand."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="favourite_voices")
    voice_id = models.CharField(max_length=256)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "voice_id"], name="favourite_once")]

    def __str__(self) -> str:
        return self.voice_id


class VoiceSample(models.Model):
    """A sentence a system voice said once for a team, so that nobody there pays to hear it again."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="voice_samples")
    voice_id = models.CharField(max_length=256)
    generation = models.OneToOneField(Generation, on_delete=models.PROTECT, related_name="voice_sample")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "voice_id"], name="sample_once")]

    def __str__(self) -> str:
        return self.voice_id
