"""Pictures, videos and objects of the sandbox are what was asked for, and real."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from generations.catalogue import file
from generations.catalogue.load import get
from generations.catalogue.pricing import estimate
from generations.media import Probe, probe
from generations.media.meshes import read_glb
from generations.sandbox.canvas import picture_size, video_size
from generations.sandbox.films import length, videos
from generations.sandbox.made import UnusableSample
from generations.sandbox.objects import objects
from generations.sandbox.pictures import enlarged, pictures
from tests.generations.media.samples import mp4


def png(size: tuple[int, int] = (320, 200)) -> bytes:
    target = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({}, (1024, 1024)),
        ({"size": "768*1152"}, (768, 1152)),
        ({"resolution": "1024×1920"}, (1024, 1920)),
        ({"width": 640, "height": 480}, (640, 480)),
        ({"aspectRatio": "custom", "customWidth": 512, "customHeight": 768}, (512, 768)),
        ({"aspectRatio": "16:9", "customWidth": 512, "customHeight": 768}, (1366, 768)),
        ({"aspectRatio": "1:1", "resolution": "2k"}, (2048, 2048)),
        ({"aspectRatio": "16:9", "resolution": "4k"}, (5462, 3072)),
        ({"size": "99999*99999"}, (8192, 8192)),
    ],
)
def test_a_picture_has_the_size_that_is_asked_for(params: dict[str, Any], size: tuple[int, int]) -> None:
    assert picture_size(params, None) == size


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({"resolution": "1080p", "aspectRatio": "16:9"}, (854, 480)),
        ({"resolution": "360p", "ratio": "9:16"}, (360, 640)),
        ({"size": "1280*720"}, (854, 480)),
        ({}, (854, 480)),
    ],
)
def test_a_video_has_the_shape_that_is_asked_for(params: dict[str, Any], size: tuple[int, int]) -> None:
    assert video_size(params, None, 480) == size


def test_a_picture_without_a_shape_follows_the_one_that_is_given() -> None:
    (made,) = pictures({"prompt": "x"}, png((320, 160)), quick=True)
    with Image.open(io.BytesIO(made.data or b"")) as picture:
        assert picture.width == 2 * picture.height


@pytest.mark.parametrize(
    ("params", "count", "form"),
    [
        ({"numImages": "3", "outputFormat": "png"}, 3, "PNG"),
        ({"n": 2, "outputFormat": "jpeg"}, 2, "JPEG"),
        ({"sequentialImageGeneration": "auto", "maxImages": 4, "outputFormat": "webp(lossy)"}, 4, "WEBP"),
        ({"sequentialImageGeneration": "disabled", "maxImages": 4}, 1, "PNG"),
    ],
)
def test_as_many_pictures_as_asked_each_its_own(params: dict[str, Any], count: int, form: str) -> None:
    made = pictures({"prompt": "x", "size": "256*256", **params}, None, quick=True)
    assert len({one.data for one in made}) == len(made) == count
    for one in made:
        with Image.open(io.BytesIO(one.data or b"")) as picture:
            assert (picture.format, picture.size) == (form, (256, 256))


def test_a_picture_is_enlarged_by_the_factor() -> None:
    (made,) = enlarged({"scale": "4x"}, png((100, 50)))
    with Image.open(io.BytesIO(made.data or b"")) as picture:
        assert picture.size == (400, 200)
    with pytest.raises(UnusableSample):
        enlarged({}, b"no picture")


def test_a_video_plays_as_long_as_asked_and_gives_its_last_frame(tmp_path: Path) -> None:
    video, last = videos({"prompt": "x", "duration": "3", "returnLastFrame": True}, None, quick=True)
    path = tmp_path / "film.webm"
    path.write_bytes(video.data or b"")
    found: Probe = probe(path, expected="video")
    assert (found.type.extension, found.duration) == ("webm", 3.0)
    with av.open(str(path)) as film:
        frames = [frame.to_image() for frame in film.decode(video=0)]
    assert len(frames) == 6
    assert frames[0].tobytes() != frames[-1].tobytes()
    assert last.ext == "png"


def test_a_video_of_a_video_is_as_long_as_that() -> None:
    assert length(mp4(handlers=(b"vide",), seconds=7.5)) == 7.5
    assert [length(data) for data in (None, b"", b"mvhd", b"xxxxmvhd" + bytes(8))] == [0.0] * 4


def test_an_object_is_a_mesh_of_the_same_words_for_ever(tmp_path: Path) -> None:
    (made,), (again,) = objects({"prompt": "boat"}, quick=True), objects({"prompt": "boat"}, quick=True)
    assert made.data == again.data != objects({"prompt": "oar"}, quick=True)[0].data
    (tmp_path / "boat.glb").write_bytes(made.data or b"")
    assert len(read_glb(tmp_path / "boat.glb").corners) == 11 * 16 * 2


def test_each_second_of_a_given_file_is_counted_where_the_price_says_so() -> None:
    spec = get("rhart-video/video-upscaler")
    params = {"videoUrl": "upload:x", "targetResolution": "4k"}
    assert estimate(spec, params, lengths={"upload:x": 10.04}).amount == Decimal("5.6")
    assert estimate(spec, params).amount is None


@pytest.mark.parametrize(("sides", "said"), [((1280, 720), ""), ((640, 480), "Crop it"), (None, "")])
def test_a_picture_of_another_size_than_the_model_takes_says_what_to_do(
    sides: tuple[int, int] | None, said: str
) -> None:
    param = get("rhart-video-s-official/image-to-video").param("imageUrl")
    found = file.fault(param, "image", "png", 1000, None, sides)
    assert said in found
    assert bool(found) is bool(said)
