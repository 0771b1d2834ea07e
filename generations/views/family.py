"""The family of a generation: what it was made from, and what was made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from generations.models import Descent, Generation, Way
from generations.views import access

SHOWN = 12
WORDS: dict[str, str | Promise] = {
    Way.AGAIN: _("run again"),
    Way.EDITED: _("edited"),
    Way.INPUT: _("its sound went in"),
}


@dataclass(frozen=True)
class Relative:
    """`words` say how it is related. `generation` is None for one that is not there for this member."""

    generation: Generation | None
    words: str | Promise


@dataclass(frozen=True)
class Family:
    """`gone` of its parents are not there any more, or not for this member; `more` of its children are not shown."""

    parents: Sequence[Relative]
    children: Sequence[Relative]
    gone: int
    more: bool

    def __bool__(self) -> bool:
        return bool(self.parents or self.children or self.gone)


def family(membership: Membership, of: Generation) -> Family:
    """By three small queries, however large it is."""
    up = list(Descent.objects.filter(child=of).values_list("parent", "way")[:SHOWN])
    down = list(Descent.objects.filter(parent=of).order_by("-child").values_list("child", "way")[: SHOWN + 1])
    ids = {pk for pk, _way in [*up, *down]}
    rows = access.generations(membership).filter(pk__in=ids).select_related("author") if ids else ()
    found = {row.pk: row for row in rows}
    parents = [Relative(found[pk], WORDS[way]) for pk, way in up if pk in found]
    children = [Relative(found[pk], WORDS[way]) for pk, way in down[:SHOWN] if pk in found]
    return Family(parents, children, len(up) - len(parents), len(down) > SHOWN)
