"""The page of invitations and domains."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import domains, invitations
from accounts.models import AuditEntry, Invitation, Membership, Role, TeamDomain

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/team/invitations/"
DOMAINS = "/t/tide/team/domains/"
FORM = {"way": "link", "role": "member", "days": "7", "max_uses": "3"}


def make(actor: Membership, **fields: Any) -> Invitation:
    return invitations.make(actor, **{"role": Role.MEMBER, "lasts": timedelta(days=7), **fields})[0]


def test_managers_invite_and_nobody_else(
    client: Client,
    client_of: Clients,
    mona: Membership,
    bob: Membership,
    vera: Membership,
    zoe: Membership,
) -> None:
    row = make(mona)
    paths = [PAGE, f"{PAGE}new/"]
    deeds = [f"{PAGE}new/", f"{PAGE}{row.pk}/revoke/", f"{PAGE}{row.pk}/renew/", f"{DOMAINS}add/"]
    for who, expected in ((bob, 403), (vera, 403), (zoe, 404)):
        browser = client_of(who)
        assert [browser.get(path).status_code for path in paths] == [expected] * 2
        assert [browser.post(path, FORM).status_code for path in deeds] == [expected] * 4
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    row.refresh_from_db()
    assert row.revoked_at is None
    assert Invitation.objects.count() == 1
    assert client_of(mona).get(PAGE).status_code == 200


def test_an_invitation_of_another_team_is_not_there(
    client_of: Clients, mona: Membership, zoe: Membership
) -> None:
    row = make(zoe)
    for verb in ("revoke", "renew"):
        assert client_of(mona).post(f"{PAGE}{row.pk}/{verb}/").status_code == 404


def test_a_link_is_shown_once(client_of: Clients, mona: Membership) -> None:
    client = client_of(mona)
    shown = client.post(f"{PAGE}new/", FORM).content.decode()
    link = re.search(r'value="http://testserver(/invite/[^"]+)"', shown)[1]  # type: ignore[index]
    assert Client().get(link).status_code == 200
    later = client.get(PAGE).content.decode()
    assert "/invite/" not in later
    assert "0 of 3 came" in later
    row = Invitation.objects.get()
    again = client.post(f"{PAGE}{row.pk}/renew/").content.decode()
    assert link not in again
    assert Client().get(link).status_code == 404
    assert client.post(f"{PAGE}{row.pk}/revoke/", follow=True).status_code == 200
    assert "revoked" in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}{row.pk}/renew/").status_code == 422
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["invitation.made", "invitation.renewed", "invitation.revoked"]


def test_by_mail_the_link_goes_to_the_address_alone(client_of: Clients, mona: Membership) -> None:
    answer = client_of(mona).post(
        f"{PAGE}new/", {**FORM, "way": "mail", "email": "Erin@example.com"}, follow=True
    )
    page = answer.content.decode()
    assert "on its way to erin@example.com" in page
    assert "/invite/" not in page
    (message,) = mail.outbox
    assert message.subject == "Soundroom: join Tide Tables"
    assert message.to == ["erin@example.com"]
    assert "Mona invites you" in message.body
    assert "http://testserver/invite/" in message.body
    assert Invitation.objects.get().max_uses == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"way": "mail", "email": ""}, "Write the address"),
        ({"way": "mail", "email": "mona@example.com"}, "in the team already"),
        ({"role": "owner"}, "Select a valid choice"),
        ({"days": "0"}, "greater than or equal to 1"),
        ({"max_uses": "501"}, "less than or equal to 500"),
        ({"way": "pigeon"}, "Select a valid choice"),
    ],
)
def test_a_refused_form_comes_back_filled(
    change: dict[str, str], sentence: str, client_of: Clients, mona: Membership
) -> None:
    answer = client_of(mona).post(f"{PAGE}new/", {**FORM, "email": "erin@example.com", "days": "9", **change})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert sentence in html
    assert f'value="{change.get("days", "9")}"' in html
    assert not Invitation.objects.exists()


def test_only_owners_may_invite_owners(client_of: Clients, alice: Membership, mona: Membership) -> None:
    assert 'value="owner"' not in client_of(mona).get(f"{PAGE}new/").content.decode()
    row = make(alice, role=Role.OWNER)
    assert client_of(mona).post(f"{PAGE}{row.pk}/renew/").status_code == 403
    assert client_of(alice).post(f"{PAGE}new/", {**FORM, "role": "owner"}).status_code == 200


def test_only_owners_open_the_team_to_a_domain(
    client_of: Clients, alice: Membership, mona: Membership
) -> None:
    form = {"domain": "@Example.COM", "domain_role": "viewer", "automatic": "on"}
    assert client_of(mona).post(f"{DOMAINS}add/", form).status_code == 403
    client = client_of(alice)
    assert client.post(f"{DOMAINS}add/", form).status_code == 302
    row = TeamDomain.objects.get()
    assert (row.domain, row.role, row.automatic) == ("example.com", Role.VIEWER, True)
    assert client_of(mona).post(f"{DOMAINS}{row.pk}/remove/").status_code == 403
    assert "example.com" in client_of(mona).get(PAGE).content.decode()
    assert client.post(f"{DOMAINS}{row.pk}/remove/").status_code == 302
    assert not TeamDomain.objects.exists()
    made, closed = AuditEntry.objects.filter(action="domain.changed").order_by("pk")
    assert made.after == {"role": "viewer", "automatic": True}
    assert closed.before == {"role": "viewer", "automatic": True}


@pytest.mark.parametrize(
    ("domain", "sentence"),
    [
        ("gmail.com", "Everybody can have an address"),
        ("nonsense", "such as example.com"),
        ("a b.com", "such as"),
    ],
)
def test_a_domain_that_proves_nothing_is_refused(
    domain: str, sentence: str, client_of: Clients, alice: Membership
) -> None:
    answer = client_of(alice).post(f"{DOMAINS}add/", {"domain": domain, "domain_role": "member"})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert f'value="{domain}"' in answer.content.decode()


def test_nobody_manages_by_an_address_alone(client_of: Clients, alice: Membership) -> None:
    answer = client_of(alice).post(f"{DOMAINS}add/", {"domain": "example.com", "domain_role": "manager"})
    assert answer.status_code == 422
    assert not TeamDomain.objects.exists()


def test_another_team_s_domain_is_not_there(client_of: Clients, alice: Membership, zoe: Membership) -> None:
    domains.add(zoe.team, zoe.user, "example.com", Role.MEMBER, automatic=False)
    row = TeamDomain.objects.get()
    assert client_of(alice).post(f"{DOMAINS}{row.pk}/remove/").status_code == 404


def test_more_invitations_ask_no_more_queries(client_of: Clients, mona: Membership) -> None:
    client = client_of(mona)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(PAGE)
        return len(asked)

    make(mona)
    client.get(PAGE)
    few = queries()
    for number in range(12):
        make(mona, email=f"guest{number}@example.com")
    assert queries() == few
