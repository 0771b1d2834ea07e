"""People and what they may use. Knows nothing of generations."""

from accounts.models.allowance import Action, Allowance, Measure, Mode, Period, Scope
from accounts.models.audit import AuditEntry
from accounts.models.invitation import Invitation, TeamDomain
from accounts.models.money import MoneyField
from accounts.models.notice import Notice, NoticeDismissal
from accounts.models.notification import Notification
from accounts.models.team import Membership, Team
from accounts.models.telling import Telling
from accounts.models.token import ApiToken, Reach
from accounts.models.topup import TopUp
from accounts.models.user import User
from accounts.models.warning import LimitWarning
from accounts.roles import Role

__all__ = [
    "Action",
    "Allowance",
    "ApiToken",
    "AuditEntry",
    "Invitation",
    "LimitWarning",
    "Measure",
    "Membership",
    "Mode",
    "MoneyField",
    "Notice",
    "NoticeDismissal",
    "Notification",
    "Period",
    "Reach",
    "Role",
    "Scope",
    "Team",
    "TeamDomain",
    "Telling",
    "TopUp",
    "User",
]
