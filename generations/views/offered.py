"""Which models there are to choose from: those of the site that the team is connected to."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Team
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec
from generations.models import Connection


class NotOffered(Http404):
    """The catalogue has the model, but not on this site; the message says so in words for people."""


def site(team: Team) -> str:
    """The site of the connection that this team uses."""
    return Connection.of(team).site


def models(team: Team) -> Sequence[ModelSpec]:
    """The models to choose from, in the order of the picker."""
    return load.offered(site(team))


def not_offered(site: str) -> str:
    """The sentence for a model that this site does not have."""
    return _("This model is not offered on RunningHub’s .%(site)s site.") % {"site": site}
