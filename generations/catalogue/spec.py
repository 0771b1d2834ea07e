"""What can be made: a model of RunningHub as data, and the way from a form or JSON to the body of a submit.

`ModelSpec.clean` is the only validator of params: the HTML form and REST both call it, so a value which
passes here may be sent upstream as it stands.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from generations.catalogue import clean as cleaning
from generations.catalogue import display as displaying
from generations.catalogue import schema
from generations.catalogue.clean import EXTRA, InvalidParams
from generations.catalogue.param import Option, ParamSpec, ParamType
from generations.catalogue.rules import Rule
from generations.catalogue.run import Run

__all__ = [
    "EXTRA",
    "InvalidParams",
    "Kind",
    "MissingAddress",
    "ModelSpec",
    "Option",
    "ParamSpec",
    "ParamType",
    "Price",
    "PriceRule",
    "Rule",
]


class Kind(StrEnum):
    """What a model makes; the value is the name of its tile. The order is the order of the picker."""

    SPEECH = "speech"
    MUSIC = "music"
    SONG = "song"
    LYRICS = "lyrics"
    VOICE = "voice"
    SEPARATION = "separation"
    PICTURE = "picture"
    VIDEO = "video"
    OBJECT = "object"
    TEXT = "text"


class MissingAddress(LookupError):
    """An upload of the params has no upstream address yet, so the body cannot be built."""


@dataclass(frozen=True)
class PriceRule:
    """The amount when every named param has the given value, compared as text."""

    when: tuple[tuple[str, str], ...]
    amount: Decimal


@dataclass(frozen=True)
class Price:
    """What one unit costs, from which source and as of which day.

    `unit` is "call", or a count and a noun: "1000 characters", "second", "5 seconds", "image", "take". `param`
    names the text whose characters, or the number whose seconds, images or takes, are counted. With `rules` the
    matching one decides and `amount` is the lowest of them.
    """

    amount: Decimal
    currency: str
    unit: str
    param: str = ""
    as_of: date = date.min
    source: str = ""
    note: str = ""
    site: str = ""
    starting: bool = False
    """The source says "from": the charge may be higher."""
    rules: tuple[PriceRule, ...] = ()


@dataclass(frozen=True)
class ModelSpec:
    """One model. `params` are in the order of the documented request, which is the order of the body."""

    endpoint: str
    title: str
    vendor: str
    summary: str
    kind: Kind
    category: str
    output: str
    """"audio", "image", "video", "3d" or "text"."""
    params: tuple[ParamSpec, ...]
    price: Price | None = None
    """None: the price is unknown, which is not the same as free."""
    sites: tuple[str, ...] = ("ai", "cn")
    aliases: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    """Which params need or exclude one another; `clean` holds to them."""
    usual_seconds: int = 60
    repeats: bool = False
    """Asked the same, it gives what sounds the same: speech of one voice, a recording taken apart."""
    seed_param: str = ""
    """Key of the number that has to be given for it to repeat; "" when it needs none."""
    notes: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Params of a good first result; media left out."""
    prompt_param: str = ""
    """Key of the main text, for titles and search; "" when there is none."""
    facts: str = ""
    """How well it is known: "" well, "partly" by one source or with settings of unknown form, "name" only by name."""
    status: str = ""
    """"deprecated" when RunningHub says so, "superseded" when another model took its place, else ""."""
    run: Run | None = None
    """How an AI app or a workflow is started; None for a standard model."""
    owner: int | None = None
    """The team whose model it is; None for the models of the catalogue, which are everybody's."""
    form: int | None = None
    """Which version of its form this is, where a team settled one."""

    @property
    def slug(self) -> str:
        """The name in addresses: the endpoint with "/" as "--"."""
        return self.endpoint.replace("/", "--")

    def is_on(self, site: str) -> bool:
        """Whether this site offers the model. An unknown site, "", hides nothing."""
        return not site or site in self.sites

    def is_for(self, team: int) -> bool:
        """Whether a team may know of it: it is the catalogue's, or the team's own."""
        return self.owner is None or self.owner == team

    def param(self, key: str) -> ParamSpec:
        """The param of that key. Raises KeyError when the model has none."""
        for param in self.params:
            if param.key == key:
                return param
        raise KeyError(key)

    def clean(self, raw: Mapping[str, Any], *, strict: bool = False) -> dict[str, Any]:
        """Params in wire types and in the order of the spec, ready to be stored and sent.

        Media params hold "upload:<uuid>", a reference to an upload of ours, and take nothing else. With
        `strict` (REST) JSON types must fit; without it (forms) text is parsed and an empty value counts as
        not given, except that a required text or list that was emptied is a fault. A missing value takes the
        default; optional and empty without a default is left out; a hidden param always has its default.
        A param may be named as RunningHub calls it. `EXTRA` holds what the catalogue does not know, as one object;
        who may give it is not asked here. Cleaning cleaned params, strict or not, changes nothing. Raises
        InvalidParams, a sentence per fault.
        """
        return cleaning.clean(
            self.params,
            raw,
            title=self.title,
            strict=strict,
            rules=self.rules,
            is_run=self.run is not None,
        )

    def resolved(self, params: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
        """Cleaned params with an address for each file, under our own keys.

        `addresses` maps each "upload:<uuid>" to the download_url upstream gave for it, for an app or a workflow to the
        name it gave. Raises MissingAddress when one is not there.
        """
        found: dict[str, Any] = {}
        for param in self.params:
            if param.key not in params:
                continue
            value = params[param.key]
            if param.type.is_media and param.multiple:
                value = [_address(reference, addresses) for reference in value]
            elif param.type.is_media:
                value = _address(value, addresses)
            found[param.key] = copy.deepcopy(value)
        return found

    def body(self, params: Mapping[str, Any], addresses: Mapping[str, str], site: str = "") -> dict[str, Any]:
        """Exactly the JSON to submit to a site, from cleaned params. Raises MissingAddress as `resolved`."""
        found = self.resolved(params, addresses)
        if self.run is not None:
            beside: dict[str, Any] = copy.deepcopy(params.get(EXTRA, {}))
            return beside | self.run.body(found)
        body: dict[str, Any] = {}
        for param in self.params:
            if param.key in found:
                value = found[param.key]
                body[param.sent_as] = param.sent(value, site) if param.wire_values else value
        extra: dict[str, Any] = copy.deepcopy(params.get(EXTRA, {}))
        return body | extra

    def received(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A body of either site under our own keys and values; what the model does not know stays as it is."""
        ours = {param.sent_as: param for param in self.params}
        return {
            (ours[key].key if key in ours else key): (ours[key].received(value) if key in ours else value)
            for key, value in body.items()
        }

    def uploads(self, params: Mapping[str, Any]) -> list[str]:
        """The "upload:<uuid>" references in cleaned params, in order, each once."""
        found: dict[str, None] = {}
        for param in self.params:
            if param.type.is_media and param.key in params:
                value = params[param.key]
                found.update(dict.fromkeys(value if param.multiple else [value]))
        return list(found)

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12 of the params as REST takes them."""
        return schema.of(self.params, title=self.title, rules=self.rules)

    def differs(self, params: Mapping[str, Any]) -> list[str]:
        """Keys whose value is not the default, in order.

        Without a default a param counts when it is optional and given: a prompt is no change.
        """
        return displaying.differs(self.params, params)

    def display(
        self, params: Mapping[str, Any], names: Mapping[str, str] | None = None
    ) -> list[tuple[str, str, bool]]:
        """(label, value in words, changed) of each visible param that is given, without the main text.

        `names` gives words for values only the caller knows: a team's cloned voices, the names of uploads.
        """
        shown = tuple(p for p in self.params if not p.hidden and p.key != self.prompt_param)
        return displaying.rows(shown, params, names or {})


def _address(reference: str, addresses: Mapping[str, str]) -> str:
    try:
        return addresses[reference]
    except KeyError:
        raise MissingAddress(f"No upstream address for {reference}.") from None
