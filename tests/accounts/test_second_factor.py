"""A second factor: setting one up, signing in with it, teams that ask for one, and ending sessions."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from allauth.usersessions.models import UserSession
from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

from accounts.models import Membership, Team, sealed

PASSWORD = "a long enough password"


def sign_in(membership: Membership) -> tuple[Client, HttpResponse]:
    client = Client()
    return client, client.post("/accounts/login/", {"login": membership.user.email, "password": PASSWORD})


def sign_in_twice(membership: Membership) -> Client:
    """With the password said once more, as changes of how one signs in ask for."""
    client, _ = sign_in(membership)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def code(secret: str) -> str:
    return str(auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30)))


def set_up(membership: Membership) -> tuple[Client, str]:
    """A browser whose member has just set up an app, and the secret in the app."""
    client = sign_in_twice(membership)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.findall(r'id="secret" value="([A-Z2-7]+)"', page)[0]
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code(secret)})
    assert answer.status_code == 302, answer.content.decode()
    return client, secret


def test_after_setting_up_an_app_a_password_alone_opens_nothing(bob: Membership) -> None:
    _client, secret = set_up(bob)
    other, answer = sign_in(bob)
    assert answer.url == "/accounts/2fa/authenticate/"  # type: ignore[attr-defined]
    assert other.get("/t/tide/library/").status_code == 302
    wrong = other.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert wrong.status_code == 200
    assert "Incorrect code" in wrong.content.decode()
    time_to_come = str(auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30 + 1)))
    assert other.post("/accounts/2fa/authenticate/", {"code": time_to_come}).status_code == 302
    assert other.get("/t/tide/library/").status_code == 200


def test_a_recovery_code_opens_once(bob: Membership) -> None:
    client, _secret = set_up(bob)
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.findall(r"<li>(\d{8})</li>", page)
    assert len(codes) == 10
    for expected in (302, 200):
        other, _ = sign_in(bob)
        assert other.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == expected


def test_the_secret_lies_sealed_and_survives_a_new_secret_key(bob: Membership) -> None:
    _client, secret = set_up(bob)
    row = Authenticator.objects.get(user=bob.user, type="totp")
    assert secret not in str(row.data)
    stored = row.data["secret"]
    with (
        override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=["x" * 50]),
        pytest.raises(sealed.Unreadable),
    ):
        sealed.unseal("second factor", stored)
    with pytest.raises(sealed.Unreadable):
        sealed.unseal("something else", stored)
    from django.conf import settings

    with override_settings(SECRET_KEY="n" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert sealed.unseal("second factor", stored) == secret


@pytest.mark.thorough
def test_a_team_that_asks_for_one_is_closed_until_then(
    alice: Membership, bob: Membership, client_of: Callable[[Membership], Client]
) -> None:
    owner = client_of(alice)
    form = {"name": "Tide Tables", "time_zone": "UTC", "unknown_price": "refuse", "needs_second_factor": "on"}
    assert owner.post("/t/tide/team/settings/", form).status_code == 302
    assert Team.objects.get(slug="tide").needs_second_factor
    client, _ = sign_in(bob)
    for path in ("/t/tide/library/", "/t/tide/team/", "/t/tide/usage/"):
        closed = client.get(path)
        assert closed.status_code == 403
        assert 'href="/accounts/2fa/"' in closed.content.decode()
    assert client.post("/t/tide/create/anything/").status_code == 403
    assert owner.get("/t/tide/team/").status_code == 403, "the owner too"
    opened, _secret = set_up(bob)
    assert opened.get("/t/tide/library/").status_code == 200
    assert client.get("/t/tide/library/").status_code == 200


def test_strangers_get_404_whether_or_not_a_team_asks(
    alice: Membership, zoe: Membership, client_of: Callable[[Membership], Client]
) -> None:
    Team.objects.filter(slug="tide").update(needs_second_factor=True)
    assert client_of(zoe).get("/t/tide/library/").status_code == 404


@pytest.mark.thorough
def test_one_session_is_ended_from_another_and_nobody_ends_a_stranger_s(
    bob: Membership, carol: Membership
) -> None:
    lost, _ = sign_in(bob)
    here, _ = sign_in(bob)
    carols, _ = sign_in(carol)
    rows = {row.session_key: row for row in UserSession.objects.all()}
    page = here.get("/accounts/sessions/").content.decode()
    assert page.count("Sign out there") == 1
    of_carol = rows[carols.session.session_key or ""].pk
    assert here.post(f"/accounts/sessions/{of_carol}/end/").status_code == 404
    assert carols.get("/t/tide/library/").status_code == 200
    of_lost = rows[lost.session.session_key or ""].pk
    assert here.post(f"/accounts/sessions/{of_lost}/end/").status_code == 302
    assert lost.get("/t/tide/library/").status_code == 302
    assert here.get("/t/tide/library/").status_code == 200
    assert Client().post(f"/accounts/sessions/{of_lost}/end/").status_code == 302, "to the sign-in page"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "path",
    ["", "totp/activate/", "webauthn/", "webauthn/add/", "recovery-codes/generate/"],
)
def test_pages_of_the_second_factor_are_ours(path: str, bob: Membership) -> None:
    client = set_up(bob)[0] if "recovery" in path else sign_in_twice(bob)
    answer = client.get(f"/accounts/2fa/{path}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert 'class="sign__card"' in page
    assert "<style" not in page
    assert " style=" not in page
    for script in re.findall(r"<script([^>]*)>", page):
        assert "src=" in script or 'type="application/json"' in script
