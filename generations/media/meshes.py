"""The surface of a glTF binary, as far as a still picture of it needs: triangles, and one colour for each corner."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .containers import DAMAGED, NotMedia

MOST_BYTES = 300 * 1024**2
MOST_CORNERS = 3_000_000
MOST_VISITS = 100_000
"""Nodes that are gone to, one of them as often as it is named."""
DOTS = 700_000
"""Points of the surface that are drawn: some for each pixel."""
GREY = (0.72, 0.74, 0.78)
_TYPES: dict[int, str] = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_PARTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Mesh:
    """Corners (n, 3, 3) of n triangles, and their colours (n, 3, 3) from 0 to 1."""

    corners: Numbers
    colours: Numbers


def read_glb(path: Path) -> Mesh:
    """All triangles of the meshes that the file's scene holds, where they stand. Raises NotMedia."""
    if path.stat().st_size > MOST_BYTES:
        raise NotMedia("The object is too large to look at here.")
    try:
        document, body = _chunks(path.read_bytes())
        moved = 0
        corners: list[Numbers] = []
        colours: list[Numbers] = []
        for node, place in _placed(document):
            for part in document["meshes"][node["mesh"]]["primitives"]:
                if part.get("mode", 4) != 4 or "KHR_draco_mesh_compression" in part.get("extensions", {}):
                    continue
                at = _read(document, body, part["attributes"]["POSITION"])
                moved += len(at)
                if moved > MOST_CORNERS:
                    raise NotMedia("The object has too many corners to look at here.")
                where = at @ place[:3, :3].T + place[:3, 3]
                tint = _tint(document, body, part, len(at))
                faces = (
                    _read(document, body, part["indices"]).reshape(-1).astype(np.int64)
                    if "indices" in part
                    else np.arange(len(at))
                )
                three = faces[: len(faces) // 3 * 3].reshape(-1, 3)
                corners.append(where[three].astype(np.float32))
                colours.append(tint[three].astype(np.float32))
                if sum(len(some) for some in corners) * 3 > MOST_CORNERS:
                    raise NotMedia("The object has too many faces to look at here.")
        if not corners:
            raise NotMedia("The object has no surface that can be shown.")
        return Mesh(np.concatenate(corners), np.concatenate(colours))
    except (KeyError, IndexError, ValueError, TypeError, struct.error, RecursionError) as error:
        if isinstance(error, NotMedia):
            raise
        raise NotMedia(DAMAGED) from error


def seen(mesh: Mesh, side: int) -> Image.Image:
    """The object from the front right and a little above, in soft light, on nothing."""
    flat = mesh.corners.reshape(-1, 3)
    middle, size = (flat.min(0) + flat.max(0)) / 2, float(np.ptp(flat, axis=0).max()) or 1.0
    turn, tilt = np.radians(30), np.radians(20)
    spin = np.array([[np.cos(turn), 0, -np.sin(turn)], [0, 1, 0], [np.sin(turn), 0, np.cos(turn)]])
    nod = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    corners = ((mesh.corners - middle) / size) @ (nod @ spin).T
    edges = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(edges, axis=1)
    normal = edges / np.maximum(area, 1e-12)[:, None]
    light = 0.35 + 0.65 * np.abs(normal @ np.array([0.35, 0.55, 0.76]))
    dice = np.random.default_rng(1)
    chosen = (
        dice.choice(len(corners), DOTS, p=area / area.sum()) if area.sum() > 0 else np.arange(len(corners))
    )
    a, b = dice.random((2, len(chosen)))
    over = a + b > 1
    a, b = np.where(over, 1 - a, a)[:, None], np.where(over, 1 - b, b)[:, None]

    def between(three: Numbers) -> Numbers:
        return np.asarray(three[:, 0] * (1 - a - b) + three[:, 1] * a + three[:, 2] * b, np.float32)

    dots = between(corners[chosen])
    tint = np.clip(between(mesh.colours[chosen]) * light[chosen][:, None], 0, 1)
    x = np.clip(((dots[:, 0] * 0.8 + 0.5) * side).astype(int), 0, side - 1)
    y = np.clip(((0.5 - dots[:, 1] * 0.8) * side).astype(int), 0, side - 1)
    nearest_last = np.argsort(dots[:, 2], kind="stable")
    picture = np.zeros((side, side, 4), np.uint8)
    shade = np.concatenate([tint * 255, np.full((len(tint), 1), 255)], 1).astype(np.uint8)
    picture[y[nearest_last], x[nearest_last]] = shade[nearest_last]
    return Image.fromarray(picture)


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    if data[:4] != b"glTF":
        raise NotMedia("Only glTF binaries can be shown.")
    (size,) = struct.unpack_from("<I", data, 12)
    document: dict[str, Any] = json.loads(data[20 : 20 + size])
    rest = 20 + size
    if rest + 8 > len(data):
        return document, b""
    (body,) = struct.unpack_from("<I", data, rest)
    return document, data[rest + 8 : rest + 8 + body]


def _placed(document: dict[str, Any]) -> list[tuple[dict[str, Any], Numbers]]:
    """The nodes with a mesh and where they stand; of a file without scenes, all of them."""
    nodes: list[dict[str, Any]] = document.get("nodes", [])
    scenes = document.get("scenes") or [{"nodes": list(range(len(nodes)))}]
    waiting = [(at, np.eye(4, dtype=np.float32)) for at in scenes[document.get("scene", 0)].get("nodes", [])]
    found: list[tuple[dict[str, Any], Numbers]] = []
    visits = 0  # a node may name itself, or the same one many times
    while waiting and len(found) < 10_000:
        visits += 1
        if visits > MOST_VISITS:
            raise NotMedia(DAMAGED)
        at, above = waiting.pop()
        node = nodes[at]
        here = above @ _matrix(node)
        if "mesh" in node:
            found.append((node, here))
        waiting += [(child, here) for child in node.get("children", [])[:10_000]]
        if len(waiting) > 100_000:
            raise NotMedia(DAMAGED)
    return found


def _matrix(node: dict[str, Any]) -> Numbers:
    if "matrix" in node:
        return np.array(node["matrix"], np.float32).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0, 0, 0, 1))
    turned = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    whole = np.eye(4, dtype=np.float32)
    whole[:3, :3] = turned * np.array(node.get("scale", (1, 1, 1)))
    whole[:3, 3] = node.get("translation", (0, 0, 0))
    return whole


def _read(document: dict[str, Any], body: bytes, at: int) -> Numbers:
    """The values of an accessor, (count, parts)."""
    accessor = document["accessors"][at]
    view = document["bufferViews"][accessor["bufferView"]]
    kind, parts, count = (
        np.dtype(_TYPES[accessor["componentType"]]),
        _PARTS[accessor["type"]],
        accessor["count"],
    )
    if not 0 <= count <= MOST_CORNERS:
        raise NotMedia("The object has too many corners to look at here.")
    step = view.get("byteStride") or kind.itemsize * parts
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    values = np.ndarray((count, parts), kind, body, start, (step, kind.itemsize))
    return np.array(values)


def _tint(document: dict[str, Any], body: bytes, part: dict[str, Any], count: int) -> Numbers:
    """A colour for each corner: its own, else that of the material, else grey."""
    if "COLOR_0" in part["attributes"]:
        own = _read(document, body, part["attributes"]["COLOR_0"])[:, :3]
        most = {"u1": 255.0, "u2": 65535.0}.get(own.dtype.str[1:], 1.0)
        return np.asarray(own, np.float32) / np.float32(most)
    materials = document.get("materials", [])
    material = materials[part["material"]] if "material" in part and materials else {}
    plain = material.get("pbrMetallicRoughness", {})
    base = plain.get("baseColorFactor", GREY if "baseColorTexture" in plain or not plain else (1, 1, 1))[:3]
    return np.tile(np.array(base, np.float32), (count, 1))
