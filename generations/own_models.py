"""Models of a team's own: how one is found by its name, and what managers do with them.

`get` and `offered` are where a name and a team become a model, of the catalogue or of the team's own, so nothing that
asks here need know the difference. A name alone suffices for what is there already, such as the title of a generation:
`catalogue.load.get` asks `find`. What is found so may be a moment old in another process; whoever spends asks `get`.

A model of the catalogue costs no query here, nor does a team that has none of its own; all models of a team together
cost one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User, audit, sealed
from generations import queue
from generations.catalogue import described, load, own
from generations.catalogue.run import Source
from generations.catalogue.spec import Kind, ModelSpec
from generations.catalogue.text import Fault
from generations.models import Connection, TeamModel, TeamModelForm
from generations.models.team_model import SLUG

logger = logging.getLogger("rhweb.own_models")

MOST = 200
"""Models of its own that a team may have."""
FRESH = 2.0
"""Seconds for which a process trusts what it read about which version is in use."""
MOST_NAMES = 5_000
LOST = 60
"""Seconds after which a fetching is asked for once more: nobody else takes so long over one."""
ADDRESS = re.compile(r"(?:^|[/=])([0-9]{6,40})(?:$|[/?#&])")
"""An id as it stands alone or in the address of a page."""
ORDER = {kind: place for place, kind in enumerate(Kind)}

_versions: dict[tuple[str, int], ModelSpec] = {}
_current: dict[str, tuple[int | None, float]] = {}


class NotDone(Exception):
    """It cannot be done as things stand; the message is a sentence for the person who asked."""


class Moved(NotDone):
    """What it was settled by is not what there is any more; the message says what changed."""


class PasswordLost(Exception):
    """The password of a workflow cannot be read any more."""


def get(name: str, team: Team) -> ModelSpec:
    """The model of this name as it is now, if this team may run it. Raises `load.UnknownModel`."""
    spec = load.get(name)
    if spec.owner is None:
        return spec
    found = of_team(team, anew=True)
    for one in found:
        if one.slug == spec.slug:
            return one
    raise load.UnknownModel("There is no model of that name.")


def offered(team: Team, site: str) -> Sequence[ModelSpec]:
    """All models that a team has on a site, in the order of the picker: of a kind those of its own come first."""
    mine = [spec for spec in of_team(team) if spec.is_on(site)]
    if not mine:
        return load.offered(site)
    return sorted([*mine, *load.offered(site)], key=lambda spec: ORDER[spec.kind])


def of_team(team: Team, *, anew: bool = False) -> Sequence[ModelSpec]:
    """The team's own models that are in use, by name. Asked once for each `Team` object, unless `anew`."""
    known: Sequence[ModelSpec] | None = team.__dict__.get("_own_models")
    if known is None and not anew and Connection.lacks_models(team):
        return []
    if known is None or anew:
        forms = current_forms().filter(model__team=team, model__offered=True)
        read = [spec for form in forms if (spec := _read(form))]
        known = team.__dict__["_own_models"] = sorted(read, key=lambda spec: spec.title.casefold())
    return known


def find(name: str) -> ModelSpec | None:
    """The model of a slug, or of a slug and the version of its form, "workflow--0123456789@2", whether it is in use
    or not; None for any other name.
    """
    slug, _at, number = name.replace("/", "--").partition("@")
    if SLUG.fullmatch(slug) is None or not (number.isdecimal() or not number) or len(number) > 9:
        return None
    if number:
        return _version(slug, int(number))
    known = _current.get(slug)
    if known is None or known[1] < time.monotonic():
        if len(_current) > MOST_NAMES:
            _current.clear()  # names that somebody guesses shall not fill the memory
        newest: int | None = None
        for form in current_forms().filter(model__team__own_models__slug=slug):
            if _read(form) and form.model.slug == slug:
                newest = form.number
        known = newest, time.monotonic() + FRESH
        _current[slug] = known  # only once it is known: other threads ask meanwhile
    return None if known[0] is None else _version(slug, known[0])


def is_in_use(spec: ModelSpec) -> bool:
    """Whether a team still offers this model of its own, as it is now; a model of the catalogue always is."""
    return spec.owner is None or TeamModel.objects.filter(slug=spec.slug, offered=True).exists()


def known(name: str, team: Team) -> ModelSpec:
    """The model of this name, in use or not, if it is not another team's. Raises `load.UnknownModel`."""
    spec = load.get(name)
    if not spec.is_for(team.pk):
        raise load.UnknownModel("There is no model of that name.")
    return spec


def password(spec: ModelSpec) -> str:
    """What opens a protected workflow, "" for any other model. Raises `PasswordLost`."""
    model = TeamModel.objects.filter(slug=spec.slug).first()
    try:
        return model.password if model else ""
    except sealed.Unreadable:
        raise PasswordLost(
            _("The access password of %(model)s cannot be read any more; a manager has to enter it again.")
            % {"model": spec.title}
        ) from None


def upstream_id(pasted: str) -> str:
    """The id in what somebody pasted, an id or the address of a page. Raises `NotDone`."""
    found = ADDRESS.findall(pasted.strip())
    if not found:
        raise NotDone(
            _(
                "There is no id in this. Paste the address of its page, which ends with a long number, or the number."
            )
        )
    return str(found[-1])


def add(team: Team, by: User, source: str, pasted: str) -> TeamModel:
    """Has the form of an app or a workflow fetched, by the connection that the team uses. Nothing runs before a manager
    has settled it. Raises `NotDone`.
    """
    upstream = upstream_id(pasted)
    try:
        with transaction.atomic():
            locked = Team.objects.select_for_update().get(pk=team.pk)
            if TeamModel.objects.filter(team=locked).count() >= MOST:
                raise NotDone(_("A team may have %(most)s models of its own.") % {"most": MOST})
            model = TeamModel.objects.create(
                team=locked,
                slug=TeamModel.new_slug(source),
                source=source,
                upstream=upstream,
                site=Connection.of(team).site,
                asked_by=by,
                added_by=by,
            )
            said = {"what": model.get_source_display(), "id": upstream}
            audit.note("model.added", team=locked, by=by, subject=model.slug, after=said)
            queue.ring_form(model.pk)
    except IntegrityError:
        raise NotDone(_("The team has this one already.")) from None
    team.__dict__.pop("_has_models", None)
    return model


def refresh(model: TeamModel, by: User) -> bool:
    """Has its form fetched again. What is settled stays in use until a manager settles it anew. False: it is being
    fetched already.
    """
    rows = TeamModel.objects.filter(pk=model.pk).exclude(state=TeamModel.State.WAITING)
    with transaction.atomic():
        done = rows.update(
            state=TeamModel.State.WAITING, sentence="", asked_by=by, asked_at=timezone.now(), lease_until=None
        )
        if done:
            queue.ring_form(model.pk)
    return bool(done)


def pass_over(model: TeamModel) -> bool:
    """Leaves the form as it is settled, whatever was fetched. False where there is nothing to leave."""
    rows = TeamModel.objects.filter(pk=model.pk, number__isnull=False)
    rows = rows.filter(state__in=(TeamModel.State.FOUND, TeamModel.State.FAILED))
    return rows.update(state=TeamModel.State.SETTLED, found=None, sentence="") == 1


def facts_now(model: TeamModel, settled: TeamModelForm | None) -> list[described.Fact]:
    """What there is to settle: what was fetched, or else what `settled`, the version in use, has."""
    facts: list[described.Fact] = model.found["facts"] if model.found else settled.facts if settled else []
    return facts


def mark(model: TeamModel, settled: TeamModelForm | None) -> str:
    """What tells whether the facts, and the version in use, are still those that somebody looks at."""
    told = json.dumps(facts_now(model, settled), sort_keys=True)
    return f"{settled.number if settled else 0}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def hold_to(seen: str, now: str) -> None:
    """Raises `Moved` unless the mark that somebody saw is the one of now."""
    if seen == now:
        return
    if seen.partition(".")[0] != now.partition(".")[0]:
        raise Moved(
            _(
                "Somebody settled it while you were at it. Look at it once more; "
                "saved again, it is as it stands here."
            )
        )
    raise Moved(_("What RunningHub tells of it changed while you were at it. Look at it once more."))


def settle(
    model: TeamModel, by: User, data: Mapping[str, Any], password: str | None, seen: str | None = None
) -> ModelSpec:
    """Another version of the form, in use from now on, with what was fetched as its facts. `password` None: as it is.
    `seen` is the mark of what `data` were made from.

    Raises `Fault` for data that make no model, `NotDone` where nothing was fetched yet, `Moved` when the mark is
    another one by now.
    """
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=model.team_id)
        locked = TeamModel.objects.select_for_update().get(pk=model.pk)
        before = latest(locked)
        if before is None and not locked.found:
            raise NotDone(_("There is nothing to settle yet."))
        if seen is not None:
            hold_to(seen, mark(locked, before))
        facts = facts_now(locked, before)
        number = (before.number if before else 0) + 1
        spec = _spec(locked, data, number)
        TeamModelForm.objects.create(model=locked, number=number, data=dict(data), facts=facts, made_by=by)
        changes: dict[str, Any] = {"number": number, "found": None, "sentence": ""}
        if locked.state != TeamModel.State.WAITING:
            changes["state"] = TeamModel.State.SETTLED
        if password is not None:
            changes["sealed_password"] = locked.seal(password)
        TeamModel.objects.filter(pk=locked.pk).update(**changes)
        audit.note(
            "model.settled",
            team=locked.team,
            by=by,
            subject=spec.title,
            before=_told(before.data) if before else {},
            after={
                **_told(data),
                **({"password": "another" if password else "none"} if password is not None else {}),
            },
        )
    _forget(model)
    _current[model.slug] = (number, time.monotonic() + FRESH)
    _versions[model.slug, number] = spec
    return spec


def switch(model: TeamModel, by: User, *, offered: bool) -> bool:
    """Takes it out of use, or back into it. What it made stays. False: it is so already."""
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=model.team_id)
        if not TeamModel.objects.filter(pk=model.pk, offered=not offered).update(offered=offered):
            return False
        before, after = {"in use": not offered}, {"in use": offered}
        title = form.title if (form := latest(model)) else model.slug
        audit.note("model.switched", team=model.team, by=by, subject=title, before=before, after=after)
    _forget(model)
    return True


def latest(model: TeamModel) -> TeamModelForm | None:
    """The version of its form that is in use."""
    return model.forms.filter(number=model.number or 0).first()


def tend() -> None:
    """Rings again for what waits to be fetched and nobody fetches, and seals passwords anew after the secret key was
    replaced.
    """
    now = timezone.now()
    for model in TeamModel.objects.filter(state=TeamModel.State.WAITING).order_by("asked_at")[:20]:
        free = model.lease_until is None or model.lease_until < now
        if free and (now - model.asked_at).total_seconds() > LOST:
            queue.ring_form(model.pk)
    for model in TeamModel.objects.exclude(sealed_password=""):
        if model.needs_sealing:
            rows = TeamModel.objects.filter(pk=model.pk, sealed_password=model.sealed_password)
            rows.update(sealed_password=model.seal(model.password))


def facts_of(source: str, told: Any) -> list[described.Fact]:
    """What RunningHub told, the list of an app or the graph of a workflow, as facts."""
    return described.of_app(told) if source == Source.APP else described.of_graph(told)


def current_forms() -> Any:
    """The versions in use, of whatever team."""
    return TeamModelForm.objects.filter(number=F("model__number")).select_related("model")


def _version(slug: str, number: int) -> ModelSpec | None:
    if (slug, number) not in _versions:
        form = TeamModelForm.objects.filter(model__slug=slug, number=number).select_related("model").first()
        if form is None or not _made(form):
            return None
    return _versions[slug, number]


def _read(form: TeamModelForm) -> ModelSpec | None:
    """The model of the version in use, which is now known to be that."""
    spec = _made(form)
    if spec is not None:
        _current[form.model.slug] = (form.number, time.monotonic() + FRESH)
    return spec


def _made(form: TeamModelForm) -> ModelSpec | None:
    place = (form.model.slug, form.number)
    if place not in _versions:
        try:
            _versions[place] = _spec(form.model, form.data, form.number)
        except (Fault, KeyError, TypeError, ValueError):
            logger.exception("The form %s of %s cannot be read.", form.number, form.model.slug)
            return None
    return _versions[place]


def _spec(model: TeamModel, data: Mapping[str, Any], number: int) -> ModelSpec:
    sites = (model.site,) if model.site else ("ai", "cn")
    return own.spec_of(
        model.slug,
        Source(model.source),
        model.upstream,
        data,
        owner=model.team_id,
        form=number,
        sites=sites,
    )


def _forget(model: TeamModel) -> None:
    _current.pop(model.slug, None)
    for asked in ("_own_models", "_has_models"):
        model.team.__dict__.pop(asked, None)


def _told(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": data["title"],
        "kind": data["kind"],
        "asks for": _labels(data["fields"], "ask"),
        "always sends": _labels(data["fields"], "fix"),
    }


def _labels(fields: Iterable[Mapping[str, Any]], use: str) -> list[str]:
    return [str(one["label"]) or str(one["name"]) for one in fields if one["use"] == use][:40]
