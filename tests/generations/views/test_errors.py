"""Pages for when something is not there, not allowed or broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from accounts.models import Membership
from generations.views import errors

Clients = Callable[[Membership], Client]


def test_a_page_that_is_not_there_says_so_without_the_shell(client: Client, db: None) -> None:
    response = client.get("/no/such/page")
    assert response.status_code == 404
    html = response.content.decode()
    assert "Nothing here" in html
    assert 'class="sign"' in html


def test_a_stranger_learns_nothing_about_a_team(client_of: Clients, zoe: Membership, bob: Membership) -> None:
    client = client_of(zoe)
    there, not_there = client.get("/t/tide/usage/"), client.get("/t/nothing/usage/")
    assert there.status_code == not_there.status_code == 404
    assert there.content == not_there.content


def test_a_refusal_keeps_the_shell_and_says_why(client_of: Clients, bob: Membership) -> None:
    response = client_of(bob).get("/t/tide/team/settings/")
    assert response.status_code == 403
    html = response.content.decode()
    assert "Only managers of the team may do this." in html
    assert 'class="shell"' in html


def test_a_part_of_a_page_gets_the_whole_page_as_answer(client_of: Clients, bob: Membership) -> None:
    response = client_of(bob).get("/t/tide/team/settings/", headers={"HX-Request": "true"})
    assert response["HX-Retarget"] == "body"


def test_a_form_without_its_token_is_not_done(bob: Membership) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob.user)
    response = client.post("/accounts/logout/")
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()
    assert client.get("/t/tide/usage/").status_code == 200


def test_the_page_of_a_broken_portal_needs_no_database() -> None:
    # Not marked for the database: touching it would fail the test.
    response = errors.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    html = response.content.decode()
    assert "The fault is on our side" in html
    assert "/static/css/tokens.css" in html


def test_a_broken_page_answers_500(
    client_of: Clients, bob: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(bob)
    client.raise_request_exception = False
    Membership.objects.filter(pk=bob.pk).update(role="member")
    team = bob.team
    type(team).objects.filter(pk=team.pk).update(time_zone="Nowhere/Never")
    response = client.get("/t/tide/usage/")
    assert response.status_code == 500
    assert "Something broke" in response.content.decode()


@pytest.mark.parametrize(
    ("view", "exception", "status"),
    [
        (errors.bad_request, ValueError("inner words"), 400),
        (errors.forbidden, PermissionDenied(), 403),
        (errors.forbidden, None, 403),
    ],
)
def test_inner_words_are_never_shown(view: Any, exception: Any, status: int, rf: RequestFactory) -> None:
    request = rf.get("/")
    request.resolver_match = None
    response = view(request, exception)
    assert response.status_code == status
    html = response.content.decode()
    assert "inner words" not in html
    assert "None" not in html
