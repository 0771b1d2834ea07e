from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from generations.catalogue.diff import Unreadable, compare
from generations.catalogue.load import get, models

ENDPOINT = "rhart-image/z-image/turbo"


def registry(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """All of ours as the vendor writes it, with some settings of one model changed; None takes one out."""
    found = []
    for spec in models():
        params = []
        for param in spec.params:
            entry: dict[str, Any] = {
                "fieldKey": param.sent_as,
                "type": param.type.value,
                "required": param.required,
            }
            entry["options"] = [{"value": option.value} for option in param.options] or None
            if spec.endpoint == ENDPOINT and param.key in changes:
                if changes[param.key] is None:
                    continue
                entry |= changes[param.key]
            params.append(entry)
        found.append({"endpoint": f"/openapi/v2/{spec.endpoint}", "params": params})
    return found


def test_a_registry_that_says_the_same_differs_in_nothing() -> None:
    differing = [one for one in compare(models(), registry()) if "voice_id" not in " ".join(one.said)]
    assert differing == []


def test_new_gone_and_changed_are_told_in_this_order() -> None:
    theirs = registry(
        prompt={"required": False, "maxLength": 99},
        aspectRatio={"options": [{"value": "1:1"}, {"value": "5:4"}], "default": "5:4"},
        outputFormat=None,
    )
    theirs = [one for one in theirs if not one["endpoint"].endswith("suno/lyrics")]
    theirs.append({"endpoint": "new/model", "params": [{"key": "prompt", "type": "STRING"}]})
    theirs[-2]["params"].append({"key": "unheard", "type": "INT"})
    found = compare(models(), {"models": theirs})
    assert [(one.what, one.endpoint) for one in found[:2]] == [
        ("new", "new/model"),
        ("gone", "rhart-audio/suno/lyrics"),
    ]
    said = {one.endpoint: one.said for one in found}
    wire = get(ENDPOINT).param("aspectRatio").wire_key
    assert f"{wire}: more values: 5:4" in said[ENDPOINT]
    assert any(line.startswith(f"{wire}: fewer values: 3:4") for line in said[ENDPOINT])
    assert f"{wire}: default 9:16 → 5:4" in said[ENDPOINT]
    assert f"{get(ENDPOINT).param('prompt').wire_key}: no longer required" in said[ENDPOINT]
    assert f"{get(ENDPOINT).param('outputFormat').wire_key}: gone" in said[ENDPOINT]
    assert any("unheard: new" in lines for lines in said.values())


@pytest.mark.parametrize("wrong", [5, "x", [], {}, {"models": 5}, [5], {"models": [{"params": []}]}])
def test_what_is_no_registry_says_so(wrong: Any) -> None:
    with pytest.raises(Unreadable):
        compare(models(), wrong)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[]", ""])
def test_the_command_says_what_is_wrong_with_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(CommandError, match="is no registry"):
        call_command("catalogue", "diff", str(tmp_path / "r.json"))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("catalogue", "diff", str(tmp_path / "none.json"))


def test_the_command_tells_the_differences_and_can_end_with_one(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps([*registry(), {"endpoint": "new/model", "params": []}]))
    out = StringIO()
    call_command("catalogue", "diff", str(path), stdout=out)
    assert "New: 1\n  new/model\n" in out.getvalue()
    with pytest.raises(CommandError) as caught:
        call_command("catalogue", "diff", str(path), "--fail", stdout=out)
    assert caught.value.returncode == 1
