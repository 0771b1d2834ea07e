"""Lines of the library in a template."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from accounts.models import Membership
from generations.views.drawn import draw
from generations.views.row import Row

register = template.Library()


@register.simple_tag
def drawn_row(row: Row, membership: Membership, oob: bool = False) -> SafeString:
    """The line of a generation for this member; `oob` in place of the one that is there."""
    return draw(row, may_rate=membership.may_generate, oob=oob)
