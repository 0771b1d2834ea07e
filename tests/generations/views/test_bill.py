"""The page of the bill."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership, Team
from generations.models import Connection
from tests.generations.test_bill import charged, snap

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/bill/"
NOVEMBER = f"{PAGE}?month=2026-11"


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def file(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(body)))


@pytest.mark.thorough
def test_only_managers_of_the_team_see_it(
    client: Client, client_of: Clients, alice: Membership, mona: Membership, bob: Membership, vera: Membership,
    zoe: Membership,
) -> None:  # fmt: skip
    for page in (PAGE, f"{PAGE}csv/"):
        for who, status in ((alice, 200), (mona, 200), (bob, 403), (vera, 403), (zoe, 404)):
            assert client_of(who).get(page).status_code == status
        assert client.get(page)["Location"] == f"/accounts/login/?next={page}"


def test_the_difference_is_told_with_its_causes(
    client_of: Clients, mona: Membership, make_generation: Any
) -> None:
    snap(0, "100", coins=Decimal(9))
    snap(1, "90.50", coins=Decimal(4))
    charged(make_generation, mona, 2, "8.1234")
    charged(make_generation, mona, 2, None, status="cancelled", cost_estimated=Decimal("0.50"))
    client = client_of(mona)
    words = text(client.get(NOVEMBER).content.decode())
    assert "100.00 CNY 9.50 8.1234 CNY 1 charged 1.3766" in words
    assert "1 cancelled, maybe charged all the same, up to ¥0.50" in words
    assert "At least ¥0.88 is explained by no receipt" in words
    assert "5.00 coins were used" in words
    (line,) = file(client, f"{PAGE}csv/?month=2026-11")
    assert (line["fell by"], line["receipts"], line["difference"]) == ("9.50", "8.1234", "1.3766")
    assert Decimal(line["fell by"]) - Decimal(line["receipts"]) == Decimal(line["difference"])
    assert AuditEntry.objects.filter(action="report.exported", subject="bill").count() == 1


def test_of_a_shared_account_a_team_sees_its_own_receipts_alone(
    client_of: Clients, mona: Membership, zoe: Membership, make_generation: Any
) -> None:
    snap(0, "4321.99", coins=Decimal(777))
    snap(1, "4000", coins=Decimal(111))
    charged(make_generation, mona, 2, "8.1234")
    charged(make_generation, zoe, 2, "3.33", status="cancelled")
    client = client_of(mona)
    html = client.get(NOVEMBER).content.decode()
    assert "This account pays for several teams" in html
    assert "8.1234" in html
    main = html[html.index("<main") : html.index("</main>")]
    for secret in ("4321", "4000", "321.99", "666", "3.33", "11.45"):
        assert secret not in main, secret
    (line,) = file(client, f"{PAGE}csv/?month=2026-11")
    assert set(line) == {"from", "to", "currency", "receipts", "number of receipts", "causes"}


def test_a_team_with_an_account_of_its_own_sees_it(
    client_of: Clients, mona: Membership, zoe: Membership, team: Team
) -> None:
    own = Connection.objects.create(
        team=team, base_url="https://www.runninghub.cn", name="Own", currency="CNY", is_used=True
    )
    theirs = Connection.objects.create(team=zoe.team, base_url="https://www.runninghub.cn", name="Theirs")
    snap(0, "50", of=own)
    snap(1, "45", of=own)
    html = client_of(mona).get(NOVEMBER).content.decode()
    assert "50.00" in html
    assert "Theirs" not in html
    assert client_of(mona).get(f"{PAGE}?connection={theirs.pk}").status_code == 404
    assert client_of(mona).get(f"{PAGE}?connection={own.pk}").status_code == 200
    assert client_of(zoe).get(f"/t/zoo/bill/?connection={own.pk}").status_code == 404


@pytest.mark.parametrize(
    "query", ["month=x", "month=0001-01", "month=9999-12", "month=2026-13", "connection=x", "connection=-1"]
)
def test_what_is_not_there_is_not_found(query: str, client_of: Clients, mona: Membership) -> None:
    assert client_of(mona).get(f"{PAGE}?{query}").status_code == 404


def test_nothing_noted_yet_is_said(client_of: Clients, mona: Membership) -> None:
    assert "Nothing to compare yet" in client_of(mona).get(PAGE).content.decode()


def test_more_nights_and_receipts_cost_no_more_queries(
    client_of: Clients, mona: Membership, make_generation: Any
) -> None:
    client = client_of(mona)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(NOVEMBER)
        return len(captured)

    snap(0, "100")
    snap(1, "90")
    queries()
    few = queries()
    for day in range(2, 20):
        snap(day, "80")
        charged(make_generation, mona, 24 * day - 3, "0.1")
    assert queries() == few
