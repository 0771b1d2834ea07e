"""A real 3D object: a turned vase as a glTF binary, in colours out of the words."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from generations.sandbox.made import Made
from generations.sandbox.pictures import seed_of

RINGS, SPOKES = 48, 64


def objects(params: Mapping[str, Any], *, quick: bool) -> list[Made]:
    """One mesh with positions, normals and colours; always the same for the same words."""
    return [Made("glb", glb(seed_of(params, 0), quick=quick))]


def glb(seed: int, *, quick: bool = False) -> bytes:
    dice = np.random.default_rng(seed)
    rings, spokes = (12, 16) if quick else (RINGS, SPOKES)
    up = np.linspace(0, 1, rings)
    outline = 0.35 + 0.12 * np.sin(up * np.pi * dice.uniform(1.5, 3.5) + dice.uniform(0, 6))
    outline += 0.06 * np.sin(up * np.pi * dice.uniform(4, 8))
    angle = np.linspace(0, 2 * np.pi, spokes + 1)
    x, z = np.outer(outline, np.cos(angle)), np.outer(outline, np.sin(angle))
    y = np.repeat(up[:, None] - 0.5, spokes + 1, axis=1)
    slope = -np.gradient(outline, up)
    normal = np.stack(
        [np.cos(angle) * np.ones_like(y), slope[:, None] * np.ones_like(y), np.sin(angle) * np.ones_like(y)],
        -1,
    )
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    low, high = dice.uniform(0.15, 0.9, 3), dice.uniform(0.3, 1.0, 3)
    tint = low * (1 - up)[:, None, None] + high * up[:, None, None]
    colour = np.broadcast_to(tint, normal.shape)
    places = np.stack([x, y, z], -1).reshape(-1, 3).astype("<f4")
    parts = [
        places,
        normal.reshape(-1, 3).astype("<f4"),
        colour.reshape(-1, 3).astype("<f4"),
        _faces(rings, spokes),
    ]
    views, offset = [], 0
    for part, target in zip(parts, (34962, 34962, 34962, 34963), strict=True):
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": part.nbytes, "target": target})
        offset += part.nbytes
    vector = {"componentType": 5126, "count": len(places), "type": "VEC3"}
    document = {
        "asset": {"version": "2.0", "generator": "rhweb sandbox"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{
            "attributes": {"POSITION": 0, "NORMAL": 1, "COLOR_0": 2}, "indices": 3, "material": 0,
        }]}],
        "materials": [{"pbrMetallicRoughness": {"roughnessFactor": 0.7, "metallicFactor": 0.0}, "doubleSided": True}],
        "accessors": [
            vector | {"bufferView": 0, "min": places.min(0).tolist(), "max": places.max(0).tolist()},
            vector | {"bufferView": 1},
            vector | {"bufferView": 2},
            {"bufferView": 3, "componentType": 5125, "count": parts[3].size, "type": "SCALAR"},
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": offset}],
    }  # fmt: skip
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    body = b"".join(part.tobytes() for part in parts)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(body), b"BIN\0") + body
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def _faces(rings: int, spokes: int) -> Any:
    ring, spoke = np.meshgrid(np.arange(rings - 1), np.arange(spokes), indexing="ij")
    a = ring * (spokes + 1) + spoke
    b = a + spokes + 1
    return np.stack([a, b, a + 1, a + 1, b, b + 1], -1).reshape(-1).astype("<u4")
