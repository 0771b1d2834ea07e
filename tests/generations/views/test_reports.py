"""The pages of reports and their files."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, Membership, Team
from generations.models import Generation, State, Tag, Tagging
from generations.views.spreadsheet import cell
from tests.generations.test_reports import counted, history

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/reports/"
OWN = "/t/tide/usage/report/"
NOVEMBER = "from=2026-11-01&to=2026-11-30"


def file(client: Client, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def shown(html: str) -> list[list[str]]:
    """The rows of the table of a page, head and foot included."""
    table = html[html.index("<table") : html.index("</table>")]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.S)
    return [
        [unescape(re.sub(r"<[^>]+>", "", one)).strip() for one in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]
        for row in rows
    ]


@pytest.mark.thorough
def test_managers_see_the_team_and_everybody_their_own(
    client: Client, client_of: Clients, alice: Membership, mona: Membership, bob: Membership, vera: Membership,
    zoe: Membership,
) -> None:  # fmt: skip
    for part in ("", "csv/", "receipts/"):
        for who in (alice, mona):
            assert client_of(who).get(PAGE + part).status_code == 200
        for who in (bob, vera):
            assert client_of(who).get(PAGE + part).status_code == 403
        for who in (alice, bob, vera):
            assert client_of(who).get(OWN + part).status_code == 200
        for page in (PAGE, OWN):
            assert client_of(zoe).get(page + part).status_code == 404
            assert client.get(page + part)["Location"] == f"/accounts/login/?next={page}{part}"


@pytest.mark.thorough
@pytest.mark.parametrize("by", ["day", "member", "model", "kind", "state", "tag"])
def test_the_file_is_exactly_what_the_page_shows(
    by: str, client_of: Clients, mona: Membership, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    history(make_generation, bob, carol)
    client = client_of(mona)
    html = client.get(f"{PAGE}?{NOVEMBER}&by={by}").content.decode()
    rows = shown(html)
    assert len(rows) > 4
    assert file(client, f"{PAGE}csv/?{NOVEMBER}&by={by}") == rows


def test_by_tag_the_rows_may_overlap_and_the_sum_does_not(
    client_of: Clients, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    made = make_generation(bob, cost_actual=Decimal(4), created_at=datetime(2026, 11, 10, tzinfo=UTC))
    tags = [Tag.objects.create(team=bob.team, name=name, folded=name) for name in ("rain", "night")]
    for tag in tags:
        Tagging.objects.create(tag=tag, generation=made)
    client = client_of(mona)
    page = client.get(f"{PAGE}?{NOVEMBER}&by=tag").content.decode()
    assert [line[:4] for line in shown(page)[1:]] == [
        ["night", "CNY", "1", "4.00"],
        ["rain", "CNY", "1", "4.00"],
        ["Together", "CNY", "1", "4.00"],
    ]
    assert "counts under each of them" in page
    zoes = Tag.objects.create(team=Team.objects.create(slug="far", name="Far"), name="x", folded="x")
    assert client.get(f"{PAGE}?{NOVEMBER}&tag={zoes.pk}").status_code == 422


@pytest.mark.thorough
def test_the_receipts_add_up_to_the_report_to_the_last_digit(
    client_of: Clients, mona: Membership, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    history(make_generation, bob, carol)
    check_that_it_adds_up(client_of(mona), "")
    check_that_it_adds_up(client_of(mona), f"&member={bob.pk}&state=cancelled")
    check_that_it_adds_up(client_of(mona), "&kind=speech")


def check_that_it_adds_up(client: Client, filters: str) -> None:
    heads, *lines = file(client, f"{PAGE}receipts/?{NOVEMBER}{filters}")
    receipts = [dict(zip(heads, line, strict=True)) for line in lines]
    _, *report = file(client, f"{PAGE}csv/?{NOVEMBER}{filters}&by=day")
    together = {line[1]: line for line in report if line[0] == "Together"}
    assert set(together) == {one["currency"] for one in receipts}
    for currency, line in together.items():
        mine = [one for one in receipts if one["currency"] == currency]
        assert int(line[2]) == len(mine)
        assert Decimal(line[3]) == sum(Decimal(one["counted"]) for one in mine)
        assert Decimal(line[4]) == sum(Decimal(one["actual"]) for one in mine if one["actual"])
        assert Decimal(line[3]) == Decimal(line[4]) + Decimal(line[5])
        days = [row for row in report if row[0] != "Together" and row[1] == currency]
        assert Decimal(line[3]) == sum(Decimal(row[3]) for row in days)
        # Counted once more from the other columns alone, as a bookkeeper would.
        assert Decimal(line[3]) == sum(bookkept(one) for one in mine)


def bookkept(one: dict[str, str]) -> Decimal:
    if one["actual"]:
        return Decimal(one["actual"])
    over = one["state"] in ("failed", "cancelled")
    return Decimal(0) if over or not one["estimated"] else Decimal(one["estimated"])


MONEY = st.none() | st.decimals(0, 99999, places=6) | st.sampled_from([Decimal("0.000001"), Decimal(0)])


@pytest.mark.thorough
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(list(State)), MONEY, MONEY, st.booleans()), min_size=1, max_size=12
    )
)
def test_whatever_happened_the_file_adds_up(
    rows: list[Any], client_of: Clients, mona: Membership, make_generation: Any
) -> None:
    Generation.objects.all().delete()
    for state, estimated, actual, dollars in rows:
        make_generation(
            mona,
            status=state,
            cost_estimated=estimated,
            cost_actual=actual,
            currency="USD" if dollars else "CNY",
            created_at=datetime(2026, 11, 10, tzinfo=UTC),
        )
    truth: dict[str, Decimal] = defaultdict(Decimal)
    for row in Generation.objects.all():
        truth[row.currency] += counted(row)
    heads, *lines = file(client_of(mona), f"{PAGE}receipts/?{NOVEMBER}")
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        one = dict(zip(heads, line, strict=True))
        found[one["currency"]] += Decimal(one["counted"])
    assert found == truth
    report = file(client_of(mona), f"{PAGE}csv/?{NOVEMBER}&by=state")
    assert {line[1]: Decimal(line[3]) for line in report if line[0] == "Together"} == truth


def test_a_member_cannot_ask_for_a_colleague_by_the_address(
    client_of: Clients, bob: Membership, carol: Membership, make_generation: Any
) -> None:
    make_generation(carol, cost_estimated=Decimal("77.77"))
    make_generation(bob, cost_estimated=Decimal("1.11"))
    client = client_of(bob)
    html = client.get(f"{OWN}?member={carol.pk}&by=model").content.decode()
    assert "77.77" not in html
    assert "1.11" in html
    assert len(file(client, f"{OWN}receipts/?member={carol.pk}")) == 2
    assert client.get(f"{OWN}?by=member").status_code == 422


def test_what_people_and_upstream_write_is_no_formula(
    client_of: Clients, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    bob.user.name = '=HYPERLINK("http://x")'
    bob.user.save()
    make_generation(
        bob, model="-gone", consume_money="+1", upstream_id="@SUM(A1)", cost_actual=Decimal("0.5")
    )
    heads, line = file(client_of(mona), f"{PAGE}receipts/")
    one = dict(zip(heads, line, strict=True))
    assert one["member"] == '\'=HYPERLINK("http://x")'
    assert (one["model"], one["consumeMoney"], one["upstream id"]) == ("'-gone", "'+1", "'@SUM(A1)")
    assert one["actual"] == "0.50"
    assert file(client_of(mona), f"{PAGE}csv/?by=member")[1][0].startswith("'=")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (Decimal("0"), "0.00"),
        (Decimal("1E+3"), "1000.00"),
        (Decimal("0.000001"), "0.000001"),
        (Decimal("-3.5"), "-3.50"),
        (7, "7"),
        (" =1", "' =1"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_cells(value: Any, text: str) -> None:
    assert cell(value) == text


def test_every_file_is_noted_in_the_audit_trail(
    client_of: Clients, mona: Membership, bob: Membership
) -> None:
    client_of(mona).get(f"{PAGE}csv/?{NOVEMBER}&member={bob.pk}&by=model")
    client_of(bob).get(f"{OWN}receipts/?{NOVEMBER}")
    client_of(mona).head(f"{PAGE}csv/")
    client_of(mona).get(f"{PAGE}csv/?from=x")
    first, second = AuditEntry.objects.filter(action="report.exported").order_by("pk")
    assert (first.actor, first.subject, second.actor) == (mona.user, "report by model", bob.user)
    assert first.after["first"] == "2026-11-01"
    assert first.after["author"] == bob.user_id


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-12-01&to=2026-11-01", "The first day is after the last one"),
        ("from=2020-01-01&to=2026-11-01", "two years at most"),
        ("from=9999-12-31", "between the years 2000 and 2200"),
        ("to=0001-01-01", "between the years 2000 and 2200"),
        ("from=yesterday", "Enter a valid date"),
        ("member=999999", "Select a valid choice"),
        ("by=%00", "There is no such report"),
        ("model=%00", "Select a valid choice"),
        ("span=year", "There is no such report"),
        ("state=odd", "Select a valid choice"),
    ],
)
def test_what_cannot_be_asked_comes_back_with_a_sentence(
    query: str, sentence: str, client_of: Clients, mona: Membership
) -> None:
    client = client_of(mona)
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert client.get(f"{PAGE}csv/?{query}")["Location"].startswith(PAGE)


def test_a_model_that_left_the_catalogue_can_be_asked_for(
    client_of: Clients, mona: Membership, make_generation: Any
) -> None:
    make_generation(mona, model="gone--model", cost_estimated=Decimal("3.00"))
    html = client_of(mona).get(f"{PAGE}?model=gone--model&by=model").content.decode()
    assert next(row for row in shown(html) if row[0] == "gone--model")[4] == "3.00"


def test_a_row_leads_to_what_is_in_it(
    client_of: Clients, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    make_generation(bob)
    html = client_of(mona).get(f"{PAGE}?by=member").content.decode()
    assert f"?by=model&amp;member={bob.pk}" in html
    html = client_of(mona).get(f"{PAGE}?span=week").content.decode()
    today = f"{timezone.now():%Y-%m-%d}"
    assert f"?from={today}&amp;to={today}&amp;by=model" in html


@pytest.mark.thorough
def test_a_chart_has_words_for_those_who_do_not_see_it_and_no_style(
    client_of: Clients, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    history(make_generation, bob)
    html = client_of(mona).get(f"{PAGE}?{NOVEMBER}&by=model").content.decode()
    charts = re.findall(r"<svg class=\"chart__svg\".*?</svg>", html, re.S)
    assert len(charts) == 2
    for one in charts:
        assert 'role="img"' in one
        assert re.search(r"<title id=\"title-\w+\">Spent per day, \w+</title>", one)
        assert "in total" in one
    assert "style=" not in html


@pytest.mark.thorough
def test_more_receipts_cost_no_more_queries(
    client_of: Clients, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    client = client_of(mona)

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
            if answer.streaming:
                b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        return len(captured)

    make_generation(bob, created_at=datetime(2026, 11, 10, tzinfo=UTC))
    addresses = [
        f"{PAGE}{part}?{NOVEMBER}&by={by}" for part in ("", "csv/", "receipts/") for by in ("member", "model")
    ]
    few = [queries(address) for address in addresses]
    history(make_generation, bob, mona)
    assert [queries(address) for address in addresses] == few
