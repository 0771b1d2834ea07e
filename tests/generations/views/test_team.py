"""The team page: members, roles, limits, settings, and the shared account."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.memberships import LastOwner
from accounts.models import Action, Allowance, Measure, Membership, Mode, Period, Role, Scope, Team, User
from generations.forms.people import ChangeRole
from generations.models import Connection, Heartbeat, State

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/team/"
MANAGERS_ONLY = ["settings/", "add/", "limits/pool/", "limits/default/"]


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def role_path(of: Membership) -> str:
    return f"{PAGE}members/{of.pk}/role/"


def test_everybody_sees_who_is_in_the_team(
    client_of: Clients, alice: Membership, bob: Membership, vera: Membership
) -> None:
    for membership in (alice, bob, vera):
        html = client_of(membership).get(PAGE).content.decode()
        for name in ("Alice", "Bob", "Vera"):
            assert name in html
        assert "bob@example.com" in html


def test_strangers_and_people_who_are_not_signed_in_see_nothing(
    client: Client, client_of: Clients, bob: Membership, zoe: Membership
) -> None:
    for path in ["", *MANAGERS_ONLY, f"limits/member/{bob.pk}/"]:
        assert client_of(zoe).get(PAGE + path).status_code == 404
        assert client.get(PAGE + path)["Location"].startswith("/accounts/login/")
    assert client_of(zoe).post(role_path(bob), {"role": "viewer"}).status_code == 404
    assert client_of(zoe).post(f"{PAGE}resume/").status_code == 404


def test_only_managers_see_spending_and_may_change_anything(
    client_of: Clients,
    alice: Membership,
    mona: Membership,
    bob: Membership,
    vera: Membership,
    make_generation: Any,
) -> None:
    make_generation(alice, cost_estimated=Decimal("5.55"))
    for membership in (alice, mona):
        words = text(client_of(membership).get(PAGE).content.decode())
        assert "¥5.55" in words
        assert "Add a member" in words
    for membership in (bob, vera):
        client = client_of(membership)
        page = client.get(PAGE)
        assert "pool" not in page.context
        words = text(page.content.decode())
        assert "¥5.55" not in words
        assert "Add a member" not in words
        for path in [*MANAGERS_ONLY, f"limits/member/{bob.pk}/"]:
            assert client.get(PAGE + path).status_code == 403
            assert client.post(PAGE + path, {}).status_code == 403
        assert client.post(role_path(bob), {"role": "owner"}).status_code == 403
        assert client.post(f"{PAGE}resume/").status_code == 403
    bob.refresh_from_db()
    assert bob.role == Role.MEMBER


def test_more_members_cost_no_more_queries(
    client_of: Clients, alice: Membership, team: Team, make_generation: Any
) -> None:
    client = client_of(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PAGE).status_code == 200
        return len(captured)

    Allowance.put(
        team,
        scope=Scope.DEFAULT,
        measure=Measure.SPEND,
        period=Period.MONTH,
        mode=Mode.LIMITED,
        limit=Decimal(9),
    )
    make_generation(alice)
    client.get(PAGE)
    few = queries()
    for n in range(8):
        user = User.objects.create_user(f"more{n}@example.com", name=f"More {n}")
        more = Membership.objects.create(team=team, user=user)
        make_generation(more)
        make_generation(more, status=State.RUNNING)
    assert queries() == few


def test_a_member_gets_another_role(client_of: Clients, alice: Membership, bob: Membership) -> None:
    response = client_of(alice).post(role_path(bob), {"role": "manager"}, follow=True)
    assert "Bob now has the role “Manager”." in response.content.decode()
    bob.refresh_from_db()
    assert bob.role == Role.MANAGER


@pytest.mark.parametrize("role", ["", "god", "OWNER", "\x00", "x" * 10_000])
def test_a_role_that_does_not_exist_is_refused_with_a_sentence(
    client_of: Clients, alice: Membership, bob: Membership, role: str
) -> None:
    response = client_of(alice).post(role_path(bob), {"role": role})
    assert response.status_code == 422
    assert "There is no such role." in response.content.decode()


def test_managers_neither_make_nor_change_owners(
    client_of: Clients, alice: Membership, mona: Membership, bob: Membership
) -> None:
    client = client_of(mona)
    for colleague, role in ((bob, "owner"), (alice, "member"), (mona, "owner")):
        response = client.post(role_path(colleague), {"role": role})
        assert response.status_code == 403
        assert "Only owners may change or make owners." in response.content.decode()
    assert client.post(role_path(bob), {"role": "viewer"}).status_code == 302
    html = client.get(PAGE).content.decode()
    assert 'aria-label="Role of Alice"' not in html
    assert '<option value="owner"' not in html


def test_the_last_owner_stays_one(client_of: Clients, alice: Membership, bob: Membership) -> None:
    client = client_of(alice)
    response = client.post(role_path(alice), {"role": "member"})
    assert response.status_code == 422
    assert "Alice is the only owner." in response.content.decode()
    Membership.objects.filter(pk=bob.pk).update(role=Role.OWNER)
    assert client.post(role_path(alice), {"role": "member"}).status_code == 302


def test_an_owner_who_left_does_not_count(client_of: Clients, alice: Membership, bob: Membership) -> None:
    Membership.objects.filter(pk=bob.pk).update(role=Role.OWNER, ended_at=timezone.now())
    assert client_of(alice).post(role_path(alice), {"role": "member"}).status_code == 422
    assert client_of(alice).post(role_path(bob), {"role": "member"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_at_once_leave_one(alice: Membership, bob: Membership) -> None:
    Membership.objects.filter(pk=bob.pk).update(role=Role.OWNER)
    start, ends = threading.Barrier(2), []

    def demote(actor: Membership, colleague: Membership) -> None:
        form = ChangeRole({"role": "member"})
        assert form.is_valid()
        start.wait(10)
        try:
            ends.append(form.save(Membership.objects.get(pk=actor.pk), colleague))
        except Exception as refused:
            ends.append(type(refused).__name__)
        finally:
            connections.close_all()

    pairs = ((alice, bob), (bob, alice))
    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, ends)) == ["PermissionDenied", "True"]
    assert Membership.objects.filter(role=Role.OWNER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_both_step_down_at_once_leave_one(alice: Membership, bob: Membership) -> None:
    Membership.objects.filter(pk=bob.pk).update(role=Role.OWNER)
    start, ends = threading.Barrier(2), []

    def step_down(who: Membership) -> None:
        form = ChangeRole({"role": "viewer"})
        assert form.is_valid()
        start.wait(10)
        try:
            ends.append(form.save(who, who))
        except LastOwner:
            ends.append("last")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=step_down, args=(who,)) for who in (alice, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(str, ends)) == ["True", "last"]


def test_somebody_new_is_added_and_can_choose_a_password(
    client_of: Clients, alice: Membership, client: Client
) -> None:
    form = {"email": "Erin@Example.com", "name": "Erin", "role": "member"}
    response = client_of(alice).post(f"{PAGE}add/", form, follow=True)
    assert "Erin is in the team now and gets a mail" in response.content.decode()
    erin = Membership.objects.get(user__email="erin@example.com")
    assert (erin.role, erin.user.name) == (Role.MEMBER, "Erin")
    (message,) = mail.outbox
    assert message.to == ["erin@example.com"]
    assert message.subject == "Your account at Soundroom"
    link = re.search(r"https?://\S+", message.body)[0]  # type: ignore[index]
    path = client.get(link, follow=True).redirect_chain[-1][0]
    new = "another long password"
    client.post(path, {"password1": new, "password2": new})
    client.post("/accounts/login/", {"login": "erin@example.com", "password": new})
    assert client.get(PAGE).status_code == 200


def test_somebody_who_has_an_account_is_added_without_a_mail(
    client_of: Clients, alice: Membership, zoe: Membership
) -> None:
    client = client_of(alice)
    form = {"email": "zoe@example.com", "name": "Another name", "role": "viewer"}
    assert client.post(f"{PAGE}add/", form).status_code == 302
    assert Membership.objects.get(team=alice.team, user=zoe.user).role == Role.VIEWER
    zoe.user.refresh_from_db()
    assert zoe.user.name == "Zoe"
    assert not mail.outbox
    again = client.post(f"{PAGE}add/", form)
    assert again.status_code == 422
    assert "This person is in the team already." in again.content.decode()


def test_somebody_who_left_comes_back(client_of: Clients, alice: Membership, bob: Membership) -> None:
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now())
    client_of(alice).post(f"{PAGE}add/", {"email": "bob@example.com", "role": "viewer"})
    bob.refresh_from_db()
    assert (bob.role, bob.ended_at) == (Role.VIEWER, None)


def test_a_mail_that_cannot_be_sent_is_said_and_the_member_is_added(
    client_of: Clients, alice: Membership, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 2
    response = client_of(alice).post(f"{PAGE}add/", {"email": "e@example.com", "role": "member"}, follow=True)
    assert "could not be sent" in response.content.decode()
    assert Membership.objects.filter(user__email="e@example.com").exists()


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"email": "", "role": "member"},
        {"email": "nonsense", "role": "member"},
        {"email": "a\x00@example.com", "role": "member"},
        {"email": "a@example.com", "role": "god"},
        {"email": "a@example.com", "role": "member", "name": "x" * 81},
        {"email": "a@example.com", "role": "member", "name": "\x00"},
        {"email": "a" * 300 + "@example.com", "role": "member"},
    ],
)
def test_a_wrong_form_comes_back_filled_and_adds_nobody(
    client_of: Clients, alice: Membership, form: dict[str, str]
) -> None:
    response = client_of(alice).post(f"{PAGE}add/", form)
    assert response.status_code == 422
    html = response.content.decode()
    assert "field__error" in html
    assert 'aria-invalid="true"' in html or "role" in form
    if form.get("email", "").isprintable() and form.get("email"):
        assert f'value="{form["email"]}"' in html
    assert User.objects.count() == 1


def test_a_manager_cannot_add_an_owner(client_of: Clients, mona: Membership) -> None:
    response = client_of(mona).post(f"{PAGE}add/", {"email": "a@example.com", "role": "owner"})
    assert response.status_code == 422
    assert not User.objects.filter(email="a@example.com").exists()


def test_the_sheet_is_the_same_form_without_the_shell(
    client_of: Clients, alice: Membership, bob: Membership
) -> None:
    client = client_of(alice)
    for path in [*MANAGERS_ONLY, f"limits/member/{bob.pk}/"]:
        whole = client.get(PAGE + path)
        part = client.get(PAGE + path, headers={"HX-Request": "true"})
        assert part.content.decode().lstrip().startswith("<dialog")
        assert "<body" in whole.content.decode()
        assert "HX-Request" in whole["Vary"]
        assert "HX-Request" in part["Vary"]


def test_the_settings_of_the_team_are_saved(client_of: Clients, mona: Membership, team: Team) -> None:
    form = {"name": "Neap", "time_zone": "Asia/Shanghai", "unknown_price": "allow"}
    assert client_of(mona).post(f"{PAGE}settings/", form).status_code == 302
    team.refresh_from_db()
    assert (team.name, team.time_zone, team.unknown_price) == ("Neap", "Asia/Shanghai", "allow")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("name", "\x00"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", ""),
        ("time_zone", "../../etc/passwd"),
        ("unknown_price", "maybe"),
        ("unknown_price", ""),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_change_nothing(
    client_of: Clients, alice: Membership, team: Team, field: str, value: str
) -> None:
    form = {"name": "Neap", "time_zone": "UTC", "unknown_price": "allow", field: value}
    response = client_of(alice).post(f"{PAGE}settings/", form)
    assert response.status_code == 422
    assert "field__error" in response.content.decode()
    assert "Tide Tables" in client_of(alice).get(PAGE).content.decode()


def test_a_paused_account_is_shown_and_resumed_by_a_manager(
    client_of: Clients, mona: Membership, bob: Membership
) -> None:
    Connection.current().pause("1011", "The account has no money left.")
    html = client_of(bob).get(PAGE).content.decode()
    assert "The account has no money left." in html
    assert f"{PAGE}resume/" not in html
    client = client_of(mona)
    assert f"{PAGE}resume/" in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}resume/").status_code == 405
    after = client.post(f"{PAGE}resume/", follow=True).content.decode()
    assert "Sending goes on." in after
    assert "Sending is paused." not in after
    assert Connection.current().paused_at is None


def test_a_silent_worker_is_said_only_while_work_waits(
    client_of: Clients, bob: Membership, make_generation: Any
) -> None:
    client, words = client_of(bob), "the background worker has not shown itself"
    make_generation(bob)
    assert words not in client.get(PAGE).content.decode()
    waiting = make_generation(bob, status=State.QUEUED, next_check_at=timezone.now() - timedelta(minutes=5))
    assert words in client.get(PAGE).content.decode()
    Heartbeat.beat("worker")
    assert words not in client.get(PAGE).content.decode()
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=4))
    assert words in client.get(PAGE).content.decode()
    type(waiting).objects.filter(pk=waiting.pk).update(next_check_at=timezone.now() + timedelta(minutes=1))
    assert words not in client.get(PAGE).content.decode()


def test_an_action_of_a_limit_that_only_warns_is_named(
    client_of: Clients, alice: Membership, team: Team
) -> None:
    Allowance.put(
        team,
        scope=Scope.POOL,
        measure=Measure.COUNT,
        period=Period.DAY,
        mode=Mode.LIMITED,
        limit=Decimal(9),
        action=Action.WARN,
    )
    assert "Team pool, generations per day only warns 0 9" in text(
        client_of(alice).get(PAGE).content.decode()
    )


def test_managers_are_told_what_waits_for_their_word(
    alice: Membership, bob: Membership, client_of: Any, make_generation: Any
) -> None:
    words = "2 generations need a decision; ¥1.60 is on hold"
    assert words not in client_of(alice).get("/t/tide/team/").content.decode()
    for _ in range(2):
        make_generation(bob, status=State.UNCONFIRMED)
    page = client_of(alice).get("/t/tide/team/").content.decode()
    assert words in page
    assert "/t/tide/inbox/" in page
    assert words not in client_of(bob).get("/t/tide/team/").content.decode()


@pytest.mark.parametrize(("given", "kept"), [("2", 2), ("", None), ("0", 5), ("1001", 5), ("x", 5)])
def test_how_many_of_a_member_run_at_once_is_a_setting_and_the_weight_is_not(
    alice: Membership, client_of: Any, given: str, kept: int | None
) -> None:
    Team.objects.update(member_slots=5)
    form = {
        "name": "Tide",
        "time_zone": "UTC",
        "unknown_price": "refuse",
        "member_slots": given,
        "weight": "9",
    }
    answer = client_of(alice).post("/t/tide/team/settings/", form)
    team = Team.objects.get(slug="tide")
    assert (team.member_slots, team.weight) == (kept, 1)
    assert answer.status_code == (302 if kept != 5 else 422)
