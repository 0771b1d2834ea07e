"""Reports: where the money goes. Managers see the whole team, everybody their own receipts; the address is the filter.

What the page shows is also a file, with the same rows, order and figures; and so are the receipts themselves, whose
sum is that of the report.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Membership, audit
from accounts.roles import Deed
from generations import reports as sums
from generations.forms.report import Report
from generations.reports import By, Row, Wanted
from generations.views import access
from generations.views.report_chart import drawings
from generations.views.report_table import Table, table
from generations.views.spreadsheet import download

KEPT = ("span", "from", "to", "member", "model", "kind", "state", "tag", "by")
RECEIPTS = (
    "id", "time", "member", "email", "model", "kind", "state", "currency", "estimated", "actual", "counted",
    "upstream id", "consumeMoney", "consumeCoins", "taskCostTime", "thirdPartyConsumeMoney",
)  # fmt: skip


@require_safe
def reports(request: HttpRequest, team: str) -> HttpResponse:
    """The receipts of the whole team."""
    return _page(request, access.may(request, team, Deed.SEE_SPENDING), own=False)


@require_safe
def reports_csv(request: HttpRequest, team: str) -> HttpResponseBase:
    """What `reports` shows, as a file."""
    return _table_file(request, access.may(request, team, Deed.SEE_SPENDING), own=False)


@require_safe
def reports_receipts(request: HttpRequest, team: str) -> HttpResponseBase:
    """The receipts that `reports` sums up, one a line."""
    return _receipts_file(request, access.may(request, team, Deed.SEE_SPENDING), own=False)


@require_safe
def own_report(request: HttpRequest, team: str) -> HttpResponse:
    """The same of the member's own receipts."""
    return _page(request, access.member(request, team), own=True)


@require_safe
def own_report_csv(request: HttpRequest, team: str) -> HttpResponseBase:
    """What `own_report` shows, as a file."""
    return _table_file(request, access.member(request, team), own=True)


@require_safe
def own_report_receipts(request: HttpRequest, team: str) -> HttpResponseBase:
    """The receipts that `own_report` sums up, one a line."""
    return _receipts_file(request, access.member(request, team), own=True)


def _form(request: HttpRequest, membership: Membership, own: bool) -> Report:
    return Report(membership.team, request.GET, author=membership.user_id if own else None)


def _page(request: HttpRequest, membership: Membership, *, own: bool) -> HttpResponse:
    form = _form(request, membership, own)
    page = "own_report" if own else "reports"
    context: dict[str, Any] = {"own": own, "page": page, "form": form}
    if not form.is_valid():
        return render(request, "reports/page.html", context, status=422)
    wanted, by = form.wanted(), form.by
    rows = sums.rows(membership.team, wanted, by)
    drawn = sums.drawn(membership.team, wanted, by) if rows else {}
    shown = {**form.cleaned_data, "from": wanted.span.first, "to": wanted.span.last, "by": by}
    context |= {
        "form": Report(membership.team, None, author=form.author, initial=shown),
        "filtered": any(form.cleaned_data.get(name) for name in ("member", "model", "kind", "state", "tag")),
        "span": wanted.span,
        "table": _table(request, membership, form, rows),
        "drawings": drawings(wanted.span, by, rows, drawn),
        "spans": [
            {"label": words, "url": _address(request, span=name), "chosen": form.span == name}
            for name, words in (
                ("week", _("This week")),
                ("month", _("This month")),
                ("last-month", _("Last month")),
            )
        ],
        "tabs": [
            {"label": words, "url": _address(request, by=name), "chosen": by is name}
            for name, words in _dimensions(own)
        ],
        "by": by,
        "query": _address(request),
    }
    return render(request, "reports/page.html", context)


def _dimensions(own: bool) -> list[tuple[By, str]]:
    every = [
        (By.DAY, _("By day")),
        (By.MEMBER, _("By member")),
        (By.MODEL, _("By model")),
        (By.KIND, _("By kind")),
        (By.STATE, _("By state")),
        (By.TAG, _("By tag")),
    ]
    return [one for one in every if not own or one[0] is not By.MEMBER]


def _table(request: HttpRequest, membership: Membership, form: Report, rows: list[Row]) -> Table:
    by = form.by
    # Under several tags a receipt is in several rows, and still only one receipt.
    parts = sums.rows(membership.team, form.wanted(), By.STATE) if by is By.TAG else rows
    places = {user.pk: pk for pk, user in form.people.items()}

    def address(row: Row) -> str:
        if by is By.DAY:
            day = f"{row.key:%Y-%m-%d}"
            return _address(request, **{"from": day, "to": day, "by": By.MODEL})
        if by is By.MEMBER:
            return _address(request, member=places.get(row.key, ""), by=By.MODEL)
        return _address(request, **{by.value: row.key, "by": By.DAY}) if row.key is not None else ""

    return table(rows, by, address, sums.together(parts))


def _address(request: HttpRequest, **changes: str) -> str:
    """The query of this page with some things changed. A span by name and one by days exclude one another."""
    kept = request.GET.copy()
    for name in [name for name in kept if name not in KEPT]:
        del kept[name]
    gone = ("from", "to") if "span" in changes else ("span",) if "from" in changes else ()
    for name in gone:
        kept.pop(name, None)
    for name, value in changes.items():
        kept[name] = str(value)
    return f"?{kept.urlencode()}"


def _table_file(request: HttpRequest, membership: Membership, *, own: bool) -> HttpResponseBase:
    form = _form(request, membership, own)
    if not form.is_valid():
        return _refused(request, membership, own)
    wanted = form.wanted()
    shown = _table(request, membership, form, sums.rows(membership.team, wanted, form.by))
    if request.method == "GET":
        note_export(membership, wanted, what=f"report by {form.by}", rows=len(shown.lines))
    return download(_name(membership, wanted, form.by), shown.heads(), shown.cells())


def _receipts_file(request: HttpRequest, membership: Membership, *, own: bool) -> HttpResponseBase:
    form = _form(request, membership, own)
    if not form.is_valid():
        return _refused(request, membership, own)
    wanted = form.wanted()
    if request.method == "GET":
        note_export(membership, wanted, what="receipts")
    lines = (_receipt(one, wanted) for one in sums.each(membership.team, wanted))
    return download(_name(membership, wanted, "receipts"), RECEIPTS, lines)


def _receipt(one: tuple[Any, ...], wanted: Wanted) -> list[Any]:
    """A row of RECEIPT as a line of RECEIPTS; its time on the clock of the team, with the offset."""
    pk, created, name, email, *rest = one
    assert isinstance(pk, UUID)  # noqa: S101 - the first of RECEIPT
    return [str(pk), created.astimezone(wanted.span.zone), name or email.partition("@")[0], email, *rest]


def _refused(request: HttpRequest, membership: Membership, own: bool) -> HttpResponse:
    """The page with this address says what is wrong with it."""
    page = reverse("own_report" if own else "reports", args=[membership.team.slug])
    return redirect(f"{page}?{request.GET.urlencode()}")


def note_export(membership: Membership, wanted: Wanted, *, what: str, **more: Any) -> None:
    """Into the audit trail: somebody took this with them."""
    asked = {name: value for name, value in asdict(wanted).items() if value and name != "span"}
    days = {"first": f"{wanted.span.first}", "last": f"{wanted.span.last}"}
    audit.note(
        "report.exported",
        team=membership.team,
        by=membership.user,
        subject=what,
        after={**days, **asked, **more},
    )


def _name(membership: Membership, wanted: Wanted, what: str) -> str:
    span = wanted.span
    return f"{membership.team.slug}-{what}-{span.first}-{span.last}.csv"
