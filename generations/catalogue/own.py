"""A model of a team's own as `ModelSpec`: an AI app or a workflow, as a manager settled its fields.

What is kept of it is plain JSON: `title`, `summary`, `kind`, `repeats`, `usual_seconds`, `instance_type`,
`personal_queue`, and `fields`. A field is a fact of `described` with what was settled about it: `use` ("ask", "fix" or
"leave"), `key`, `label`, `help`, `required`, `advanced`, and `start`, the text it begins with, or is fixed to. Its
`type` is what was chosen, a kind of param or VOICE, `told` what upstream told, and `at` its place there: inputs are
sent in that order, in whatever order they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from generations.catalogue import described, value
from generations.catalogue.param import Option, ParamSpec, ParamType
from generations.catalogue.run import Node, Run, Source
from generations.catalogue.spec import Kind, ModelSpec
from generations.catalogue.text import Fault, settled
from generations.catalogue.voices import voices

USES = ("ask", "fix", "leave")
OUTPUTS = {
    Kind.SPEECH: "audio",
    Kind.MUSIC: "audio",
    Kind.SONG: "audio",
    Kind.LYRICS: "text",
    Kind.SEPARATION: "audio",
    Kind.PICTURE: "image",
    Kind.VIDEO: "video",
    Kind.OBJECT: "3d",
    Kind.TEXT: "text",
}
"""The kinds that a model of a team's own can be of, and what each makes. Voices are more than a form, so not theirs."""
VENDORS = {Source.APP: "AI app", Source.WORKFLOW: "ComfyUI workflow"}
PROMPTS = ("prompt", "text", "positive", "caption", "lyrics", "string")
LONG = 60
VOICE = "VOICE"
"""What a text can be taken for beside the kinds of params: the id of a voice, chosen from those a member may use."""


def kind_of(field: Mapping[str, Any]) -> ParamType:
    """The kind of param that an input is taken for."""
    return ParamType.STRING if field["type"] == VOICE else ParamType(field["type"])


def begun(
    facts: Sequence[Mapping[str, Any]], source: Source, before: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """The fields to settle, from what upstream tells now. What was settled before stays, in its order; what is new
    comes last: asked for in an app, whose makers chose it for that, and left alone in a workflow.
    """
    known = {described.identity(one): one for one in before}
    now = {described.identity(one): {**one, "at": at} for at, one in enumerate(facts)}
    keys = {str(one["key"]) for one in known.values()}
    kept = [_settled_again(one, now[place]) for place, one in known.items() if place in now]
    fresh = []
    for place, fact in now.items():
        if place in known:
            continue
        is_file = ParamType(fact["type"]).is_media
        field = {
            "use": "ask" if source is Source.APP else "leave",
            "key": _key(fact, keys),
            "label": _label(fact),
            "help": fact["said"] if fact["said"] != _label(fact) else "",
            "required": is_file,
            "advanced": False,
            "start": _begins(fact),
        }
        keys.add(str(field["key"]))
        fresh.append(field | dict(fact) | {"told": fact["type"]})
    return kept + fresh


def _settled_again(before: Mapping[str, Any], fact: Mapping[str, Any]) -> dict[str, Any]:
    """What was settled of an input, with what is told of it now. A start that nobody changed follows upstream, and
    the kind that somebody chose holds until upstream tells of another.
    """
    field = {**{name: before[name] for name in SETTLED}, **fact, "told": fact["type"]}
    if before["told"] == fact["type"]:
        field["type"] = before["type"]
    if before["start"] in (_begins(before), _as_text(before["value"])):
        field["start"] = _begins(fact)
    return field


SETTLED = ("use", "key", "label", "help", "required", "advanced", "start")


def spec_of(
    slug: str,
    source: Source,
    upstream: str,
    data: Mapping[str, Any],
    *,
    owner: int,
    form: int,
    sites: tuple[str, ...],
) -> ModelSpec:
    """The model of one version of its form. Raises `Fault`, a sentence, when the data make none."""
    params, nodes = [], []
    for field in data["fields"]:
        node, at = (field["node"], field["name"]), field["at"]
        if field["use"] == "leave":
            if source is Source.APP:
                nodes.append((at, Node(*node, _whole(field))))
        elif field["use"] == "fix" and field["type"] != VOICE:
            nodes.append((at, Node(*node, _fixed(field))))
        else:
            params.append(_param(field, kind_of(field)))
            told = _whole(field) if _may_go_as_it_comes(field, source) else _came(field)
            nodes.append((at, Node(*node, told, str(field["key"]))))
    sent = tuple(node for _at, node in sorted(nodes, key=lambda one: one[0]))
    if sum(param.widget == "voice" for param in params) > 1:
        raise Fault("Only one input can be taken for a voice.")
    chosen = Kind(data["kind"])
    if chosen not in OUTPUTS:
        raise Fault("Choose what it makes.")
    return ModelSpec(
        endpoint=slug.replace("--", "/"),
        title=data["title"],
        vendor=VENDORS[source],
        summary=data["summary"] or VENDORS[source],
        kind=chosen,
        category="own",
        output=OUTPUTS[chosen],
        params=tuple(params),
        sites=sites,
        usual_seconds=data.get("usual_seconds") or 60,
        repeats=bool(data.get("repeats")),
        prompt_param=_prompt(data["fields"]),
        notes=(f"{VENDORS[source]} {upstream}",),
        facts="partly" if any(not one["known"] and one["use"] == "ask" for one in data["fields"]) else "",
        run=Run(source, upstream, sent, data.get("instance_type", ""), bool(data.get("personal_queue"))),
        owner=owner,
        form=form,
    )


def faults(field: Mapping[str, Any], source: Source) -> list[str]:
    """What is wrong with one settled field, a sentence each."""
    said = []
    if field["use"] == "ask" and not str(field["label"]).strip():
        said.append("Give it a name, or do not ask for it.")
    kind = kind_of(field)
    if field["use"] != "leave" and kind is ParamType.LIST and not field.get("options"):
        said.append("Nobody tells its values, so it cannot be a list.")
    try:
        if field["type"] == VOICE and field["use"] != "leave":
            _hold_to_voices(field)
        elif field["use"] == "fix":
            _fixed(field)
        elif field["use"] == "ask" and not kind.is_media:
            _start(_bare(field, kind), field)
        if _may_go_as_it_comes(field, source):
            described.came(field)
    except Fault as fault:
        said.append(str(fault))
    return said


def _hold_to_voices(field: Mapping[str, Any]) -> None:
    """A voice of the team is for whom it was made: no form names it to everybody, or sends it for anybody."""
    if field["use"] == "fix":
        raise Fault("A voice is chosen by whoever generates. Ask for it, or take it for a text.")
    if field["start"] and not _start_of_voice(field):
        raise Fault("It can begin with a voice of the system only. Give the id of one, or leave that empty.")


def _start_of_voice(field: Mapping[str, Any]) -> str | None:
    return next((one.voice_id for one in voices() if one.voice_id == field["start"]), None)


def _may_go_as_it_comes(field: Mapping[str, Any], source: Source) -> bool:
    """Whether it may be sent with what it came with: an app is sent all its inputs, also those that nobody fills in."""
    if source is not Source.APP or field["use"] == "fix":
        return False
    return field["use"] == "leave" or (not field["required"] and _default(field, kind_of(field)) is None)


def _default(field: Mapping[str, Any], kind: ParamType) -> Any:
    if field["type"] == VOICE:
        return _start_of_voice(field)
    return None if kind.is_media else _start(_bare(field, kind), field)


def _param(field: Mapping[str, Any], kind: ParamType) -> ParamSpec:
    """What a member is asked for: also a voice that an earlier form sent always, without asking."""
    bare = _bare(field, kind)
    return ParamSpec(
        **{name: getattr(bare, name) for name in ("key", "type", "label", "options", "widget", "max_length")},
        **{name: getattr(bare, name) for name in ("min", "max", "step", "help")},
        required=bool(field["required"]) or field["use"] == "fix",
        advanced=bool(field["advanced"]),
        default=_default(field, kind),
    )


def _bare(field: Mapping[str, Any], kind: ParamType) -> ParamSpec:
    text = str(field["value"])
    is_voice = field["type"] == VOICE
    options = field.get("options", ()) if kind is ParamType.LIST else ()
    long = (
        not is_voice and kind is ParamType.STRING and (len(text) > LONG or "\n" in text or _is_prompt(field))
    )
    return ParamSpec(
        key=str(field["key"]),
        type=kind,
        label=str(field["label"]) or str(field["name"]),
        help=str(field["help"]),
        options=tuple(Option(one, label) for one, label in options),
        widget="voice" if is_voice else "longtext" if long else "",
        max_length=described.LONGEST if long else None,
        min=_number(field.get("min"), kind),
        max=_number(field.get("max", described.MOST_WHOLE if kind is ParamType.INT else None), kind),
        step=_number(field.get("step"), kind),
    )


def _start(param: ParamSpec, field: Mapping[str, Any]) -> Any:
    return value.read(param, str(field["start"]), strict=False)


def _fixed(field: Mapping[str, Any]) -> Any:
    """The constant, in the JSON type that the input came with. A file is named as upstream knows it."""
    kind, start = kind_of(field), str(field["start"])
    if kind.is_media:
        return start or _whole(field)
    if not start and "raw" in field:
        raise Fault(
            "What it comes with cannot stand here. Leave it as it comes, or give the value that is always sent."
        )
    found = None if kind is ParamType.STRING else _start(_bare(field, kind), field)
    if start == _begins(field):
        return _whole(field)
    if kind is ParamType.STRING or isinstance(_came(field), str):
        return start
    if found is None:
        raise Fault("Give the value that is always sent.")
    return found


def _begins(fact: Mapping[str, Any]) -> str:
    """What it comes with as a form gives it back; "" for a file, and for what no form can hold."""
    if "raw" in fact or ParamType(fact.get("told", fact["type"])).is_media:
        return ""
    return settled(_as_text(fact["value"]))


def _whole(field: Mapping[str, Any]) -> Any:
    """What it comes with. Raises `Fault`, naming the input, when that could not be kept."""
    try:
        return described.came(field)
    except Fault as fault:
        raise Fault(f"{field['label'] or field['name']}: {fault}") from None


def _came(field: Mapping[str, Any]) -> Any:
    """What it comes with, None when nobody knows."""
    return None if field.get("raw", "") is None else described.came(field)


def _number(raw: Any, kind: ParamType) -> Decimal | None:
    if not kind.is_number or isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return None
    return Decimal(repr(raw))


def _prompt(fields: Iterable[Mapping[str, Any]]) -> str:
    texts = [one for one in fields if one["use"] == "ask" and one["type"] == ParamType.STRING.value]
    likely = [one for one in texts if _is_prompt(one)] or texts
    return str(likely[0]["key"]) if likely else ""


def _is_prompt(field: Mapping[str, Any]) -> bool:
    words = f"{field['name']} {field['label']}".lower()
    return any(word in words for word in PROMPTS)


def _key(fact: Mapping[str, Any], taken: set[str]) -> str:
    """What REST calls it: the name of the input, with its node where that is not the only one."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", str(fact["name"])).strip("_") or "input"
    node = re.sub(r"[^A-Za-z0-9]+", "_", str(fact["node"])).strip("_")
    found = name if name not in taken and name not in RESERVED else f"{name}_{node}"
    number = 2
    while found in taken or found in RESERVED:
        found = f"{name}_{node}_{number}"
        number += 1
    return found


RESERVED = frozenset({"title", "model", "webhookUrl", "apiKey", "voice"})


def _label(fact: Mapping[str, Any]) -> str:
    said, title, name = str(fact["said"]), str(fact["title"]), str(fact["name"])
    if said and len(said) <= LONG:
        return said
    words = name.replace("_", " ").strip().capitalize()
    return f"{words} ({title})" if title and title.lower() != name.lower() else words


def _as_text(raw: Any) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw)
