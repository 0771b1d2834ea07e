"""What of a team a member must not learn of, because it belongs to a voice that is not theirs to use."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from accounts.models import Membership
from generations.models import Upload, Voice


@dataclass(frozen=True)
class Hidden:
    """`generations` made the voices, `voice_ids` are upstream's names of them, `uploads` the recordings and what else
    was copied out of those generations.
    """

    generations: frozenset[uuid.UUID] = frozenset()
    voice_ids: frozenset[str] = frozenset()
    uploads: frozenset[uuid.UUID] = frozenset()


def hidden_from(membership: Membership) -> Hidden:
    """By one small query where nothing is hidden; by none for managers, from whom nothing ever is.

    A recording that also made a voice which this member may see is not hidden, nor is one they gave themselves,
    nor a result of the team that everybody hears anyway.
    """
    if membership.may_manage:
        return Hidden()
    columns = ("made_by", "voice_id", "sample", "sample__author", "sample__source__generation")
    rows = list(Voice.objects.hidden_from(membership).values_list(*columns))
    if not rows:
        return Hidden()
    made = {made_by for made_by, *_ in rows}
    samples = {
        sample
        for _, _, sample, author, source in rows
        if sample and author != membership.user_id and (source is None or source in made)
    }
    if samples:
        shown = Voice.objects.for_member(membership).filter(sample__in=samples)
        samples -= set(shown.values_list("sample", flat=True))
    copies = Upload.objects.filter(team=membership.team_id, source__generation__in=made)
    samples |= set(copies.exclude(author=membership.user_id).values_list("pk", flat=True))
    return Hidden(
        frozenset(made),
        frozenset(voice_id for _, voice_id, *_ in rows),
        frozenset(samples),
    )
