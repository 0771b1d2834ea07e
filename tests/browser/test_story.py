"""A team from nothing, as a manager and two newcomers live it, and what the trail and the receipts say of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Entrance
from tests.browser.portal import PASSWORD, Portal
from tests.browser.visitor import Visitor, until

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

MUSIC = "minimax--music-2.6--text-to-instrumental"
OLGA, MILA, NED = "olga@example.com", "mila@example.com", "ned@example.com"


def mailed(portal: Portal, to: str) -> str:
    """The path of the invitation that went to this address. Mails are written to the console of the web server."""
    log = Path(portal.folder / "web.log")

    def found() -> str:
        mails = log.read_text(errors="replace").split("Content-Type: text/plain")
        mine = [mail for mail in mails if re.search(rf"^To: {to}$", mail, re.M)]
        paths = [path for mail in mine for path in re.findall(r"/invite/[\w./:=-]+", mail)]
        return paths[-1] if paths else ""

    return str(until(found, f"a mail to {to}"))


def invite(owner: Page, to: str, role: str) -> None:
    owner.get_by_label("Send it to").fill(to)
    owner.locator(f"input[name=role][value={role}]").check()


def come(enter: Entrance, portal: Portal, email: str, name: str) -> Visitor:
    visitor = enter(alone=True)
    page = visitor.open(mailed(portal, email))
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account and join").click()
    page.wait_for_url("**/t/story/**")
    return visitor


def test_from_an_empty_team_to_a_granted_request(enter: Entrance, portal: Portal) -> None:
    portal.manage(
        "create_team story --name Story",
        f"create_member {OLGA} --team story --role owner --password {PASSWORD}",
    )
    olga = enter(alone=True)
    olga.sign_in(OLGA)
    page = olga.page
    for email, role in ((MILA, "manager"), (NED, "member")):
        olga.open("/t/story/team/invitations/new/")
        invite(page, email, role)
        page.locator("main").get_by_role("button", name=re.compile("^(Invite|Send|Make)")).first.click()
        expect(page.get_by_text(email).first).to_be_visible()
    mila = come(enter, portal, MILA, "Mila")
    ned = come(enter, portal, NED, "Ned")

    olga.open("/t/story/team/limits/default/")
    page.locator("input[name=spend_day_mode][value=limited]").check()
    page.locator("input[name=spend_day_limit]").fill("1")
    page.get_by_role("button", name="Save limits").click()
    page.wait_for_url("**/t/story/team/")

    ned.order("story", MUSIC, prompt="The first one fits into the day")
    ned.expects(402)
    form = ned.open(f"/t/story/create/{MUSIC}/")
    form.get_by_label("Prompt").fill("Brass for the trailer")
    form.get_by_role("button", name="Generate").click()
    refusal = form.get_by_role("alert")
    expect(refusal).to_contain_text("Not sent, nothing charged")
    refusal.get_by_label("How much more").fill("1")
    refusal.get_by_label("What for").fill("The trailer")
    with form.expect_response(lambda answer: answer.request.method == "POST" and "quote" not in answer.url):
        refusal.get_by_role("button", name="Ask the managers").click()
    expect(form.get_by_label("Prompt")).to_have_value("Brass for the trailer")

    manager = mila.open("/t/story/team/requests/")
    expect(manager.get_by_text("The trailer")).to_be_visible()
    manager.get_by_role("button", name="Grant Ned once").click()
    expect(manager.get_by_text("Granted; Ned is told.")).to_be_visible()

    told = ned.open("/notifications/")
    told.get_by_role("button", name=re.compile("for more was granted")).first.click()
    expect(told.get_by_label("Prompt")).to_have_value("Brass for the trailer")
    told.get_by_role("button", name="Generate").click()
    told.goto(f"{portal.address}/t/story/library/")
    until(
        lambda: told.reload() and told.locator("#rows [data-row]").count() == 2 and "¥" in told.content(),
        "both in the library",
        page=told,
    )
    until(_settled(ned, portal), "both are finished", page=told)

    trail = csv.DictReader(io.StringIO(_get(olga, "/t/story/audit/trail.csv")))
    deeds = [(row["Who"], row["What"]) for row in trail]
    deeds = [one for one in reversed(deeds) if "sign" not in one[1] and "export" not in one[1]]
    assert [deed for _, deed in deeds] == [
        *["made the team", "added a member", "set a password"],
        *["made an invitation", "made an invitation"],
        *["joined the team", "used an invitation"] * 2,
        *["changed a limit", "asked for more", "granted a top-up"],
    ]
    receipts = list(csv.DictReader(io.StringIO(_get(olga, "/t/story/reports/receipts/"))))
    table = list(csv.DictReader(io.StringIO(_get(olga, "/t/story/reports/csv/?by=member"))))
    assert len(receipts) == 2
    paid = sum(Decimal(row["actual"]) for row in receipts)
    spent = {row["Member"]: Decimal(row["Spent"]) for row in table}
    assert spent == {"Ned": paid, "Together": paid}
    assert paid > 1


def _get(who: Visitor, path: str) -> str:
    answer = who.context.request.get(who.portal.address + path)
    assert answer.status == 200, (path, answer.status)
    return answer.text().lstrip("\ufeff")


def _settled(who: Visitor, portal: Portal) -> Callable[[], bool]:
    def both() -> bool:
        rows = csv.DictReader(io.StringIO(_get(who, "/t/story/usage/report/receipts/")))
        return [row["state"] for row in rows] == ["succeeded"] * 2

    return both
