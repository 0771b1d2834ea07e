"""RunningHub's own word about the price of a filled form, beside the estimate. It holds nothing up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Team
from generations import forms, price_checks, uploads
from generations.catalogue.spec import InvalidParams, ModelSpec
from generations.models import Connection, Draft, PriceCheck
from generations.pipeline import accept
from generations.views import access, inputs, shell
from generations.views.drafts import with_files


@dataclass(frozen=True)
class Opinion:
    """What the footer of a form shows of it: that it is being asked, or what came of it."""

    check: PriceCheck

    @property
    def amount(self) -> Decimal | None:
        return self.check.amount

    @property
    def currency(self) -> str:
        """An answer without one is in that of the account."""
        return self.check.currency or self.check.connection.currency


def opinion(team: Team, spec: ModelSpec, raw: Mapping[str, Any]) -> Opinion | None:
    """What was told of the form as it stands; None where it was not asked of late."""
    mark = price_checks.digest(spec, raw)
    check = price_checks.known(team, Connection.of(team), mark) if mark else None
    return Opinion(check) if check else None


@require_POST
def price_check(request: HttpRequest, team: str, model: str) -> HttpResponse:
    """Has it asked. A script puts the answer beside the price; without one the form comes back filled."""
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    posted = forms.read(
        spec, request.POST, request.FILES, lambda file, param: uploads.fit(membership, file, param)
    )
    given = inputs.settled(membership, spec, posted.raw)
    sentence, check = "", None
    try:
        if posted.errors or given.errors:
            raise InvalidParams({**given.errors, **posted.errors})
        check = price_checks.want(membership, spec, given.raw)
    except (InvalidParams, accept.ModelRefused):
        sentence = _("The form is not ready yet: RunningHub would refuse it.")
    except price_checks.NotAsked as not_asked:
        sentence = str(not_asked)
    if not shell.is_part(request):
        values, title = with_files(request, spec, posted)
        Draft.keep_running(membership, spec.slug, values, title[:200])
        messages.info(
            request, sentence or _("RunningHub is asked. Its price stands beside the button in a moment.")
        )
        return redirect("studio_model", team, spec.slug)
    context = {"opinion": Opinion(check) if check else None, "spec": spec}
    answer = render(request, "studio/_check.html", context)
    if sentence:
        answer["HX-Trigger"] = json.dumps({"toast": sentence})
    return answer


@require_safe
def price_checked(request: HttpRequest, team: str, model: str, pk: int) -> HttpResponse:
    """What came of it, for a page that waits."""
    membership = access.generating_member(request, team)
    spec = access.model(model, membership)
    check = access.price_check(membership, pk)
    if check.model != spec.slug:
        raise Http404
    return render(request, "studio/_check.html", {"opinion": Opinion(check), "spec": spec})
