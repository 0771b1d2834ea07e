"""Telling people things as they want it: in the app, by mail, after their quiet hours; once, whoever sends."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connections
from django.utils import timezone

from accounts import notify
from accounts.models import Membership, Notification, Telling
from accounts.models.telling import EVENTS


class Broken(EmailBackend):
    """A mail server that is away."""

    def send_messages(self, messages: Any) -> int:
        raise OSError("away")


def tell(bob: Membership, event: str = "granted", title: str = "You may spend more", **more: Any) -> None:
    notify.tell(bob.user, event, title, team=bob.team, **more)


def quiet(bob: Membership, **more: Any) -> Telling:
    """Quiet at this moment for an hour more."""
    now = timezone.now()
    begins, ends = now - timedelta(hours=1), now + timedelta(hours=1)
    hours = {"quiet_from": begins.time(), "quiet_until": ends.time(), "time_zone": "UTC"}
    return Telling.objects.create(user=bob.user, **hours | more)


@pytest.mark.parametrize(
    ("choices", "event", "rows", "mails"),
    [
        ({}, "finished", 1, 0),
        ({}, "granted", 1, 1),
        ({}, "something new", 1, 1),
        ({"granted": []}, "granted", 0, 0),
        ({"granted": ["mail"]}, "granted", 0, 1),
        ({"granted": ["app"]}, "granted", 1, 0),
        ({"other": []}, "something new", 0, 0),
        ({"finished": ["app", "mail"]}, "finished", 1, 1),
        ({"granted": ["pigeon"]}, "granted", 0, 0),
        ({"granted": "mail"}, "granted", 1, 1),
    ],
)
def test_everybody_chooses_the_ways(
    bob: Membership, choices: Any, event: str, rows: int, mails: int,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    Telling.objects.create(user=bob.user, choices=choices)
    with django_capture_on_commit_callbacks(execute=True):
        tell(bob, event)
    assert (Notification.of(bob.user).count(), len(mail.outbox)) == (rows, mails)


def test_a_title_of_several_lines_breaks_no_mail(
    bob: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tell(bob, title="One\r\nBcc: zoe@example.com")
    assert "\n" not in mail.outbox[0].subject


def at(clock: str) -> datetime:
    return datetime.fromisoformat(clock).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "ends", "zone", "now", "until"),
    [
        ("22:00", "07:00", "UTC", "2026-06-01T23:00", "2026-06-02T07:00"),
        ("22:00", "07:00", "UTC", "2026-06-01T06:59", "2026-06-01T07:00"),
        ("22:00", "07:00", "UTC", "2026-06-01T07:00", None),
        ("22:00", "07:00", "UTC", "2026-06-01T21:59", None),
        ("12:00", "13:00", "UTC", "2026-06-01T12:30", "2026-06-01T13:00"),
        ("12:00", "12:00", "UTC", "2026-06-01T12:00", None),
        ("22:00", "07:00", "Asia/Shanghai", "2026-06-01T15:00", "2026-06-01T23:00"),
        ("22:00", "07:00", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T05:00"),  # an hour shorter
        ("22:00", "07:00", "Europe/Berlin", "2026-10-24T23:00", "2026-10-25T06:00"),
    ],
)
def test_quiet_hours_follow_a_clock_of_ones_own(
    begins: str, ends: str, zone: str, now: str, until: str | None
) -> None:
    wishes = Telling(
        quiet_from=time.fromisoformat(begins), quiet_until=time.fromisoformat(ends), time_zone=zone
    )
    assert wishes.quiet_end(at(now)) == (at(until) if until else None)


def test_mails_of_quiet_hours_come_together_after_their_end(
    bob: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    quiet(bob, choices={"asked": ["mail"]})
    with django_capture_on_commit_callbacks(execute=True):
        tell(bob, title="First")
        tell(bob, "asked", title="Second", text="Ten more", link="/t/tide/team/")
        tell(bob, "finished", title="Third")
    assert mail.outbox == []
    assert [one.title for one in Notification.of(bob.user)] == ["Third", "First"]
    assert notify.send_held() == 0
    later = timezone.now() + timedelta(hours=2)
    assert notify.send_held(later) == 1
    assert notify.send_held(later) == 0
    (sent,) = mail.outbox
    assert sent.to == ["bob@example.com"]
    assert "2 things from your quiet hours" in sent.subject
    assert sent.body.index("First") < sent.body.index("Second") < sent.body.index("Ten more")
    assert "Third" not in sent.body


def test_a_mail_that_cannot_be_sent_is_tried_again(bob: Membership, settings: Any) -> None:
    quiet(bob)
    tell(bob)
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    later = timezone.now() + timedelta(hours=2)
    assert notify.send_held(later) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert notify.send_held(later) == 0
    assert notify.send_held(later + notify.AGAIN) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_each_mail_is_sent_once(bob: Membership) -> None:
    quiet(bob)
    for n in range(8):
        tell(bob, title=f"Number {n}")
    gate = threading.Barrier(2)

    def send() -> None:
        gate.wait()
        notify.send_held(timezone.now() + timedelta(hours=2))
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = "".join(str(message.body) for message in mail.outbox)
    assert [bodies.count(f"Number {n}\n") for n in range(8)] == [1] * 8


def test_what_is_old_is_forgotten(bob: Membership) -> None:
    tell(bob, title="Old")
    tell(bob, title="New")
    Notification.objects.filter(title="Old").update(created_at=timezone.now() - timedelta(days=91))
    assert notify.forget_old() == 1
    assert Notification.objects.get().title == "New"


def test_every_usual_way_is_one(bob: Membership) -> None:
    assert all(Telling(user=bob.user).ways(event) == usual for event, (_words, usual) in EVENTS.items())
