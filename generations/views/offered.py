"""Which models there are to choose from: those of the site that the team is connected to and the team's own, less
those that the team keeps from this member.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Membership, Team
from generations import own_models, permits
from generations.catalogue.spec import ModelSpec
from generations.models import Connection


class NotOffered(Http404):
    """The catalogue has the model, but not on this site; the message says so in words for people."""


def site(team: Team) -> str:
    """The site of the connection that this team uses."""
    return Connection.of(team).site


def models(membership: Membership) -> Sequence[ModelSpec]:
    """The models that this member may choose from, in the order of the picker."""
    team = membership.team
    return permits.permitted(membership, own_models.offered(team, site(team)))


def not_offered(site: str) -> str:
    """The sentence for a model that this site does not have."""
    return _("This model is not offered on RunningHub’s .%(site)s site.") % {"site": site}
