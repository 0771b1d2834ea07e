"""The filters of the library: read from an address, shown as chips, written into addresses."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership, Team
from generations.library import SORTS, Filter
from generations.models import COSTS, LENGTHS, Collection, Voice, read_id
from generations.views.facets import LONG, Facets
from generations.views.sound import model_title

MENUS = ("kind", "model", "author", "status", "tag", "collection", "rating", "length", "cost")
SWITCHES = ("favourite", "approved", "private")
NAMES = ("q", *MENUS, *SWITCHES, "voice", "from", "to", "sort")
LABELS = {
    "kind": gettext_lazy("Kind"),
    "model": gettext_lazy("Model"),
    "author": gettext_lazy("Person"),
    "status": gettext_lazy("Status"),
    "tag": gettext_lazy("Tag"),
    "collection": gettext_lazy("Collection"),
    "rating": gettext_lazy("Rating"),
    "length": gettext_lazy("Length"),
    "cost": gettext_lazy("Cost"),
    "voice": gettext_lazy("Voice"),
    "favourite": gettext_lazy("Favourites"),
    "approved": gettext_lazy("Approved"),
    "private": gettext_lazy("Private"),
}
ORDERS = {
    "newest": gettext_lazy("Newest"),
    "oldest": gettext_lazy("Oldest"),
    "title": gettext_lazy("Title"),
    "longest": gettext_lazy("Longest"),
    "rating": gettext_lazy("Rating"),
    "cost": gettext_lazy("Cost"),
}
HIDDEN_AT_NONE = ("kind", "collection")
"""Of these only what was counted is offered, once anything was."""
LONGEST = 200
NOBODY = -1
NOTHING = "-"
NOWHERE = uuid.UUID(int=0)
_SLUG = re.compile(r"[\w.\-]{1,160}", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """One line of a menu, or a filter that is on or off: its value, and about how many there are of it."""

    value: str
    label: str
    chosen: bool = False
    count: int | None = None
    url: str = ""


@dataclass(frozen=True)
class Chip:
    """One filter. `value` is the chosen label, and `url` leads to the list without it; "" when it is open."""

    name: str
    label: str
    value: str = ""
    choices: tuple[Choice, ...] = ()
    url: str = ""
    more: str = ""
    """Where all the choices are, when some are left out."""


class Chips:
    """What is asked for, and the ways to ask for something else."""

    def __init__(
        self, membership: Membership, wanted: Filter, given: dict[str, str], voice: Voice | None = None
    ) -> None:
        self.membership = membership
        self.voice = voice
        self.wanted = wanted
        self.given = given

    @classmethod
    def read(
        cls, query: Mapping[str, str] | QueryDict, membership: Membership, voice: Voice | None = None
    ) -> Chips:
        """Takes any query string; `voice` is the one that it names, if that is there for this member.

        A value that cannot exist finds nothing and can be taken off its chip.
        """
        texts = {name: str(query.get(name, "")).replace("\x00", "").strip() for name in NAMES}
        given = {name: text[:LONGEST] for name, text in texts.items() if text}
        if given.get("sort") not in SORTS or given["sort"] == "newest":
            given.pop("sort", None)
        chips = cls(membership, Filter(), given, voice)
        model = given.get("model", "")
        people = {str(pk): pk for pk in chips.people}
        collection = read_id(given["collection"]) if "collection" in given else None
        if collection and not Collection.objects.seen_by(membership).filter(pk=collection).exists():
            collection = None
        chips.wanted = Filter(
            q=given.get("q", ""),
            model=model if not model or _SLUG.fullmatch(model) else NOTHING,
            author=people.get(given["author"], NOBODY) if "author" in given else None,
            status=given.get("status", ""),
            kind=given.get("kind", "") if given.get("kind", "").isascii() else NOTHING,
            voice=(voice.pk if voice else NOWHERE) if "voice" in given else None,
            tag=_whole(given.get("tag"), 2**31),
            collection=(collection or NOWHERE) if "collection" in given else None,
            favourite="favourite" in given,
            rating=_whole(given.get("rating"), 5),
            length=_whole(given.get("length"), len(LENGTHS) + 1),
            cost=_whole(given.get("cost"), len(COSTS) + 1),
            approved="approved" in given,
            private="private" in given,
            start=chips._moment("from"),
            end=chips._moment("to", timedelta(days=1)),
            sort=given.get("sort", "newest"),
        )
        return chips

    @property
    def team(self) -> Team:
        return self.membership.team

    def address(self, **changes: str) -> str:
        """The library with these filters, some of them changed; an empty value takes one off."""
        query = self.query(**changes)
        return f"{self._path}?{query}" if query else self._path

    def query(self, **changes: str) -> str:
        """What stands behind the question mark."""
        return urlencode({name: value for name, value in {**self.given, **changes}.items() if value})

    @cached_property
    def _path(self) -> str:
        return reverse("library", args=[self.team.slug])

    @cached_property
    def people(self) -> dict[int, str]:
        """Everybody who is or was in the team, by name."""
        rows = Membership.objects.filter(team=self.team).select_related("user")
        names = {row.user_id: row.user.display_name for row in rows}
        return dict(sorted(names.items(), key=lambda pair: (pair[1].casefold(), pair[0])))

    @cached_property
    def facets(self) -> Facets:
        return Facets(self.membership, self.people)

    @property
    def q(self) -> str:
        return self.given.get("q", "")

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the search form carries along."""
        return [(name, value) for name, value in self.given.items() if name != "q"]

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What the form of the filters carries along: all but the dates, which are fields of it themselves."""
        return [(name, value) for name, value in self.given.items() if name not in ("from", "to")]

    @cached_property
    def all(self) -> list[Chip]:
        return [chip for chip in (*map(self._chip, MENUS), *self._voice()) if chip.choices or chip.value]

    @cached_property
    def switches(self) -> list[Choice]:
        """The filters that are on or off."""
        return [
            Choice(
                "yes",
                str(LABELS[name]),
                name in self.given,
                self.facets.count(name, "yes") if name != "private" else None,
                self.address(**{name: "" if name in self.given else "yes"}),
            )
            for name in SWITCHES
        ]

    def whole(self, name: str) -> Chip:
        """One filter with all that can be chosen, whatever is chosen now."""
        others = {other: text for other, text in self.given.items() if other != name}
        chips = Chips(self.membership, self.wanted, others, self.voice)
        chips.facets = Facets(self.membership, self.people, LONG)
        return chips._chip(name)

    @property
    def sorts(self) -> list[Choice]:
        """The orders."""
        return [Choice(name, str(word), name == self.wanted.sort) for name, word in ORDERS.items()]

    @property
    def sort(self) -> str:
        return str(ORDERS[self.wanted.sort])

    @property
    def dates(self) -> str:
        """The chosen days in words, "" for any."""
        first, last = self._day("from"), self._day("to")
        if first and last:
            return f"{date_format(first, 'j M Y')} – {date_format(last, 'j M Y')}"
        if first:
            return _("from %(day)s") % {"day": date_format(first, "j M Y")}
        return _("until %(day)s") % {"day": date_format(last, "j M Y")} if last else ""

    @cached_property
    def chosen(self) -> list[Chip]:
        """Everything that makes the list shorter, but for the words."""
        found = [chip for chip in self.all if chip.value]
        found += [Chip("", choice.label, _("yes")) for choice in self.switches if choice.chosen]
        return [*found, Chip("dates", _("Date"), self.dates)] if self.dates else found

    @property
    def about(self) -> int | None:
        """No more than about so many fit, as last counted; None where that says nothing."""
        counted = self.facets.counted
        if counted is None or self.wanted.private:
            return None
        names = [name for name in (*MENUS, "favourite", "approved", "voice") if name in self.given]
        known = [
            self.facets.count(name, self.given[name] if name in (*MENUS, "voice") else "yes")
            for name in names
        ]
        return min([counted.rows, *(count for count in known if count is not None)])

    @property
    def is_about_all(self) -> bool:
        """Whether `about` is how many there are, and not only the most there can be."""
        return len(self.given.keys() - {"sort"}) <= 1 and not self.q and not self.dates

    def _voice(self) -> list[Chip]:
        """Offered only where a link of the vault asked for it: one voice, to be taken off again."""
        if "voice" not in self.given:
            return []
        name = self.voice.name if self.voice else _("not there")
        return [Chip("voice", str(LABELS["voice"]), name, url=self.address(voice=""))]

    def _chip(self, name: str) -> Chip:
        given, words, label = self.given.get(name, ""), self.facets.values(name), str(LABELS[name])
        if given:
            value = words.get(given) or self._named(name, given)
            return Chip(name, label, value, url=self.address(**{name: ""}))
        choices = (Choice(key, word, count=self.facets.count(name, key)) for key, word in words.items())
        shown = tuple(one for one in choices if one.count != 0 or name not in HIDDEN_AT_NONE)
        more = ""
        if shown and self.facets.is_cut(name):
            query = self.query()
            more = reverse("library_filter", args=[self.team.slug, name]) + (f"?{query}" if query else "")
        return Chip(name, label, choices=shown, more=more)

    def _named(self, name: str, given: str) -> str:
        """A value that is none of those offered, in words where it has any."""
        if name == "model":
            return model_title(given, self.membership.team)
        if name == "collection":
            pk = read_id(given)
            row = Collection.objects.seen_by(self.membership).filter(pk=pk).first() if pk else None
            return row.name if row else _("not there")
        return given

    def _day(self, name: str) -> date | None:
        try:
            return parse_date(self.given.get(name, ""))
        except ValueError:
            return None

    def _moment(self, name: str, more: timedelta = timedelta()) -> datetime | None:
        """The beginning of the day on the clock of the team; what is no day is no filter."""
        day = self._day(name)
        if day is None or not 1970 < day.year < 9999:
            self.given.pop(name, None)
            return None
        return datetime.combine(day, time(), self.team.zone) + more


def _whole(text: str | None, most: int) -> int | None:
    """A number from 0 to `most`; one that nothing has where it is none; None where nothing is given."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and int(text) <= most else NOBODY
