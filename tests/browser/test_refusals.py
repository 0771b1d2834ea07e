"""What is refused is said, and what was written stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.portal import ALICE, NORA, VERA
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser]

MUSIC = "minimax--music-2.6--text-to-instrumental"
SPEECH = "rhart-audio--text-to-audio--speech-2.8-hd"
FAULTY = (
    "rhart-audio--text-to-audio--speech-02-hd"  # a form of its own: what is refused waits there as a draft
)


@pytest.mark.thorough
def test_a_reached_limit_names_the_ways_on_and_keeps_the_form(visit: Callable[..., Visitor]) -> None:
    nora = visit(NORA)
    nora.order("narrow", MUSIC, prompt="The only one that fits into the day")
    nora.expects(402)
    page = nora.open(f"/t/narrow/create/{MUSIC}/")
    prompt = page.get_by_label("Prompt")
    prompt.fill("One flute too many")
    with page.expect_response(
        lambda answer: answer.request.method == "POST" and "quote" not in answer.url
    ) as posted:
        page.get_by_role("button", name="Generate").click()
    assert posted.value.status == 402
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("Not sent, nothing charged")
    for words in ("¥0.80", "¥0.20", "¥0.60", "of ¥1.00", "mona@example.com"):
        expect(refusal).to_contain_text(words)
    ways = refusal.get_by_role("heading", level=3).all_text_contents()
    assert ways == ["Ask for less", "Wait", "Ask a manager"]
    expect(prompt).to_have_value("One flute too many")
    page.get_by_role("link", name="Library", exact=True).click()
    expect(page.locator("#rows [data-row]")).to_have_count(1)


@pytest.mark.thorough
def test_faults_stand_at_their_fields_and_the_values_stay(visit: Callable[..., Visitor]) -> None:
    alice = visit(ALICE)
    alice.expects(422)
    page = alice.open(f"/t/atlas/create/{FAULTY}/")
    text, speed = page.get_by_label("Text", exact=True), page.get_by_role("spinbutton", name="Speed")
    page.locator("summary", has_text="Advanced").click()
    text.fill("x" * 10_001)
    speed.fill("7")
    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    for field, value in ((text, "x" * 10_001), (speed, "7")):
        expect(field).to_have_value(value)
        expect(field).to_have_attribute("aria-invalid", "true")
        said = str(field.get_attribute("aria-describedby")).split()
        assert any(page.locator(f"[id='{name}'].field__error").count() for name in said), said
    expect(text).to_be_focused()
    text.fill("")
    with page.expect_response(lambda answer: answer.status == 422):
        page.get_by_role("button", name="Generate").click()
    expect(text).to_have_attribute("aria-invalid", "true")
    expect(speed).to_have_value("7")


def test_a_double_click_makes_one_generation(visit: Callable[..., Visitor]) -> None:
    alice = visit(ALICE)
    page = alice.open(f"/t/atlas/create/{SPEECH}/")
    page.get_by_label("Text", exact=True).fill("Twofold tambourine")
    page.evaluate(
        "{ const b = document.getElementById('generate'); b.click(); b.click(); b.form.requestSubmit(); }"
    )
    expect(page.locator("#now-list .job").filter(has_text="Twofold tambourine")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    alice.open("/t/atlas/library/?q=tambourine")
    expect(page.locator("#rows [data-row]")).to_have_count(1)


@pytest.mark.thorough
def test_the_same_form_sent_from_two_windows_makes_one_generation(visit: Callable[..., Visitor]) -> None:
    alice = visit(ALICE)
    path = f"/t/atlas/create/{SPEECH}/"
    page = alice.open(path)
    form = page.evaluate("Object.fromEntries([...new FormData(document.getElementById('create'))])")
    form["p-text" if "p-text" in form else "text"] = "Twofold glockenspiel"
    for _ in range(2):
        answer = alice.context.request.post(
            alice.portal.address + path, form=form, headers={"Referer": alice.portal.address + path}
        )
        assert answer.ok
    alice.open("/t/atlas/library/?q=glockenspiel")
    expect(page.locator("#rows [data-row]")).to_have_count(1)


@pytest.mark.thorough
def test_a_viewer_can_look_but_not_generate(visit: Callable[..., Visitor]) -> None:
    vera = visit(VERA)
    page = vera.open(f"/t/atlas/create/{MUSIC}/")
    expect(page.get_by_role("button", name="Generate")).to_be_disabled()
    expect(page.get_by_text("You are a viewer of this team")).to_be_visible()
    assert vera.post_form(f"/t/atlas/create/{MUSIC}/", prompt="Trumpets of a viewer").status == 403


@pytest.mark.thorough
def test_a_wrong_password_is_refused_and_the_email_stays(visit: Callable[..., Visitor]) -> None:
    stranger = visit()
    page = stranger.open("/t/atlas/library/")
    page.get_by_label("Email").fill(ALICE)
    page.get_by_label("Password", exact=True).fill("not her password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    expect(page.get_by_label("Email")).to_have_value(ALICE)
