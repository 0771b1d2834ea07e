"""Webhooks out: everything arrives, in order for each generation, signed, and nowhere it must not."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Notification, Role, Team
from generations import outgoing, receivers
from generations.models import Change, Delivery, Generation, Receiver, State
from generations.pipeline import announce, deliver
from tests.conftest import join
from tests.receiver import Listener, verified

ALL = list(receivers.EVENTS)


@pytest.fixture
def listener(settings: Any) -> Iterator[Listener]:
    settings.WEBHOOK_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    with Listener() as running:
        yield running


@pytest.fixture
def told(mona: Membership, listener: Listener) -> tuple[Receiver, str]:
    return receivers.make(mona, listener.url, ALL)


def end(row: Generation, state: State = State.SUCCEEDED, **changes: Any) -> None:
    assert Generation.objects.move(row.pk, (State.QUEUED, State.RUNNING), state, **changes)


def later(seconds: float) -> None:
    """As if so much time had passed for all that waits."""
    ago = timedelta(seconds=seconds)
    for row in Delivery.objects.filter(state="waiting"):
        Delivery.objects.filter(pk=row.pk).update(
            due_at=row.due_at - ago, created_at=row.created_at - ago, lease_until=None
        )
    for receiver in Receiver.objects.exclude(resume_at=None):
        Receiver.objects.filter(pk=receiver.pk).update(
            resume_at=receiver.resume_at - ago, failing_since=receiver.failing_since - ago
        )


def test_a_finished_generation_is_told_signed_and_noted(
    told: tuple[Receiver, str], listener: Listener, bob: Membership, make_generation: Any
) -> None:
    receiver, secret = told
    row = make_generation(bob, status=State.RUNNING, upstream_id="1")
    end(row)
    assert deliver.deliver() == 1
    [(headers, body)] = listener.heard
    assert verified(secret, headers, body)
    assert not verified(secret, headers, body + b" ")
    assert not verified(secret, headers | {"webhook-timestamp": "1"}, body)
    [message] = listener.messages
    assert (message["type"], message["team"], message["data"]["id"]) == (
        "generation.finished", "tide", str(row.pk),
    )  # fmt: skip
    assert message["number"] == Change.objects.get().number == 1
    assert message["id"] == headers["webhook-id"]
    assert "params" not in message["data"]
    assert secret not in receiver.sealed_secret
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.tries[0]["status"]) == ("delivered", 1, 204)
    assert deliver.deliver() == 0


def test_nothing_is_told_of_what_nobody_chose_or_of_other_teams(
    mona: Membership, zoe: Membership, listener: Listener, bob: Membership, make_generation: Any
) -> None:
    receivers.make(mona, listener.url, ["generation.failed"])
    end(make_generation(bob, status=State.RUNNING, upstream_id="1"))
    end(make_generation(zoe, status=State.RUNNING, upstream_id="2"), State.FAILED, error_code="x")
    deliver.deliver()
    assert listener.heard == []
    end(make_generation(bob, status=State.RUNNING, upstream_id="3"), State.FAILED, error_code="1005")
    end(make_generation(bob, status=State.QUEUED), State.FAILED, error_code="1005")
    deliver.deliver()
    assert [one["type"] for one in listener.messages] == ["generation.failed"]


def test_what_somebody_keeps_private_is_a_change_for_them_and_the_managers(
    bob: Membership, make_generation: Any
) -> None:
    for is_private in (True, False):
        end(make_generation(bob, status=State.RUNNING, upstream_id=str(is_private), is_private=is_private))
    announce.tend()
    assert list(Change.objects.order_by("number").values_list("is_open", "person")) == [
        (False, bob.user_id), (True, bob.user_id),
    ]  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize("down", ["hangs up", "says 500"])
def test_an_hour_of_nobody_there_loses_nothing_and_keeps_the_order(
    down: str, told: tuple[Receiver, str], listener: Listener, bob: Membership, make_generation: Any
) -> None:
    receiver, secret = told
    receiver.events = [*ALL, "generation.running"]
    receiver.save()
    listener.down, listener.status = down == "hangs up", 500
    rows = [make_generation(bob, status=State.QUEUED) for _ in range(4)]
    for step in range(40):
        for row in rows:
            if step == 1:
                end(row, State.RUNNING, upstream_id=str(row.pk))
            if step == 20:
                end(row)
        deliver.deliver()
        later(90)
    assert Delivery.objects.filter(state="delivered").count() == 0
    receiver.refresh_from_db()
    assert receiver.state == "failing"
    listener.heard.clear()
    listener.down, listener.status = False, 204
    for _ in range(20):
        later(7200)
        deliver.deliver()
    assert not Delivery.objects.exclude(state="delivered").exists()
    receiver.refresh_from_db()
    assert receiver.state == "open"
    assert all(verified(secret, *one) for one in listener.heard)
    for row in rows:
        mine = [one["type"] for one in listener.messages if one["data"]["id"] == str(row.pk)]
        assert mine == ["generation.running", "generation.finished"]


def test_one_that_is_refused_does_not_hold_up_what_is_about_something_else(
    told: tuple[Receiver, str], listener: Listener, bob: Membership, make_generation: Any
) -> None:
    first, second = (make_generation(bob, status=State.RUNNING, upstream_id=str(n)) for n in range(2))
    listener.status = 400
    end(first)
    deliver.deliver()
    listener.status = 204
    end(second)
    later(15)
    Delivery.objects.filter(subject=first.pk).update(due_at=timezone.now() + timedelta(hours=1))
    deliver.deliver()
    assert [one["data"]["id"] for one in listener.messages] == [str(first.pk), str(second.pk)]


def test_a_worker_that_dies_with_it_in_hand_loses_nothing(
    told: tuple[Receiver, str], listener: Listener, bob: Membership, make_generation: Any
) -> None:
    end(make_generation(bob, status=State.RUNNING, upstream_id="1"))
    announce.number(bob.team)
    assert len(deliver.claim()) == 1
    assert deliver.deliver() == 0
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert deliver.deliver() == 1
    assert len(listener.heard) == 1


def test_an_answer_that_comes_after_its_lease_changes_nothing(
    told: tuple[Receiver, str], bob: Membership, make_generation: Any
) -> None:
    end(make_generation(bob, status=State.RUNNING, upstream_id="1"))
    announce.number(bob.team)
    [late] = deliver.claim()
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    [mine] = deliver.claim()
    deliver.settle(mine, deliver.Outcome(200, "", 0.1))
    deliver.settle(late, deliver.Outcome(500, "It answers 500.", 0.1))
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("delivered", 1)
    assert Receiver.objects.get().state == "open"


@pytest.mark.thorough
def test_after_a_day_it_is_given_up_and_the_receiver_switched_off_with_a_mail(
    told: tuple[Receiver, str], listener: Listener, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    listener.down = True
    end(make_generation(bob, status=State.RUNNING, upstream_id="1"))
    for _ in range(30):
        deliver.deliver()
        later(3600)
    assert Delivery.objects.get().state == "given_up"
    receiver = Receiver.objects.get()
    assert (receiver.state, receiver.disabled_for) == ("disabled", "failing")
    assert Notification.objects.get(user=mona.user).event == "webhook"
    assert AuditEntry.objects.filter(action="webhook.disabled").count() == 1
    end(make_generation(bob, status=State.RUNNING, upstream_id="2"))
    listener.down = False
    deliver.deliver()
    assert Delivery.objects.count() == 1
    receivers.switch(mona, receiver, on=True)
    receiver.refresh_from_db()
    receivers.resend(Delivery.objects.get())
    deliver.deliver()
    assert len(listener.heard) == 1


@pytest.mark.django_db(transaction=True)
def test_the_mail_of_a_receiver_that_is_switched_off(db: None, listener: Listener) -> None:
    mona = join(Team.objects.create(slug="tide", name="Tide"), "mona", Role.MANAGER)
    receiver, _secret = receivers.make(mona, listener.url, ALL)
    assert deliver.disable(receiver, "It answers 500.")
    assert not deliver.disable(receiver, "It answers 500.")
    assert [one.to for one in mail.outbox] == [["mona@example.com"]]
    assert listener.url in mail.outbox[0].body


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://10.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
    ],
)
def test_private_addresses_are_refused_at_the_moment_of_sending(
    url: str, settings: Any, mona: Membership, bob: Membership, make_generation: Any
) -> None:
    settings.WEBHOOK_NETWORKS = []
    with Listener() as inside:
        receivers.make(mona, url.format(port=inside.server.server_address[1]), ALL)
        end(make_generation(bob, status=State.RUNNING, upstream_id="1"))
        assert deliver.deliver() == 1
        assert inside.heard == []
    row = Delivery.objects.get()
    assert row.state == "waiting"
    assert "private network" in row.tries[0]["fault"]


def test_a_redirect_to_a_private_address_is_not_followed(
    told: tuple[Receiver, str], listener: Listener, bob: Membership, make_generation: Any
) -> None:
    with Listener() as inside:
        listener.status, listener.to = 302, inside.url.replace("127.0.0.1", "127.0.0.2")
        end(make_generation(bob, status=State.RUNNING, upstream_id="1"))
        deliver.deliver()
        assert inside.heard == []
    assert "redirect" in Delivery.objects.get().tries[0]["fault"]


def test_a_test_says_what_came_of_it(
    told: tuple[Receiver, str], listener: Listener, mona: Membership, client_of: Callable[..., Any]
) -> None:
    receiver, secret = told
    page = f"/t/tide/team/webhooks/{receiver.pk}/"
    client = client_of(mona)
    assert client.post(f"{page}test/").status_code == 302
    deliver.deliver()
    assert verified(secret, *listener.heard[0])
    assert "Delivered" in client.get(page).content.decode()
    assert Change.objects.count() == 0


def test_pages_make_change_renew_switch_and_remove(
    listener: Listener, mona: Membership, bob: Membership, client_of: Callable[..., Any], make_generation: Any
) -> None:
    client = client_of(mona)
    root = "/t/tide/team/webhooks/"
    assert client.post(root, {"url": "ftp://x", "events": ["generation.finished"]}).status_code == 422
    assert client.post(root, {"url": listener.url, "events": ["nothing"]}).status_code == 422
    shown = client.post(root, {"url": listener.url, "events": ["generation.finished"]}).content.decode()
    secret = shown.partition('value="whsec_')[2].partition('"')[0]
    receiver = Receiver.objects.get()
    assert receiver.secret == f"whsec_{secret}"
    page = f"{root}{receiver.pk}/"
    assert secret not in client.get(page).content.decode()
    assert client.post(page, {"url": listener.url, "events": ["generation.failed"]}).status_code == 302
    assert Receiver.objects.get().events == ["generation.failed"]
    assert client.post(page, {"url": "nowhere", "events": ["generation.failed"]}).status_code == 422
    again = client.post(f"{page}secret/").content.decode()
    assert Receiver.objects.get().secret in again
    assert f"whsec_{secret}" not in again
    client.post(f"{page}switch/", {"on": "0"})
    assert client.post(f"{page}test/").status_code == 409
    client.post(f"{page}switch/", {"on": "1"})
    assert client.post(f"{page}remove/").status_code == 302
    assert client.get(page).status_code == 404
    noted = set(AuditEntry.objects.values_list("action", flat=True))
    assert noted == {
        f"webhook.{what}" for what in ("made", "changed", "renewed", "disabled", "enabled", "removed")
    }
    end(make_generation(bob, status=State.RUNNING, upstream_id="1"), State.FAILED)
    assert deliver.deliver() == 0


def test_a_voice_a_limit_and_a_request_are_told(
    told: tuple[Receiver, str], listener: Listener, bob: Membership
) -> None:
    Change.note(bob.team, "voice.expiring", person=bob.user, name="Harbour")
    Change.note(bob.team, "allowance.asked", person=bob.user, amount="5")
    deliver.deliver()
    assert {one["type"] for one in listener.messages} == {"voice.expiring", "allowance.asked"}


def test_waits_grow_to_hours_and_never_beyond() -> None:
    waits = [deliver.pause(n).total_seconds() for n in range(40)]
    assert waits[0] <= 11
    assert max(waits) <= 2 * 3600 * 1.1
    assert deliver.LEASE.total_seconds() > outgoing.ANSWER_SECONDS
