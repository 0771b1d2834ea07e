"""Signing in under attack: guesses are slowed down, members still get in, and nobody learns who has an account."""

from __future__ import annotations

import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import invitations, known
from accounts.models import AuditEntry, Membership, User
from tests.accounts.hasher import Counting
from tests.accounts.test_second_factor import set_up
from tests.effort import thorough

PASSWORD = "a long enough password"
OWN = "198.51.100.7"
MANY = "too many wrong tries"


@pytest.fixture(autouse=True)
def memory_of_one_process(settings: Any, db: None) -> Iterator[None]:
    """Counts live in memory here: what is measured is what is counted, not how fast a database is."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }
    cache.clear()
    yield
    cache.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD, address: str = OWN) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=address)


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def guess(many: int, *, emails: Callable[[int], str], addresses: Callable[[int], str]) -> Counter[str]:
    """What became of that many guesses: looked at, or put off."""
    outcomes: Counter[str] = Counter()
    for number in range(many):
        answer = sign_in(Client(), emails(number), f"guess {number}", addresses(number))
        if answer.status_code == 429 or MANY in answer.content.decode():
            outcomes["put off"] += 1
        else:
            assert answer.status_code == 200
            assert "do not match" in answer.content.decode()
            outcomes["looked at"] += 1
    return outcomes


@pytest.mark.thorough
@pytest.mark.parametrize("many", [60, thorough(10_000)])
def test_guesses_are_slowed_down_whether_spread_over_accounts_or_over_addresses(
    many: int, bob: Membership
) -> None:
    started = time.monotonic()
    third = many // 3
    one_place = guess(third, emails=lambda n: f"user{n}@example.com", addresses=lambda n: "203.0.113.1")
    one_account = guess(
        third, emails=lambda n: "bob@example.com", addresses=lambda n: f"10.0.{n // 250}.{n % 250}"
    )
    few_both = guess(
        third, emails=lambda n: f"user{n % 7}@example.com", addresses=lambda n: f"192.0.2.{n % 5}"
    )
    minutes = 1 + (time.monotonic() - started) / 60
    assert one_place["looked at"] <= 10 * minutes
    assert one_account["looked at"] <= 5 * (1 + minutes / 5)
    assert few_both["looked at"] <= 50 * minutes
    assert AuditEntry.objects.filter(action="sign_in.failed").count() == sum(
        one["looked at"] for one in (one_place, one_account, few_both)
    ), "what was put off is not written down again and again"


@pytest.mark.thorough
def test_members_get_in_from_their_own_browser_while_strangers_guess(bob: Membership) -> None:
    own = Client()
    sign_in(own, "bob@example.com")
    own.post("/accounts/logout/")
    assert not is_in(own)
    guess(12, emails=lambda n: "bob@example.com", addresses=lambda n: f"203.0.113.{n}")
    stranger = Client()
    assert MANY in sign_in(stranger, "bob@example.com", address="203.0.113.200").content.decode()
    sign_in(own, "bob@example.com", address="192.0.2.44")
    assert is_in(own), "the browser is known, wherever it is now"


@pytest.mark.thorough
def test_members_get_in_from_an_address_where_they_are_signed_in(bob: Membership) -> None:
    sign_in(Client(), "bob@example.com", address="192.0.2.9")
    guess(12, emails=lambda n: "bob@example.com", addresses=lambda n: f"203.0.113.{n}")
    new_browser = Client()
    sign_in(new_browser, "bob@example.com", address="192.0.2.9")
    assert is_in(new_browser)
    assert MANY in sign_in(Client(), "bob@example.com", address="192.0.2.10").content.decode()


@pytest.mark.thorough
def test_a_known_browser_guesses_no_more_than_others(bob: Membership) -> None:
    own = Client()
    sign_in(own, "bob@example.com")
    own.post("/accounts/logout/")
    for number in range(5):
        sign_in(own, "bob@example.com", "wrong", address=f"192.0.2.{number}")
    assert MANY in sign_in(own, "bob@example.com", address="192.0.2.77").content.decode()


@pytest.mark.thorough
def test_the_note_on_a_browser_is_worth_nothing_for_another_account_or_when_made_up(
    bob: Membership, carol: Membership
) -> None:
    own = Client()
    sign_in(own, "bob@example.com", address="192.0.2.99")
    own.post("/accounts/logout/")
    guess(12, emails=lambda n: "carol@example.com", addresses=lambda n: f"203.0.113.{n}")
    assert MANY in sign_in(own, "carol@example.com", address="192.0.2.1").content.decode()
    forged = Client()
    forged.cookies[known.COOKIE] = own.cookies[known.COOKIE].value[:-2] + "xx"
    guess(12, emails=lambda n: "bob@example.com", addresses=lambda n: f"203.0.114.{n}")
    assert MANY in sign_in(forged, "bob@example.com", address="192.0.2.2").content.decode()


@pytest.mark.thorough
def test_a_browser_remembers_a_few_people_and_forgets_the_first(db: None) -> None:
    browser = Client()
    for number in range(known.PEOPLE + 1):
        email = f"guest{number}@example.com"
        User.objects.create_user(email, PASSWORD)
        EmailAddress.objects.create(
            user=User.objects.get(email=email), email=email, verified=True, primary=True
        )
        sign_in(browser, email)
        browser.post("/accounts/logout/")
    cookie = browser.cookies[known.COOKIE]
    assert len(cookie.value) < 600
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/accounts/")
    guess(6, emails=lambda n: "guest0@example.com", addresses=lambda n: f"203.0.113.{n}")
    guess(6, emails=lambda n: "guest5@example.com", addresses=lambda n: f"203.0.113.{n + 50}")
    sign_in(browser, "guest5@example.com", address="192.0.2.3")
    assert is_in(browser)


def plain(answer: Any, *hidden: str) -> str:
    """The page without what the person typed and without the token of the form."""
    html = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())
    for word in hidden:
        html = html.replace(word, "…")
    return html


ASKED = {
    "/accounts/login/": lambda email: {"login": email, "password": "wrong password"},
    "/accounts/password/reset/": lambda email: {"email": email},
    "/accounts/signup/": lambda email: {
        "email": email,
        "password1": PASSWORD + "!",
        "password2": PASSWORD + "!",
    },
}


@pytest.mark.thorough
@pytest.mark.parametrize("path", ASKED)
def test_an_account_and_none_get_the_same_answer_for_the_same_work(
    path: str, settings: Any, bob: Membership
) -> None:
    settings.OPEN_SIGNUP = True
    settings.PASSWORD_HASHERS = ["tests.accounts.hasher.Counting"]
    bob.user.set_password(PASSWORD)
    bob.user.save()
    unset = User.objects.create_user("nopassword@example.com")
    answers, hashes, mails = [], [], []
    for email in ("bob@example.com", "bobby@example.com", unset.email):
        Counting.runs = 0
        before = len(mail.outbox)
        client = Client()
        answer = client.post(path, ASKED[path](email), REMOTE_ADDR=OWN)
        final = client.get(answer["Location"]) if answer.status_code == 302 else answer
        answers.append((answer.status_code, answer.headers.get("Location"), plain(final, email)))
        hashes.append(Counting.runs)
        mails.append(len(mail.outbox) - before)
    assert len(set(answers)) == 1
    assert len(set(hashes)) == 1
    assert len(set(mails)) == 1


@pytest.mark.thorough
def test_a_wrong_password_takes_as_long_as_an_unknown_account(settings: Any, bob: Membership) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    settings.ACCOUNT_RATE_LIMITS = {"login": "10000/m/ip", "login_failed": "10000/m/ip"}
    bob.user.set_password(PASSWORD)
    bob.user.save()
    client, took = Client(), {"bob@example.com": [], "bobby@example.com": []}  # type: ignore[var-annotated]
    for _ in range(11):
        for email, times in took.items():
            start = time.perf_counter()
            sign_in(client, email, "wrong")
            times.append(time.perf_counter() - start)
    known_one, unknown = (statistics.median(times) for times in took.values())
    assert 0.6 < known_one / unknown < 1.7


def test_signing_in_asks_the_database_as_much_for_an_account_as_for_none(bob: Membership) -> None:
    asked = []
    for email in ("bob@example.com", "bobby@example.com"):
        with CaptureQueriesContext(connection) as queries:
            sign_in(Client(), email, "wrong")
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.thorough
def test_asking_for_a_new_password_again_and_again_is_slowed_down(bob: Membership) -> None:
    for number in range(20):
        Client().post(
            "/accounts/password/reset/", {"email": "bob@example.com"}, REMOTE_ADDR=f"203.0.113.{number}"
        )
    assert len(mail.outbox) == 3
    answers = [
        Client()
        .post("/accounts/password/reset/", {"email": f"u{n}@example.com"}, REMOTE_ADDR=OWN)
        .status_code
        for n in range(12)
    ]
    assert answers.count(429) == 2


def test_signing_up_again_and_again_is_slowed_down(settings: Any, db: None) -> None:
    settings.OPEN_SIGNUP = True
    answers = [
        Client()
        .post(
            "/accounts/signup/",
            {"email": f"u{n}@example.com", "password1": "x", "password2": "x"},
            REMOTE_ADDR=OWN,
        )
        .status_code
        for n in range(12)
    ]
    assert answers.count(429) == 2


def test_mails_of_a_link_for_many_are_slowed_down(mona: Membership) -> None:
    _row, secret = invitations.make(mona, role="member", lasts=timedelta(days=1), max_uses=None)
    for number in range(9):
        Client().post(
            f"/invite/{secret}/mail/", {"email": "victim@example.com"}, REMOTE_ADDR=f"203.0.113.{number}"
        )
    assert len(mail.outbox) == 3


def test_the_trail_tells_of_signing_in_and_out_and_of_failures(bob: Membership) -> None:
    client = Client(headers={"User-Agent": "Firefox"})
    sign_in(client, "bob@example.com", "wrong")
    sign_in(client, "nobody@example.com", "wrong")
    sign_in(client, "bob@example.com")
    client.post("/accounts/logout/")
    rows = AuditEntry.objects.order_by("pk")
    assert [(row.action, row.subject, row.actor, row.person) for row in rows] == [
        ("sign_in.failed", "bob@example.com", None, bob.user),
        ("sign_in.failed", "nobody@example.com", None, None),
        ("signed_in", "bob@example.com", bob.user, bob.user),
        ("signed_out", "bob@example.com", bob.user, bob.user),
    ]
    assert {(row.via, row.browser) for row in rows} == {("page", "Firefox")}
    assert [row.team for row in rows] == [bob.team, None, bob.team, bob.team]
    assert rows[0].address == OWN


def test_the_trail_tells_of_passwords_and_second_factors(
    bob: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        client, _secret = set_up(bob)
    form = {
        "oldpassword": PASSWORD,
        "password1": "another long password",
        "password2": "another long password",
    }
    client.post("/accounts/password/change/", form)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/2fa/recovery-codes/generate/")
    client.post("/accounts/2fa/totp/deactivate/")
    told = AuditEntry.objects.exclude(action__startswith="sign").order_by("pk")
    assert list(told.values_list("action", flat=True)) == [
        "second_factor.set",
        "password.changed",
        "recovery_codes.made",
        "second_factor.removed",
    ]
    assert {row.actor for row in told} == {bob.user}
    assert "password" not in str([(row.before, row.after, row.subject) for row in told]).lower()
