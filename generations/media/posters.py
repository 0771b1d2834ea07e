"""Small still pictures of pictures, videos and 3D objects, for lists and players.

Made one at a time in the background. What a file claims to hold is looked at before anything of it is unpacked, so a
small file that would fill the memory is refused.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from .containers import DAMAGED, NotMedia
from .meshes import read_glb, seen

SIDE = 512
"""Pixels of the longer side at most."""
MOST_PIXELS = 120_000_000
"""A picture of 8192 by 8192, and half of one more; unpacked it takes some 360 MB."""
CONTENT_TYPE, EXTENSION = "image/webp", "webp"
QUALITY = 78
ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)
"""The tag by which a camera says how it was held, and its values for a picture that lies on its side."""


@dataclass(frozen=True)
class Poster:
    """The bytes of the small picture, and width and height of what it shows; 0 of what has none."""

    data: bytes
    width: int = 0
    height: int = 0


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture as it is looked at, from its head; None where that is not understood."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                # Pillow unpacks a whole PNG to find a tag behind the picture; that is no reason to fill the memory.
                tags = picture.getexif() if picture.format != "PNG" or "exif" in picture.info else {}
                turned = tags.get(ORIENTATION, 1) in TURNED
                return (picture.height, picture.width) if turned else picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def poster(path: Path, kind: str) -> Poster:
    """The poster of a stored file of kind "image", "video" or "3d". Raises NotMedia where none can be made."""
    if kind == "image":
        return _of_picture(path)
    if kind == "video":
        return _of_video(path)
    if kind == "3d":
        return _packed(seen(read_glb(path), SIDE))
    raise NotMedia("There is nothing to see in it.")


def _of_picture(path: Path) -> Poster:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the size is judged here
            with Image.open(path) as picture:
                wide, high = picture.size
                if wide * high > MOST_PIXELS:
                    raise NotMedia(f"The picture has {wide:,} by {high:,} pixels, too many to look at here.")
                picture.draft("RGB", (SIDE * 2, SIDE * 2))
                picture.thumbnail((SIDE * 2, SIDE * 2), Image.Resampling.BOX, reducing_gap=2.0)
                if picture.getexif().get(ORIENTATION, 1) in TURNED:
                    wide, high = high, wide
                return _packed(ImageOps.exif_transpose(picture), wide, high)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotMedia(DAMAGED) from error


def _of_video(path: Path) -> Poster:
    try:
        import av  # ships the libraries of ffmpeg: only whoever makes a poster loads them
    except ImportError:
        raise NotMedia("No library for videos is installed.") from None
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as film:
            stream = film.streams.video[0]
            if stream.width * stream.height > MOST_PIXELS // 4:
                raise NotMedia("The pictures of the video are too large to look at here.")
            stream.codec_context.skip_frame = "NONKEY"
            for frame in film.decode(stream):
                picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
                return _packed(picture, picture.width, picture.height)
    except (av.FFmpegError, OSError, ValueError, IndexError) as error:
        raise NotMedia(DAMAGED) from error
    raise NotMedia("The video has no picture.")


def _packed(picture: Image.Image, wide: int = 0, high: int = 0) -> Poster:
    small = picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    if small.mode not in ("RGB", "RGBA"):
        small = small.convert("RGBA" if "transparency" in small.info or small.mode in ("LA", "PA") else "RGB")
    target = io.BytesIO()
    small.save(target, "WEBP", quality=QUALITY, method=2)
    return Poster(target.getvalue(), wide, high)
