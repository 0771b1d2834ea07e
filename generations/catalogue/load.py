"""The models out of the data files. Adding a model means adding data; this file knows no model by name.

A file is `{"category", "output", "shared": {name: param}, "models": [model]}`. A param is written with the
field names of `ParamSpec`, or as `{"use": name}` of a shared one with the fields that differ. An option is a
text, or a value and its label. The key of a shared param is its name unless it states another. A model may have
`rules`, see `rules.py`, and a price for each "take" of a number it is asked for, see `spec.Price`. A param with
`"widget": "result"` takes an id that an earlier result gave: `result_of` lists the slugs of the models that give
it, `result_keys` the names it may have in their text, see `results.py`.

A param that RunningHub calls by a number of its workflow has a readable key and a `wire_key`; what one site takes in
place of a value stands in `wire_values`: `{"ai": {"16:9": "5"}}`. A COMPLEX list may say with `fields` what its entries
hold. A model that is not known well says so: `facts` is "partly" or "name", `status` "deprecated" or "superseded".
All of them are read at once, which takes a twentieth of a second for a process.

A file is named after the category of its models. Where a maker spreads one family over several categories, the family
has a file of its own, so that its params are written once; it is named after the category it belongs to most, which
is also its place in the picker, and each of its models states its category.

AI apps and workflows are models of one team and are kept as rows. Whoever keeps them says with `look_also` how one is
found; `get` asks there for names that are no model of the files, so whoever has a name need not know the difference.
Whether a model found may be known to a team, `ModelSpec.is_for` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from generations.catalogue import check
from generations.catalogue.faults import BadData
from generations.catalogue.spec import Kind, ModelSpec
from generations.catalogue.voices import VoiceSpec, voice_name, voices

__all__ = [
    "BadData",
    "UnknownModel",
    "VoiceSpec",
    "get",
    "look_also",
    "models",
    "offered",
    "read_models",
    "voice_name",
    "voices",
]

DATA = Path(__file__).parent / "data"
_ORDER = {kind: position for position, kind in enumerate(Kind)}


class UnknownModel(LookupError):
    """The catalogue has no model of that name."""


_reading = Lock()
"""`cache` keeps no two threads from doing the same: at the first generation of a process a dozen would read."""


def models() -> tuple[ModelSpec, ...]:
    """Every model, in the order of the picker: by kind, then as the files have them."""
    return _known()[0]


def offered(site: str) -> tuple[ModelSpec, ...]:
    """The models of a site, "ai" or "cn", in the order of the picker; all of them for an unknown site, ""."""
    return tuple(spec for spec in models() if spec.is_on(site))


_also: list[Callable[[str], ModelSpec | None]] = []


def look_also(find: Callable[[str], ModelSpec | None]) -> None:
    """From now on `get` asks `find` too, which gives None for a name it does not know."""
    if find not in _also:
        _also.append(find)


def get(slug_or_alias: str) -> ModelSpec:
    """The model of a slug, an endpoint or an alias ("/" or "--"). Raises UnknownModel."""
    try:
        return _known()[1][slug_or_alias]
    except (KeyError, TypeError):
        pass
    found = [spec for find in _also if isinstance(slug_or_alias, str) and (spec := find(slug_or_alias))]
    if not found:
        raise UnknownModel("There is no model of that name.")
    return found[0]


def read_models(folder: Path) -> tuple[ModelSpec, ...]:
    """The models in a folder, in the order of the picker. Raises BadData naming file, model and field."""
    found: list[ModelSpec] = []
    names: dict[str, str] = {}
    files: dict[str, str] = {}
    for path in sorted(folder.glob("*.json")):
        if path.name == "voices.json":
            continue
        for spec in _read_file(path):
            for name in sorted(_names(spec)):
                if name in names:
                    problem = f"{name} is already a name of {names[name]}"
                    raise BadData(path.name, spec.endpoint, "endpoint", problem)
            names |= dict.fromkeys(_names(spec), spec.endpoint)
            found.append(spec)
            files[spec.slug] = path.name
    for spec in found:
        for key, slug in ((param.key, slug) for param in spec.params for slug in param.result_of):
            if slug not in files:
                place = f"params.{key}.result_of"
                raise BadData(files[spec.slug], spec.endpoint, place, f"{slug} is not the slug of a model")
    return tuple(sorted(found, key=lambda spec: _ORDER[spec.kind]))


def _known() -> tuple[tuple[ModelSpec, ...], dict[str, ModelSpec]]:
    """All of them, and each by all its names."""
    with _reading:
        return _read()


@cache
def _read() -> tuple[tuple[ModelSpec, ...], dict[str, ModelSpec]]:
    found = read_models(DATA)
    return found, {name: spec for spec in found for name in _names(spec)}


def _names(spec: ModelSpec) -> set[str]:
    given = (spec.endpoint, *spec.aliases)
    return {*given, *(name.replace("/", "--") for name in given)}


def _read_file(path: Path) -> list[ModelSpec]:
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadData(path.name, "", "", f"cannot be read: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("models"), list):
        raise BadData(path.name, "", "models", "has to be a list")
    extra = set(data) - {"category", "output", "shared", "models"}
    if extra:
        raise BadData(path.name, "", sorted(extra)[0], "is not a field of a file")
    shared = data.get("shared", {})
    if not isinstance(shared, dict):
        raise BadData(path.name, "", "shared", "has to be an object")
    base = {key: data[key] for key in ("category", "output") if key in data}
    read: list[ModelSpec] = []
    for entry in data["models"]:
        if not isinstance(entry, dict):
            raise BadData(path.name, "", "models", "holds something that is not an object")
        read.append(check.model(base | entry, shared, file=path.name))
    return read
