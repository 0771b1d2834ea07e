"""What a form begins with: an example, an earlier generation, a draft, a preset, or what was written here last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpRequest

from accounts.models import Membership
from generations import vault
from generations.catalogue.spec import EXTRA, ModelSpec
from generations.forms import new_voice
from generations.forms.posted import BY_LINE, COPIES, VOICE
from generations.models import Draft, Generation, PresetDefault
from generations.views import access

OWN = (BY_LINE, COPIES)


@dataclass(frozen=True)
class Beginning:
    """`values` as stored or posted. `draft` is the one they are of, `preset` the name of the one that applies."""

    values: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    draft: Draft | None = None
    preset: str = ""
    voice: vault.Wish | None = None
    """What was said about the voice that is to be made, or that the earlier generation made."""
    earlier: Generation | None = None
    """What it was filled from, once that is over: what was sent a moment ago is not what somebody goes on from."""

    @property
    def is_resumed(self) -> bool:
        """Whether this is what the member wrote here before, unasked for."""
        return self.draft is not None and self.draft.is_running


def beginning(request: HttpRequest, membership: Membership, spec: ModelSpec) -> Beginning:
    """What the address asks for, else what this member left unfinished, else their preset, else nothing.

    Raises Http404 when the address names something that is not there for this member.
    """
    if request.GET.get("example"):
        return Beginning(vault.anew(spec, spec.example))
    if chosen := request.GET.get("voice"):
        return Beginning({param.key: chosen for param in vault.speaking(spec)[:1]})
    if given := request.GET.get("from"):
        found = access.generation(membership, access.id_in(given))
        return replace(_earlier(found, spec), earlier=found if found.is_over else None)
    if given := request.GET.get("draft"):
        draft = access.draft(membership, access.id_in(given))
        values = _known(draft.params, spec) | _lines(draft, spec)
        return Beginning(values, draft.title, draft, voice=new_voice.of(draft.params.get(VOICE)))
    if not membership.may_generate or "new" in request.GET:
        return Beginning()
    rows = Draft.objects.filter(team=membership.team_id, author=membership.user_id, model=spec.slug)
    if (left := rows.filter(is_running=True).first()) is not None:
        said = new_voice.of(left.params.get(VOICE))
        return Beginning(_known(left.params, spec), left.title, left, voice=said)
    defaults = PresetDefault.objects.filter(membership=membership, model=spec.slug).select_related("preset")
    if (default := defaults.first()) is not None:
        values = access.unveiled(membership, _known(default.preset.params, spec))
        return Beginning(values, preset=default.preset.name)
    return Beginning()


def _known(params: Mapping[str, Any], spec: ModelSpec) -> dict[str, Any]:
    """Without what the model does not take any more, or never did."""
    keys = {param.key for param in spec.params} | set(OWN) | {EXTRA}
    return {key: value for key, value in params.items() if key in keys}


def _lines(draft: Draft, spec: ModelSpec) -> dict[str, Any]:
    """The lines that wait, as a text to go on with."""
    texts = [(str(line.get("title") or ""), line.get("text")) for line in draft.lines]
    if not texts:
        return {}
    if any(not isinstance(text, str) for _title, text in texts):
        return {COPIES: str(len(texts))}
    written = [f"{title}\t{text}" if title else str(text) for title, text in texts]
    return {BY_LINE: "on", spec.prompt_param: "\n".join(written)}


def _earlier(earlier: Generation, spec: ModelSpec) -> Beginning:
    """The params of an earlier generation, and its title where it is one of its own.

    One that made a voice goes without the id of that, which is given only once, and without the consent, which is
    stated for each voice; it is called like its voice.
    """
    params = earlier.params if isinstance(earlier.params, dict) else {}
    keys = {param.key for param in spec.params} | {EXTRA}
    values = {key: value for key, value in vault.anew(spec, params).items() if key in keys}
    if vault.maker(spec) is not None:
        said = vault.wish_of(earlier)
        return Beginning(values, voice=said and replace(said, consents=False))
    words = " ".join(str(params.get(spec.prompt_param) or "").split())
    is_own = not words.startswith(earlier.title.removesuffix("…")) and earlier.title != spec.title
    return Beginning(values, earlier.title if is_own else "")
