"""Every model of pictures, video, objects and text, from its form through the sandbox into the library.

With the 21 sounds of `test_sounds.py` these are the 264 models of RunningHub's documentation, by the number of their
row in its navigation, and the newer ones beside them.
"""

from __future__ import annotations

import functools
import io
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import Membership, Team
from generations.catalogue import load
from generations.catalogue.spec import ModelSpec, ParamSpec
from generations.models import Generation, State
from tests.effort import thorough
from tests.generations.catalogue.pictured import PICTURED, refused
from tests.generations.media.samples import mp3_bytes, mp4
from tests.generations.test_sounds import LEAVES as SOUND_LEAVES
from tests.generations.views.reading import seen

LEAVES = {endpoint: fact["row"] for endpoint, fact in PICTURED.items() if "row" in fact}
"""Endpoint -> its row in the navigation of the documentation."""
NEWER = [endpoint for endpoint in PICTURED if endpoint not in LEAVES]
NAMES_ONLY = {"kling-v3.0-4k/motion-control", "rhart-video/ltx-2/text-to-video-lora"}
QUICK = {
    "rhart-image/z-image/turbo",
    "alibaba/qwen-image-2.0/image-edit",
    "pixverse-v6/text-to-video",
    "hitem3d-v2/multi-image-to-3d",
    "kling-lip-sync/identify-face",
}
"""One of each kind, in the short form."""
GIVES = {"image": "image", "video": "video", "3d": "3d", "text": "text"}


@functools.cache
def picture(form: str, size: str) -> bytes:
    wide, high = (int(side) for side in size.split("x"))
    target = io.BytesIO()
    Image.linear_gradient("L").resize((wide, high)).convert("RGB").save(target, form)
    return target.getvalue()


def file_for(param: ParamSpec) -> SimpleUploadedFile:
    """A file that the param takes, as its facts say."""
    kind = param.type.value
    seconds = float(max(param.min_seconds or 0, min(5, param.max_seconds or 5)))
    if kind == "AUDIO":
        return SimpleUploadedFile("sound.mp3", mp3_bytes(max(seconds, 7.0)))
    if kind == "VIDEO":
        return SimpleUploadedFile("film.mp4", mp4(handlers=(b"vide",), seconds=seconds))
    form = "png" if not param.accept or "png" in param.accept else "jpeg"
    return SimpleUploadedFile(f"harbour.{form}", picture(form, param.sizes[0] if param.sizes else "640x480"))


def filled(spec: ModelSpec) -> dict[str, Any]:
    """The example and a file wherever one is needed, as a browser posts them."""
    posted: dict[str, Any] = {}
    for key, value in spec.example.items():
        structured = isinstance(value, list) and value and isinstance(value[0], dict)
        posted[key] = (
            json.dumps(value) if structured else str(value).lower() if isinstance(value, bool) else value
        )
    return posted | {p.key: file_for(p) for p in spec.params if p.type.is_media and p.required}


def posted(client: Any, endpoint: str, **changes: Any) -> Any:
    """The answer to somebody who opens the form, fills in the example and adds the files."""
    spec = load.get(endpoint)
    address = f"/t/tide/create/{spec.slug}/"
    return client.post(address, seen(client.get(address)).sent() | filled(spec) | changes)


@pytest.fixture(autouse=True)
def unknown_prices_allowed(team: Team) -> None:
    """A price that is unknown is refused unless a manager allowed it."""
    team.unknown_price = Team.UnknownPrice.ALLOW
    team.save()


def test_the_rows_are_those_of_the_documentation() -> None:
    assert sorted(LEAVES.values()) == list(range(25, 268))  # 268 to 288 are the sounds
    assert len(LEAVES) + len(SOUND_LEAVES) == 264
    assert len(NEWER) == 94


def families() -> dict[str, list[str]]:
    """The endpoints by category: those of one share a sandbox and a run of the pipeline, which costs less."""
    found: dict[str, list[str]] = {}
    for endpoint in PICTURED:
        if endpoint not in NAMES_ONLY:
            found.setdefault(load.get(endpoint).category, []).append(endpoint)
    return found


@pytest.mark.thorough
@pytest.mark.parametrize(
    "endpoints",
    [
        pytest.param(sorted(QUICK), id="one-of-each"),
        *(thorough(endpoints, id=category) for category, endpoints in families().items()),
    ],
)
def test_their_forms_make_fitting_results_in_the_library(
    bob: Membership, client_of: Any, sandbox: Any, drive: Any, endpoints: list[str]
) -> None:
    client = client_of(bob)
    orders = {}
    for endpoint in endpoints:
        answer = posted(client, endpoint)
        assert answer.status_code == 303, (endpoint, seen(answer).texts.get("create"))
        orders[endpoint] = Generation.objects.latest("id").pk
        drive()
    shown = "".join(
        client.get("/t/tide/library/", {"model": load.get(endpoint).slug}).content.decode()
        for endpoint in (endpoints if len(endpoints) < 10 else endpoints[:3])
    )
    bodies = {task.endpoint: task.body for task in sandbox.ledger.tasks.values()}
    for endpoint, pk in orders.items():
        made = Generation.objects.get(pk=pk)
        assert made.status == State.SUCCEEDED, (endpoint, made.error_message, made.error_detail)
        outputs = list(made.outputs.order_by("index"))
        assert [output.kind for output in outputs][:1] == [GIVES[load.get(endpoint).output]], endpoint
        assert all(output.file or output.text for output in outputs)
        sent = json.loads(json.dumps(bodies[endpoint]).replace("http://", "https://"))
        sent.pop("webhookUrl", None)
        assert refused(endpoint, sent) == [], endpoint
    found = {str(row.pk) for row in Generation.objects.filter(team=bob.team, status=State.SUCCEEDED)}
    assert found == {str(pk) for pk in orders.values()}
    assert all(
        str(orders[endpoint]) in shown for endpoint in (endpoints if len(endpoints) < 10 else endpoints[:3])
    )
    assert client.get(f"/t/tide/g/{orders[endpoints[0]]}/").status_code == 200


@pytest.mark.thorough
@pytest.mark.parametrize("endpoint", sorted(NAMES_ONLY))
def test_a_model_known_by_name_only_says_so_and_takes_what_a_manager_writes(
    bob: Membership, mona: Membership, client_of: Any, sandbox: Any, drive: Any, endpoint: str
) -> None:
    address = f"/t/tide/create/{load.get(endpoint).slug}/"
    page = client_of(bob).get(address).content.decode()
    assert re.search("name is known", page)
    assert client_of(bob).post(address, {}).status_code == 422
    assert client_of(bob).post(address, {"_extra": '{"prompt": "x"}'}).status_code == 422
    assert not Generation.objects.exists()
    assert client_of(mona).post(address, {"_extra": '{"prompt": "x"}'}).status_code == 303
    drive()
    (task,) = sandbox.ledger.tasks.values()
    assert task.body["prompt"] == "x"
    assert Generation.objects.get().status == State.SUCCEEDED
