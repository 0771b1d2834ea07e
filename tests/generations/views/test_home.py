"""The way in."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.utils import timezone

from accounts.models import Membership, Role, Team, User

Clients = Callable[[Membership], Client]


def test_a_stranger_is_asked_to_sign_in(client: Client, db: None) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/"


def test_home_is_the_studio_of_the_first_team_by_name(client_of: Clients, bob: Membership) -> None:
    ahoy = Team.objects.create(slug="zz-ahoy", name="Ahoy")
    Membership.objects.create(team=ahoy, user=bob.user, role=Role.MEMBER)
    assert client_of(bob).get("/")["Location"] == "/t/zz-ahoy/create/"


def test_a_team_that_was_left_is_not_home(client_of: Clients, bob: Membership) -> None:
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now())
    response = client_of(bob).get("/")
    assert response.status_code == 200
    assert "You are not in a team yet" in response.content.decode()


def test_whoever_is_in_no_team_reads_what_to_do(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("new@example.com", "a long enough password"))
    html = client.get("/").content.decode()
    assert "Ask a manager to add new@example.com" in html
    assert "nav__link" not in html


def test_the_address_of_a_team_leads_to_its_studio(
    client_of: Clients, vera: Membership, zoe: Membership
) -> None:
    assert client_of(vera).get("/t/tide/")["Location"] == "/t/tide/create/"
    assert client_of(zoe).get("/t/tide/").status_code == 404


def test_home_takes_no_posts(client_of: Clients, bob: Membership) -> None:
    assert client_of(bob).post("/").status_code == 405
