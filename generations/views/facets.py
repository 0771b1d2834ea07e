"""What each filter of the library offers: its values in words, and about how many there are of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership
from generations import own_models
from generations.catalogue import load
from generations.catalogue.spec import Kind
from generations.models import COSTS, LENGTHS, Collection, LibraryCounts, Tag, ever_made
from generations.templatetags.ui import usual
from generations.views.sound import model_title
from generations.views.status import WORDS

MOST = 12
"""So many values of one filter are offered at first, the most frequent; the rest has a list of its own."""
LONG = 500
"""So many values that list has."""


@dataclass
class Facets:
    """The values of the filters for one member. What needs a query is asked once, and only if it is shown."""

    membership: Membership
    people: Mapping[int, str]
    most: int = MOST
    known: dict[str, dict[str, str]] = field(default_factory=dict)

    @cached_property
    def counted(self) -> LibraryCounts | None:
        """What was last counted of this team; None before the first time."""
        return LibraryCounts.objects.filter(team=self.membership.team_id).first()

    def count(self, name: str, value: str) -> int | None:
        """About how many; None where nothing was counted yet."""
        if self.counted is None:
            return None
        if name == "favourite":
            value = str(self.membership.user_id)
        return int(self.counted.counts.get(name, {}).get(value, 0))

    def values(self, name: str) -> dict[str, str]:
        """The values of this filter, each with its word."""
        if name not in self.known:
            self.known[name] = dict(islice(getattr(self, f"_{name}")(), self.most))
        return self.known[name]

    def is_cut(self, name: str) -> bool:
        """Whether there may be more values than `values` gives."""
        return len(self.values(name)) >= self.most

    def _kind(self) -> Iterator[tuple[str, str]]:
        return ((kind.value, str(kind_word(kind.value))) for kind in Kind)

    def _model(self) -> Iterator[tuple[str, str]]:
        counts = self.counted.counts.get("model", {}) if self.counted else {}
        often = sorted(counts, key=lambda slug: -counts[slug])
        made = ever_made() if not often else set()
        mine = own_models.of_team(self.membership.team) if not often else ()
        rest = [spec.slug for spec in (*mine, *load.models()) if spec.slug in made]
        return ((slug, model_title(slug)) for slug in [*often, *rest])

    def _author(self) -> Iterator[tuple[str, str]]:
        counts = self.counted.counts.get("author", {}) if self.counted else {}
        often = sorted(self.people, key=lambda pk: -counts.get(str(pk), 0))[: self.most]
        return ((str(pk), name) for pk, name in self.people.items() if pk in often)

    def _status(self) -> Iterator[tuple[str, str]]:
        return ((str(state), str(word)) for state, word in WORDS.items())

    def _tag(self) -> Iterator[tuple[str, str]]:
        counts = self.counted.counts.get("tag", {}) if self.counted else {}
        rows = list(
            Tag.objects.filter(team=self.membership.team_id)
            .order_by("folded")
            .values_list("pk", "name")[:LONG]
        )
        rows.sort(key=lambda row: -counts.get(str(row[0]), 0))
        return ((str(pk), name) for pk, name in rows)

    def _collection(self) -> Iterator[tuple[str, str]]:
        rows = Collection.objects.seen_by(self.membership).order_by("-updated_at")
        return ((str(pk), name) for pk, name in rows.values_list("pk", "name")[: self.most])

    def _rating(self) -> Iterator[tuple[str, str]]:
        for n in range(5, 0, -1):
            yield str(n), ngettext("%(n)s star", "%(n)s stars", n) % {"n": n}
        yield "0", _("Not rated")

    def _length(self) -> Iterator[tuple[str, str]]:
        yield "1", _("Under %(end)s") % {"end": usual(LENGTHS[0])}
        for n in range(1, len(LENGTHS)):
            yield (
                str(n + 1),
                _("%(start)s to %(end)s") % {"start": usual(LENGTHS[n - 1]), "end": usual(LENGTHS[n])},
            )
        yield str(len(LENGTHS) + 1), _("%(start)s and longer") % {"start": usual(LENGTHS[-1])}

    def _cost(self) -> Iterator[tuple[str, str]]:
        yield "1", _("Nothing")
        yield "2", _("Under %(end)s") % {"end": COSTS[1]}
        for n in range(2, len(COSTS)):
            yield str(n + 1), _("%(start)s to %(end)s") % {"start": COSTS[n - 1], "end": COSTS[n]}
        yield str(len(COSTS) + 1), _("%(start)s and more") % {"start": COSTS[-1]}


def kind_word(kind: str) -> Any:
    """A kind of result as one of the filters."""
    return {
        "song": _("Songs"),
        "music": _("Music"),
        "speech": _("Speech"),
        "voice": _("Voices"),
        "separation": _("Separated"),
        "lyrics": _("Lyrics"),
        "image": _("Pictures"),
        "video": _("Video"),
    }.get(kind, kind.title())
