"""Nothing but a token: order, wait, fetch, find again."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Membership
from tests.conftest import tone


def test_a_program_orders_music_waits_and_fetches_it(
    bob: Membership, program_of: Any, sandbox: Any, drive: Any
) -> None:
    program = program_of(bob)
    model = next(one["slug"] for one in program.get("models").json()["items"] if one["kind"] == "music")
    detail = program.get(f"models/{model}").json()
    taken = program.post(
        "generations", {"model": model, "params": detail["example"], "title": "Harbour lights"}
    )
    path = taken.headers["Location"].removeprefix("http://testserver/api/v1/")
    assert program.get(path).json()["status"] == "queued"

    drive()

    done = program.get(path).json()
    assert (done["status"], done["error"]) == ("succeeded", None)
    assert done["upstream_id"]
    assert done["dispatched_at"] <= done["finished_at"]
    assert float(done["cost_actual"]) > 0
    [output] = done["outputs"]
    answer = program.client.get(output["url"], headers=program.headers)
    data = b"".join(answer)
    assert answer.headers["Content-Type"] == output["content_type"]
    assert (len(data), hashlib.sha256(data).hexdigest()) == (output["bytes"], output["sha256"])
    assert output["duration"] > 0
    assert program.get("generations", {"q": "harbour", "status": "succeeded"}).json()["items"] == [done]
    assert program.get("usage").json()["month"]["mine"] == {"spend": done["cost_actual"], "count": 1}


def test_a_cloned_voice_is_a_voice_of_the_team(
    bob: Membership, program_of: Any, sandbox: Any, drive: Any
) -> None:

    program = program_of(bob)
    reference = program.upload(SimpleUploadedFile("voice.wav", tone(12.0), "audio/wav")).json()["reference"]
    params = {"audio": reference, "custom_voice_id": "Harbour01", "text": "Good morning from the pier."}
    assert program.post("generations", {"model": "minimax/voice-clone", "params": params}).status_code == 201
    drive()
    assert program.get("generations").json()["items"][0]["status"] == "succeeded"
    assert program.get("voices").json()["items"][0]["voice_id"] == "Harbour01"
