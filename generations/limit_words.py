"""What pages and mails call a limit."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Scope

MEMBER: dict[tuple[str, str], Promise] = {
    ("spend", "day"): _("Spend per day"),
    ("spend", "week"): _("Spend per week"),
    ("spend", "month"): _("Spend per month"),
    ("spend", "none"): _("Spend, ever"),
    ("count", "day"): _("Generations per day"),
    ("count", "week"): _("Generations per week"),
    ("count", "month"): _("Generations per month"),
    ("count", "none"): _("Generations, ever"),
    ("concurrent", "none"): _("Running at the same time"),
}
POOL: dict[tuple[str, str], Promise] = {
    ("spend", "day"): _("Team pool, spend per day"),
    ("spend", "week"): _("Team pool, spend per week"),
    ("spend", "month"): _("Team pool, spend per month"),
    ("spend", "none"): _("Team pool, spend ever"),
    ("count", "day"): _("Team pool, generations per day"),
    ("count", "week"): _("Team pool, generations per week"),
    ("count", "month"): _("Team pool, generations per month"),
    ("count", "none"): _("Team pool, generations ever"),
    ("concurrent", "none"): _("Team pool, running at the same time"),
}
OWN: dict[tuple[str, str], Promise] = {
    ("spend", "day"): _("Own cap, spend per day"),
    ("spend", "week"): _("Own cap, spend per week"),
    ("spend", "month"): _("Own cap, spend per month"),
    ("spend", "none"): _("Own cap, spend ever"),
    ("count", "day"): _("Own cap, generations per day"),
    ("count", "week"): _("Own cap, generations per week"),
    ("count", "month"): _("Own cap, generations per month"),
    ("count", "none"): _("Own cap, generations ever"),
    ("concurrent", "none"): _("Own cap, running at the same time"),
}
BY_SCOPE = {Scope.POOL: POOL, Scope.OWN: OWN}


def limit_name(scope: str, measure: str, period: str) -> str:
    """A limit by its name, such as "Spend per week" or "Team pool, generations per day"."""
    return str(BY_SCOPE.get(Scope(scope), MEMBER)[measure, period])
