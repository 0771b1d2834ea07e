"""Asking for more: a member asks at the moment of a refusal, and one manager decides.

Every decision is conditional on the request still being open, in the transaction that grants, so of two managers at
once one grants and the other is told. People are told in the same transaction: what was rolled back was never told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Allowance, Measure, Membership, Mode, Period, Scope, Team, TopUp, User, audit
from accounts.notify import tell
from generations.limit_words import limit_name
from generations.models import AllowanceRequest, Change, Connection, Draft, database_now
from generations.quota import Line

State = AllowanceRequest.State
WITHOUT_RESET = timedelta(days=30)
"""How long a one-off grant counts where the limit never starts anew."""
LIVES = timedelta(days=30)
QUIET = timedelta(hours=1)
"""How long a request about such a limit stays open."""


class Settled(Exception):
    """Somebody decided before, or it was withdrawn or is over. `request` is as it is now."""

    def __init__(self, request: AllowanceRequest) -> None:
        super().__init__(f"The request is {request.state} already.")
        self.request = request


def may_be_asked_for(line: Line) -> bool:
    """Whether a manager can give more of this limit: not of the cap that somebody set for themself, and room for more
    at the same time comes by itself.
    """
    return line.scope != Scope.OWN and line.measure != Measure.CONCURRENT


def ask(
    membership: Membership, line: Line, amount: Decimal, reason: str, draft: Draft | None, model: str = ""
) -> AllowanceRequest:
    """Asks for more of this limit. Who has asked for it already changes what they asked for; managers hear once."""
    fields = {
        "amount": amount,
        "reason": reason[:500],
        "draft": draft,
        "model": model,
        "resets_at": line.resets_at,
    }
    which = {
        "membership": membership,
        "scope": Scope.POOL if line.scope == Scope.POOL else Scope.MEMBER,
        "measure": line.measure,
        "period": line.period,
        "state": State.OPEN,
    }
    try:
        with transaction.atomic():
            if AllowanceRequest.objects.filter(**which).update(**fields):
                return AllowanceRequest.objects.get(**which)
            request = AllowanceRequest.objects.create(team=membership.team, **which, **fields)
            audit.note(
                "request.made",
                team=membership.team,
                by=membership.user,
                subject=limit_name(line.scope, line.measure, line.period),
                after={"amount": amount},
                reason=reason[:500],
            )
            _note(request, "allowance.asked")
            if not _asked_lately(request):
                _tell_managers(request)
    except IntegrityError:  # asked twice at once; the other one told the managers
        AllowanceRequest.objects.filter(**which).update(**fields)
        which.pop("state")
        return AllowanceRequest.objects.filter(**which).latest("id")
    return request


def _asked_lately(request: AllowanceRequest) -> bool:
    """Whether the managers have heard of the same wish within the hour, and it was withdrawn or settled since."""
    same = AllowanceRequest.objects.filter(
        membership=request.membership, scope=request.scope, measure=request.measure, period=request.period
    )
    return same.filter(created_at__gt=timezone.now() - QUIET).exclude(pk=request.pk).exists()


def grant_once(request: AllowanceRequest, by: Membership, amount: Decimal) -> TopUp:
    """A top-up until the limit starts anew. Raises `Settled`, `ValueError` with a sentence."""
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=request.team_id)
        now = database_now()
        _settle(request, State.GRANTED, granted=amount, decided_by=by.user)
        topup = TopUp.grant(
            team,
            membership=_receiver(request),
            measure=Measure(request.measure),
            amount=amount,
            from_at=now,
            until_at=Period(request.period).bounds(now, team.zone)[1] or now + WITHOUT_RESET,
            reason=request.reason,
            by=by.user,
        )
        _tell_member(request, "granted", _("Your request for more was granted"))
    return topup


def grant_for_good(request: AllowanceRequest, by: Membership, amount: Decimal) -> None:
    """Raises the limit itself by `amount`: the member's own one, or the pool's. A limit that is gone meanwhile is not
    brought back. Raises `Settled`, `ValueError` with a sentence.
    """
    with transaction.atomic():
        team = Team.objects.select_for_update().get(pk=request.team_id)
        _settle(request, State.GRANTED, granted=amount, decided_by=by.user, from_now_on=True)
        rows = Allowance.in_force(team.allowances.all(), request.membership)
        found = False
        scopes = (Scope.POOL,) if request.scope == Scope.POOL else (Scope.DEFAULT, Scope.MEMBER)
        for row in rows:
            if row.scope in scopes and (row.measure, row.period) == (request.measure, request.period):
                found = True
                Allowance.put(
                    team,
                    scope=Scope(request.scope),
                    membership=_receiver(request),
                    measure=Measure(row.measure),
                    period=Period(row.period),
                    mode=Mode.LIMITED,
                    limit=(row.limit or Decimal(0)) + amount,
                    action=row.action,  # type: ignore[arg-type]
                    by=by.user,
                    reason=request.reason,
                )
        if not found:
            raise ValueError(_("This limit is not in force any more. Grant it once, or decline."))
        _tell_member(request, "granted", _("Your limit was raised"))


def decline(request: AllowanceRequest, by: Membership, answer: str) -> None:
    """Says no, with a sentence. Raises `Settled`."""
    with transaction.atomic():
        _settle(request, State.DECLINED, decided_by=by.user, answer=answer[:500])
        audit.note(
            "request.declined",
            team=request.team,
            by=by.user,
            person=request.membership.user,
            after={"asked": request.amount, "measure": request.measure, "period": request.period},
            reason=answer,
        )
        _tell_member(request, "refused", _("Your request for more was declined"))


def withdraw(request: AllowanceRequest) -> None:
    """The member does not need it any more. Raises `Settled`."""
    with transaction.atomic():
        _settle(request, State.WITHDRAWN)


def expire(now: datetime | None = None) -> int:
    """Ends requests about a limit that has started anew, or that nobody answered, and tells who asked."""
    now = now or timezone.now()
    rows = AllowanceRequest.objects.filter(state=State.OPEN).select_related(
        "team", "membership__user", "draft"
    )
    done = 0
    for request in rows:
        if (request.resets_at or request.created_at + LIVES) > now:
            continue
        with transaction.atomic():
            if not request.settle(State.EXPIRED):
                continue
            request.state = State.EXPIRED
            _tell_member(request, "refused", _("Nobody answered your request for more"))
        done += 1
    return done


def about(request: AllowanceRequest) -> str:
    """Where the member goes on: the form that waits, else their usage."""
    slug = request.team.slug
    if request.draft_id is not None:
        return reverse("draft_open", args=[slug, request.draft_id])
    return reverse("usage", args=[slug])


def amount_in(request: AllowanceRequest, amount: Decimal) -> str:
    """Such as `5.00 CNY` or `3 generations`."""
    if request.measure == Measure.SPEND:
        return f"{amount:.2f} {Connection.of(request.team).currency}"
    return _("%(n)s generations") % {"n": int(amount)}


def managers(team: Team) -> list[User]:
    """Whoever may decide, and is told."""
    rows = Membership.objects.filter(team=team, role__in=Membership.MANAGING, ended_at=None)
    return [row.user for row in rows.filter(user__is_active=True).select_related("user").order_by("pk")]


def _receiver(request: AllowanceRequest) -> Membership | None:
    return None if request.scope == Scope.POOL else request.membership


def _settle(request: AllowanceRequest, state: State, **changes: object) -> None:
    if not request.settle(state, **changes):
        request.refresh_from_db()
        raise Settled(request)
    request.state = state
    for name, value in changes.items():
        setattr(request, name, value)


def _tell_managers(request: AllowanceRequest) -> None:
    name = request.membership.user.display_name
    words = {
        "name": name,
        "amount": amount_in(request, request.amount or Decimal(0)),
        "reason": request.reason,
    }
    for user in managers(request.team):
        if user.pk != request.membership.user_id:
            tell(
                user,
                "asked",
                _("%(name)s asks for %(amount)s more") % words,
                _("“%(reason)s”") % words,
                team=request.team,
                link=reverse("allowance_requests", args=[request.team.slug]),
            )


def _note(request: AllowanceRequest, event: str) -> None:
    """For programs that read the changes of the team."""
    Change.note(
        request.team,
        event,
        request.pk,
        person=request.membership.user,
        id=request.pk,
        member=request.membership.user.email,
        scope=request.scope,
        measure=request.measure,
        period=request.period,
        amount=str(request.amount),
        granted=None if request.granted is None else str(request.granted),
        state=request.state,
    )


def _tell_member(request: AllowanceRequest, event: str, title: str) -> None:
    _note(request, "allowance.granted" if request.state == State.GRANTED else "allowance.declined")
    words = {"by": request.decided_by.display_name if request.decided_by else "", "answer": request.answer}
    if request.state == State.GRANTED and request.granted is not None:
        words["amount"] = amount_in(request, request.granted)
        text = (
            _("%(by)s raised the limit by %(amount)s from now on.")
            if request.from_now_on
            else _("%(by)s granted %(amount)s more, once.")
        )
    elif request.state == State.DECLINED:
        text = _("%(by)s: %(answer)s") if request.answer else _("%(by)s declined it.")
    else:
        text = _("The limit has started anew, or it was too long ago.")
    said = text % words
    if request.draft_id is not None:
        said = f"{said}\n\n" + _("Your form is still there, as you filled it.")
    tell(request.membership.user, event, title, said, team=request.team, link=about(request))
