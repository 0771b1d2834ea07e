"""Tags: words of the team, the same in whatever case they are written."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import Team, User
from generations.catalogue.text import Fault, settled
from generations.keeping import links
from generations.models import Alteration, Tag, Tagging
from generations.models.generation import GenerationQuerySet
from generations.models.tag import LONGEST, folded

MOST_OF_ONE = 30
"""Tags of one generation."""
MOST_OF_TEAM = 2000
SUGGESTED = 200


class BadTag(ValueError):
    """This is no tag; the message says what is wrong with it."""


class TooManyTags(BadTag):
    """There would be more of them than are of any use."""


def name_of(text: str) -> str:
    """A tag as it is written. Raises `BadTag`."""
    try:
        name = " ".join(settled(text).split()).strip(",").strip()
    except Fault as fault:
        raise BadTag(str(fault)) from None
    if not name:
        raise BadTag(_("Write a word for the tag."))
    if "," in name:
        raise BadTag(_("One tag at a time, without a comma."))
    if len(name) > LONGEST or len(folded(name)) > 2 * LONGEST:
        raise BadTag(_("A tag has at most %(most)s characters.") % {"most": LONGEST})
    return name


def tag(rows: GenerationQuerySet, by: User, team: Team, text: str) -> Alteration | None:
    """Puts the tag on each row; the team's own spelling of it counts. Raises `BadTag`."""
    name = name_of(text)
    with transaction.atomic():
        ids = links.locked_ids(rows)
        if not ids:
            return None
        full = Tagging.objects.filter(generation__in=ids).exclude(tag__team=team, tag__folded=folded(name))
        counts = full.values_list("generation").annotate(n=Count("pk")).order_by()
        if any(n >= MOST_OF_ONE for _pk, n in counts):
            raise TooManyTags(_("A generation has at most %(most)s tags.") % {"most": MOST_OF_ONE})
        word = Tag.objects.filter(team=team, folded=folded(name)).first()
        if word is None:
            if Tag.objects.filter(team=team).count() >= MOST_OF_TEAM:
                raise TooManyTags(_("A team has at most %(most)s tags.") % {"most": MOST_OF_TEAM})
            word, _made = Tag.objects.get_or_create(team=team, folded=folded(name), defaults={"name": name})
        found = word
        return links.add(
            rows, by, "tag", {"tag_id": found.pk}, lambda pk: Tagging(tag=found, generation_id=pk)
        )


def untag(rows: GenerationQuerySet, by: User, team: Team, text: str) -> Alteration | None:
    """Takes the tag off each row. A word that nothing has any more is forgotten by the sweep."""
    word = Tag.objects.filter(team=team, folded=folded(text)).first()
    return links.remove(rows, by, "tag", {"tag_id": word.pk}) if word is not None else None


def tags_of(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Tag]]:
    """The tags of each, by their name; one query."""
    found: dict[uuid.UUID, list[Tag]] = {}
    rows = Tagging.objects.filter(generation__in=list(ids)).select_related("tag").order_by("tag__folded")
    for one in rows:
        found.setdefault(one.generation_id, []).append(one.tag)
    return found


def team_tags(team: Team, part: str = "", most: int = SUGGESTED) -> Sequence[str]:
    """The team's tags to choose from, by name; with `part` those that have it in them."""
    rows = Tag.objects.filter(team=team)
    if part := folded(part):
        rows = rows.filter(folded__contains=part)
    return list(rows.order_by("folded").values_list("name", flat=True)[:most])
