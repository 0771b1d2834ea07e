"""Accounts at RunningHub: seen and paused by managers; keys are entered, chosen and removed by owners.

A key goes in and never out. It is tried by the worker, so an answer tells only that it is being tried.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.views.decorators.debug import sensitive_variables
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field, SecretStr

from accounts.models import Membership, Team
from accounts.roles import Deed
from generations import connections as verbs
from generations.catalogue.spec import InvalidParams
from generations.forms.connection import NewConnection, ReplaceKey
from generations.models import Connection, ConnectionKey
from generations.models.connection import CANDIDATES
from generations.views import access
from generations.views.api.auth import ApiRequest, manages, may
from generations.views.api.posted import PLAIN, checked, given
from generations.views.api.problems import answers, problem

router = Router(tags=["Connections"])


class Candidate(Schema):
    """A key that was entered and is not in use: it is being tried, could not be tried, or was refused with a sentence.
    `hint` is its end, all that is ever shown of a key.
    """

    state: Literal["waiting", "unreachable", "refused"]
    hint: str
    sentence: str
    entered_at: datetime


class ConnectionShown(Schema):
    """An account at RunningHub. Its key is told to nobody; `key_hint` is the end of it."""

    id: int
    name: str
    is_shared: bool
    is_used: bool
    currency: str
    slots: int
    paused: bool
    paused_reason: str
    address: str | None = None
    key_hint: str = ""
    candidate: Candidate | None = None


class Connections(Schema):
    items: list[ConnectionShown]
    next_cursor: None = None


class Reason(Schema):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=300, pattern=PLAIN)


class NewKey(Schema):
    """A key as RunningHub shows it."""

    model_config = ConfigDict(extra="forbid")

    key: SecretStr = Field(max_length=200)


class NewAccount(NewKey):
    """An account of the team's own. `address` is one of the sites that the portal offers."""

    name: str = Field(min_length=1, max_length=60, pattern=PLAIN)
    address: str = Field(max_length=200, pattern=PLAIN, examples=["https://www.runninghub.ai"])


class Trial(Schema):
    """`again` has it tried once more; `anyway` takes it as it is."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["again", "anyway"]


@router.get(
    "connections",
    response={200: Connections, **answers()},
    operation_id="connections",
    auth=manages,
    summary="Accounts",
)
def connection_list(request: ApiRequest) -> Any:
    """Those that the team may use."""
    actor = may(request, Deed.PAUSE)
    used = Connection.of(actor.team)
    own = [one for one in Connection.all_of(actor.team) if not one.is_shared]
    rows = [Connection.shared_of(actor.team), *own]
    tried = {
        key.connection_id: key
        for key in ConnectionKey.objects.filter(connection__in=own, state__in=CANDIDATES)
    }
    return Connections(items=[_shown(one, used, tried.get(one.pk)) for one in rows])


@router.post(
    "connections",
    response={201: ConnectionShown, **answers(400, 409, 413, 422)},
    operation_id="add_connection",
    auth=manages,
    summary="Add an account",
)
def connection_new(request: ApiRequest, wanted: NewAccount) -> Any:
    """For owners. Its key is tried now; nothing is sent with it before somebody chooses it."""
    actor = may(request, Deed.HOLD_KEYS)
    try:
        return Status(201, _itself(actor, _add(actor, wanted)))
    except verbs.NotDone as fault:
        return problem("not_possible", str(fault))


@router.post(
    "connections/{int:id}/key",
    response={202: ConnectionShown, **answers(400, 404, 409, 413, 422)},
    operation_id="replace_key",
    auth=manages,
    summary="Enter another key",
)
def connection_rekey(request: ApiRequest, id: int, wanted: NewKey) -> Any:
    """For owners, of an account of the team's own. The key in use goes on until this one was tried."""
    actor = may(request, Deed.HOLD_KEYS)
    one = access.own_connection(actor, id)
    try:
        _enter(actor, one, wanted)
    except verbs.NotDone as fault:
        return problem("not_possible", str(fault))
    return Status(202, _itself(actor, one))


@router.post(
    "connections/{int:id}/try",
    response={200: ConnectionShown, **answers(400, 404, 409, 413, 422)},
    operation_id="try_key",
    auth=manages,
    summary="Decide about a key that could not be tried",
)
def connection_trial(request: ApiRequest, id: int, wanted: Trial) -> Any:
    """For owners. 409 when no key waits for this."""
    actor = may(request, Deed.HOLD_KEYS)
    one = access.own_connection(actor, id)
    if not (verbs.use_anyway if wanted.action == "anyway" else verbs.try_again)(one):
        return problem("not_possible", "There is no key that waits for this.")
    return _itself(actor, one)


@router.post(
    "connections/{int:id}/use",
    response={200: ConnectionShown, **answers(404, 409)},
    operation_id="use_connection",
    auth=manages,
    summary="Choose an account",
)
def connection_choice(request: ApiRequest, id: int) -> Any:
    """For owners. The team sends by it from now on; what was sent goes on where it is."""
    actor = may(request, Deed.HOLD_KEYS)
    one = access.connection(actor, id)
    try:
        verbs.use(actor.team, one)
    except verbs.NotDone as fault:
        return problem("not_possible", str(fault))
    return _itself(actor, one)


@router.post(
    "connections/{int:id}/remove",
    response={204: None, **answers(404, 409)},
    operation_id="remove_connection",
    auth=manages,
    summary="Remove an account",
)
def connection_end(request: ApiRequest, id: int) -> Any:
    """For owners. Its keys are forgotten; receipts keep its name."""
    actor = may(request, Deed.HOLD_KEYS)
    try:
        verbs.remove(access.own_connection(actor, id))
    except verbs.NotDone as fault:
        return problem("not_possible", str(fault))
    return Status(204, None)


@router.post(
    "connections/{int:id}/pause",
    response={200: ConnectionShown, **answers(400, 404, 413, 422)},
    operation_id="pause_connection",
    auth=manages,
    summary="Pause sending",
)
def connection_stop(request: ApiRequest, id: int, said: Reason) -> Any:
    """Nothing more is sent until somebody resumes; what was sent goes on."""
    actor = may(request, Deed.PAUSE)
    one = access.connection(actor, id)
    verbs.pause(one, actor.team, actor.user, said.reason)
    return _itself(actor, one)


@router.post(
    "connections/{int:id}/resume",
    response={200: ConnectionShown, **answers(404)},
    operation_id="resume_connection",
    auth=manages,
    summary="Send again",
)
def connection_go(request: ApiRequest, id: int) -> Any:
    """Twice is as once."""
    actor = may(request, Deed.PAUSE)
    one = access.connection(actor, id)
    verbs.resume(one, actor.team)
    return _itself(actor, one)


@sensitive_variables("key", "form")
def _add(actor: Membership, wanted: NewAccount) -> Connection:
    key = wanted.key.get_secret_value()
    form = NewConnection(given({"name": wanted.name, "base_url": wanted.address, "key": key}))
    _check(form)
    base_url, name, key = (form.cleaned_data[field] for field in ("base_url", "name", "key"))
    return verbs.add(actor.team, actor.user, base_url=base_url, name=name, key=key)


@sensitive_variables("key", "form")
def _enter(actor: Membership, one: Connection, wanted: NewKey) -> None:
    form = ReplaceKey(given({"key": wanted.key.get_secret_value()}))
    _check(form)
    verbs.enter_key(one, actor.user, form.cleaned_data["key"])


def _check(form: NewConnection | ReplaceKey) -> None:
    """Raises `InvalidParams`, with the name that the API has for the site."""
    try:
        checked(form)
    except InvalidParams as invalid:
        raise InvalidParams(
            {"address" if name == "base_url" else name: list(said) for name, said in invalid.errors.items()}
        ) from None


def _itself(actor: Membership, one: Connection) -> ConnectionShown:
    """As it stands now. A team that was loaded before remembers what it used then."""
    one.refresh_from_db()
    used = Connection.of(Team.objects.get(pk=actor.team_id))
    return _shown(one, used, None if one.is_shared else one.keys.filter(state__in=CANDIDATES).first())


def _shown(one: Connection, used: Connection, tried: ConnectionKey | None) -> ConnectionShown:
    candidate = tried and Candidate.model_validate(
        {
            "state": tried.state,
            "hint": tried.key_hint,
            "sentence": tried.sentence,
            "entered_at": tried.entered_at,
        }
    )
    return ConnectionShown(
        id=one.pk,
        name=str(one),
        is_shared=one.is_shared,
        is_used=one.pk == used.pk,
        currency=one.currency,
        slots=one.slots,
        paused=one.paused_at is not None,
        paused_reason=one.paused_reason if one.paused_at is not None else "",
        address=None if one.is_shared else one.base_url,
        key_hint="" if one.is_shared else one.key_hint,
        candidate=candidate or None,
    )
