"""What may be changed about a voice. Whether this member may is decided before; these say whether it could be done.

Each change is one conditional UPDATE or is made under the lock of the voice's row, so two people who change a voice
at once both get an answer that is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Membership, User, audit
from generations.models import Audience, Voice, VoiceGrant
from generations.vault.wish import NAME, SPEAKER, text_fault, unknown_members


class NotPossible(Exception):
    """The change cannot be made; `field` is what has to be looked at, the message says why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def rename(voice: Voice, name: str) -> None:
    """Gives another name; the id upstream stays. Raises `NotPossible`."""
    words = _words("name", name, NAME)
    if not words:
        raise NotPossible("name", _("Write a name."))
    Voice.objects.filter(pk=voice.pk).update(name=words)


def open_to(voice: Voice, membership: Membership, audience: str, members: Sequence[int]) -> None:
    """Says who may use it besides its owner and the managers. Raises `NotPossible`."""
    if audience not in Audience.values:
        raise NotPossible("audience", _("Choose who may use the voice."))
    chosen = set(members) if audience == Audience.SOME else set()
    if audience == Audience.SOME and not chosen:
        raise NotPossible("audience", _("Choose somebody, or let everyone or nobody else use the voice."))
    if unknown_members(membership, list(chosen)):
        raise NotPossible("audience", _("Choose people who are in the team now."))
    with transaction.atomic():
        locked = Voice.objects.select_for_update().get(pk=voice.pk)
        if audience != Audience.OWNER and not locked.is_agreed:
            raise NotPossible(
                "audience", "Record the consent of the speaker first; then others may use the voice."
            )
        before = _rights(locked)
        Voice.objects.filter(pk=locked.pk).update(audience=audience)
        VoiceGrant.objects.filter(voice=locked).exclude(user__in=chosen).delete()
        kept = set(VoiceGrant.objects.filter(voice=locked).values_list("user", flat=True))
        VoiceGrant.objects.bulk_create(VoiceGrant(voice=locked, user_id=user) for user in chosen - kept)
        locked.audience = audience
        after = _rights(locked)
        if before != after:
            _note("voice.opened", voice, before=before, after=after)


def record_consent(voice: Voice, by: User, speaker: str, *, stated: bool) -> bool:
    """Notes who agreed, when it was noted and by whom. False: it was noted already. Raises `NotPossible`."""
    words = _words("speaker", speaker, SPEAKER)
    if not words:
        raise NotPossible("speaker", _("Write the name of the person whose voice it is."))
    if not stated:
        raise NotPossible(
            "consent", "Tick the statement; without the consent of the speaker nothing is noted."
        )
    missing = Voice.objects.filter(pk=voice.pk, consent_at=None)
    with transaction.atomic():
        done = missing.update(speaker=words, consent_at=timezone.now(), consent_by=by) == 1
        if done:
            _note("voice.consent", voice, by=by, after={"speaker": words})
    return done


def hand_over(voice: Voice, to: Membership | None) -> bool:
    """Makes another current member who may generate its owner. False: it is not owned by whom it was any more.

    Raises `NotPossible`.
    """
    if to is None or to.team_id != voice.team_id or to.user_id == voice.owner_id:
        raise NotPossible("owner", _("Choose somebody else who is in the team now."))
    with transaction.atomic():
        heir = Membership.objects.select_for_update().get(pk=to.pk)
        if not heir.may_generate:
            raise NotPossible("owner", _("Choose somebody who may generate; viewers only listen."))
        mine = Voice.objects.filter(pk=voice.pk, owner=voice.owner_id)
        done = mine.update(owner=heir.user_id, warned_at=None) == 1
        if done:
            owners = {"before": {"owner": voice.owner.email}, "after": {"owner": to.user.email}}
            _note("voice.handed_over", voice, person=to.user, **owners)
    return done


def archive(voice: Voice) -> bool:
    """Takes it out of use; it stays in the vault. False: it was archived already."""
    with transaction.atomic():
        done = Voice.objects.filter(pk=voice.pk, archived_at=None).update(archived_at=timezone.now()) == 1
        if done:
            _note("voice.archived", voice)
    return done


def restore(voice: Voice) -> bool:
    """Takes it into use again. False: it was not archived."""
    archived = Voice.objects.filter(pk=voice.pk, archived_at__isnull=False)
    with transaction.atomic():
        done = archived.update(archived_at=None, warned_at=None) == 1
        if done:
            _note("voice.restored", voice)
    return done


def _rights(voice: Voice) -> dict[str, Any]:
    people = (
        VoiceGrant.objects.filter(voice=voice).order_by("user__email").values_list("user__email", flat=True)
    )
    return {"audience": str(voice.audience), "people": list(people)}


def _note(deed: str, voice: Voice, **more: Any) -> None:
    """Into the audit trail of its team."""
    audit.note(deed, team=voice.team, subject=voice.name, **more)


def _words(field: str, text: str, most: int) -> str:
    if sentence := text_fault(text, most):
        raise NotPossible(field, sentence)
    return " ".join(text.split())
