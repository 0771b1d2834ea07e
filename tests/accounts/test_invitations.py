"""Invitations: who may make which, who gets in, and that a link for one lets one in."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.test import Client
from django.utils import timezone

from accounts import invitations, memberships
from accounts.invitations import Closed, Refused
from accounts.models import AuditEntry, Invitation, Membership, Role, Team, User

Clients = Callable[[Membership], Client]
WEEK = timedelta(days=7)
PASSWORD = "a quite long password"


@pytest.fixture(autouse=True)
def no_rate_limits_from_other_tests(db: None) -> None:
    cache.clear()


def link(actor: Membership, **fields: Any) -> tuple[Invitation, str]:
    row, secret = invitations.make(actor, **{"role": Role.MEMBER, "lasts": WEEK, **fields})
    return row, f"/invite/{secret}/"


def test_the_secret_is_not_kept(mona: Membership) -> None:
    row, path = link(mona)
    assert path.split("/")[2] not in str(Invitation.objects.filter(pk=row.pk).values().get())
    assert AuditEntry.objects.get(action="invitation.made").actor == mona.user


def test_nobody_gives_more_than_they_may(mona: Membership, bob: Membership, alice: Membership) -> None:
    for actor, role in ((mona, Role.OWNER), (bob, Role.VIEWER), (mona, "king")):
        with pytest.raises(PermissionDenied):
            link(actor, role=role)
    assert not Invitation.objects.exists()
    assert link(alice, role=Role.OWNER)[0].role == Role.OWNER


def test_somebody_with_an_account_joins_by_one_click(
    mona: Membership, zoe: Membership, client_of: Clients
) -> None:
    row, path = link(mona)
    client = client_of(zoe)
    page = client.get(path).content.decode()
    assert "Join Tide Tables" in page
    assert "Mona invites you with the role “Member”" in page
    assert client.post(path)["Location"] == "/"
    assert client.get("/")["Location"] == "/t/tide/create/", (
        "the team just joined, although Zoo is theirs too"
    )
    joined = Membership.objects.get(user=zoe.user, team=mona.team)
    assert (joined.role, joined.ended_at) == (Role.MEMBER, None)
    assert client.get(path).status_code == 404
    entries = AuditEntry.objects.filter(person=zoe.user).values_list("action", flat=True)
    assert {"invitation.used", "member.joined"} <= set(entries)
    row.refresh_from_db()
    assert row.uses == 1


def test_a_newcomer_gets_in_by_the_mail_that_proves_the_address(mona: Membership, client: Client) -> None:
    _row, path = link(mona, email="Erin@Example.com")
    page = client.get(path).content.decode()
    assert "You will sign in with erin@example.com" in page
    weak = client.post(path, {"name": "Erin", "password": "short"})
    assert weak.status_code == 422
    assert "at least 10 characters" in weak.content.decode()
    assert 'value="Erin"' in weak.content.decode()
    assert "short" not in re.findall(r'value="([^"]*)"', weak.content.decode())
    assert client.post(path, {"name": "Erin", "password": PASSWORD}).status_code == 302
    assert client.get("/t/tide/library/").status_code == 200
    erin = User.objects.get(email="erin@example.com")
    assert erin.check_password(PASSWORD)
    assert EmailAddress.objects.get(user=erin).verified


def test_a_link_for_many_mails_everybody_a_link_of_their_own(mona: Membership, bob: Membership) -> None:
    _row, path = link(mona, max_uses=None)
    said = set()
    for email in ("erin@example.com", "bob@example.com"):
        client = Client()
        assert "Send me the link" in client.get(path).content.decode()
        assert client.post(path, {"name": "X", "password": PASSWORD}).status_code == 200, (
            "not without the mail"
        )
        answer = client.post(f"{path}mail/", {"email": email}).content.decode()
        said.add(re.sub(r'"[^"]*"', "", answer).replace(email, "…"))
    assert len(said) == 1, "who has an account here is told to nobody but its owner"
    personal = [re.search(r"https?://testserver(\S+)", one.body)[1] for one in mail.outbox]  # type: ignore[index]
    assert "has an account here" in Client().get(personal[1]).content.decode()
    erin = Client()
    assert erin.post(personal[0], {"name": "Erin", "password": PASSWORD}).status_code == 302
    assert erin.get("/t/tide/library/").status_code == 200
    assert not User.objects.filter(name="X").exists()


def test_a_proof_is_of_one_invitation_and_one_address(mona: Membership) -> None:
    first, _ = link(mona, max_uses=None)
    second, _ = link(mona, max_uses=None)
    proof = invitations.proof_of(first, "Erin@example.com")
    assert invitations.proven(first, proof) == "erin@example.com"
    for row, text in ((second, proof), (first, proof[:-1] + "x"), (first, "nonsense")):
        with pytest.raises(Closed):
            invitations.proven(row, text)


def test_a_mail_lets_in_nobody_but_its_address(mona: Membership, zoe: Membership, client_of: Clients) -> None:
    _row, path = link(mona, email="erin@example.com")
    client = client_of(zoe)
    assert "another address than zoe@example.com" in client.get(path).content.decode()
    answer = client.post(path)
    assert answer.status_code == 422
    assert "sent to another address" in answer.content.decode()
    assert not Membership.objects.filter(user=zoe.user, team=mona.team).exists()


def test_whoever_has_an_account_signs_in_first_and_comes_back(
    mona: Membership, zoe: Membership, client: Client
) -> None:
    _row, path = link(mona, email="zoe@example.com")
    page = client.get(path).content.decode()
    assert f'href="/accounts/login/?next={path}"' in page
    assert client.post(path, {"name": "Evil", "password": PASSWORD}).status_code == 422
    form = {"login": "zoe@example.com", "password": "a long enough password", "next": path}
    assert client.post("/accounts/login/", form)["Location"] == path
    assert client.post(path).status_code == 302
    assert client.get("/t/tide/library/").status_code == 200


@pytest.mark.parametrize("why", ["unknown", "expired", "revoked", "used up"])
def test_what_lets_nobody_in_looks_the_same_whatever_the_reason(
    why: str, mona: Membership, zoe: Membership, client: Client
) -> None:
    row, path = link(mona)
    changes: dict[str, Any] = {
        "unknown": {"digest": "0" * 64},
        "expired": {"expires_at": timezone.now()},
        "revoked": {"revoked_at": timezone.now()},
        "used up": {"uses": 1},
    }
    Invitation.objects.filter(pk=row.pk).update(**changes[why])
    answer = client.get(path)
    client.force_login(zoe.user)
    posted = client.post(path)
    assert (answer.status_code, posted.status_code) == (404, 404)
    assert re.sub(r'value="[^"]*"', "", answer.content.decode()) == re.sub(
        r'value="[^"]*"', "", Client().get("/invite/nonsense/").content.decode()
    )
    assert not Membership.objects.filter(user=zoe.user, team=mona.team).exists()


def test_guessing_links_is_slowed_down_and_others_still_get_in(mona: Membership, client: Client) -> None:
    _row, path = link(mona)
    answers = [client.get(f"/invite/{n}/").status_code for n in range(22)]
    assert answers == [404] * 20 + [429] * 2
    assert client.get(path).status_code == 429
    assert client.get(path, REMOTE_ADDR="203.0.113.5").status_code == 200


@pytest.mark.parametrize("what", ["demoted", "gone"])
def test_who_may_not_give_the_role_any_more_lets_nobody_in(
    what: str, alice: Membership, mona: Membership, zoe: Membership, client_of: Clients
) -> None:
    row, path = link(mona, role=Role.MANAGER)
    change: dict[str, Any] = {"role": Role.MEMBER} if what == "demoted" else {"ended_at": timezone.now()}
    Membership.objects.filter(pk=mona.pk).update(**change)
    answer = client_of(zoe).post(path)
    assert answer.status_code == 422
    assert "Mona, who invited you, may no longer give the role “Manager”" in answer.content.decode()
    row.refresh_from_db()
    assert row.uses == 0
    secret = invitations.renew(alice, row, WEEK)
    assert client_of(zoe).get(path).status_code == 404, "the link before"
    assert client_of(zoe).post(f"/invite/{secret}/").status_code == 302, "now it is Alice who gives it"


def test_who_was_in_the_team_comes_back_and_who_is_in_uses_nothing_up(
    mona: Membership, bob: Membership, carol: Membership, client_of: Clients
) -> None:
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now(), role=Role.MANAGER, heir=carol.user)
    row, path = link(mona, role=Role.VIEWER)
    assert client_of(carol).post(path).status_code == 302
    row.refresh_from_db()
    assert row.uses == 0
    client_of(bob).post(path)
    bob.refresh_from_db()
    assert (bob.role, bob.ended_at, bob.heir) == (Role.VIEWER, None, None)


def test_a_link_for_one_is_used_by_one_of_two_who_have_the_page_open(
    mona: Membership, zoe: Membership
) -> None:
    row, _path = link(mona)
    erin = User.objects.create_user("erin@example.com")
    stale = Invitation.objects.select_related("team", "made_by").get(pk=row.pk)
    invitations.accept(row, zoe.user)
    with pytest.raises(Closed):
        invitations.accept(stale, erin)
    assert not Membership.objects.filter(user=erin).exists()


@pytest.mark.django_db(transaction=True)
def test_of_several_at_the_same_moment_one_gets_in(mona: Membership) -> None:
    row, _secret = link(mona)
    people = [User.objects.create_user(f"guest{n}@example.com") for n in range(4)]
    start, outcomes = threading.Barrier(len(people)), []

    def go(user: User) -> None:
        try:
            mine = Invitation.objects.select_related("team", "made_by").get(pk=row.pk)
            start.wait(10)
            invitations.accept(mine, user)
            outcomes.append("in")
        except Closed:
            outcomes.append("closed")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["closed"] * 3 + ["in"]
    assert Membership.objects.filter(team=mona.team).count() == 2


def test_the_role_may_not_be_given_by_a_manager_of_another_team(zoe: Membership, mona: Membership) -> None:
    row, _path = link(mona)
    Invitation.objects.filter(pk=row.pk).update(made_by=zoe.user)
    erin = User.objects.create_user("erin@example.com")
    with pytest.raises(Refused):
        invitations.accept(invitations.Invitation.objects.get(pk=row.pk), erin)


def test_a_member_counts_as_in(bob: Membership) -> None:
    assert memberships.current(bob.team, bob.user) == bob
    assert memberships.current(Team.objects.create(slug="other", name="Other"), bob.user) is None
