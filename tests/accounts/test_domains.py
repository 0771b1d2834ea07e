"""Teams that are open to the addresses of a domain."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts import domains
from accounts.models import AuditEntry, Membership, Role, User

Clients = Callable[[Membership], Client]
PASSWORD = "a quite long password"


@pytest.fixture(autouse=True)
def no_rate_limits_from_other_tests(db: None) -> None:
    cache.clear()


def confirmed(email: str) -> User:
    user = User.objects.create_user(email, PASSWORD)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.com ", "example.com"),
        ("ann@Sub.Example.co.uk", "sub.example.co.uk"),
        ("bücher.de", "xn--bcher-kva.de"),
    ],
)
def test_a_domain_is_understood(text: str, domain: str) -> None:
    assert domains.clean(text) == domain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "a..b",
        "-a.com",
        "1.2.3.4",
        "Gmail.com",
        "x@outlook.com",
        "a/b.com",
        "x" * 300 + ".com",
    ],
)
def test_no_domain_or_everybody_s_domain_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        domains.clean(text)


def test_whoever_has_a_confirmed_address_joins_from_the_start_page(alice: Membership) -> None:
    domains.add(alice.team, alice.user, "tide.example", Role.VIEWER, automatic=False)
    erin = confirmed("erin@tide.example")
    client = browser(erin)
    page = client.get("/").content.decode()
    assert "Teams you may join" in page
    assert "Open to everybody at tide.example, with the role “Viewer”" in page
    assert client.post("/teams/tide/join/")["Location"] == "/t/tide/"
    assert Membership.objects.get(user=erin).role == Role.VIEWER
    entry = AuditEntry.objects.get(action="member.joined")
    assert (entry.actor, entry.after["how"]) == (erin, "address at tide.example")


def test_an_address_that_is_not_confirmed_or_elsewhere_opens_nothing(alice: Membership) -> None:
    domains.add(alice.team, alice.user, "tide.example", Role.MEMBER, automatic=True)
    unproven = User.objects.create_user("erin@tide.example")
    EmailAddress.objects.create(user=unproven, email=unproven.email, verified=False, primary=True)
    for user in (unproven, confirmed("zed@other.example"), confirmed("x@not-tide.example")):
        client = browser(user)
        assert "Teams you may join" not in client.get("/").content.decode()
        assert client.post("/teams/tide/join/").status_code == 404
        assert client.post("/teams/nowhere/join/").status_code == 404
        assert domains.join_automatically(user) == []
    assert Membership.objects.count() == 1
    assert Client().post("/teams/tide/join/").status_code == 302


def test_who_was_let_go_does_not_come_back_by_themselves(alice: Membership) -> None:
    domains.add(alice.team, alice.user, "tide.example", Role.MEMBER, automatic=True)
    erin = confirmed("erin@tide.example")
    assert domains.join(erin, "tide")
    Membership.objects.filter(user=erin).update(ended_at=timezone.now())
    assert domains.offers(erin) == []
    assert domains.join(erin, "tide") is None


def test_saying_the_same_again_changes_nothing(alice: Membership) -> None:
    assert domains.add(alice.team, alice.user, "tide.example", Role.MEMBER, automatic=True)
    assert not domains.add(alice.team, alice.user, "tide.example", Role.MEMBER, automatic=True)
    assert AuditEntry.objects.filter(action="domain.changed").count() == 1


def sign_up(client: Client, email: str) -> Any:
    form = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post("/accounts/signup/", form, follow=True)


def test_people_of_the_domain_sign_up_and_are_in_when_the_address_is_confirmed(
    alice: Membership, client: Client
) -> None:
    assert "Accounts are made by teams" in client.get("/accounts/signup/").content.decode()
    domains.add(alice.team, alice.user, "tide.example", Role.MEMBER, automatic=True)
    refused = sign_up(client, "zed@other.example").content.decode()
    assert "No team here is open to this address" in refused
    sign_up(client, "erin@tide.example")
    erin = User.objects.get(email="erin@tide.example")
    assert client.get("/").status_code == 302, "not before the address is confirmed"
    assert not Membership.objects.filter(user=erin).exists()
    client.post("/accounts/login/", {"login": erin.email, "password": PASSWORD})
    assert client.get("/").status_code == 302
    link = re.search(r"https?://testserver(/accounts/confirm-email/\S+)", mail.outbox[0].body)[1]  # type: ignore[index]
    client.post(link)
    assert Membership.objects.get(user=erin).role == Role.MEMBER
    client.post("/accounts/login/", {"login": erin.email, "password": PASSWORD})
    assert client.get("/t/tide/library/").status_code == 200


def test_the_page_of_own_teams(
    alice: Membership, bob: Membership, zoe: Membership, client: Client, client_of: Clients
) -> None:
    Membership.objects.create(team=zoe.team, user=bob.user, role=Role.VIEWER)
    browser_of_bob = client_of(bob)
    html = browser_of_bob.get("/teams/").content.decode()
    assert html.index("Tide Tables") < html.index("Zoo")
    assert client.get("/teams/").status_code == 302
    assert "Zoo" not in client_of(alice).get("/teams/").content.decode()
    assert browser_of_bob.get("/")["Location"] == "/t/tide/create/"
    browser_of_bob.get("/t/zoo/")
    assert browser_of_bob.get("/")["Location"] == "/t/zoo/create/", "the team chosen last"
    Membership.objects.filter(team=zoe.team, user=bob.user).update(ended_at=timezone.now())
    assert browser_of_bob.get("/")["Location"] == "/t/tide/create/"
