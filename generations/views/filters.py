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
from generations.models import COSTS, LENGTHS, Collection, Tag, Voice, read_id
from generations.views.facets import LONG, MOST, Facets
from generations.views.sound import model_title

MENUS = ("kind", "model", "author", "status", "tag", "collection", "rating", "length", "cost", "voice")
SWITCHES = ("favourite", "approved", "private")
NAMES = ("q", *MENUS, *SWITCHES, "from", "to", "sort", "show")
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
HINTS = {
    "kind": gettext_lazy("Nobody has made any of these yet. Create has the models that do."),
    "model": gettext_lazy("Nothing made with this model is here. Open it in Create to make the first."),
    "author": gettext_lazy("This person has made nothing yet, or nothing that the team sees."),
    "status": gettext_lazy("Nothing stands like this at present. What is made goes through here by itself."),
    "tag": gettext_lazy("Nothing has this tag. Select a few rows and choose Tag to give it to them."),
    "collection": gettext_lazy("Nothing is in it yet. “Add to a collection” is in the menu of each row."),
    "rating": gettext_lazy("Nothing has this rating. The five bars in each row give one."),
    "length": gettext_lazy("Nothing is as long as that. Only sound and video have a length."),
    "cost": gettext_lazy("Nothing cost as much as that. A cost is known when the work is done."),
    "voice": gettext_lazy("This voice has said nothing yet. Choose it in Create for a model that speaks."),
    "favourite": gettext_lazy(
        "You have no favourites yet. The star of each row, or the key S, puts it here, for you alone."
    ),
    "approved": gettext_lazy(
        "Nothing is approved yet. Managers approve what is final, one by one or selected."
    ),
    "private": gettext_lazy(
        "Nothing here is private. “Keep private” hides what you select from your colleagues, not from managers."
    ),
    "dates": gettext_lazy("Nothing was made on these days. Choose a longer time."),
}
"""What an empty list says about the filter that made it empty."""
HIDDEN_AT_NONE = ("kind", "collection", "voice")
"""Of these only what was counted is offered, once anything was, but to whoever sees what is in no count."""
SEEN = ("picture", "video", "object")
"""Kinds that are shown as cards unless a list is asked for."""
HEARD = ("speech", "music", "song", "voice", "separation")
"""Kinds that are always a list."""
VIEWS = {"grid": gettext_lazy("Cards"), "list": gettext_lazy("List")}
FETCHED = ("model", "author", "tag", "collection", "voice")
"""The menus whose lines come when they are opened: each is one more question, that most pages would ask in vain."""
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
        if given.get("show") not in VIEWS or given["show"] == chips._usual_view or chips._is_heard:
            given.pop("show", None)
        model = given.get("model", "")
        people = {str(pk): pk for pk in chips.people} if "author" in given else {}
        collection = read_id(given["collection"]) if "collection" in given else None
        if collection and not Collection.objects.seen_by(membership).filter(pk=collection).exists():
            collection = None
        given |= {"voice": str(voice.pk)} if voice else {}
        given |= {"collection": str(collection)} if collection else {}
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
        names = {row.user_id: row.user.display_name for row in self._members}
        return dict(sorted(names.items(), key=lambda pair: (pair[1].casefold(), pair[0])))

    @cached_property
    def _members(self) -> list[Membership]:
        return list(Membership.objects.filter(team=self.team).select_related("user"))

    @cached_property
    def facets(self) -> Facets:
        return self._facets(MOST)

    def _facets(self, most: int) -> Facets:
        return Facets(self.membership, lambda: self.people, self._theirs, most)

    def _theirs(self) -> set[int]:
        """Whose private work is this member's to see: the member's own, and that of whom they are the heir."""
        me = self.membership.user_id
        return {me, *(row.user_id for row in self._members if row.heir_id == me and row.ended_at is not None)}

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
        chips = [self._fetched(name) if name in FETCHED else self._chip(name) for name in MENUS]
        return [chip for chip in chips if chip.choices or chip.value or chip.more]

    @cached_property
    def switches(self) -> list[Choice]:
        """The filters that are on or off."""
        return [
            Choice(
                "yes",
                str(LABELS[name]),
                name in self.given,
                self.facets.count(name, "yes"),
                self.address(**{name: "" if name in self.given else "yes"}),
            )
            for name in SWITCHES
        ]

    def whole(self, name: str) -> Chip:
        """One filter with all that can be chosen, whatever is chosen now."""
        others = {other: text for other, text in self.given.items() if other != name}
        chips = Chips(self.membership, self.wanted, others, self.voice)
        chips.facets = self._facets(LONG)
        return chips._chip(name)

    @property
    def sorts(self) -> list[Choice]:
        """The orders."""
        return [Choice(name, str(word), name == self.wanted.sort) for name, word in ORDERS.items()]

    @property
    def sort(self) -> str:
        return str(ORDERS[self.wanted.sort])

    @property
    def is_grid(self) -> bool:
        """Whether these are cards with pictures, and not lines."""
        return self.given.get("show", self._usual_view) == "grid"

    @property
    def other_view(self) -> Choice | None:
        """The way to see the same as lines or as cards; None for sound, which is always lines."""
        if self._is_heard:
            return None
        other = "list" if self.is_grid else "grid"
        url = self.address(show="" if other == self._usual_view else other)
        return Choice(other, str(VIEWS[other]), url=url)

    @property
    def _usual_view(self) -> str:
        return "grid" if self.given.get("kind") in SEEN else "list"

    @property
    def _is_heard(self) -> bool:
        return self.given.get("kind") in HEARD

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
        found += [
            Chip(name, choice.label, _("yes"), url=choice.url)
            for name, choice in zip(SWITCHES, self.switches, strict=True)
            if choice.chosen
        ]
        if self.dates:
            found.append(Chip("dates", _("Date"), self.dates, url=self.address(**{"from": "", "to": ""})))
        return found

    @property
    def hint(self) -> str:
        """Why nothing fits the one filter that is chosen, and how something would; "" for several or none."""
        return str(HINTS[self.chosen[0].name]) if len(self.chosen) == 1 and not self.q else ""

    @property
    def about(self) -> int | None:
        """No more than about so many fit, as last counted; None where that says nothing."""
        counted = self.facets.counted
        if counted is None:
            return None
        private = self.facets.count("private", "yes")
        if self.wanted.private:
            return private
        names = [name for name in (*MENUS, "favourite", "approved") if name in self.given]
        if names and self._sees_uncounted:
            return None
        known = [self.facets.count(name, self.given[name] if name in MENUS else "yes") for name in names]
        return min([counted.rows + (private or 0), *(count for count in known if count is not None)])

    @property
    def is_about_all(self) -> bool:
        """Whether `about` is how many there are, and not only the most there can be."""
        return len(self.given.keys() - {"sort", "show"}) <= 1 and not self.q and not self.dates

    @cached_property
    def _sees_uncounted(self) -> bool:
        """Whether some of what is to be seen is in no count but that of what is private."""
        return bool(self.facets.count("private", "yes"))

    def _count(self, name: str, value: str) -> int | None:
        """As counted; None instead of nothing where there may be some all the same."""
        count = self.facets.count(name, value)
        return None if count == 0 and self._sees_uncounted else count

    def _fetched(self, name: str) -> Chip:
        """Without its lines."""
        if name in self.given:
            value = self._named(name, self.given[name])
            return Chip(name, str(LABELS[name]), value, url=self.address(**{name: ""}))
        counted = self.facets.counted
        is_full = counted is None or self._sees_uncounted or counted.counts.get(name)
        offered = name not in HIDDEN_AT_NONE or is_full
        return Chip(name, str(LABELS[name]), more=self._whole(name) if offered else "")

    def _chip(self, name: str) -> Chip:
        given, words, label = self.given.get(name, ""), self.facets.values(name), str(LABELS[name])
        if given:
            value = words.get(given) or self._named(name, given)
            return Chip(name, label, value, url=self.address(**{name: ""}))
        choices = (Choice(key, word, count=self._count(name, key)) for key, word in words.items())
        shown = tuple(one for one in choices if one.count != 0 or name not in HIDDEN_AT_NONE)
        more = self._whole(name) if shown and self.facets.is_cut(name) else ""
        return Chip(name, label, choices=shown, more=more)

    def _whole(self, name: str) -> str:
        """Where all that this filter can be set to is listed."""
        query = self.query()
        return reverse("library_filter", args=[self.team.slug, name]) + (f"?{query}" if query else "")

    def _named(self, name: str, given: str) -> str:
        """A value that is none of those offered, in words where it has any."""
        if name == "model":
            return model_title(given, self.membership.team)
        if name == "voice":
            return self.voice.name if self.voice else _("not there")
        if name == "author":
            return self.people.get(self.wanted.author or NOBODY, given)
        row: Tag | Collection | None = None
        if name == "tag" and self.wanted.tag is not None:
            row = Tag.objects.filter(team=self.team, pk=self.wanted.tag).first()
        elif name == "collection" and (pk := read_id(given)):
            row = Collection.objects.seen_by(self.membership).filter(pk=pk).first()
        else:
            return given
        return row.name if row else _("not there")

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
