"""Leaving a team: what goes to whom, and that nothing is orphaned or half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import invitations, memberships
from accounts.models import ApiToken, AuditEntry, Invitation, Membership, Role, Team
from generations import leaving
from generations.models import (
    Audience,
    Draft,
    FavouriteVoice,
    Generation,
    Preset,
    PresetDefault,
    State,
    Voice,
    VoiceGrant,
)
from generations.pipeline import accept

Clients = Callable[[Membership], Client]
Make = Callable[..., Any]
MODEL = "minimax--music-2.6--text-to-instrumental"


@pytest.fixture(autouse=True)
def no_rate_limits_from_other_tests(db: None) -> None:
    cache.clear()


def page(of: Membership) -> str:
    return f"/t/tide/team/members/{of.pk}/leave/"


def go(whose: Membership, actor: Membership, heir: Membership | None = None, **fields: Any) -> bool:
    role = fields.pop("role", whose.role)
    return leaving.leave(
        whose, actor, heir=heir.pk if heir else None, role=role, stop=fields.pop("stop", False)
    )


@pytest.mark.thorough
def test_who_may_see_and_end_whose(
    client: Client,
    client_of: Clients,
    alice: Membership,
    mona: Membership,
    bob: Membership,
    vera: Membership,
    zoe: Membership,
) -> None:
    for who, whose, expected in (
        (bob, bob, 200), (vera, vera, 200), (mona, bob, 200), (alice, mona, 200),
        (bob, vera, 403), (vera, bob, 403), (mona, alice, 403), (zoe, bob, 404),
    ):  # fmt: skip
        browser = client_of(who)
        assert browser.get(page(whose)).status_code == expected
        if expected != 200:
            assert browser.post(page(whose), {"heir": "team", "role": whose.role}).status_code == expected
    assert client.get(page(bob))["Location"].startswith("/accounts/login/")
    assert client_of(alice).get(page(zoe)).status_code == 404
    assert Membership.objects.filter(team=bob.team, ended_at=None).count() == 4


def test_the_page_says_what_there_is(
    client_of: Clients, mona: Membership, bob: Membership, make_generation: Make, make_voice: Make
) -> None:
    make_generation(bob)
    make_generation(bob, status=State.RUNNING)
    make_voice(bob)
    ApiToken.issue(bob)
    html = client_of(mona).get(page(bob)).content.decode()
    facts = " ".join(html.split())
    for label, number in (
        ("Generations", 3),
        ("Voices", 1),
        ("Waiting and running", 1),
        ("Tokens, revoked now", 1),
    ):
        assert f'<dt>{label}</dt><dd class="num">{number}</dd>' in facts
    assert "Let it finish" in html


def test_everything_goes_to_the_heir_and_the_receipts_stay(
    alice: Membership, bob: Membership, carol: Membership, make_generation: Make, make_voice: Make
) -> None:
    done = make_generation(bob)
    voice = make_voice(bob, audience=Audience.OWNER)
    mine = {"team": bob.team, "author": bob.user, "model": MODEL}
    Preset.objects.create(**mine, name="Calm")
    Preset.objects.create(**{**mine, "author": carol.user}, name="Calm")
    Draft.objects.create(**mine, is_running=True)
    Draft.objects.create(**{**mine, "author": carol.user}, is_running=True)
    PresetDefault.objects.create(membership=bob, model=MODEL, preset=Preset.objects.first())
    FavouriteVoice.objects.create(membership=bob, voice_id="Wise_Woman")
    VoiceGrant.objects.create(voice=make_voice(alice), user=bob.user)
    token = ApiToken.issue(bob)
    go(bob, alice, carol)

    done.refresh_from_db()
    assert done.author == bob.user
    voice.refresh_from_db()
    assert (voice.owner, voice.audience) == (carol.user, Audience.OWNER)
    assert not Preset.objects.filter(author=bob.user).exists()
    assert sorted(Preset.objects.values_list("name", flat=True)) == ["Calm", "Calm (Bob)"]
    assert not Draft.objects.filter(author=bob.user).exists()
    assert Draft.objects.filter(author=carol.user, is_running=False).count() == 1
    assert not PresetDefault.objects.exists()
    assert not FavouriteVoice.objects.exists()
    assert not VoiceGrant.objects.exists()
    assert ApiToken.find(token) is None
    bob.refresh_from_db()
    assert (bob.ended_at is not None, bob.heir) == (True, carol.user)
    entry = AuditEntry.objects.get(action="member.left")
    assert (entry.actor, entry.person, entry.after["heir"]) == (alice.user, bob.user, "carol@example.com")
    assert entry.after["tokens_revoked"] == 1


def test_the_heir_decides_about_the_generations_and_hands_them_on(
    client_of: Clients,
    alice: Membership,
    bob: Membership,
    carol: Membership,
    make_generation: Make,
    drive: Any,
) -> None:
    waits = make_generation(bob, status=State.QUEUED)
    cancel = f"/t/tide/g/{waits.pk}/cancel/"
    assert client_of(carol).post(cancel).status_code == 403
    go(bob, alice, carol)
    dave = Membership.objects.create(team=bob.team, user=zed("dave"), role=Role.MEMBER)
    go(carol, alice, dave)
    assert client_of(carol).post(cancel).status_code == 404
    bob.refresh_from_db()
    assert bob.heir == dave.user
    assert client_of(dave).post(cancel).status_code == 302
    waits.refresh_from_db()
    assert waits.status == State.CANCELLED


def zed(name: str) -> Any:
    from accounts.models import User

    return User.objects.create_user(f"{name}@example.com")


def test_what_goes_to_the_team_is_everybody_s(
    alice: Membership, mona: Membership, bob: Membership, make_voice: Make
) -> None:
    agreed = make_voice(bob, audience=Audience.OWNER)
    secret = make_voice(bob, name="Silent", audience=Audience.OWNER, consent_at=None)
    Preset.objects.create(team=bob.team, author=bob.user, model=MODEL, name="Calm")
    go(bob, mona)
    for voice, audience in ((agreed, Audience.EVERYONE), (secret, Audience.OWNER)):
        voice.refresh_from_db()
        assert (voice.owner, voice.audience) == (alice.user, audience)
    assert Preset.objects.get().shared
    bob.refresh_from_db()
    assert bob.heir is None


@pytest.mark.parametrize("stop", [False, True])
def test_what_is_under_way_goes_on_or_is_cancelled(
    stop: bool, alice: Membership, bob: Membership, make_generation: Make
) -> None:
    waits = make_generation(bob, status=State.QUEUED)
    runs = make_generation(bob, status=State.RUNNING, upstream_id="1")
    other = make_generation(alice, status=State.QUEUED)
    go(bob, alice, stop=stop)
    states = {row.pk: row for row in Generation.objects.all()}
    assert states[waits.pk].status == (State.CANCELLED if stop else State.QUEUED)
    assert states[runs.pk].status == State.RUNNING
    assert (states[runs.pk].cancel_requested_at is not None) == stop
    assert states[other.pk].status == State.QUEUED


def test_the_last_owner_stays(client_of: Clients, alice: Membership, mona: Membership) -> None:
    answer = client_of(alice).post(page(alice), {"heir": str(mona.pk), "role": "owner"})
    assert answer.status_code == 422
    assert "would have no owner" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.ended_at is None
    Membership.objects.filter(pk=mona.pk).update(role=Role.OWNER)
    assert client_of(alice).post(page(alice), {"heir": str(mona.pk), "role": "owner"}).status_code == 302


def test_leaving_the_last_team_signs_out_everywhere(alice: Membership, bob: Membership) -> None:
    browsers = [Client(), Client()]
    for one in browsers:
        one.post("/accounts/login/", {"login": "bob@example.com", "password": "a long enough password"})
    assert UserSession.objects.filter(user=bob.user).count() == 2
    answer = browsers[0].post(page(bob), {"heir": "team", "role": "member"}, follow=True)
    assert "You have left Tide Tables." in answer.content.decode()
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    assert browsers[1].get("/")["Location"].startswith("/accounts/login/")
    assert not UserSession.objects.filter(user=bob.user).exists()


def test_leaving_one_of_two_teams_keeps_the_sessions(
    alice: Membership, bob: Membership, zoe: Membership, client_of: Clients
) -> None:
    Membership.objects.create(team=zoe.team, user=bob.user, role=Role.MEMBER)
    client = client_of(bob)
    answer = client.post(page(bob), {"heir": "team", "role": "member"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/t/zoo/create/"
    assert client.get("/t/tide/library/").status_code == 404


def test_who_was_chosen_must_still_be_able_to(
    client_of: Clients, alice: Membership, bob: Membership, carol: Membership, vera: Membership
) -> None:
    for chosen in (str(vera.pk), str(bob.pk), "999", "nobody"):
        answer = client_of(alice).post(page(bob), {"heir": chosen, "role": "member"})
        assert answer.status_code == 422
        assert "Choose somebody who is in the team" in answer.content.decode()
    Membership.objects.filter(pk=carol.pk).update(role=Role.VIEWER)
    with pytest.raises(leaving.NoHeir):
        go(bob, alice, carol)
    bob.refresh_from_db()
    assert bob.ended_at is None


def test_a_membership_that_changed_meanwhile_is_looked_at_again(
    client_of: Clients, alice: Membership, bob: Membership, make_voice: Make
) -> None:
    voice = make_voice(bob)
    Membership.objects.filter(pk=bob.pk).update(role=Role.MANAGER)
    answer = client_of(alice).post(page(bob), {"heir": "team", "role": "member"})
    assert answer.status_code == 422
    assert "Somebody changed this membership" in answer.content.decode()
    voice.refresh_from_db()
    assert voice.owner == bob.user
    stale = Membership.objects.select_related("user", "team").get(pk=bob.pk)
    go(stale, alice)
    with pytest.raises(memberships.Changed):
        go(stale, alice)
    assert AuditEntry.objects.filter(action="member.left").count() == 1


def test_a_manager_who_was_demoted_meanwhile_ends_nothing(
    mona: Membership, bob: Membership, alice: Membership
) -> None:
    Membership.objects.filter(pk=mona.pk).update(role=Role.MEMBER)
    with pytest.raises(PermissionDenied):
        go(bob, mona)
    Membership.objects.filter(pk=mona.pk).update(ended_at=timezone.now())
    with pytest.raises(memberships.Changed):
        go(bob, mona)


def test_open_invitations_of_who_leaves_are_revoked(alice: Membership, mona: Membership) -> None:
    invitations.make(mona, role=Role.MEMBER, lasts=timedelta(days=7))
    invitations.make(alice, role=Role.MEMBER, lasts=timedelta(days=7))
    go(mona, alice)
    assert list(Invitation.objects.filter(revoked_at=None).values_list("made_by", flat=True)) == [
        alice.user_id
    ]


def test_more_to_hand_over_makes_the_page_no_slower(
    client_of: Clients, alice: Membership, bob: Membership, make_generation: Make
) -> None:
    client = client_of(alice)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(page(bob))
        return len(asked)

    client.get(page(bob))
    few = queries()
    for _ in range(8):
        make_generation(bob)
    assert queries() == few


@pytest.mark.django_db(transaction=True)
def test_an_order_at_the_same_moment_is_taken_before_or_refused(alice: Membership, bob: Membership) -> None:
    """Whatever was accepted is seen by who ends the membership, so a cancelled member has nothing waiting."""
    start, outcomes = threading.Barrier(2), []
    Team.objects.update(unknown_price="allow")

    def order() -> None:
        try:
            start.wait(10)
            accept.accept(bob, MODEL, {"prompt": "Slow piano over rain, for the sea"})
            outcomes.append("taken")
        except PermissionDenied:
            outcomes.append("refused")
        finally:
            connections.close_all()

    def end() -> None:
        try:
            start.wait(10)
            go(bob, alice, stop=True)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for one in (order, end)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 1
    assert not Generation.objects.exclude(status=State.CANCELLED).exists()
    assert Generation.objects.count() == (outcomes == ["taken"])
    assert not Voice.objects.exists()
