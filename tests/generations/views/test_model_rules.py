"""Which models are for whom: set on a page, held to by the door, shown honestly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership, Team
from generations.catalogue import load
from generations.models import Draft, Generation, ModelRule
from generations.pipeline import accept, several
from generations.pipeline.several import Line
from tests.conftest import MODEL
from tests.generations.api.conftest import Program, program_of  # noqa: F401 - a fixture
from tests.generations.views.reading import seen

Clients = Callable[[Membership], Client]
PAGE = "/t/tide/team/models/"
STUDIO = f"/t/tide/create/{MODEL}/"
ORDER = {"prompt": "Slow piano over rain"}


def rule(team: Team, audience: str, scope: str = "model", name: str = MODEL, **more: Any) -> ModelRule:
    return ModelRule.objects.create(team=team, scope=scope, name=name, audience=audience, **more)


def test_the_narrowest_rule_counts(bob: Membership, vera: Membership) -> None:
    spec = load.get(MODEL)

    def may(membership: Membership) -> bool:
        found = ModelRule.narrowest(ModelRule.objects.filter(team=membership.team), spec.slug, spec.kind)
        return found is None or found.lets(membership)

    assert may(bob)
    rule(bob.team, "nobody", "all", "")
    assert not may(bob)
    rule(bob.team, "roles", "kind", "music", roles=["member"])
    assert may(bob)
    assert not may(vera)
    rule(bob.team, "people", people=[vera.pk])
    assert may(vera)
    assert not may(bob)


def test_the_door_holds_to_it_for_one_and_for_several(bob: Membership, mona: Membership) -> None:
    rule(bob.team, "roles", roles=["manager"])
    with pytest.raises(accept.ModelRefused, match=r"Manager.*Mona can change that"):
        accept.accept(bob, MODEL, ORDER)
    with pytest.raises(accept.ModelRefused):
        several.accept(bob, MODEL, {}, [Line(1, "One"), Line(2, "Two")])
    assert Generation.objects.count() == Draft.objects.count() == 0
    assert accept.accept(mona, MODEL, ORDER).created


def test_many_at_once_ask_for_the_rules_once(bob: Membership) -> None:
    rule(bob.team, "everyone")
    with CaptureQueriesContext(connection) as asked:
        several.accept(bob, MODEL, {}, [Line(n, f"Text {n}") for n in range(1, 9)])
    assert sum("generations_modelrule" in query["sql"] for query in asked) == 1


@pytest.mark.django_db(transaction=True)
def test_a_rule_and_an_order_in_the_same_moment_agree(bob: Membership, mona: Membership) -> None:
    """Whoever is first through the lock decides; nothing is taken after the rule was saved."""
    after_rule: list[bool] = []
    saved = threading.Event()

    def forbid() -> None:
        client = Client()
        client.force_login(mona.user)
        client.post(PAGE, {"what": [f"model:{MODEL}"], "audience": "nobody"})
        saved.set()
        connections.close_all()

    def order() -> None:
        for _turn in range(20):
            late = saved.is_set()
            try:
                accept.accept(bob, MODEL, ORDER)
            except accept.ModelRefused:
                break
            after_rule.append(late)
        connections.close_all()

    threads = [threading.Thread(target=one) for one in (forbid, order)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not any(after_rule)
    with pytest.raises(accept.ModelRefused):
        accept.accept(bob, MODEL, ORDER)


def test_the_picker_and_the_api_show_only_what_would_be_taken(
    bob: Membership,
    client_of: Clients,
    program_of: Any,  # noqa: F811
) -> None:
    rule(bob.team, "nobody")
    other = next(spec.slug for spec in load.models() if spec.kind == "music" and spec.slug != MODEL)
    html = client_of(bob).get(f"/t/tide/create/{other}/").content.decode()
    assert f'href="{STUDIO}"' not in html
    assert f'href="/t/tide/create/{other}/"' in html
    program: Program = program_of(bob)
    slugs = [one["slug"] for one in program.get("models").json()["items"]]
    assert other in slugs
    assert MODEL not in slugs


def test_a_direct_address_says_who_may_grant_it(
    alice: Membership,
    bob: Membership,
    client_of: Clients,
    program_of: Any,  # noqa: F811
) -> None:
    rule(bob.team, "people", people=[alice.pk])
    client, program = client_of(bob), program_of(bob)
    answers = [client.get(STUDIO), client.post(f"{STUDIO}quote/"), program.get(f"models/{MODEL}")]
    answers.append(program.post("generations", {"model": MODEL, "params": ORDER}))
    for answer in answers:
        assert answer.status_code == 403
        assert "Who may use it: Alice. Alice can change that." in answer.content.decode()
    assert answers[-1].headers["Content-Type"] == "application/problem+json"
    assert client_of(alice).get(STUDIO).status_code == 200


def test_a_form_that_was_open_meanwhile_comes_back_filled(bob: Membership, client_of: Clients) -> None:
    client = client_of(bob)
    form = seen(client.get(STUDIO)).sent()
    rule(bob.team, "nobody")
    answer = client.post(STUDIO, form | {"prompt": "Gulls over the pier"})
    assert answer.status_code == 403
    html = answer.content.decode()
    assert "Who may use it: Nobody." in html
    assert "Gulls over the pier" in html
    assert Generation.objects.count() == 0


def test_a_team_that_allows_nothing_says_so(bob: Membership, alice: Membership, client_of: Clients) -> None:
    rule(bob.team, "nobody", "all", "")
    answer = client_of(bob).get("/t/tide/create/")
    assert answer.status_code == 403
    assert "no model at present. Alice can change that." in answer.content.decode()
    assert client_of(bob).get("/t/tide/library/").status_code == 200
    assert client_of(bob).get("/t/tide/voices/").status_code == 200


def test_only_managers_set_them(
    alice: Membership, mona: Membership, bob: Membership, zoe: Membership, client: Client, client_of: Clients
) -> None:
    for one, code in ((alice, 200), (mona, 200), (bob, 403), (zoe, 404)):
        assert client_of(one).get(PAGE).status_code == code
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    assert client_of(bob).post(PAGE, {"what": ["all:"], "audience": "everyone"}).status_code == 403
    assert ModelRule.objects.count() == 0


def test_several_are_set_at_once_and_the_trail_tells(
    mona: Membership, bob: Membership, client_of: Clients
) -> None:
    client = client_of(mona)
    chosen = [f"model:{MODEL}", "kind:video"]
    answer = client.post(PAGE, {"what": chosen, "audience": "people", "people": [bob.pk]}, follow=True)
    assert "2 rules are changed." in answer.content.decode()
    assert "Bob" in answer.content.decode()
    entry = AuditEntry.objects.get(action="models.allowed")
    assert (entry.actor, entry.via, entry.subject) == (mona.user, "page", "2 rules")
    assert entry.after[load.get(MODEL).title] == "Bob"
    client.post(PAGE, {"what": chosen, "audience": "people", "people": [bob.pk]})
    assert AuditEntry.objects.filter(action="models.allowed").count() == 1
    client.post(PAGE, {"what": chosen, "audience": "inherit"})
    assert ModelRule.objects.count() == 0
    assert AuditEntry.objects.filter(action="models.allowed").count() == 2


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({}, "Choose at least one model or kind."),
        ({"what": ["model:none"], "audience": "everyone"}, "not there any more"),
        ({"what": ["all:"], "audience": "gods"}, "Choose who may use them."),
        ({"what": ["all:"], "audience": "roles"}, "Choose at least one role"),
        ({"what": ["all:"], "audience": "people"}, "Choose at least one person"),
        ({"what": ["all:"], "audience": "people", "people": ["x"]}, "in the team now"),
        ({"what": ["all:"], "audience": "people", "people": ["999999"]}, "in the team now"),
    ],
)
def test_what_makes_no_sense_comes_back_filled(
    mona: Membership, client_of: Clients, posted: dict[str, Any], said: str
) -> None:
    answer = client_of(mona).post(PAGE, posted)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert said in html
    if posted.get("what") == ["all:"]:
        assert 'value="all:" checked' in html
    assert ModelRule.objects.count() == 0


def test_the_page_is_searched_without_scripts(mona: Membership, client_of: Clients) -> None:
    html = client_of(mona).get(PAGE, {"q": "suno"}).content.decode()
    assert "suno" in html.lower()
    assert f'value="model:{MODEL}"' not in html


def test_more_rules_and_people_cost_no_more_queries(mona: Membership, client_of: Clients) -> None:
    client = client_of(mona)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(PAGE).status_code == 200
        return len(asked)

    client.get(PAGE)
    few = queries()
    for spec in load.models()[:40]:
        rule(mona.team, "people", name=spec.slug, people=[mona.pk])
    assert queries() == few
