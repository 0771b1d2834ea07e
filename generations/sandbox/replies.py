"""Texts that models give: answers, and ids that other models ask for. Their real forms are not documented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from generations.sandbox.made import Made

ID_NAMES = {
    "kling-elements": "element_id",
    "kling-elements-advanced": "element_id",
    "rhart-video-s/sora-upload-character": "characterId",
    "rhart-video-s-official/sora-upload-character": "characterId",
    "marble/upload-media-asset": "mediaAssetId",
    "mureka-ai/files-upload": "fileId",
}


def reply(endpoint: str, params: Mapping[str, Any]) -> list[Made]:
    """The text of one model."""
    number = str(
        int(hashlib.sha256(json.dumps(params, sort_keys=True, default=str).encode()).hexdigest()[:14], 16)
    )
    if endpoint in ID_NAMES:
        told: dict[str, Any] = {ID_NAMES[endpoint]: number}
    elif endpoint == "kling-lip-sync/identify-face":
        face = {"faceId": "0", "startTime": 0, "endTime": 4000}
        told = {"sessionId": number, "faces": [face]}
    elif endpoint.endswith("-world"):
        told = {"worldId": number, "url": f"https://worlds.example/{number}"}
    else:
        return [Made("txt", text=_answer(endpoint, str(params.get("prompt") or "")))]
    return [Made("txt", text=json.dumps(told))]


def _answer(endpoint: str, question: str) -> str:
    seen = "picture" if "image" in endpoint else "video" if "video" in endpoint else ""
    about = f"The {seen} shows a quiet harbour in the morning." if seen else "A quiet harbour wakes slowly."
    return (
        f"You asked: {question.strip()[:400]}\n\n{about} Boats lie at their ropes, the water is still, and a first "
        "light comes over the roofs. This answer was written by the sandbox; a model of RunningHub would say more."
    )
