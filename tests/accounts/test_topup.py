"""Top-ups: what they add, to which limits, and for how long."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, LimitWarning, Measure, Membership, TopUp


def grant(to: Membership, **how: Any) -> TopUp:
    now = timezone.now()
    fields = {
        "membership": to, "measure": Measure.SPEND, "amount": Decimal(5), "from_at": now,
        "until_at": now + timedelta(days=1), "reason": "A trailer", "by": to.user, **how,
    }  # fmt: skip
    return TopUp.grant(to.team, **fields)


def test_it_is_in_force_from_its_beginning_to_before_its_end(bob: Membership) -> None:
    topup = grant(bob)

    def counts(after: timedelta) -> bool:
        return TopUp.in_force(bob.team, topup.from_at + after).exists()

    assert not counts(timedelta(seconds=-1))
    assert counts(timedelta(0))
    assert counts(timedelta(days=1, seconds=-1))
    assert not counts(timedelta(days=1))


def test_it_is_revoked_once_and_both_are_in_the_audit_trail(bob: Membership, mona: Membership) -> None:
    topup = grant(bob, by=mona.user)
    assert topup.revoke(mona.user)
    assert not topup.revoke(mona.user)
    assert not TopUp.in_force(bob.team, timezone.now()).exists()
    granted, revoked = AuditEntry.objects.order_by("pk")
    assert (granted.action, granted.actor, granted.person) == ("topup.granted", mona.user, bob.user)
    assert (granted.after["amount"], granted.reason) == ("5", "A trailer")
    assert (revoked.action, revoked.before["measure"]) == ("topup.revoked", "spend")


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": Decimal(0)},
        {"amount": Decimal(-1)},
        {"amount": Decimal("NaN")},
        {"amount": Decimal(10) ** 12},
        {"measure": Measure.CONCURRENT},
        {"measure": Measure.COUNT, "amount": Decimal("1.5")},
        {"until_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(bob: Membership, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        grant(bob, **fields)
    assert not TopUp.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_database_keeps_nonsense_out_too(bob: Membership) -> None:
    now = timezone.now()
    sound = {
        "team": bob.team, "measure": "spend", "amount": 1, "from_at": now, "until_at": now + timedelta(1),
    }  # fmt: skip
    for wrong in ({"amount": 0}, {"measure": "concurrent"}, {"until_at": now}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TopUp.objects.create(**{**sound, **wrong})


def test_a_warning_is_the_first_once(bob: Membership) -> None:
    now = timezone.now()
    assert LimitWarning.first(bob.team, "pool spend week", now, 80)
    assert not LimitWarning.first(bob.team, "pool spend week", now, 80)
    assert LimitWarning.first(bob.team, "pool spend week", now, 100)
    assert LimitWarning.first(bob.team, "pool spend week", now + timedelta(days=7), 80)
