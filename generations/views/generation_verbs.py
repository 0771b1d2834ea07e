"""What can be done with a generation: cancel it, run it again, settle what nobody knows."""

from __future__ import annotations

import json
import re
import uuid
from itertools import chain
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import ApiToken, Membership
from accounts.roles import Deed
from generations import quota, vault
from generations.catalogue import load
from generations.catalogue.spec import InvalidParams
from generations.models import Generation, Output, read_id
from generations.pipeline import accept, cancel, resolve
from generations.views import access, offered
from generations.views.back import back
from generations.views.case import case
from generations.views.generation_page import show
from generations.views.refusal import Refusal

TASK_ID = re.compile(r"[0-9]{1,40}", re.ASCII)


@require_POST
def generation_cancel(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Ends what was not sent. What was sent is a wish, and the answer says that it may still be charged."""
    membership = access.member(request, team)
    found = access.changeable_generation(membership, pk)
    if cancel.cancel(found):
        said = _("Cancelled before it was sent. Nothing was charged.")
    else:
        found = access.generation(membership, pk)
        if found.is_over:
            said = _("It was over before it could be cancelled.")
        else:
            said = _(
                "RunningHub is asked to stop. Until it does, this may still finish and may still be charged."
            )
    return _done(request, found, said)


@require_POST
def generation_again(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """The same model and params once more, through the one door. The key in the form makes two clicks one."""
    membership = access.generating_member(request, team)
    found = access.generation(membership, pk)
    edit = f"{reverse('studio_model', args=[team, found.model])}?from={found.pk}"
    key = _key(request)
    try:
        spec = load.get(found.model)
        made = anew(membership, found, key)
    except ConsentNeeded as needed:
        messages.info(request, str(needed))
        return redirect(edit)
    except load.UnknownModel:
        said = _("This model is no longer in the catalogue, so it cannot run again.")
    except accept.NotOffered as error:
        said = offered.not_offered(error.site)
    except InvalidParams as error:
        messages.error(request, _("It cannot run again as it is. Check the settings and generate."))
        for sentence in chain.from_iterable(error.errors.values()):
            messages.error(request, sentence)
        return redirect(edit)
    except quota.QuotaExceeded as error:
        refusal = Refusal(
            membership,
            spec,
            found.params,
            error.line,
            error.cost,
            error.currency,
            where=f"?from={found.pk}",
        )
        return _refuse(request, membership, found, 402, refusal=refusal, spec=spec)
    except accept.PriceUnknown:
        refusal = Refusal(membership, spec, found.params)
        return _refuse(request, membership, found, 402, refusal=refusal, spec=spec)
    except accept.KeyReused:
        said = _("This page was open for too long. Please try again.")
    except accept.MayNotGenerate:
        said = _("You may not generate any more. Ask a manager for another role.")
    else:
        for line in made.warnings:
            messages.warning(request, Refusal(membership, spec, found.params, line).warning)
        return redirect("generation", team, made.generation.pk)
    return _refuse(request, membership, found, 409, said=said)


class ConsentNeeded(Exception):
    """It makes a clone, for which the speaker's consent is stated each time."""

    def __init__(self) -> None:
        super().__init__(_("The speaker's consent is stated for each clone, so it is made from the form."))


def anew(
    membership: Membership, found: Generation, key: str, token: ApiToken | None = None
) -> accept.Accepted:
    """The same model and params once more. Raises what `accept` raises, `UnknownModel` and `ConsentNeeded`."""
    asked = access.generation(membership, found.pk, veiled=False).params
    spec = load.get(found.model)
    if vault.needs_consent(spec):
        raise ConsentNeeded
    return accept.accept(
        membership,
        found.model,
        vault.anew(spec, asked),
        title=found.title,
        idempotency_key=key,
        strict=True,
        voice=vault.wish_of(found),
        origin=accept.Origin(found.pk, found.model, asked),
        token=token,
    )


@require_POST
def generation_keeper(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """Marks one take as the one to keep; an empty `take` takes the mark away."""
    membership = access.member(request, team)
    found = access.changeable_generation(membership, pk)
    given = request.POST.get("take", "")
    if given and not (given.isascii() and given.isdecimal() and len(given) < 5):
        raise Http404
    if not Output.keep(found, int(given) if given else None):
        raise Http404
    return redirect("generation", team, pk)


@require_POST
def generation_resolve(request: HttpRequest, team: str, pk: uuid.UUID) -> HttpResponse:
    """A manager's word: the task exists, it never did, try a parked one again, or ask for the webhook."""
    membership = access.may(request, team, Deed.SETTLE)
    found = access.generation(membership, pk)
    action = request.POST.get("action", "")
    if action == "attach":
        return _attach(request, membership, found)
    if action == "insist":
        return _insist(request, membership, found)
    if action == "webhook":
        asked = resolve.ask_webhook(found, membership.user)
        said = _("RunningHub is asked for its webhook.") if asked else _("RunningHub is being asked already.")
        return _done(request, found, said)
    if action == "release":
        done, said = resolve.release(found), _("The hold is released. It was not sent again.")
    elif action == "unpark":
        done, said = resolve.unpark(found), _("It is tried again.")
    else:
        return _refuse(request, membership, found, 400, said=_("Choose what became of it."))
    return _done(request, found, said if done else _("It was settled already; nothing was changed."))


def _attach(request: HttpRequest, membership: Membership, found: Generation) -> HttpResponse:
    task = request.POST.get("task", "").strip()
    if not TASK_ID.fullmatch(task):
        wrong = _("Write the number of the task as RunningHub shows it: digits only, at most 40.")
        return _refuse(request, membership, found, 422, task=task[:80], task_error=wrong)
    try:
        asked = resolve.propose(found, task, membership.user)
    except resolve.TaskTaken:
        wrong = _("This task already belongs to another generation. Check the number.")
        return _refuse(request, membership, found, 422, task=task, task_error=wrong)
    except resolve.CutOff:
        return _refuse(request, membership, found, 409, said=_cut_off())
    said = _("RunningHub is asked about this task. It is attached when it is the one.")
    if not asked and case(found).is_asked:
        said = _("RunningHub is asked about another number already. Wait for its word.")
    elif not asked:
        said = _("It was settled already; nothing was changed.")
    return _done(request, found, said)


def _insist(request: HttpRequest, membership: Membership, found: Generation) -> HttpResponse:
    task = request.POST.get("task", "")
    try:
        done = bool(TASK_ID.fullmatch(task)) and resolve.insist(found, task)
    except resolve.TaskTaken:
        wrong = _("This task already belongs to another generation. Check the number.")
        return _refuse(request, membership, found, 422, task_error=wrong)
    except resolve.CutOff:
        return _refuse(request, membership, found, 409, said=_cut_off())
    said = _("The task is attached. Its result is fetched, and its real cost is charged.")
    return _done(request, found, said if done else _("It was settled already; nothing was changed."))


def _cut_off() -> str:
    return _("Its connection is gone, so RunningHub cannot be asked about a task. Release the hold.")


def _refuse(
    request: HttpRequest, membership: Membership, found: Generation, code: int, **extra: Any
) -> HttpResponse:
    """The page with what is wrong. The address bar keeps the page's own address, so that reloading works."""
    response = show(request, membership, found, code=code, **extra)
    response["HX-Push-Url"] = reverse("generation", args=[membership.team.slug, found.pk])
    return response


def _done(request: HttpRequest, found: Generation, said: str) -> HttpResponse:
    """Back to where the button was; a button that swaps nothing gets the sentence alone."""
    if "HX-Request" in request.headers and "HX-Boosted" not in request.headers:
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"toast": said})})
    messages.info(request, said)
    return back(request, reverse("generation", args=[found.team.slug, found.pk]))


def _key(request: HttpRequest) -> str:
    key = read_id(request.POST.get("key", ""))
    return key.hex if key else ""
