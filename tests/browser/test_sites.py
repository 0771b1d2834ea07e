"""A form of a model whose settings RunningHub's .ai site calls otherwise, from the browser to the body that is sent."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.portal import SAM
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
MODEL = "rhart-image--f-2-dev--text-to-image"
TEAM = 'create_team north --name "North"', f"create_member {SAM} --team north --role owner"
# Its key cannot be read, so nothing ever goes there; what would be sent goes to the sandbox below.
CONNECT = """
from accounts.models import Team
from generations.models import Connection, PriceDecision
team = Team.objects.get(slug="north")
Connection.objects.create(
    team=team, name="North", base_url="https://www.runninghub.ai", sealed_key="x", currency="USD", is_used=True
)
"""
SEND = """
import json
from django.conf import settings
from generations.catalogue import load
from generations.models import Generation
from generations.runninghub import Client
row = Generation.objects.get(team__slug="north")
body = load.get(row.model).body(row.params, {{}}, row.connection.site)
client = Client(base_url="{sandbox}", api_key="n" * 32)
taken = client.submit(load.get(row.model).endpoint, body)
print(json.dumps([row.connection.site, bool(taken.upstream_id), body]))
"""


def test_a_form_on_the_ai_site_sends_its_keys_and_values(visit: Callable[..., Visitor]) -> None:
    sam = visit(SAM)
    sam.portal.manage(*TEAM)
    sam.portal.manage_code(CONNECT)
    page = sam.open(f"/t/north/create/{MODEL}/")
    page.locator("[name=prompt]").fill("A lighthouse")
    ratio = page.locator("[name=aspectRatio]")
    expect(ratio.first).to_be_attached()
    page.evaluate(
        """() => {
          const box = document.querySelector("select[name=aspectRatio]");
          if (box) box.value = "16:9";
          else document.querySelector("[name=aspectRatio][value='16:9']").checked = true;
        }"""
    )
    page.locator("#generate").click()
    expect(page.locator(".job").filter(has_text="A lighthouse").first).to_be_visible()
    said = sam.portal.manage_code(SEND.format(sandbox=sam.portal.sandbox)).strip().splitlines()[-1]
    site, taken, body = json.loads(said)
    assert (site, taken) == ("ai", True)
    assert body["12##text"] == "A lighthouse"
    assert body["41##select"] == "5"
    assert not {"prompt", "aspectRatio"} & set(body)
