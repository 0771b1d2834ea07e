"""A generation that somebody has to decide about, with all that is known: for the inbox and for its own page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Team
from generations import bill
from generations.models import Bell, Connection, Finding, Generation, Inquiry, Question, State
from generations.pipeline import resolve
from generations.templatetags.ui import money
from generations.views import params, sound

RECORD = "/call-api/call-record-detail/"
"""Where a site of RunningHub shows one call (API.md 3)."""


@dataclass(frozen=True)
class Case:
    """`inquiry` is None while nothing was asked or noted about it. What the account has is told where
    `shows_account`: it is nobody else's.
    """

    generation: Generation
    inquiry: Inquiry | None
    shows_account: bool

    @property
    def model_title(self) -> str:
        return sound.model_title(self.generation.model)

    @property
    def settings(self) -> list[tuple[str, str, bool]]:
        return params.sent(self.generation)

    @property
    def is_lost(self) -> bool:
        return self.generation.status == State.UNCONFIRMED

    @property
    def is_mistaken(self) -> bool:
        return resolve.is_doubtful(self.generation)

    @property
    def is_cut_off(self) -> bool:
        return resolve.is_cut_off(self.generation)

    @property
    def may_attach(self) -> bool:
        """Whether RunningHub can be asked about a task."""
        return not self.generation.connection.is_gone

    @property
    def may_release(self) -> bool:
        return self.is_lost or self.is_mistaken or self.is_cut_off

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to decide any more."""
        aside = self.generation.parked_at is not None
        return not (self.may_release or aside)

    @property
    def held(self) -> str:
        amount = self.generation.cost_estimated if self.generation.holds else None
        return money(amount, self.generation.currency) if amount else _("price unknown")

    @property
    def is_asked(self) -> bool:
        """Whether RunningHub is being asked about a task right now."""
        return self.inquiry is not None and self.inquiry.question == Question.TASK

    @property
    def task(self) -> str:
        """The number that was named last."""
        return self.inquiry.task if self.inquiry else ""

    @property
    def was_found(self) -> bool:
        return self.inquiry is not None and self.inquiry.answer == Finding.EXISTS

    @property
    def may_insist(self) -> bool:
        doubted = {Finding.DIFFERS, Finding.NO_ANSWER}
        return bool(self.task and self.inquiry and self.inquiry.answer in doubted) and self.may_attach

    @property
    def differences(self) -> list[dict[str, str]]:
        return list(self.inquiry.detail.get("differences", [])) if self.inquiry and self.may_insist else []

    @property
    def answer(self) -> str:
        """What came of the number that was named, in whole sentences; "" when none was."""
        if self.inquiry is None or not self.task:
            return ""
        task = {"task": self.task, "account": self.inquiry.detail.get("account", "")}
        if self.is_asked:
            return _("RunningHub is asked about the task %(task)s. It is attached when it is the one.") % task
        return {
            Finding.EXISTS: _("The task %(task)s is the one. It is followed."),
            Finding.DIFFERS: _("The task %(task)s exists, but it does not look like this one. Is it?"),
            Finding.UNKNOWN: _(
                "RunningHub does not know the task %(task)s under this key: the number is mistyped, too old, "
                "or it belongs to another account."
            ),
            Finding.ELSEWHERE: _("The task %(task)s belongs to another account: %(account)s."),
            Finding.TAKEN: _("The task %(task)s already belongs to another generation."),
            Finding.NO_ANSWER: _("RunningHub did not say anything about the task %(task)s. Try again later."),
        }.get(Finding(self.inquiry.answer), "") % task

    @property
    def record(self) -> str:
        """The address of RunningHub's own record: of the task when one is known, else of the site; "" for none."""
        return record(self.generation.connection, self.task or self.generation.upstream_id)

    @cached_property
    def facts(self) -> list[tuple[str, str]]:
        """What the account said around the moment: (when, what)."""
        if self.inquiry is None or not self.is_lost:
            return []
        found = []
        for facts, label in ((self.inquiry.before, _("Before")), (self.inquiry.after, _("After"))):
            if facts and (words := self._account(facts)):
                found.append((_moment(label, facts.get("at", "")), words))
        now = self.generation.connection
        latest = {"balance": now.balance, "currency": now.currency, "running": now.running}
        at = now.checked_at.isoformat() if now.checked_at else ""
        after = (self.inquiry.after or {}).get("at", "")
        if at > after and (words := self._account(latest)):
            found.append((_moment(_("Now"), at), words))
        return found

    @property
    def verdict(self) -> str:
        """What probably became of it, judging by the account. Nobody should pay or give up by this alone."""
        if self.inquiry is None or not self.is_lost:
            return ""
        after = self.inquiry.after
        if not after:
            return _("The account has not been looked at since.")
        words = [_by_count(after)]
        if self.shows_account:
            words.append(_by_balance(self.inquiry.before or {}, after, self.generation))
        return " ".join(word for word in words if word)

    def _account(self, facts: dict[str, Any]) -> str:
        return _account(facts if self.shows_account else {**facts, "balance": ""})


def cases(generations: Sequence[Generation], team: Team) -> list[Case]:
    """Of these generations of a team, by one query, and two for each account that an answer was lost from."""
    inquiries = Inquiry.objects.in_bulk([row.pk for row in generations]) if generations else {}
    accounts = {row.connection for row in generations if row.status == State.UNCONFIRMED}
    ours = {one.pk for one in accounts if bill.is_ours_alone(one, team)}
    return [Case(row, inquiries.get(row.pk), row.connection_id in ours) for row in generations]


def case(generation: Generation) -> Case:
    """The case of one generation."""
    return cases([generation], generation.team)[0]


def record(connection: Connection, task: str) -> str:
    """Where RunningHub shows what it was called for; "" when it shows it nowhere."""
    if connection.is_sandbox:
        return f"{settings.RUNNINGHUB_BASE_URL}/sandbox/log" if settings.USES_SANDBOX else ""
    return f"{connection.base_url}{RECORD}{task}" if task else connection.base_url


def bell(generation: Generation) -> str:
    """What became of the webhook, in words; "" when none was asked for."""
    return {
        Bell.ASKED: _("asked for, has not come"),
        Bell.RANG: _("came"),
        Bell.SILENT: _("never came; polling found the end"),
    }.get(Bell(generation.webhook), "")


def bell_answer(inquiry: Inquiry | None) -> str:
    """What RunningHub said when it was asked for the webhook; "" when it was not."""
    if inquiry is None:
        return ""
    if inquiry.question == Question.WEBHOOK:
        return _("RunningHub is asked for it.")
    said = {
        "status": inquiry.detail.get("status") or "?",
        "response": inquiry.detail.get("response") or _("nothing"),
    }
    return (
        {
            Finding.NO_EVENT: _("RunningHub has no webhook of this task yet."),
            Finding.RESENT: _(
                "RunningHub sends it again. Before, it noted %(status)s and was answered: %(response)s."
            ),
            Finding.LOOKED_UP: _("RunningHub noted %(status)s and was answered: %(response)s."),
            Finding.NO_ANSWER: _("RunningHub did not answer."),
        }.get(Finding(inquiry.answer), "")
        % said
        if not inquiry.task
        else ""
    )


def _account(facts: dict[str, Any]) -> str:
    words = []
    if facts.get("balance"):
        words.append(
            _("balance %(amount)s") % {"amount": money(facts["balance"], facts.get("currency") or "CNY")}
        )
    if facts.get("running") is not None:
        words.append(
            ngettext("%(n)s task under way", "%(n)s tasks under way", facts["running"])
            % {"n": facts["running"]}
        )
    return ", ".join(words)


def _moment(label: str, at: str) -> str:
    try:
        moment = timezone.localtime(datetime.fromisoformat(at))
    except ValueError:
        return label
    return _("%(label)s, %(time)s") % {"label": label, "time": date_format(moment, "j M H:i:s")}


def _by_count(after: dict[str, Any]) -> str:
    """The tasks that run upstream against those we know of, at the first look since."""
    if after.get("running") is None:
        return ""
    ours, lost = after.get("known", 0) + after.get("outside", 0), after.get("lost", 1)
    extra = after["running"] - ours
    counts = {"running": after["running"], "known": ours, "extra": extra, "lost": lost}
    if extra <= 0:
        return (
            _(
                "RunningHub counted %(running)s and we knew of %(known)s: it had ended by then, or it never arrived."
            )
            % counts
        )
    if extra >= lost:
        return _("RunningHub counted %(running)s and we knew of %(known)s: it probably exists.") % counts
    return (
        _(
            "RunningHub counted %(running)s and we knew of %(known)s: of %(lost)s whose answer was lost, "
            "%(extra)s probably exist."
        )
        % counts
    )


def _by_balance(before: dict[str, Any], after: dict[str, Any], generation: Generation) -> str:
    if before.get("currency") != after.get("currency"):
        return ""
    try:
        fell = Decimal(before.get("balance") or "") - Decimal(after.get("balance") or "")
    except InvalidOperation:
        return ""
    amount = {"amount": money(fell, generation.currency)}
    if fell <= 0:
        return _("The balance did not fall, so nothing was charged for it by then.")
    if generation.cost_estimated and fell < generation.cost_estimated:
        return _("The balance fell by %(amount)s, which is less than it costs.") % amount
    return _("The balance fell by %(amount)s; others that ended meanwhile may be in that.") % amount
