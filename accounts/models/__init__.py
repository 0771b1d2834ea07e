"""People and what they may use. Knows nothing of generations."""

from accounts.models.allowance import Action, Allowance, Measure, Mode, Period, Scope
from accounts.models.money import MoneyField
from accounts.models.team import Membership, Role, Team
from accounts.models.token import ApiToken
from accounts.models.user import User

__all__ = [
    "Action",
    "Allowance",
    "ApiToken",
    "Measure",
    "Membership",
    "Mode",
    "MoneyField",
    "Period",
    "Role",
    "Scope",
    "Team",
    "User",
]
