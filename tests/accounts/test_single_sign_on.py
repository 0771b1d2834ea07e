"""Signing in through a provider: whom it lets in, and that an address it does not vouch for opens nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.test import Client

from accounts import domains, invitations
from accounts.models import AuditEntry, Membership, Role, User
from tests.accounts.provider import CLIENT, SECRET, Provider
from tests.accounts.test_second_factor import set_up

Clients = Callable[[Membership], Client]
PASSWORD = "a long enough password"
START = "/accounts/oidc/sso/login/"


@pytest.fixture
def provider(settings: Any, db: None) -> Iterator[Provider]:
    """A provider, and the portal pointed at it as RHWEB_OIDC_URL and the others would."""
    cache.clear()
    with Provider() as running:
        app = {
            "provider_id": "sso",
            "name": "Harbour ID",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {"server_url": running.url, "oauth_pkce_enabled": True},
        }
        settings.OIDC_NAME = "Harbour ID"
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        yield running


def through(client: Client, provider: Provider, page: str = "", **claims: Any) -> Any:
    """What the browser sees at the end of going to the provider and back."""
    provider.claims = {"sub": claims.get("email", "nobody"), **claims}
    provider.claims = {key: value for key, value in provider.claims.items() if value is not None}
    there = client.get(START, {"process": "login", **({"next": page} if page else {})})
    assert there.status_code == 302, there.content
    back = requests.get(there["Location"], allow_redirects=False, timeout=10).headers["Location"]
    return client.get(back.removeprefix("http://testserver"))


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_without_a_provider_nothing_is_offered(client: Client, db: None) -> None:
    assert "Continue with" not in client.get("/accounts/login/").content.decode()
    assert client.get(START).status_code == 404
    assert client.get(f"{START}callback/").status_code == 404


def test_the_sign_in_page_offers_it_and_keeps_where_one_wanted_to_go(
    client: Client, provider: Provider
) -> None:
    html = client.get("/accounts/login/?next=/t/tide/usage/").content.decode()
    assert f'href="{START}?process=login&amp;next=/t/tide/usage/"' in html
    assert "Continue with Harbour ID" in html


def test_a_verified_address_opens_the_account_it_belongs_to(
    client: Client, provider: Provider, bob: Membership
) -> None:
    EmailAddress.objects.create(user=bob.user, email=bob.user.email, verified=True, primary=True)
    answer = through(client, provider, "/t/tide/usage/", email="Bob@example.com", email_verified=True)
    assert answer["Location"] == "/t/tide/usage/"
    assert client.get("/t/tide/usage/").status_code == 200
    assert SocialAccount.objects.get().user == bob.user
    bob.user.refresh_from_db()
    assert bob.user.check_password(PASSWORD), "both ways stay open"
    entry = AuditEntry.objects.get(action="signed_in")
    assert (entry.actor, entry.after) == (bob.user, {"by": "Harbour ID"})
    again = Client()
    through(again, provider, sub="Bob@example.com", email="new@example.com", email_verified=False)
    assert is_in(again), "the provider knows them by its own number from now on"


@pytest.mark.thorough
@pytest.mark.parametrize("said", [False, None, "false", "yes", 1.5, ["true"]])
def test_an_address_that_is_not_vouched_for_opens_nothing(
    said: Any, client: Client, provider: Provider, bob: Membership
) -> None:
    answer = through(client, provider, email="bob@example.com", email_verified=said)
    assert answer.status_code == 403
    assert "does not say that bob@example.com is confirmed" in answer.content.decode()
    assert not is_in(client)
    assert not SocialAccount.objects.exists()


def test_without_an_address_there_is_a_sentence(client: Client, provider: Provider) -> None:
    answer = through(client, provider, sub="7")
    assert answer.status_code == 403
    assert "gives no email address" in answer.content.decode()


def test_whom_nobody_expects_gets_no_account(client: Client, provider: Provider, bob: Membership) -> None:
    answer = through(client, provider, email="erin@example.com", email_verified=True)
    assert answer.status_code == 403
    assert "no team here expects this address" in answer.content.decode()
    assert not is_in(client)
    assert not User.objects.filter(email="erin@example.com").exists()


@pytest.mark.thorough
def test_whoever_was_invited_comes_in_and_joins(client: Client, provider: Provider, mona: Membership) -> None:
    _row, secret = invitations.make(mona, role=Role.MEMBER, lasts=timedelta(days=7), email="erin@example.com")
    page = f"/invite/{secret}/"
    assert "Continue with Harbour ID" in client.get(page).content.decode()
    answer = through(client, provider, page, email="Erin@example.com", email_verified=True, name="Erin R.")
    assert answer["Location"] == page
    assert client.post(page).status_code == 302
    erin = Membership.objects.get(user__email="erin@example.com")
    assert (erin.user.name, erin.user.has_usable_password()) == ("Erin R.", False)
    assert client.get("/t/tide/library/").status_code == 200


@pytest.mark.thorough
def test_a_link_for_many_lets_whoever_has_it_make_an_account(
    client: Client, provider: Provider, mona: Membership
) -> None:
    _row, secret = invitations.make(mona, role=Role.VIEWER, lasts=timedelta(days=7), max_uses=None)
    for page, status in (("/invite/nonsense/", 403), ("/invite/", 403), (f"/invite/{secret}/", 302)):
        answer = through(client, provider, page, email="erin@example.com", email_verified=True)
        assert answer.status_code == status


@pytest.mark.thorough
def test_people_of_a_domain_are_in_at_once(client: Client, provider: Provider, alice: Membership) -> None:
    domains.add(alice.team, alice.user, "example.com", Role.MEMBER, automatic=True)
    through(client, provider, email="erin@example.com", email_verified="true")
    assert client.get("/")["Location"] == "/t/tide/create/"
    assert Membership.objects.get(user__email="erin@example.com").role == Role.MEMBER
    assert EmailAddress.objects.get(email="erin@example.com").verified


@pytest.mark.thorough
def test_an_account_of_somebody_who_never_proved_the_address_is_taken_from_them(
    client: Client, provider: Provider, bob: Membership
) -> None:
    """Who made it may not be who owns the address; so its password works no more."""
    squatter = Client()
    squatter.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})
    assert is_in(squatter)
    through(client, provider, email="bob@example.com", email_verified=True)
    assert is_in(client)
    assert squatter.get("/t/tide/usage/").status_code == 302
    bob.user.refresh_from_db()
    assert not bob.user.has_usable_password()


def test_an_answer_that_was_not_asked_for_is_refused(
    client: Client, provider: Provider, bob: Membership
) -> None:
    for query in ({}, {"code": "code-0", "state": "made-up"}, {"error": "server_error"}):
        answer = client.get(f"{START}callback/", query)
        assert answer.status_code == 401
        assert "That did not work" in answer.content.decode()
    assert not is_in(client)


def test_a_provider_that_breaks_or_a_person_who_stops_gets_a_page(
    client: Client, provider: Provider, bob: Membership
) -> None:
    provider.is_broken = True
    broken = through(client, provider, email="bob@example.com", email_verified=True)
    assert broken.status_code == 401
    assert 'class="sign"' in broken.content.decode()
    provider.refuses = True
    stopped = through(client, provider, email="bob@example.com", email_verified=True)
    assert "You stopped before it was done" in client.get(stopped["Location"]).content.decode()
    assert not is_in(client)


@pytest.mark.thorough
def test_a_second_factor_is_asked_for_all_the_same(
    client: Client, provider: Provider, bob: Membership
) -> None:
    EmailAddress.objects.create(user=bob.user, email=bob.user.email, verified=True, primary=True)
    set_up(bob)
    answer = through(client, provider, email="bob@example.com", email_verified=True)
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(client)


@pytest.mark.parametrize("path", ["", "login/cancelled/", "login/error/", "signup/"])
def test_every_page_wears_our_clothes(path: str, client_of: Clients, bob: Membership) -> None:
    browser = client_of(bob) if not path else Client()
    html = browser.get(f"/accounts/3rdparty/{path}", follow=True).content.decode()
    assert 'class="sign"' in html
    assert html.count("<h1>") == 1


@pytest.mark.parametrize("what", ["nobody there", "no such page", "no number"])
def test_a_provider_that_is_away_or_talks_nonsense_is_a_page_and_no_breakdown(
    what: str, client: Client, provider: Provider, settings: Any
) -> None:
    if what == "no number":
        answer = through(client, provider, sub=None, email="bob@example.com", email_verified=True)
    else:
        apps = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
        away = "http://127.0.0.1:9" if what == "nobody there" else f"{provider.url}/elsewhere"
        apps[0]["settings"]["server_url"] = away
        answer = client.get(START)
    assert answer.status_code in (401, 502)
    assert "did not answer as it should" in answer.content.decode()
    assert not is_in(client)
