"""Signing in, and everything about passwords and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import Membership, User

Clients = Callable[[Membership], Client]
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def no_rate_limits_from_other_tests(db: None) -> None:
    cache.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password, **extra})


def test_the_page_asks_for_email_and_password(client: Client) -> None:
    html = client.get("/accounts/login/").content.decode()
    assert "<title>Sign in · Soundroom</title>" in html
    assert 'name="login"' in html
    assert 'autocomplete="current-password"' in html
    assert "hx-boost" not in html
    assert "Ask a manager of your team" in html


def test_a_member_gets_in_and_where_they_wanted_to_go(client: Client, bob: Membership) -> None:
    response = sign_in(client, "BOB@example.com", next="/t/tide/usage/")
    assert response["Location"] == "/t/tide/usage/"
    assert client.get("/t/tide/usage/").status_code == 200


def test_an_address_elsewhere_is_not_followed(client: Client, bob: Membership) -> None:
    assert sign_in(client, "bob@example.com", next="https://evil.example/")["Location"] == "/"


@pytest.mark.parametrize(
    ("email", "password"), [("bob@example.com", "wrong"), ("nobody@example.com", PASSWORD)]
)
def test_a_wrong_email_and_a_wrong_password_look_the_same(
    client: Client, bob: Membership, email: str, password: str
) -> None:
    response = sign_in(client, email, password)
    html = response.content.decode()
    assert response.status_code == 200
    assert "That email and password do not match" in html
    assert 'role="alert"' in html
    assert f'value="{email}"' in html
    assert password not in html


def test_guessing_is_slowed_down(client: Client, bob: Membership) -> None:
    for _ in range(5):
        sign_in(client, "bob@example.com", "wrong")
    html = sign_in(client, "bob@example.com", PASSWORD).content.decode()
    assert "too many wrong tries" in html


def test_too_many_requests_get_a_page_in_plain_words(client: Client, bob: Membership) -> None:
    answers = [sign_in(client, f"user{n}@example.com", "wrong") for n in range(31)]
    assert answers[-1].status_code == 429
    assert "Too many tries" in answers[-1].content.decode()


def test_a_forgotten_password_is_set_anew_through_a_mail(client: Client, bob: Membership) -> None:
    response = client.post("/accounts/password/reset/", {"email": "bob@example.com"}, follow=True)
    assert "Look into your mail" in response.content.decode()
    (message,) = mail.outbox
    assert message.subject == "Soundroom: set a new password"
    link = re.search(r"https?://\S+", message.body)[0]  # type: ignore[index]
    form = client.get(link, follow=True)
    assert "Set a new password" in form.content.decode()
    path = form.redirect_chain[-1][0]
    short = client.post(path, {"password1": "short", "password2": "short"})
    assert "field__error" in short.content.decode()
    done = client.post(
        path, {"password1": "another long password", "password2": "another long password"}, follow=True
    )
    assert "You can sign in now" in done.content.decode()
    assert sign_in(client, "bob@example.com", "another long password").status_code == 302
    again = client.get(link, follow=True)
    assert "This link does not work" in again.content.decode()


def test_an_unknown_address_gets_the_same_page_and_an_honest_mail(client: Client, bob: Membership) -> None:
    response = client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, follow=True)
    assert "Look into your mail" in response.content.decode()
    (message,) = mail.outbox
    assert "there is no account with this email" in message.body
    assert "http" not in message.body


def test_signing_up_is_closed_unless_opened(client: Client, settings: Any) -> None:
    html = client.get("/accounts/signup/").content.decode()
    assert "Accounts are made by teams" in html
    answer = client.post(
        "/accounts/signup/", {"email": "x@example.com", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert not User.objects.filter(email="x@example.com").exists()
    assert "Accounts are made by teams" in answer.content.decode()
    settings.OPEN_SIGNUP = True
    assert "Make an account" in client.get("/accounts/signup/").content.decode()
    assert "Make an account" in client.get("/accounts/login/").content.decode()
    client.post("/accounts/signup/", {"email": "x@example.com", "password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.filter(email="x@example.com").exists()


def test_the_password_can_be_changed(client_of: Clients, bob: Membership) -> None:
    client = client_of(bob)
    new = "another long password"
    wrong = client.post(
        "/accounts/password/change/", {"oldpassword": "wrong", "password1": new, "password2": new}
    )
    assert "field__error" in wrong.content.decode()
    right = client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
        follow=True,
    )
    assert "The new password is set." in right.content.decode()
    bob.user.refresh_from_db()
    assert bob.user.check_password(new)


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/done/",
        "/accounts/password/reset/key/zz-nonsense/",
        "/accounts/inactive/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/nonsense/",
        "/accounts/signup/",
    ],
)
def test_every_page_before_signing_in_wears_our_clothes(client: Client, path: str) -> None:
    html = client.get(path, follow=True).content.decode()
    assert 'class="sign"' in html
    assert html.count("<h1>") == 1
    assert "<title>" in html


@pytest.mark.parametrize(
    "path",
    ["/accounts/password/change/", "/accounts/email/", "/accounts/logout/", "/accounts/reauthenticate/"],
)
def test_every_page_of_the_own_account_wears_our_clothes(
    client_of: Clients, bob: Membership, path: str
) -> None:
    html = client_of(bob).get(path, follow=True).content.decode()
    assert 'class="sign"' in html
    assert html.count("<h1>") == 1


def test_somebody_switched_off_does_not_get_in(client: Client, bob: Membership) -> None:
    User.objects.filter(pk=bob.user_id).update(is_active=False)
    sign_in(client, "bob@example.com")
    assert client.get("/t/tide/usage/").status_code == 302


@pytest.mark.parametrize(
    "value", ["\x00", "a" * 5000 + "@example.com", "<script>", "'; --", "😀@example.com"]
)
def test_strange_values_never_break_a_form(client: Client, value: str) -> None:
    assert sign_in(client, value, value).status_code == 200
    assert client.post("/accounts/password/reset/", {"email": value}).status_code in {200, 302}


@pytest.mark.parametrize("verb", ["again", "cancel"])
def test_what_is_posted_after_the_session_ended_leads_back_to_its_page(
    verb: str, bob: Membership, client: Client, make_generation: Any
) -> None:
    page = f"/t/tide/g/{make_generation(bob).pk}/"
    answer = client.post(f"{page}{verb}/", headers={"Referer": f"http://testserver{page}"})
    assert answer["Location"] == f"/accounts/login/?next={page}"
    assert "Nothing was done" in client.get(answer["Location"]).content.decode()
    foreign = client.post(f"{page}{verb}/", headers={"Referer": "https://elsewhere.example/x"})
    assert foreign["Location"] == "/accounts/login/?next=/"


def test_an_address_that_only_takes_forms_says_so(
    bob: Membership, client_of: Any, make_generation: Any
) -> None:
    answer = client_of(bob).get(f"/t/tide/g/{make_generation(bob).pk}/again/")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert "only takes what a form sends" in answer.content.decode()
