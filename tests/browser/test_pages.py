"""Every page as a browser sees it: wide and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from generations.catalogue import load
from tests.browser.conftest import FATES, PHONE, SPEECH, WIDE
from tests.browser.portal import ALICE, NORA, SAM
from tests.browser.visitor import Visitor
from tests.effort import thorough

pytestmark = [pytest.mark.browser]

LOOKS = Path(__file__).with_name("looks.js").read_text()
MODELS = (
    "rhart-audio--text-to-audio--speech-2.8-hd",
    "rhart-audio--text-to-audio--speech-2.8-turbo",
    "minimax--music-2.6--text-to-music",
    "minimax--music-2.6--text-to-instrumental",
    "rhart-audio--text-to-audio--voice-clone",
)
LARGEST = [
    spec.slug for spec in sorted(load.models(), key=lambda spec: -len(spec.params)) if spec.slug not in MODELS
][:20]
"""The twenty models with the most settings."""
PAGES: dict[str, tuple[str, str]] = {
    "sign-in": ("", "/accounts/login/"),
    "forgotten password": ("", "/accounts/password/reset/"),
    **{f"create with {model}": (ALICE, f"/t/atlas/create/{model}/") for model in MODELS},
    **{f"create with {model}": (ALICE, f"/t/atlas/create/{model}/") for model in LARGEST},
    "models": (ALICE, "/t/atlas/models/"),
    "create with work in every state": (SAM, f"/t/harbour/create/{SPEECH}/"),
    "library": (SAM, "/t/harbour/library/"),
    "library as cards": (SAM, "/t/harbour/library/?show=grid"),
    "library with nothing found": (SAM, "/t/harbour/library/?q=zzyzzyva"),
    "empty library": (SAM, "/t/fresh/library/"),
    **{f"generation {state}": (SAM, f"/t/harbour/g/{state}/") for state in (*FATES, "queued")},
    "comparing nothing yet": (SAM, "/t/harbour/compare/"),
    "comparing with what": (SAM, "/t/harbour/compare/?a=/g/finished/"),
    "comparing with what is not there": (SAM, "/t/harbour/compare/?a=/g/finished/&b=nothing"),
    "comparing": (SAM, "/t/harbour/compare/?a=/g/finished/&b=/g/queued/"),
    "links for outsiders": (SAM, "/t/harbour/share/"),
    "import": (SAM, "/t/harbour/import/"),
    "sharing something": (SAM, "/t/harbour/g/finished/share/"),
    "trash": (SAM, "/t/harbour/trash/"),
    "collections": (SAM, "/t/harbour/collections/"),
    "new collection": (SAM, "/t/harbour/collections/new/"),
    "retention": (ALICE, "/t/atlas/team/retention/"),
    "drafts": (SAM, "/t/harbour/drafts/"),
    "presets": (SAM, "/t/harbour/presets/"),
    "empty vault": (SAM, "/t/fresh/voices/"),
    "usage": (SAM, "/t/harbour/usage/"),
    "usage of nothing": (SAM, "/t/fresh/usage/"),
    "team": (ALICE, "/t/atlas/team/"),
    "team of a member": (NORA, "/t/narrow/team/"),
    "limits": (ALICE, "/t/atlas/team/limits/pool/"),
    "adding a member": (ALICE, "/t/atlas/team/add/"),
    "settings of the team": (ALICE, "/t/atlas/team/settings/"),
    "allowances": (ALICE, "/t/atlas/team/allowances/"),
    "granting": (ALICE, "/t/atlas/team/allowances/top-up/"),
    "own caps": (SAM, "/t/harbour/usage/cap/"),
    "requests": (ALICE, "/t/atlas/team/requests/"),
    "invitations": (ALICE, "/t/atlas/team/invitations/"),
    "inviting": (ALICE, "/t/atlas/team/invitations/new/"),
    "rules of models": (ALICE, "/t/atlas/team/models/"),
    "AI apps and workflows": (ALICE, "/t/atlas/team/own-models/"),
    "LoRAs": (ALICE, "/t/atlas/team/loras/"),
    "notices": (ALICE, "/t/atlas/team/notices/"),
    "own tokens": (ALICE, "/t/atlas/tokens/"),
    "tokens of the team": (ALICE, "/t/atlas/team/tokens/"),
    "webhooks": (ALICE, "/t/atlas/team/webhooks/"),
    "audit trail": (ALICE, "/t/atlas/audit/"),
    "reports": (SAM, "/t/harbour/reports/"),
    "own receipts": (SAM, "/t/harbour/usage/report/"),
    "bill": (SAM, "/t/harbour/bill/"),
    "price list": (SAM, "/t/harbour/prices/"),
    "price": (SAM, f"/t/harbour/prices/{SPEECH}/"),
    "notifications": (SAM, "/notifications/"),
    "how somebody is told": (SAM, "/notifications/settings/"),
    "teams": (SAM, "/teams/"),
    "connections": (ALICE, "/t/atlas/team/connections/"),
    "entering a key": (ALICE, "/t/atlas/team/connections/add/"),
    "account": (ALICE, "/t/atlas/team/connections/1/account/"),
    "doctor": (ALICE, "/t/atlas/doctor/"),
    "nothing there": (ALICE, "/nothing/"),
    "nothing there in a team": (ALICE, "/t/atlas/g/00000000-0000-4000-8000-000000000000/"),
    "password": (ALICE, "/accounts/password/change/"),
}
SIZES = {"wide": WIDE, "phone": PHONE}
AT_ONCE = {(f"create with {MODELS[-2]}", "phone"), ("empty library", "wide")}


@pytest.mark.parametrize(
    ("page", "size"),
    [
        (pytest.param if (page, name) in AT_ONCE else thorough)(page, size, id=f"{page}-{name}")
        for page in PAGES
        for name, size in SIZES.items()
    ],
)
def test_page(page: str, size: ViewportSize, reader: Callable[[str, str, ViewportSize], Visitor]) -> None:
    email, path = PAGES[page]
    visitor = reader(email, path, size)
    sheet = visitor.page
    for scheme in ("light", "dark"):
        sheet.emulate_media(color_scheme=scheme)
        judge(sheet)
    for _ in range(10):
        sheet.keyboard.press("Tab")
    rings = sheet.evaluate("window.rings")
    assert len(rings) > 1
    assert set(rings) == {"ring"}
    assert sheet.evaluate("window.shifted") < 0.1
    assert visitor.complaints == []


def judge(page: Page) -> None:
    looks = page.evaluate(LOOKS)
    assert looks["title"]
    assert looks["language"] == "en"
    assert (looks["h1"], looks["main"], looks["skipped"]) == (1, 1, 0)
    assert looks["read"] > 3
    for fault in ("faint", "sideways", "deep", "slides", "twice", "unlabelled", "nameless", "alike"):
        assert looks[fault] == [], fault


FAULTS = """() => {
  const row = [...document.querySelectorAll("tbody tr")].at(-1);
  const [link] = row.querySelectorAll("a");
  link.style.color = getComputedStyle(document.body).backgroundColor;
  row.append(document.createElement("button"));
  return document.querySelectorAll("tbody tr").length;
}"""


@pytest.mark.thorough
def test_a_fault_in_the_last_of_many_rows_is_found(
    reader: Callable[[str, str, ViewportSize], Visitor],
) -> None:
    sheet = reader(*PAGES["price list"], WIDE).page
    judge(sheet)
    assert sheet.evaluate(FAULTS) > 300
    looks = sheet.evaluate(LOOKS)
    assert looks["nameless"] == ["<button></button>"]
    assert len(looks["faint"]) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_the_limits_sheet(size: ViewportSize, visit: Callable[..., Visitor]) -> None:
    alice = visit(ALICE, size=size)
    page = alice.open("/t/atlas/team/")
    page.get_by_role("link", name="Change the pool").click()
    sheet = page.get_by_role("dialog", name="Limits of the team pool")
    expect(sheet).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        judge(page)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


@pytest.mark.thorough
def test_the_rail_refreshes_without_moving_anything(
    visit: Callable[..., Visitor], states: dict[str, str]
) -> None:
    sam = visit(SAM)
    page = sam.open(f"/t/harbour/create/{SPEECH}/")
    expect(page.locator("#now-list .job")).to_have_count(len(states))
    before = page.evaluate("window.shifted")
    for _ in range(2):
        with page.expect_response("**/now/**"):
            pass
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("window.shifted") - before < 0.02
