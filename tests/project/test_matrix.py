"""Every address and every REST call × owner, manager, member, viewer, a stranger and somebody who is not signed in.

What is expected stands in `matrix.py`, whose deeds are rows of the role table. Allowed: an answer that is neither 403
nor 404. A role without the right: 403. A colleague of another team: 404. Not signed in: the sign-in page, or 401.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts import roles
from accounts.models import ApiToken, Membership, Role
from accounts.roles import Deed
from generations.views.api import api
from tests.effort import thorough
from tests.project.matrix import CALLS, PAGES, THINGS, USUAL, Line, Open, Scene

REST = "api:"
PROGRAMS = (REST, "openai:")
"""What programs call, with a token."""
NAMELESS = {
    "api/",
    *(f"accounts/social/{old}/" for old in ("login/cancelled", "login/error", "signup", "connections")),
}
"""What catches every other address under /api/, and allauth's former addresses, which lead to those in the matrix."""
METHODS = ("GET", "POST")
SHORT = 12
"""The short form knocks at every twelfth."""


def addresses(
    resolver: Any, before: str = "", space: str = "", outer: frozenset[str] = frozenset()
) -> Iterator[tuple[str, frozenset[str]]]:
    """The name of every address of the project with its arguments; the route where it has no name."""
    for one in resolver.url_patterns:
        route, arguments = before + str(one.pattern), outer | set(one.pattern.regex.groupindex)
        if isinstance(one, URLResolver):
            yield from addresses(
                one, route, f"{space}{one.namespace}:" if one.namespace else space, arguments
            )
        elif isinstance(one, URLPattern):
            yield (space + one.name if one.name else route), arguments


ARGUMENTS = dict(addresses(get_resolver()))
EVERY = sorted(set(ARGUMENTS) - NAMELESS)


def line_of(name: str) -> Line:
    return CALLS[name.removeprefix(REST)] if name.startswith(PROGRAMS) else PAGES[name]


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    lines = set(PAGES) | {name if ":" in name else REST + name for name in CALLS}
    assert lines == set(EVERY), "add a line to tests/project/matrix.py, or take one away"


def test_every_rest_operation_is_in_its_line() -> None:
    """An address of two methods could hide one of them."""
    found = set()
    for _prefix, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                name = getattr(operation, "url_name", "") or view.url_name or operation.view_func.__name__
                found |= {(name, method) for method in operation.methods}
    said = {(name, "GET") for name, line in CALLS.items() if line.get}
    said |= {(name, "POST") for name, line in CALLS.items() if line.post}
    assert {one for one in found if one[1] in METHODS} <= said
    assert {method for _, method in found} <= {*METHODS, "HEAD", "PATCH", "DELETE"}


def test_every_deed_of_the_table_opens_something() -> None:
    used = {deed for line in [*PAGES.values(), *CALLS.values()] for deed in (line.get, line.post)}
    spoken_of_elsewhere = {Deed.SEE_SPENDING, Deed.MAKE_OWNERS}
    assert set(Deed) - spoken_of_elsewhere <= used
    assert set(roles.TABLE) == set(Deed)
    assert all(Role.OWNER in allowed for allowed in roles.TABLE.values())


@pytest.fixture
def scene(carol: Membership, make_generation: Any, make_voice: Any) -> Scene:
    return Scene(carol, make_generation, make_voice)


@pytest.fixture
def people(
    alice: Membership, mona: Membership, bob: Membership, vera: Membership, zoe: Membership
) -> dict[str, Membership]:
    return {"owner": alice, "manager": mona, "member": bob, "viewer": vera, "stranger": zoe}


def address(name: str, line: Line, scene: Scene, me: Membership, team: str) -> str:
    given = {
        key: team if key == "team" else scene.thing(line.things.get(key) or USUAL[key], me)
        for key in ARGUMENTS[name]
    }
    return reverse(name, kwargs=given) + line.query


def data_of(line: Line, scene: Scene, me: Membership) -> dict[str, Any]:
    return {
        key: scene.thing(value, me) if isinstance(value, str) and value in THINGS else value
        for key, value in line.data.items()
    }


def knock(client: Client, method: str, path: str, data: Mapping[str, Any], headers: dict[str, str]) -> int:
    """The status of the answer; what it did is undone. An exception in the portal comes through."""
    send: Callable[..., Any] = client.get if method == "GET" else client.post
    with transaction.atomic():
        kind = {"content_type": "application/json"} if headers and data and method == "POST" else {}
        answer = send(path, data, headers=headers, **kind)
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    if answer.status_code == 302 and answer["Location"].startswith("/accounts/login/"):
        return 401
    return int(answer.status_code)


def fits(code: int, who: str, deed: Deed | Open | None, line: Line, *, rest: bool, own_team: bool) -> bool:
    if code in line.also:
        return True
    if deed is None:
        return code == 405 or (rest and code in (401, 404, 405)) or (who == "anonymous" and code == 401)
    if deed is Open.ANYBODY:
        return code < 500 and code != 404
    if who == "anonymous":
        return code == 401
    if deed is Open.PERSON:
        return code < 500 and code not in (403, 404)
    if who == "stranger" and not own_team:
        return code == 404
    allowed = who == "stranger" or roles.may(who, deed)
    return code < 500 and code not in (401, 403, 404, 405) if allowed else code == 403


@pytest.mark.parametrize("name", [thorough(one) if n % SHORT else one for n, one in enumerate(EVERY)])
def test_who_may_and_who_may_not(name: str, scene: Scene, people: dict[str, Membership]) -> None:
    line, rest = line_of(name), name.startswith(PROGRAMS)
    wrong = []
    knocking = people if {line.get, line.post} - {None, Open.ANYBODY} else {"member": people["member"]}
    for who, me in [*knocking.items(), ("anonymous", people["member"])]:
        client, headers = Client(), {}
        if who != "anonymous" and rest:
            headers = {"Authorization": f"Bearer {ApiToken.issue(me)}"}
        elif who != "anonymous":
            client.force_login(me.user)
        path = address(name, line, scene, me, scene.carol.team.slug)
        # A token's own team is all it sees: what has no row in its address is the stranger's own.
        foreign = {
            key for key, thing in line.things.items() if key in ("id", "pk") and not thing.startswith("own ")
        }
        own_team = rest and not foreign
        for method, deed in (("GET", line.get), ("POST", line.post)):
            if rest and deed is None:
                continue  # an address of two methods is two lines
            code = knock(client, method, path, data_of(line, scene, me), headers)
            if not fits(code, who, deed, line, rest=rest, own_team=own_team):
                wrong.append(f"{who} {method} {path}: {code}, by the table: {deed}")
            if method == "POST" and line.data and knock(client, method, path, {}, headers) >= 500:
                wrong.append(f"{who} {method} {path} with nothing: broken")
        if who == "stranger" and not rest and {"pk", "id"} & set(line.things) and line.get not in set(Open):
            # What is another team's is not there under one's own team either.
            path = address(name, line, scene, people["member"], me.team.slug)
            for method, deed in (("GET", line.get), ("POST", line.post)):
                if isinstance(deed, Deed):
                    code = knock(client, method, path, data_of(line, scene, people["member"]), headers)
                    if code != 404:
                        wrong.append(f"{who} {method} {path}: {code}, but it is not of this team")
    assert not wrong, "\n".join(wrong)
