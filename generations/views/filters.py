"""The filters of the library: read from an address, shown as chips, written into addresses."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Membership, Team
from generations.catalogue import load
from generations.library import Filter
from generations.models import Voice
from generations.views.sound import model_title
from generations.views.status import WORDS

NAMES = ("q", "model", "author", "status", "voice")
LONGEST = 200
NOBODY = -1
NOTHING = "-"
NOWHERE = uuid.UUID(int=0)
_SLUG = re.compile(r"[\w.\-]{1,160}", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """One line of a chip's menu. `url` leads to the list with it, or for the chosen one without it."""

    label: str
    url: str
    chosen: bool


@dataclass(frozen=True)
class Chip:
    """One filter. `value` is the chosen label, "" when it is open."""

    name: str
    label: str
    value: str
    choices: list[Choice]


class Chips:
    """What is asked for, and the ways to ask for something else."""

    def __init__(self, team: Team, wanted: Filter, given: dict[str, str], voice: Voice | None = None) -> None:
        self.team = team
        self.voice = voice
        self.wanted = wanted
        self.given = given

    @classmethod
    def read(cls, query: QueryDict, team: Team, voice: Voice | None = None) -> Chips:
        """Takes any query string; `voice` is the one that it names, if that is there for this member.

        A value that cannot exist finds nothing and can be taken off its chip.
        """
        texts = {name: query.get(name, "").replace("\x00", "").strip() for name in NAMES}
        given = {name: text[:LONGEST] for name, text in texts.items() if text}
        chips = cls(team, Filter(), given, voice)
        model = given.get("model", "")
        people = {str(pk): pk for pk in chips.people}
        chips.wanted = Filter(
            q=given.get("q", ""),
            model=model if not model or _SLUG.fullmatch(model) else NOTHING,
            author=people.get(given["author"], NOBODY) if "author" in given else None,
            status=given.get("status", ""),
            voice=(voice.pk if voice else NOWHERE) if "voice" in given else None,
        )
        return chips

    def address(self, **changes: str) -> str:
        """The library with these filters, some of them changed; an empty value takes one off."""
        values = {name: value for name, value in {**self.given, **changes}.items() if value}
        path = reverse("library", args=[self.team.slug])
        return f"{path}?{urlencode(values)}" if values else path

    @property
    def people(self) -> dict[int, str]:
        """Everybody who is or was in the team, by name."""
        if not hasattr(self, "_people"):
            rows = Membership.objects.filter(team=self.team).select_related("user")
            names = {row.user_id: row.user.display_name for row in rows}
            self._people = dict(sorted(names.items(), key=lambda pair: (pair[1].casefold(), pair[0])))
        return self._people

    @property
    def q(self) -> str:
        return self.given.get("q", "")

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the search form carries along."""
        return [(name, value) for name, value in self.given.items() if name != "q"]

    @property
    def all(self) -> list[Chip]:
        models = {spec.slug: spec.title for spec in load.models()}
        states = {str(state): str(word) for state, word in WORDS.items()}
        people = {str(pk): name for pk, name in self.people.items()}
        return [
            self._chip("model", _("Model"), models),
            self._chip("author", _("Person"), people),
            self._chip("status", _("Status"), states),
            *self._voice(),
        ]

    def _voice(self) -> list[Chip]:
        """Offered only where a link of the vault asked for it: one voice, to be taken off again."""
        if "voice" not in self.given:
            return []
        name = self.voice.name if self.voice else _("not there")
        return [Chip("voice", _("Voice"), name, [Choice(name, self.address(voice=""), chosen=True)])]

    @property
    def chosen(self) -> list[Chip]:
        return [chip for chip in self.all if chip.value]

    def _chip(self, name: str, label: str, words: dict[str, str]) -> Chip:
        given = self.given.get(name, "")
        value = words.get(given, model_title(given) if name == "model" and given else given)
        choices = [
            Choice(word, self.address(**{name: "" if key == given else key}), key == given)
            for key, word in words.items()
        ]
        return Chip(name, label, value, choices)
