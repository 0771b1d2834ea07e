"""Outputs as pages show them: what the player gets, how takes are called, what a saved file is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import Team
from generations import own_models
from generations.catalogue import file, load
from generations.media import safe_filename
from generations.models import IMPORTED, Generation, Output
from generations.templatetags.ui import clock, filesize_short
from generations.views import offered
from generations.views.lyrics import Words, words

RULER = 7
NOBODY = UUID(int=0)


def model_title(slug: str, team: Team | None = None) -> str:
    """What people call a model; of one that left the catalogue the last part of its name. A name that somebody merely
    typed needs the `team` that asks, which learns nothing of another team's models.
    """
    if slug == IMPORTED:
        return _("Imported")
    try:
        spec = load.get(slug)
    except load.UnknownModel:
        spec = None
    if spec is None or (team is not None and not spec.is_for(team.pk)):
        return slug.rpartition("--")[2] or slug
    return spec.title


def is_offered(slug: str, team: Team) -> bool:
    """Whether the model can still be used: the catalogue or the team has it, and so has the team's site."""
    try:
        spec = load.get(slug)
    except load.UnknownModel:
        return False
    return spec.is_on(offered.site(team)) and (spec.owner is None or spec in own_models.of_team(team))


def file_name(generation: Generation, output: Output, *, several: bool) -> str:
    """What a browser saves this output as: the title, and the take when there are several."""
    title = generation.title
    if several:
        title = _("%(title)s, take %(letter)s") % {"title": title[:80], "letter": output.letter}
    return safe_filename(title, output.extension)


@dataclass(frozen=True)
class Take:
    """One output, ready for a template. `title` names it in the player."""

    output: Output
    name: str
    title: str
    sub: str
    src: str
    href: str
    team: Team

    @property
    def is_sound(self) -> bool:
        return self.output.kind == "audio"

    @property
    def is_keeper(self) -> bool:
        return self.output.is_keeper

    @property
    def kind(self) -> str:
        return self.output.kind

    @property
    def poster(self) -> str:
        """Where its small picture is, "" while there is none."""
        if not self.output.poster:
            return ""
        return reverse("output_poster", args=[self.team.slug, self.output.generation_id, self.output.index])

    @property
    def format(self) -> str:
        """`WAV, 44.1 kHz` or `PNG, 1024 × 768`"""
        if self.output.width and self.output.height:
            return f"{self.output.extension.upper()}, {self.output.width} × {self.output.height}"
        if not self.output.sample_rate:
            return self.output.extension.upper()
        khz = self.output.sample_rate / 1000
        rate = _("%(khz)s kHz") % {"khz": number_format(khz, 0 if khz == int(khz) else 1)}
        return f"{self.output.extension.upper()}, {rate}"

    @property
    def facts(self) -> str:
        """`WAV, 44.1 kHz, 1.1 MB`"""
        return f"{self.format}, {filesize_short(self.output.bytes)}"

    @property
    def length(self) -> str:
        """With tenths: `0:12.6`."""
        seconds = self.output.duration
        return "" if seconds is None else f"{clock(seconds)}.{int(seconds * 10) % 10}"

    @property
    def seconds(self) -> int:
        """The whole seconds, at least one, as the slider counts them."""
        return max(1, round(self.output.duration or 0))

    @property
    def ruler(self) -> list[str]:
        """Times at equal distances below the waveform; none when they would repeat themselves."""
        seconds = self.output.duration or 0
        steps = min(RULER - 1, int(seconds))
        return [clock(seconds * step / steps) for step in range(steps + 1)] if steps else []

    @property
    def words(self) -> Words:
        """A lyrics result in its parts."""
        return words(self.output.text)

    @property
    def place(self) -> str:
        """How an address names it: `<generation>/<index>`."""
        return f"{self.output.generation_id}/{self.output.index}"

    @property
    def offers(self) -> Sequence[file.Use]:
        """What can be made of it, by name: "Clone this voice"."""
        return named_uses(self.output.kind, self.team) if self.output.file else []

    @property
    def more_uses(self) -> Sequence[file.Use]:
        """The other models that take it."""
        if not self.output.file:
            return []
        site, kind = offered.site(self.team), self.output.kind
        listed = [use for use in file.uses(kind, site) if not use.param.use_as]
        mine = [spec for spec in own_models.of_team(self.team) if spec.is_on(site)]
        return [use for spec in mine if (use := file.use_in(spec, kind))] + listed

    @property
    def lines(self) -> int:
        return len(self.output.text.splitlines())


def named_uses(kind: str, team: Team) -> list[file.Use]:
    """What can be made of a result of this kind, by name."""
    return [use for use in file.uses(kind, offered.site(team)) if use.param.use_as]


def page_of(generation: Generation) -> str:
    """The address of its page. `reverse` for each of many lines would be a fifth of the page."""
    return _page(generation.team.slug).replace(str(NOBODY), str(generation.pk))


@cache
def form_of(team: str, model: str) -> str:
    """The address of the form of a model."""
    return reverse("studio_model", args=[team, model])


@cache
def _page(team: str) -> str:
    return reverse("generation", args=[team, NOBODY])


@cache
def _content() -> str:
    """What follows the page of a generation in the address of one of its outputs."""
    page = reverse("generation", args=["team", NOBODY])
    return reverse("output_content", args=["team", NOBODY, 0]).removeprefix(page).replace("0", "{}")


def takes(generation: Generation) -> list[Take]:
    """Every output of a generation in order, with its author and outputs already loaded."""
    listed: list[Output] | None = getattr(generation, "listed_outputs", None)
    outputs = generation.outputs.all() if listed is None else listed
    several = len(outputs) > 1
    sub = f"{model_title(generation.model)} · {generation.author.display_name}"
    href = page_of(generation)
    found = []
    for output in outputs:
        name = _("Take %(letter)s") % {"letter": output.letter}
        take = _("%(title)s, take %(letter)s") % {"title": generation.title, "letter": output.letter}
        src = href + _content().format(output.index)
        found.append(
            Take(output, name, take if several else generation.title, sub, src, href, generation.team)
        )
    return found


def first(takes: Sequence[Take]) -> Take | None:
    """The take to play when one asks for the generation: the keeper, else the first."""
    return next((take for take in takes if take.is_keeper), takes[0] if takes else None)
