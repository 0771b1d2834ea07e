"""What can be done with many generations at once: who may, how it is done, and how it is told.

A page and REST name a deed by its word; rows that are not the member's to change are left as they are, and counted.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import roles
from accounts.models import Membership, audit
from accounts.roles import Deed
from generations import keeping
from generations.keeping import shelves
from generations.models import Alteration
from generations.models.generation import GenerationQuerySet
from generations.views import access

Act = Callable[[Membership, GenerationQuerySet, Mapping[str, str]], "Alteration | None"]


class BadDeed(ValueError):
    """What was asked for cannot be done; the message says what to do instead."""


@dataclass(frozen=True)
class Done:
    """`change` takes it back, None when nothing was changed; `left` were not the member's to change, or cannot be."""

    change: Alteration | None
    count: int
    left: int
    said: str

    @property
    def sentence(self) -> str:
        if not self.left:
            return self.said
        rest = ngettext(
            "%(n)s was left as it is: it is not yours to change, is still running, or a voice needs it.",
            "%(n)s were left as they are: they are not yours to change, are still running, or a voice needs them.",
            self.left,
        )
        return f"{self.said} {rest % {'n': self.left}}"


@dataclass(frozen=True)
class Kind:
    """`own`: only what `access.may_change` lets the member change. `noted`: the action in the audit trail."""

    deed: Deed
    act: Act
    words: Callable[[int], str]
    own: bool = False
    noted: str = ""


def rating_of(text: str) -> int:
    """Raises `BadDeed`."""
    if text not in {"0", "1", "2", "3", "4", "5"}:
        raise BadDeed(_("Choose a rating from 1 to 5, or 0 for none."))
    return int(text)


def _rate(who: Membership, rows: GenerationQuerySet, given: Mapping[str, str]) -> Alteration | None:
    return keeping.rate(rows, who.user, rating_of(given.get("rating", "")))


def _tag(who: Membership, rows: GenerationQuerySet, given: Mapping[str, str]) -> Alteration | None:
    try:
        return keeping.tag(rows, who.user, who.team, given.get("tag", ""))
    except keeping.BadTag as bad:
        raise BadDeed(str(bad)) from None


def _untag(who: Membership, rows: GenerationQuerySet, given: Mapping[str, str]) -> Alteration | None:
    return keeping.untag(rows, who.user, who.team, given.get("tag", "")[:200])


def _collect(who: Membership, rows: GenerationQuerySet, given: Mapping[str, str]) -> Alteration | None:
    try:
        return shelves.add(access.collection(who, access.id_in(given.get("collection", ""))), rows, who.user)
    except shelves.Full as full:
        raise BadDeed(str(full)) from None


def _uncollect(who: Membership, rows: GenerationQuerySet, given: Mapping[str, str]) -> Alteration | None:
    found = access.collection(who, access.id_in(given.get("collection", "")))
    return shelves.remove(found, rows, who.user)


KINDS: Mapping[str, Kind] = {
    "star": Kind(
        Deed.SEE,
        lambda who, rows, given: keeping.star(rows, who.user),
        lambda n: ngettext("%(n)s starred.", "%(n)s starred.", n),
    ),
    "unstar": Kind(
        Deed.SEE,
        lambda who, rows, given: keeping.unstar(rows, who.user),
        lambda n: ngettext("The star is off %(n)s.", "The stars are off %(n)s.", n),
    ),
    "rate": Kind(Deed.KEEP_ORDER, _rate, lambda n: ngettext("%(n)s rated.", "%(n)s rated.", n)),
    "tag": Kind(Deed.KEEP_ORDER, _tag, lambda n: ngettext("%(n)s tagged.", "%(n)s tagged.", n)),
    "untag": Kind(
        Deed.KEEP_ORDER, _untag, lambda n: ngettext("The tag is off %(n)s.", "The tag is off %(n)s.", n)
    ),
    "collect": Kind(
        Deed.KEEP_ORDER,
        _collect,
        lambda n: ngettext("%(n)s added to the collection.", "%(n)s added to the collection.", n),
    ),
    "uncollect": Kind(
        Deed.KEEP_ORDER,
        _uncollect,
        lambda n: ngettext(
            "%(n)s taken out of the collection. It stays in the library.",
            "%(n)s taken out of the collection. They stay in the library.",
            n,
        ),
    ),
    "approve": Kind(
        Deed.APPROVE,
        lambda who, rows, given: keeping.approve(rows, who.user),
        lambda n: ngettext("%(n)s approved.", "%(n)s approved.", n),
        noted="generations.approved",
    ),
    "unapprove": Kind(
        Deed.APPROVE,
        lambda who, rows, given: keeping.unapprove(rows, who.user),
        lambda n: ngettext("%(n)s is not approved any more.", "%(n)s are not approved any more.", n),
        noted="generations.unapproved",
    ),
    "private": Kind(
        Deed.GENERATE,
        lambda who, rows, given: keeping.open_up(rows, who.user, private=True),
        lambda n: ngettext(
            "%(n)s is seen by its author and managers only.",
            "%(n)s are seen by their authors and managers only.",
            n,
        ),
        own=True,
        noted="generations.opened",
    ),
    "team": Kind(
        Deed.GENERATE,
        lambda who, rows, given: keeping.open_up(rows, who.user, private=False),
        lambda n: ngettext("The team sees %(n)s now.", "The team sees %(n)s now.", n),
        own=True,
        noted="generations.opened",
    ),
    "trash": Kind(
        Deed.GENERATE,
        lambda who, rows, given: keeping.trash(rows, who.user),
        lambda n: ngettext(
            "%(n)s moved to the trash. It stays there for 30 days.",
            "%(n)s moved to the trash. They stay there for 30 days.",
            n,
        ),
        own=True,
        noted="generations.trashed",
    ),
}


def do(who: Membership, what: str, ids: Sequence[uuid.UUID], given: Mapping[str, str]) -> Done:
    """Does it with all of these that are there for the member. Raises `BadDeed`, `PermissionDenied`, `Http404`."""
    kind = KINDS.get(what)
    if kind is None:
        raise BadDeed(_("Choose what to do with them."))
    if not who.may(kind.deed):
        raise PermissionDenied(roles.refusal(kind.deed))
    if not ids:
        raise BadDeed(_("Choose at least one of them."))
    if len(ids) > keeping.MOST:
        words = {"most": keeping.MOST, "n": len(ids)}
        raise BadDeed(
            _("At most %(most)s can be changed at once, and %(n)s were chosen. Nothing was changed.") % words
        )
    rows: GenerationQuerySet = access.generations(who).filter(pk__in=ids)
    mine = access.changeable(who, rows) if kind.own else rows
    able = keeping.trashable(mine) if what == "trash" else mine
    count = len(set(able.values_list("pk", flat=True)))
    change = kind.act(who, mine, given)
    changed = len(change.rows) if change is not None else 0
    if change is not None and kind.noted:
        note(who, kind.noted, change)
    said = kind.words(changed) % {"n": changed} if changed else _("It was so already; nothing was changed.")
    if not count:
        said = _("Nothing was changed.")
    return Done(change, changed, len(ids) - count, said)


def note(who: Membership, action: str, change: Alteration) -> None:
    """Names them by their ids: a trail that nobody can change must not hold what may have to be removed."""
    ids = [one["id"] for one in change.rows]
    audit.note(action, team=who.team, by=who.user, after={"count": len(ids), "generations": ids[:20]})


def may_undo(who: Membership, change: Alteration) -> bool:
    """Whether the member's role still lets them do what taking it back does."""
    deeds = {"star": Deed.SEE, "approve": Deed.APPROVE}
    return who.may(deeds.get(change.what.removeprefix("un"), Deed.KEEP_ORDER))
