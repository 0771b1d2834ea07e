"""Links for outsiders: who hears what through them, and how they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Membership
from generations import sharing
from generations.forms.share import ShareTerms
from generations.models import Collection, CollectionItem, Generation, Output, ShareLink
from generations.sharing import Terms, Thing


def link_to(member: Membership, thing: Thing, **terms: Any) -> ShareLink:
    return sharing.make(member, thing, Terms(**{"title": "Rain", **terms}))


def album(member: Membership, *rows: Generation, **fields: Any) -> Collection:
    made = Collection.objects.create(team=member.team, author=member.user, name="Album", **fields)
    for place, row in enumerate(rows):
        CollectionItem.objects.create(collection=made, generation=row, place=place, added_by=member.user)
    return made


def test_a_database_alone_opens_nothing_and_the_token_can_be_shown_again(
    bob: Membership, make_generation: Any
) -> None:
    link = link_to(bob, Thing(make_generation(bob, outputs=1)), password="a good secret")
    token = link.token
    assert len(token) >= 43, "256 bits in base64"
    kept = ShareLink.objects.filter(pk=link.pk).values().get()
    assert token not in str(kept)
    assert "a good secret" not in str(kept)
    assert ShareLink.objects.opened_by(token) == link
    for wrong in ("", token[:-1], token + "A", link.digest, "\x00", "é", "a" * 5000):
        assert ShareLink.objects.opened_by(wrong) is None


def test_under_another_secret_key_the_link_works_but_is_not_shown(
    bob: Membership, make_generation: Any, settings: Any
) -> None:
    link = link_to(bob, Thing(make_generation(bob, outputs=1)))
    token = link.token
    settings.SECRET_KEY = "another" * 8
    settings.SECRET_KEY_FALLBACKS = []
    assert ShareLink.objects.get(pk=link.pk).token == ""
    assert ShareLink.objects.opened_by(token) == link


@pytest.mark.parametrize("end", ["revoked", "expired", "trashed", "unfinished"])
def test_what_ends_a_link(end: str, bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, outputs=1)
    link = link_to(bob, Thing(row))
    assert ShareLink.objects.live().get().is_live
    if end == "revoked":
        assert sharing.revoke(bob, link)
        assert not sharing.revoke(bob, link), "somebody was first"
    elif end == "expired":
        ShareLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "trashed":
        Generation.objects.update(trashed_at=timezone.now())
    else:
        Generation.objects.update(status="failed")
    assert ShareLink.objects.opened_by(link.token) is None
    assert not ShareLink.objects.select_related("generation").get().is_live


def test_a_link_that_was_revoked_meanwhile_is_not_changed(bob: Membership, make_generation: Any) -> None:
    link = link_to(bob, Thing(make_generation(bob, outputs=1)))
    late = ShareLink.objects.get(pk=link.pk)
    sharing.revoke(bob, link)
    assert not sharing.change(bob, late, Terms("Storm"))
    assert ShareLink.objects.get().title == "Rain"
    assert not AuditEntry.objects.filter(action="share.changed").exists()


def test_a_password_and_an_end_set_in_the_same_moment_stay(
    alice: Membership, bob: Membership, make_generation: Any
) -> None:
    link = link_to(bob, Thing(make_generation(bob, outputs=1)), password="a good secret")
    late = ShareLink.objects.get(pk=link.pk)
    end = timezone.now() + timedelta(days=1)
    assert sharing.change(alice, link, Terms("Rain", expires_at=end, password="another good one"))
    set_by_alice = ShareLink.objects.get().password_version
    form = ShareTerms(late.title, {"title": "Storm", "lasts": "kept"}, link=late)
    assert form.is_valid()
    assert sharing.change(bob, late, form.terms)
    now = ShareLink.objects.get()
    assert now.title == "Storm"
    assert now.is_password("another good one")
    assert (now.password_version, now.expires_at) == (set_by_alice, end)
    last = AuditEntry.objects.filter(action="share.changed").latest("pk")
    assert (last.before, last.after) == ({"title": "Rain"}, {"title": "Storm"})


def test_each_new_password_is_another_version_however_old_the_page(
    bob: Membership, make_generation: Any
) -> None:
    link = link_to(bob, Thing(make_generation(bob, outputs=1)), password="a good secret")
    late = ShareLink.objects.get(pk=link.pk)
    versions = [ShareLink.objects.get().password_version]
    for row, password in ((link, "the second one"), (late, "the third one"), (late, "")):
        assert sharing.change(bob, row, Terms("Rain", password=password))
        versions.append(ShareLink.objects.get().password_version)
    assert versions == [versions[0] + n for n in range(4)]
    assert ShareLink.objects.get().password == ""


def test_deeds_are_written_down_without_secrets(bob: Membership, make_generation: Any) -> None:
    link = link_to(bob, Thing(make_generation(bob, outputs=1)), password="a good secret")
    sharing.change(bob, link, Terms("Storm", password="another good one", may_download=True))
    sharing.revoke(bob, link)
    entries = list(AuditEntry.objects.filter(team=bob.team).order_by("pk"))
    assert [one.action for one in entries] == ["share.made", "share.changed", "share.revoked"]
    assert entries[1].before["title"] == "Rain"
    assert entries[1].after["title"] == "Storm"
    assert entries[1].after["password"] == "another one"
    everything = str([vars(one) for one in entries])
    for secret in ("a good secret", "another good one", link.token, link.digest):
        assert secret not in everything


def test_a_link_shows_no_more_than_its_maker_sees(
    alice: Membership, bob: Membership, carol: Membership, make_generation: Any, make_voice: Any
) -> None:
    row = make_generation(carol, outputs=1)
    by_bob, by_alice, by_carol = (link_to(who, Thing(row)) for who in (bob, alice, carol))
    Generation.objects.filter(pk=row.pk).update(is_private=True)
    assert sharing.outputs(by_bob) is sharing.outputs(by_alice) is None
    assert len(sharing.outputs(by_carol) or []) == 1
    voice = make_voice(carol, audience="owner")
    assert sharing.outputs(link_to(bob, Thing(voice.made_by))) is None
    assert sharing.outputs(link_to(carol, Thing(voice.made_by)))


def test_which_of_many_links_lead_anywhere_is_asked_once_for_all(
    alice: Membership,
    bob: Membership,
    carol: Membership,
    zoe: Membership,
    make_generation: Any,
    make_voice: Any,
) -> None:
    """As the door says of each by itself, whoever made it and whatever became of what it leads to."""
    rows = [
        make_generation(carol, outputs=1),
        make_generation(carol, outputs=1, is_private=True),
        make_generation(bob, outputs=1, trashed_at=timezone.now()),
        make_generation(bob, status="failed"),
        make_voice(carol, "Hers", audience="owner").made_by,
        make_voice(bob, "His", audience="everyone").made_by,
    ]
    shelves = [album(carol, *rows), album(carol, is_private=True), album(bob, is_private=True)]
    things = [*map(Thing, rows), *(Thing(collection=one) for one in shelves)]
    links = [link_to(who, thing) for who in (alice, bob, carol) for thing in things]
    links += [link_to(zoe, Thing(make_generation(zoe, outputs=1))), link_to(bob, things[0])]
    sharing.revoke(bob, links[-1])
    Membership.objects.filter(pk=carol.pk).update(ended_at=timezone.now())
    live = ShareLink.objects.live()
    leads = {one.pk for one in links if live.filter(pk=one.pk).exists() and sharing.outputs(one) is not None}
    assert 9 < len(leads) < len(links) - 9
    with CaptureQueriesContext(connection) as queries:
        assert sharing.leading(links) == leads
    assert len(queries) == 2
    assert sharing.leading([]) == sharing.leading(links[-1:]) == set()


def test_a_link_outlives_its_makers_time_in_the_team(bob: Membership, make_generation: Any) -> None:
    link = link_to(bob, Thing(make_generation(bob, outputs=1)))
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now())
    assert sharing.outputs(link)


def test_what_is_private_to_a_member_is_not_heard_through_the_link_of_a_manager(
    bob: Membership, mona: Membership, make_generation: Any
) -> None:
    """Neither what is added later nor what is made private later, by the time it is asked for."""
    open_one, closed = (make_generation(bob, outputs=1, title=title) for title in ("Open", "Closed"))
    shelf = album(mona, open_one, closed)
    links = [link_to(who, Thing(collection=shelf), may_download=True) for who in (mona, bob)]
    own = link_to(mona, Thing(closed), may_download=True)
    Generation.objects.filter(pk=closed.pk).update(is_private=True)
    added = make_generation(bob, outputs=1, title="Added", is_private=True)
    CollectionItem.objects.create(collection=shelf, generation=added, place=9, added_by=bob.user)
    heard = [[row.generation.title for row in sharing.outputs(link) or []] for link in links]
    assert heard == [["Open"], ["Open", "Closed", "Added"]]
    secret = closed.outputs.get()
    assert [sharing.still_shows(link, secret) for link in (*links, own)] == [False, True, False]
    assert sharing.outputs(own) is None
    Generation.objects.filter(pk=closed.pk).update(is_private=False)
    assert sharing.outputs(own) == [secret]


def test_what_was_left_to_an_heir_stays_private_to_strangers(
    bob: Membership, carol: Membership, make_generation: Any
) -> None:
    row = make_generation(bob, outputs=1)
    link = link_to(carol, Thing(collection=album(carol, row)))
    Generation.objects.filter(pk=row.pk).update(is_private=True)
    Membership.objects.filter(pk=bob.pk).update(ended_at=timezone.now(), heir=carol.user)
    assert Generation.objects.all().seen_by(carol).filter(pk=row.pk).exists()
    assert sharing.outputs(link) == []


def test_a_collection_is_one_track_for_each_generation_as_it_is_now(
    bob: Membership, carol: Membership, make_generation: Any
) -> None:
    one, two, hers = (
        make_generation(bob, outputs=2, title="One"),
        make_generation(bob, outputs=1, title="Two"),
        make_generation(carol, outputs=1, title="Hers", is_private=True),
    )
    Output.objects.filter(generation=one, index=1).update(is_keeper=True)
    made = album(bob, two, one, hers, make_generation(bob, status="running"))
    link = link_to(bob, Thing(collection=made), title="Album")
    found = sharing.outputs(link) or []
    assert [(row.generation.title, row.index) for row in found] == [("Two", 0), ("One", 1)]
    assert sharing.titles(link, found) == ["Two", "One"]
    Generation.objects.filter(pk=two.pk).update(trashed_at=timezone.now())
    assert [row.generation.title for row in sharing.outputs(link) or []] == ["One"]
    Collection.objects.update(is_private=True, author=carol.user)
    assert sharing.outputs(link) is None


def test_the_tracks_of_a_collection_cost_the_same_queries_however_many(
    bob: Membership, make_generation: Any
) -> None:
    counts = []
    for many in (1, 6):
        made = album(bob, *(make_generation(bob, outputs=2) for _ in range(many)))
        link = link_to(bob, Thing(collection=made))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(sharing.outputs(link) or []) == many
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_one_take_of_several(bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, outputs=3)
    link = link_to(bob, Thing(row, row.outputs.get(index=1)))
    found = sharing.outputs(link) or []
    assert [one.index for one in found] == [1]
    assert sharing.titles(link, found) == ["Rain"]
    whole = link_to(bob, Thing(row))
    assert sharing.titles(whole, sharing.outputs(whole) or []) == [
        "Rain, take A",
        "Rain, take B",
        "Rain, take C",
    ]


@pytest.mark.parametrize(
    ("title", "text", "told"),
    [
        ("Rain", "Slow piano over rain", "Rain"),
        ("Slow piano over rain", "Slow piano over rain", ""),
        ("Slow piano…", "Slow piano over rain", ""),
        ("Slow piano", "Slow piano over rain", "Slow piano"),
        ("Good morning all", "Good<#0.5#>morning\nall", ""),
    ],
)
def test_a_title_that_is_the_text_is_not_told(title: str, text: str, told: str) -> None:
    row = Generation(title=title, params={"voice": "x", "prompt": text})
    assert sharing.title_for_outsiders(row, shows_prompt=False) == told
    assert sharing.title_for_outsiders(row, shows_prompt=True) == title


def test_files_of_unknown_kinds_are_left_out(bob: Membership, make_generation: Any) -> None:
    row = make_generation(bob, outputs=2)
    Output.objects.filter(generation=row, index=0).update(extension="gif")
    assert [one.index for one in sharing.outputs(link_to(bob, Thing(row))) or []] == [1]
