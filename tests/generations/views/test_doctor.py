"""The doctor's page, custody, and what happens while there is no room."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Membership
from generations import custody, disk, queue
from generations.doctor import away, here
from generations.doctor.probe import answer_to
from generations.models import Batch, Connection, Examination, Generation, Heartbeat, State
from generations.models.connection import HOSTS
from generations.pipeline import alert, dispatch, examine, follow, gather
from tests.conftest import MODEL, tone

PAGE = "/t/tide/doctor/"
FORM = {"prompt": "Slow piano over rain", "sampleRate": "44100", "format": "mp3"}


@pytest.fixture
def full(settings: Any) -> None:
    """As if the disk were nearly full: more is to be kept free than there is."""
    settings.MIN_FREE_BYTES = disk.free() + 2**50


# The page


def test_who_sees_the_doctor(
    mona: Membership, bob: Membership, zoe: Membership, client_of: Any, client: Client
) -> None:
    assert client_of(mona).get(PAGE).status_code == 200
    assert client_of(bob).get(PAGE).status_code == 403
    assert client_of(zoe).get(PAGE).status_code == 404
    assert client.get(PAGE).status_code == 302
    assert client_of(bob).post(f"{PAGE}look/").status_code == 403
    assert client_of(zoe).post(f"{PAGE}look/").status_code == 404


def test_a_page_never_waits_for_others_but_asks_the_worker(
    mona: Membership, client_of: Any, sandbox: Any
) -> None:
    browser = client_of(mona)
    assert "Nobody has asked yet" in browser.get(PAGE).content.decode()
    assert browser.post(f"{PAGE}look/").status_code == 302
    assert browser.post(f"{PAGE}look/").status_code == 302
    asked = Examination.objects.get()
    assert "The worker is looking" in browser.get(PAGE).content.decode()
    assert examine.examine(asked.pk)
    assert not examine.examine(asked.pk), "by one worker"
    page = browser.get(PAGE).content.decode()
    assert "takes the key" in page
    assert "ago</span>" in page


def test_another_teams_connection_stays_its_own(
    mona: Membership, zoe: Membership, client_of: Any, settings: Any
) -> None:
    settings.EXTRA_SITES = ["http://127.0.0.1:9"]
    Connection.objects.create(
        team=zoe.team, base_url="http://127.0.0.1:9", name="Secret plan", sealed_key="x"
    )
    Examination.objects.create(done_at=timezone.now(), findings=[one.plain() for one in away.accounts()])
    assert "Secret plan" in client_of(zoe).get("/t/zoo/doctor/").content.decode()
    assert "Secret plan" not in client_of(mona).get(PAGE).content.decode()


def test_the_doctor_names_a_key_that_cannot_be_read(mona: Membership) -> None:
    Connection.objects.create(team=mona.team, base_url=HOSTS["ai"], name="Own", sealed_key="x")
    said = [one for one in here.findings() if one.subject == "keys"]
    assert [(one.fine, one.team) for one in said] == [(False, mona.team_id)]


def test_the_probe_answers_what_only_this_portal_can(client: Client, db: None) -> None:
    assert client.get("/hooks/probe/abc123").content.decode() == answer_to("abc123")


@pytest.mark.django_db(transaction=True)
def test_the_public_address_is_recognized(live_server: Any, settings: Any, sandbox: Any) -> None:
    settings.PUBLIC_URL = live_server.url
    assert [one.fine for one in away.public_address()] == [True]
    settings.PUBLIC_URL = sandbox.url
    (elsewhere,) = away.public_address()
    assert (elsewhere.fine, "not this portal" in elsewhere.sentence) == (False, True)
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    (nowhere,) = away.public_address()
    assert (nowhere.fine, "cannot be reached" in nowhere.sentence) == (False, True)


def test_a_schedule_that_does_not_run_is_said(db: None) -> None:
    def said() -> list[tuple[bool, str]]:
        return [(one.fine, one.sentence) for one in here.findings() if one.subject == "schedule"]

    assert said() == [(False, "sweep is not planned.")]
    queue.ensure_schedules()
    assert said()[0][0]


# Custody


def test_the_page_says_when_a_result_became_safe(
    bob: Membership, make_generation: Any, client_of: Any
) -> None:
    done = timezone.now() - timedelta(seconds=2.5)
    row = make_generation(bob, outputs=1, upstream_done_at=done, finished_at=done + timedelta(seconds=2.5))
    page = client_of(bob).get(f"/t/tide/g/{row.pk}/").content.decode()
    assert "Safe, 2.5 s after RunningHub was done" in page


def test_custody_is_measured_and_shown_to_machines(
    bob: Membership, make_generation: Any, client: Client
) -> None:
    now = timezone.now()
    for seconds in range(1, 21):
        make_generation(bob, upstream_done_at=now, finished_at=now + timedelta(seconds=seconds))
    make_generation(bob, status=State.GATHERING, upstream_done_at=now - timedelta(seconds=90))
    found = custody.custody()
    assert (found.measured, found.p50, found.p95, found.waiting) == (20, 10.0, 19.0, 1)
    assert 90 <= found.oldest < 120
    said = client.get("/metrics").content.decode()
    assert "rhweb_results_safe_seconds_p95 19.0" in said
    assert "rhweb_results_waiting 1" in said


@pytest.mark.thorough
def test_a_result_that_expired_is_an_alarm_told_once(
    bob: Membership, mona: Membership, sandbox: Any, client_of: Any, client: Client
) -> None:
    sandbox.script("result", {"http": 404, "times": 0})
    browser = client_of(bob)
    browser.post(f"/t/tide/create/{MODEL}/", FORM)
    row = Generation.objects.get()
    for claimed in dispatch.claim(Connection.current(), 5):
        dispatch.send(claimed)
    give_up = timezone.now() + timedelta(seconds=30)
    while row.result_lost_at is None and timezone.now() < give_up:
        Generation.objects.update(next_check_at=timezone.now(), lease_until=None)
        for claimed in follow.claim(5):
            follow.look(claimed)
        for claimed in gather.claim(5):
            gather.gather(claimed)
        row.refresh_from_db()
    assert (row.status, bool(row.result_lost_at)) == (State.GATHERING, True), "it is still tried"
    assert alert.results_lost() == 1
    assert alert.results_lost() == 0
    assert [message.to for message in mail.outbox] == [["mona@example.com"]]
    assert f"/t/tide/g/{row.pk}/" in mail.outbox[0].body
    assert "could not be copied in time" in client_of(mona).get("/t/tide/library/").content.decode()
    assert "could not be copied in time" not in browser.get("/t/tide/library/").content.decode()
    assert "does not give it any more" in browser.get(f"/t/tide/g/{row.pk}/").content.decode()
    assert "rhweb_results_lost_unseen 1" in client.get("/metrics").content.decode()
    assert browser.post(f"{PAGE}lost/{row.pk}/").status_code == 403
    assert client_of(mona).post(f"{PAGE}lost/{row.pk}/").status_code == 302
    assert custody.custody().lost == 0


def test_a_result_whose_day_is_over_fails_as_lost_and_its_cost_stays(
    bob: Membership, make_generation: Any, sandbox: Any
) -> None:
    past = timezone.now() - timedelta(minutes=1)
    results = [{"url": f"{sandbox.url}/nothing.mp3", "output_type": "mp3", "text": None, "node_id": ""}]
    row = make_generation(bob, status=State.GATHERING, deadline_at=past, results=results, upstream_id="1")
    Generation.objects.filter(pk=row.pk).update(faults=gather.TRIES_AT_LEAST)
    for claimed in gather.claim(1):
        gather.gather(claimed)
    row.refresh_from_db()
    assert (row.status, row.cost_counted) == (State.FAILED, row.cost_estimated)
    assert row.result_lost_at is not None


# No room


def test_while_there_is_no_room_nothing_is_taken(bob: Membership, client_of: Any, full: None) -> None:
    answer = client_of(bob).post(f"/t/tide/create/{MODEL}/", FORM)
    assert answer.status_code == 507
    page = answer.content.decode()
    assert "too little room" in page
    assert "Slow piano over rain" in page, "what was written is still there"
    assert not Generation.objects.exists()
    lines = {"prompt": "one\ntwo", "_by_line": "on"}
    assert client_of(bob).post(f"/t/tide/create/{MODEL}/", FORM | lines).status_code == 507
    assert not Batch.objects.exists()


def test_running_again_without_room_is_a_page_with_a_sentence(
    bob: Membership, client_of: Any, make_generation: Any, full: None
) -> None:
    row = make_generation(bob)
    answer = client_of(bob).post(f"/t/tide/g/{row.pk}/again/")
    assert (answer.status_code, "too little room" in answer.content.decode()) == (507, True)


def test_programs_are_told_too(bob: Membership, full: None, client: Client) -> None:
    from accounts.models import ApiToken

    token = ApiToken.issue(bob)
    bearer = {"Authorization": f"Bearer {token}"}
    order = {"model": MODEL, "params": {"prompt": "Rain"}}
    made = client.post("/api/v1/generations", order, content_type="application/json", headers=bearer)
    assert (made.status_code, made.json()["code"]) == (507, "storage_low")
    assert made["Content-Type"] == "application/problem+json"
    file = SimpleUploadedFile("a.wav", tone())
    assert client.post("/api/v1/uploads", {"file": file}, headers=bearer).status_code == 507


def test_nothing_is_uploaded_or_sent_without_room_and_it_goes_on_by_itself(
    bob: Membership, client_of: Any, make_generation: Any, settings: Any, full: None
) -> None:
    address = "/t/tide/uploads/?model=rhart-audio--text-to-audio--voice-clone&param=audio"
    answer = client_of(bob).post(address, {"file": SimpleUploadedFile("a.wav", tone())})
    assert answer.status_code in (404, 507)
    make_generation(bob, status=State.QUEUED)
    assert dispatch.claim(Connection.current(), 5) == []
    settings.MIN_FREE_BYTES = 0
    assert len(dispatch.claim(Connection.current(), 5)) == 1


def test_managers_are_told_once_and_all_see_the_banner(
    mona: Membership, bob: Membership, client_of: Any, client: Client, settings: Any, full: None
) -> None:
    assert alert.disk_low()
    assert not alert.disk_low()
    assert [message.to for message in mail.outbox] == [["mona@example.com"]]
    assert "There is no room for new results." in client_of(bob).get("/t/tide/library/").content.decode()
    assert client.get("/readyz").status_code == 503
    settings.MIN_FREE_BYTES = 1
    assert not alert.disk_low()
    assert not Heartbeat.objects.filter(name=alert.DISK).exists()
    settings.MIN_FREE_BYTES = disk.free() + 2**50
    assert alert.disk_low(), "a second time when it happens again"
