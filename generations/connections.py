"""What people do with a team's own connections: enter a key, use one, pause, resume, remove it.

Each verb takes the team's row first, as `accept` does, so that none of them falls between an order and its insert.
Nothing here reaches the network: a key that was entered waits as a `ConnectionKey` until the worker has tried it.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import (
    Allowance,
    ApiToken,
    Measure,
    Mode,
    Period,
    Scope,
    Team,
    TopUp,
    User,
    audit,
)
from generations import queue
from generations.models import (
    ACTIVE,
    AccountAnswer,
    AllowanceRequest,
    Connection,
    ConnectionKey,
    Generation,
    sealing,
)
from generations.models.connection import BY_HAND, CANDIDATES, addresses, key_digest, usual_currency

MOST = 20
"""Connections that a team may have at a time."""
IN_FLIGHT = timedelta(minutes=30)
"""Longer than a submit may be under way that had the key already when it was replaced."""


class NotDone(Exception):
    """It cannot be done as things stand; the message is a sentence for the person who asked."""


def add(team: Team, by: User, *, base_url: str, name: str, key: str) -> Connection:
    """A connection of the team's own, whose key is now tried. It is not used before somebody says so.

    Raises `NotDone`, ValueError for an address that is not on offer.
    """
    if base_url not in addresses():
        raise ValueError(base_url)
    with transaction.atomic():
        _lock(team)
        own = Connection.objects.filter(team=team, removed_at=None)
        if own.count() >= MOST:
            raise NotDone(_("A team may have %(most)s connections. Remove one first.") % {"most": MOST})
        digest = key_digest(key)
        if own.filter(base_url=base_url, key_digest=digest).exists():
            raise NotDone(_("The team has a connection with this key already."))
        connection = Connection.objects.create(
            team=team, name=name, base_url=base_url, currency=usual_currency(base_url), added_by=by
        )
        _enter(connection, by, key)
        said = {"name": name, "address": base_url, "key": key[-4:]}
        audit.note("connection.added", team=team, by=by, subject=str(connection), after=said)
    return connection


def enter_key(connection: Connection, by: User, key: str) -> None:
    """Another key for the same account. It replaces the one in use when it was tried. Raises `NotDone`."""
    with transaction.atomic():
        locked = _locked(connection)
        if not locked.stopped_because and locked.key_digest == key_digest(key):
            raise NotDone(_("This is the key that is in use already."))
        _enter(locked, by, key)
        audit.note("key.entered", team=locked.team, by=by, subject=str(locked), after={"key": key[-4:]})


def try_again(connection: Connection) -> bool:
    """Has the key that could not be tried be tried once more."""
    with transaction.atomic():
        _locked(connection)
        rows = connection.keys.filter(state=ConnectionKey.State.UNREACHABLE)
        done = rows.update(state=ConnectionKey.State.WAITING, sentence="", lease_until=None) == 1
        if done:
            queue.ring_key(connection.keys.get(state=ConnectionKey.State.WAITING).pk)
    return done


def use_anyway(connection: Connection) -> bool:
    """Takes the key although it could not be tried. False when there is none any more to take."""
    key = connection.keys.filter(state=ConnectionKey.State.UNREACHABLE).first()
    return key is not None and promote(key)


def promote(candidate: ConnectionKey, **found: object) -> bool:
    """Makes a key that was entered the one in use; `found` are values of the account that are known by now.

    The key it replaces is kept for the generations it sent. False when the candidate is gone: somebody entered
    another one or was quicker. Raises `NotDone` when this key would make receipts or limits be of two currencies.
    """
    with transaction.atomic():
        connection = _locked(candidate.connection)
        currency = found.get("currency", connection.currency)
        if currency != connection.currency and (connection.is_used or _has_receipts(connection)):
            words = {"then": currency, "now": connection.currency}
            raise NotDone(
                _(
                    "This key belongs to an account that pays in %(then)s; the sums of this connection are in "
                    "%(now)s. Add it as a connection of its own."
                )
                % words
            )
        taken = ConnectionKey.objects.filter(pk=candidate.pk, state__in=CANDIDATES).delete()[0]
        if not taken or connection.removed_at is not None:
            return False
        former = connection.key_hint
        if connection.sealed_key and connection.key_digest != candidate.key_digest:
            ConnectionKey.objects.create(
                connection=connection,
                state=ConnectionKey.State.FORMER,
                sealed_key=connection.sealed_key,
                key_hint=connection.key_hint,
                key_digest=connection.key_digest,
                replaced_at=timezone.now(),
            )
        connection.note_key(
            sealed_key=candidate.sealed_key, key_hint=candidate.key_hint, key_digest=candidate.key_digest
        )
        audit.note(
            "key.replaced",
            team=connection.team,
            by=candidate.entered_by,
            subject=str(connection),
            before={"key": former} if former else {},
            after={"key": candidate.key_hint},
        )
        Connection.objects.filter(pk=connection.pk).update(**found)
        queue.ring()
    return True


def use(team: Team, connection: Connection) -> bool:
    """The team uses this connection of its own, or the shared one, from now on; what was sent goes on where it is.

    False when it does already. Raises `NotDone`. Limits on spending are numbers in one currency: a team that has any
    cannot begin to pay in another one, because its sums and limits would silently mean something else.
    """
    with transaction.atomic():
        locked = _lock(team)
        present = Connection.of(locked)
        wanted = _locked(connection)
        if wanted.pk == present.pk:
            return False
        if wanted.removed_at is not None or not wanted.is_configured:
            raise NotDone(_("This connection has no key that can be used. Enter one first."))
        if wanted.currency != present.currency and _limits_spending(Team.objects.filter(pk=locked.pk)):
            words = {"now": present.currency, "then": wanted.currency}
            raise NotDone(
                _(
                    "This account pays in %(then)s, and the team’s limits on spending are in %(now)s. Set these limits "
                    "to “No limit” on the Team page, revoke API tokens that have one, change the connection, and set "
                    "them anew in %(then)s."
                )
                % words
            )
        if wanted.currency != present.currency:
            _end_spending(locked)
        Connection.objects.filter(team=locked, is_used=True).update(is_used=False)
        if not wanted.is_shared:
            Connection.objects.filter(pk=wanted.pk).update(is_used=True)
        audit.note(
            "connection.chosen",
            team=locked,
            subject=str(wanted),
            before={"connection": str(present)},
            after={"connection": str(wanted)},
        )
    return True


def may_pay_in(connection: Connection, currency: str) -> bool:
    """Whether an account that turns out to pay in `currency` may be counted in it from now on.

    Not the one that a team of its own uses, and not the shared one while limits on spending count what it sent in the
    currency of before: they would silently mean something else. The shared one is corrected at its first look, and
    where nobody has such limits; what members set themselves ends then.
    """
    if connection.currency == currency:
        return True
    if not connection.is_shared:
        return not connection.is_used
    if not _has_receipts(connection):
        return True
    with transaction.atomic():
        own = Connection.objects.filter(team=OuterRef("pk"), is_used=True)
        rows = Team.objects.exclude(Exists(own)).order_by("pk")
        teams = list(rows.select_for_update())
        if _limits_spending(rows):
            return False
        for team in teams:
            _end_spending(team)
    return True


def remove(connection: Connection) -> None:
    """Takes a connection out of use for good and forgets its keys. Its receipts keep its name. Raises `NotDone`."""
    with transaction.atomic():
        locked = _locked(connection)
        if locked.is_shared:
            raise NotDone(
                _("The shared connection is that of the portal; its key stands in the environment.")
            )
        if locked.is_used:
            raise NotDone(_("The team uses this connection. Choose another one first."))
        under_way = under_way_on(locked)
        if under_way:
            raise NotDone(
                _("%(n)s generations of this connection have not ended. Wait for them, or settle them.")
                % {"n": under_way}
            )
        now = timezone.now()
        Connection.objects.filter(pk=locked.pk).update(removed_at=now, sealed_key="")
        locked.keys.filter(state__in=CANDIDATES).delete()
        locked.keys.update(state=ConnectionKey.State.FORGOTTEN, sealed_key="")
        audit.note(
            "connection.removed", team=locked.team, subject=str(locked), before={"key": locked.key_hint}
        )


def pause(connection: Connection, team: Team, by: User, reason: str) -> bool:
    """Stops sending until somebody resumes it. What was sent goes on. False when it is paused already.

    `team` is that of the person: the shared connection is no team's, and its trail tells who stopped it for all.
    """
    with transaction.atomic():
        done = connection.pause(BY_HAND, reason, by)
        if done:
            audit.note("sending.paused", team=team, by=by, subject=str(connection), reason=reason)
    return done


def resume(connection: Connection, team: Team) -> bool:
    """Sending goes on. False when it was not paused."""
    with transaction.atomic():
        done = connection.resume()
        if done:
            audit.note("sending.resumed", team=team, subject=str(connection), reason=connection.paused_reason)
            queue.ring()
    return done


def ask_account(connection: Connection) -> bool:
    """Has the account say what it is. False when it is being asked, or just was."""
    with transaction.atomic():
        wanted = AccountAnswer.want(connection)
        if wanted:
            queue.ring_account(connection.pk)
    return wanted


def under_way_on(connection: Connection) -> int:
    """How many generations of this connection have not ended."""
    return Generation.objects.filter(connection=connection, status__in=ACTIVE).count()


def tend() -> None:
    """What nobody waits for: keys that no message came for are tried, former ones are forgotten, all are sealed with
    the present secret key. Once a minute; twice does no harm.
    """
    now = timezone.now()
    waiting = ConnectionKey.objects.filter(state=ConnectionKey.State.WAITING).exclude(lease_until__gt=now)
    for pk in waiting.filter(entered_at__lt=now - timedelta(seconds=20)).values_list("pk", flat=True):
        queue.ring_key(pk)
    _forget_former()
    _seal_anew()


def _forget_former() -> None:
    settled = timezone.now() - IN_FLIGHT
    for key in ConnectionKey.objects.filter(state=ConnectionKey.State.FORMER, replaced_at__lt=settled):
        sent = Generation.objects.filter(connection=key.connection_id, status__in=ACTIVE)
        if not sent.filter(key_digest=key.key_digest).exists():
            rows = ConnectionKey.objects.filter(pk=key.pk, state=ConnectionKey.State.FORMER)
            rows.update(state=ConnectionKey.State.FORGOTTEN, sealed_key="")


def _seal_anew() -> None:
    for connection in Connection.objects.exclude(sealed_key=""):
        fresh = _fresh(connection.base_url, connection.sealed_key)
        if fresh:
            rows = Connection.objects.filter(pk=connection.pk, sealed_key=connection.sealed_key)
            rows.update(sealed_key=fresh)
    for key in ConnectionKey.objects.exclude(sealed_key="").select_related("connection"):
        fresh = _fresh(key.connection.base_url, key.sealed_key)
        if fresh:
            ConnectionKey.objects.filter(pk=key.pk, sealed_key=key.sealed_key).update(sealed_key=fresh)


def _fresh(address: str, sealed: str) -> str:
    """The same key, sealed with the present secret; "" where that is not needed or not possible."""
    if sealing.is_up_to_date(address, sealed):
        return ""
    try:
        return sealing.seal(address, sealing.unseal(address, sealed))
    except sealing.Unreadable:
        return ""


def _enter(connection: Connection, by: User, key: str) -> None:
    """Puts the key in the place of any other that waits to be tried."""
    connection.keys.filter(state__in=CANDIDATES).delete()
    try:
        with transaction.atomic():
            entered = ConnectionKey.objects.create(
                connection=connection,
                sealed_key=sealing.seal(connection.base_url, key),
                key_hint=key[-4:],
                key_digest=key_digest(key),
                entered_by=by,
            )
    except IntegrityError:
        raise NotDone(_("Somebody else entered a key in this moment. Look at it first.")) from None
    queue.ring_key(entered.pk)


def _has_receipts(connection: Connection) -> bool:
    """Whether anything that it sent counts in its currency."""
    return Generation.objects.filter(connection=connection, currency=connection.currency).exists()


def _limits_spending(teams: QuerySet[Team]) -> bool:
    """Limits that a manager set for somebody who is there, and those of API tokens. What members set themselves and
    what people left behind is ended with the currency instead, since no manager could.
    """
    rows = Allowance.objects.filter(team__in=teams, measure=Measure.SPEND, mode=Mode.LIMITED)
    if rows.exclude(scope=Scope.OWN).exclude(membership__ended_at__isnull=False).exists():
        return True
    tokens = ApiToken.valid().filter(membership__team__in=teams, spend_limit__isnull=False)
    return tokens.exists()


def _end_spending(team: Team) -> None:
    """What was meant in the currency of before: top-ups, caps of members' own, and limits of those who left."""
    TopUp.end_spending(team)
    rows = Allowance.objects.filter(team=team, measure=Measure.SPEND, mode=Mode.LIMITED)
    for row in rows.select_related("membership__user"):
        Allowance.put(
            team,
            scope=Scope(row.scope),
            measure=Measure.SPEND,
            period=Period(row.period),
            mode=Mode.UNLIMITED,
            membership=row.membership,
        )
    for request in AllowanceRequest.objects.filter(team=team, measure=Measure.SPEND, state="open"):
        request.settle(AllowanceRequest.State.EXPIRED)


def _lock(team: Team) -> Team:
    return Team.objects.select_for_update().get(pk=team.pk)


def _locked(connection: Connection) -> Connection:
    """The connection as it is now, under the locks of its team and of itself."""
    if connection.team_id is not None:
        Team.objects.select_for_update().get(pk=connection.team_id)
    return Connection.objects.select_for_update().get(pk=connection.pk)
