"""The role table: which role may do what. Access checks and tests read it, so it is true by being used.

A deed is one row; its columns are the roles. To change who may do something, change the row here and nothing else.
What a deed is done to still matters beside it: a member changes what is their own, a manager what others made.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    OWNER = "owner", "Owner"
    MANAGER = "manager", "Manager"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"


class Deed(StrEnum):
    """What can be done in a team, from the harmless to the weighty."""

    SEE = "see"
    """Find, play and download what the team made, who is in it, and one's own use."""
    GENERATE = "generate"
    """Spend: generate, upload, keep drafts and presets, make voices; change what is one's own."""
    SHARE = "share"
    """Make a link by which somebody outside the team hears what one sees oneself; change and revoke one's own."""
    KEEP_ORDER = "keep order"
    """Rate, tag and collect what the team made."""
    CHANGE_OTHERS = "change others'"
    """Cancel, rename and settle what a colleague made: generations, voices, shared presets."""
    SEE_SPENDING = "see spending"
    """What each colleague and the team used and paid."""
    MANAGE = "manage"
    """Add people, give roles below owner, set limits, change settings of the team."""
    ALLOW_MODELS = "allow models"
    """Say which models are for whom."""
    BRING_IN = "bring in"
    """Make AI apps and workflows models of the team, and settle what they ask for."""
    SETTLE = "settle"
    """Say what became of a generation whose answer was lost, and acknowledge lost results."""
    PAUSE = "pause"
    """Stop sending and have it go on; see the connections."""
    EXAMINE = "examine"
    """Read the doctor's findings and have it look again."""
    READ_TRAIL = "read trail"
    """Read, search and export the audit trail."""
    APPROVE = "approve"
    """Say which generations are approved."""
    RETAIN = "retain"
    """Empty the trash, and set the rules by which old generations go there."""
    ANNOUNCE = "announce"
    """Put a notice on every page of the team."""
    SEND_OUT = "send out"
    """Say to which addresses the changes of the team are sent, and read what became of it."""
    HOLD_KEYS = "hold keys"
    """Enter, replace, choose and remove keys of RunningHub."""
    OPEN_DOORS = "open doors"
    """Say of which email domains people may join by themselves."""
    MAKE_OWNERS = "make owners"
    """Make somebody an owner, or take that from one."""


_ALL = frozenset(Role)
_SPENDING = frozenset({Role.OWNER, Role.MANAGER, Role.MEMBER})
_MANAGING = frozenset({Role.OWNER, Role.MANAGER})
_OWNING = frozenset({Role.OWNER})

TABLE: Mapping[Deed, frozenset[Role]] = {
    Deed.SEE: _ALL,
    Deed.GENERATE: _SPENDING,
    Deed.SHARE: _SPENDING,
    Deed.KEEP_ORDER: _SPENDING,
    Deed.CHANGE_OTHERS: _MANAGING,
    Deed.SEE_SPENDING: _MANAGING,
    Deed.MANAGE: _MANAGING,
    Deed.ALLOW_MODELS: _MANAGING,
    Deed.BRING_IN: _MANAGING,
    Deed.SETTLE: _MANAGING,
    Deed.PAUSE: _MANAGING,
    Deed.EXAMINE: _MANAGING,
    Deed.READ_TRAIL: _MANAGING,
    Deed.APPROVE: _MANAGING,
    Deed.RETAIN: _MANAGING,
    Deed.ANNOUNCE: _MANAGING,
    Deed.SEND_OUT: _MANAGING,
    Deed.HOLD_KEYS: _OWNING,
    Deed.OPEN_DOORS: _OWNING,
    Deed.MAKE_OWNERS: _OWNING,
}

REFUSALS: Mapping[Deed, str | Promise] = {
    Deed.GENERATE: _("Viewers listen; they do not generate. Ask a manager for another role."),
    Deed.SHARE: _("Viewers listen; they do not share. Ask somebody who makes things here."),
    Deed.KEEP_ORDER: _("Viewers listen; they do not rate, tag or collect. Ask a manager for another role."),
    Deed.APPROVE: _("Only managers of the team say what is approved."),
    Deed.HOLD_KEYS: _("Only owners of the team may do this, because a key is money."),
    Deed.OPEN_DOORS: _("Only owners say who may join by themselves."),
    Deed.MAKE_OWNERS: _("Only owners may change or make owners."),
}
MANAGERS_ONLY = _("Only managers of the team may do this.")


def may(role: str, deed: Deed) -> bool:
    """Whether this role may do that. A role that is none may nothing."""
    return role in TABLE[deed]


def refusal(deed: Deed) -> str:
    """The sentence for whoever may not."""
    return str(REFUSALS.get(deed, MANAGERS_ONLY))


def to_give(role: str) -> list[Role]:
    """The roles that somebody of this role may give to others."""
    if not may(role, Deed.MANAGE):
        return []
    return [one for one in Role if one != Role.OWNER or may(role, Deed.MAKE_OWNERS)]
