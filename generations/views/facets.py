"""What each filter of the library offers: its values in words, and about how many there are of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from types import MappingProxyType
from typing import Any

from django.db.models import Case, QuerySet, When
from django.utils.functional import cached_property
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts.models import Membership
from generations import own_models
from generations.catalogue import load
from generations.catalogue.spec import Kind
from generations.models import COSTS, LENGTHS, Given, LibraryCounts, Rows, Tag, Voice, ever_made
from generations.models import Collection as Shelf
from generations.templatetags.ui import usual
from generations.views.sound import model_title
from generations.views.status import WORDS

KINDS = {
    "song": gettext_lazy("Songs"),
    "music": gettext_lazy("Music"),
    "speech": gettext_lazy("Speech"),
    "voice": gettext_lazy("Voices"),
    "separation": gettext_lazy("Separated"),
    "lyrics": gettext_lazy("Lyrics"),
    "picture": gettext_lazy("Pictures"),
    "video": gettext_lazy("Video"),
    "object": gettext_lazy("3D objects"),
    "text": gettext_lazy("Texts"),
}
"""The kinds of results as one of the filters."""
MOST = 12
"""So many values of one filter are offered at first, the most frequent; the rest has a list of its own."""
LONG = 500
"""So many values that list has."""


@dataclass
class Facets:
    """The values of the filters for one member. What needs a query is asked once, and only if it is shown."""

    membership: Membership
    people: Callable[[], Mapping[int, str]]
    """Gives everybody in the team by name."""
    theirs: Callable[[], Collection[int]]
    """Gives those whose private work is this member's to see."""
    most: int = MOST
    known: dict[str, dict[str, str]] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)

    @cached_property
    def counted(self) -> LibraryCounts | None:
        """What was last counted of this team; None before the first time."""
        return next(iter(_counted(team=self.membership.team_id)), None)

    def count(self, name: str, value: str) -> int | None:
        """About how many; None where nothing was counted yet."""
        if self.counted is None or (name == "private" and name not in self.counted.counts):
            return None
        counts = self.counted.counts.get(name, {})
        if name == "private":
            authors = counts if self.membership.may_manage or not counts else map(str, self.theirs())
            return sum(int(counts.get(author, 0)) for author in authors)
        if name == "favourite":
            value = str(self.membership.user_id)
        return int(counts.get(value, 0))

    def values(self, name: str) -> Mapping[str, str]:
        """The values of this filter, each with its word."""
        if name in SETTLED:
            return _settled(name, get_language())
        if name not in self.known:
            found = list(islice(getattr(self, f"_{name}")(), self.most + 1))
            self.known[name] = dict(found[: self.most])
            if len(found) > self.most:
                self.cut.add(name)
        return self.known[name]

    def is_cut(self, name: str) -> bool:
        """Whether there are more values than `values` gives."""
        self.values(name)
        return name in self.cut

    def _model(self) -> Iterator[tuple[str, str]]:
        counts = self.counted.counts.get("model", {}) if self.counted else {}
        often = sorted(counts, key=lambda slug: -counts[slug])
        made = ever_made() if not often else set()
        mine = own_models.of_team(self.membership.team) if not often else ()
        rest = [spec.slug for spec in (*mine, *load.models()) if spec.slug in made]
        return ((slug, model_title(slug)) for slug in [*often, *rest])

    def _author(self) -> Iterator[tuple[str, str]]:
        counts = self.counted.counts.get("author", {}) if self.counted else {}
        people = self.people()
        often = set(sorted(people, key=lambda pk: -counts.get(str(pk), 0))[: self.most])
        return ((str(pk), people[pk]) for pk in sorted(people, key=lambda pk: pk not in often))

    def _tag(self) -> Iterator[tuple[str, str]]:
        return self._often("tag", Tag.objects.filter(team=self.membership.team_id), "folded")

    def _collection(self) -> Iterator[tuple[str, str]]:
        rows = Shelf.objects.seen_by(self.membership).order_by("-updated_at")
        return ((str(pk), name) for pk, name in rows.values_list("pk", "name")[: self.most + 1])

    def _voice(self) -> Iterator[tuple[str, str]]:
        return self._often("voice", Voice.objects.for_member(self.membership), "name")

    def _often(self, name: str, rows: QuerySet[Any], word: str) -> Iterator[tuple[str, str]]:
        """Those that were counted most, then the others by `word`."""
        counts = self.counted.counts.get(name, {}) if self.counted else {}
        most = sorted(counts, key=lambda pk: -counts[pk])[:LONG]
        others = Case(When(pk__in=most, then=0), default=1)
        found = list(rows.order_by(others, word, "pk").values_list("pk", "name")[: LONG + 1])
        found.sort(key=lambda row: -counts.get(str(row[0]), 0))
        return ((str(pk), name) for pk, name in found)


@Rows
def _counted() -> QuerySet[LibraryCounts]:
    team: Any = Given("team")
    return LibraryCounts.objects.filter(team=team)


def _kinds() -> Iterator[tuple[str, str]]:
    return ((kind.value, str(KINDS[kind.value])) for kind in Kind)


def _states() -> Iterator[tuple[str, str]]:
    return ((str(state), str(word)) for state, word in WORDS.items())


def _ratings() -> Iterator[tuple[str, str]]:
    for n in range(5, 0, -1):
        yield str(n), ngettext("%(n)s star", "%(n)s stars", n) % {"n": n}
    yield "0", _("Not rated")


def _lengths() -> Iterator[tuple[str, str]]:
    yield "1", _("Under %(end)s") % {"end": usual(LENGTHS[0])}
    for n in range(1, len(LENGTHS)):
        yield (
            str(n + 1),
            _("%(start)s to %(end)s") % {"start": usual(LENGTHS[n - 1]), "end": usual(LENGTHS[n])},
        )
    yield str(len(LENGTHS) + 1), _("%(start)s and longer") % {"start": usual(LENGTHS[-1])}


def _costs() -> Iterator[tuple[str, str]]:
    yield "1", _("Nothing")
    yield "2", _("Under %(end)s") % {"end": COSTS[1]}
    for n in range(2, len(COSTS)):
        yield str(n + 1), _("%(start)s to %(end)s") % {"start": COSTS[n - 1], "end": COSTS[n]}
    yield str(len(COSTS) + 1), _("%(start)s and more") % {"start": COSTS[-1]}


SETTLED: dict[str, Callable[[], Iterator[tuple[str, str]]]] = {
    "kind": _kinds,
    "status": _states,
    "rating": _ratings,
    "length": _lengths,
    "cost": _costs,
}
"""The filters whose values are the same for every team."""


@cache
def _settled(name: str, language: str | None) -> Mapping[str, str]:
    return MappingProxyType(dict(SETTLED[name]()))
