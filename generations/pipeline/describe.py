"""Describe: fetches what an AI app or a workflow asks for, when a manager brought it in or wants to see it anew.

Reads only, costs nothing and may be repeated. Nothing is replaced here: what was found waits for a manager.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations import own_models, upstream
from generations.catalogue.text import Fault
from generations.models import Connection, TeamModel
from generations.runninghub import Client
from generations.runninghub.errors import ReadRefused, Unreachable, UpstreamError

logger = logging.getLogger("rhweb.describe")

LEASE = timedelta(seconds=90)
"""Longer than the two time limits of a request."""
State = TeamModel.State
NOT_THERE = ("380", "404", "810", "901", "1004")


def describe(pk: int) -> bool:
    """Fetches one form, unless somebody else is at it. True when it is there to be looked at."""
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    if not TeamModel.objects.filter(free, pk=pk, state=State.WAITING).update(lease_until=now + LEASE):
        return False
    model = TeamModel.objects.select_related("team").get(pk=pk)
    connection = Connection.of(model.team)
    if model.site and connection.site and model.site != connection.site:
        words = {"then": model.site, "now": connection.site}
        return _note(
            model,
            _("It is of the .%(then)s site, and the team is connected to .%(now)s, which knows other ones.")
            % words,
        )
    try:
        found = _asked(upstream.get_client(connection), model)
    except upstream.NotConfigured:
        return _note(model, _("The key of the connection is not there, so RunningHub could not be asked."))
    except ReadRefused as error:
        logger.info("%s %s was refused: %s", model.source, model.upstream, error)
        return _note(model, _refused(model, error))
    except Unreachable as error:
        logger.info("%s %s could not be asked about: %s", model.source, model.upstream, error)
        return _note(model, _silent(connection, error))
    except Fault as fault:
        return _note(model, str(fault))
    if not found["facts"]:
        return _note(model, _("RunningHub knows it, but tells of no input that could be filled in."))
    rows = TeamModel.objects.filter(pk=model.pk, state=State.WAITING)
    return rows.update(state=State.FOUND, found=found, sentence="", lease_until=None) == 1


def tend() -> None:
    """As `own_models.tend`, for the worker."""
    own_models.tend()


def _asked(client: Client, model: TeamModel) -> dict[str, Any]:
    """Raises `ReadRefused`, `Unreachable`, and `Fault` for a form that cannot be kept."""
    if model.source == TeamModel.Source.APP:
        form = client.app_form(model.upstream)
        return {"title": form.name, "facts": own_models.facts_of(model.source, form.nodes)}
    graph = client.workflow(model.upstream)
    return {"title": "", "facts": own_models.facts_of(model.source, graph)}


def _refused(model: TeamModel, error: ReadRefused) -> str:
    words = {"what": model.get_source_display(), "id": model.upstream, "code": error.code}
    if error.code == "810":
        return _(
            "The workflow has to be saved and run once by hand on RunningHub before it can be used from here."
        )
    if error.code in NOT_THERE or error.reason == "missing":
        return _("RunningHub has no %(what)s %(id)s, or not for this account. Check the number.") % words
    if error.reason == "key":
        return error.member_text
    return _("RunningHub would not tell about it (%(code)s). Try again later.") % words


def _silent(connection: Connection, error: UpstreamError) -> str:
    where = {"where": connection.where, "code": error.code}
    if error.code in ("unreachable", "no_answer"):
        return _("%(where)s did not answer. Try again later.") % where
    return _("%(where)s gave an answer that no form can be read from (%(code)s).") % where


def _note(model: TeamModel, sentence: str) -> bool:
    rows = TeamModel.objects.filter(pk=model.pk, state=State.WAITING)
    rows.update(state=State.FAILED, sentence=sentence, lease_until=None)
    return False
