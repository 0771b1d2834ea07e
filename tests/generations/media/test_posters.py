"""The size of a picture is read from its head, whatever it would unpack to."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from generations.media import NotMedia, picture_size, poster


def png(wide: int, high: int, pixels: bytes, tags: bytes = b"") -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
    body = head + (chunk(b"eXIf", tags) if tags else b"") + chunk(b"IDAT", pixels)
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def test_the_size_of_a_picture_does_not_unpack_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(10_000, 10_000, b"no pixels at all"))
    assert picture_size(path) == (10_000, 10_000)


@pytest.mark.parametrize(("wide", "high"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (0, 0)])
def test_a_picture_of_absurd_size_has_none_and_no_poster(tmp_path: Path, wide: int, high: int) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(wide, high, zlib.compress(b"\0" * 1000)))
    assert picture_size(path) is None
    with pytest.raises(NotMedia):
        poster(path, "image")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_on_its_side_is_as_wide_as_it_is_seen(tmp_path: Path, form: str) -> None:
    path, tags, data = tmp_path / "a", Image.Exif(), io.BytesIO()
    tags[0x0112] = 6
    Image.new("RGB", (40, 20)).save(data, form, exif=tags)
    path.write_bytes(data.getvalue())
    assert picture_size(path) == (20, 40)


@pytest.mark.parametrize("form", ["WEBP", "GIF", "PNG"])
def test_a_picture_that_moves_is_seen_by_its_first_frame(tmp_path: Path, form: str) -> None:
    path, data = tmp_path / "a", io.BytesIO()
    frames = [Image.new("RGB", (40, 20), (shade, 0, 0)) for shade in (0, 80, 160)]
    frames[0].save(data, form, save_all=True, append_images=frames[1:], duration=100)
    path.write_bytes(data.getvalue())
    assert picture_size(path) == (40, 20)
    made = poster(path, "image")
    assert (made.width, made.height) == (40, 20)


def shape(document: dict[str, object], body: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    size = 20 + len(text) + (8 + len(body) if body else 0)
    head = b"glTF" + struct.pack("<II", 2, size) + struct.pack("<I4s", len(text), b"JSON")
    return head + text + (struct.pack("<I4s", len(body), b"BIN\0") + body if body else b"")


@pytest.mark.parametrize(
    "nodes",
    [[{"children": [0]}], [*({"children": [n + 1, n + 1]} for n in range(40)), {}]],
    ids=["a node in itself", "a tree of 2^40"],
)
def test_an_object_that_names_its_parts_without_end_has_no_poster(
    tmp_path: Path, nodes: list[object]
) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(shape({"nodes": nodes, "scenes": [{"nodes": [0]}]}))
    with pytest.raises(NotMedia):
        poster(path, "3d")


def test_corners_that_are_moved_again_and_again_are_counted(tmp_path: Path) -> None:
    count = 100_000
    accessor = {"bufferView": 0, "componentType": 5126, "type": "VEC3", "count": count}
    faces = {"bufferView": 0, "componentType": 5125, "type": "SCALAR", "count": 0}
    document = {
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0] * 1000}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [accessor, faces],
        "bufferViews": [{"buffer": 0, "byteLength": 12 * count}],
    }
    path = tmp_path / "a.glb"
    path.write_bytes(shape(document, bytes(12 * count)))
    with pytest.raises(NotMedia, match="corners"):
        poster(path, "3d")
